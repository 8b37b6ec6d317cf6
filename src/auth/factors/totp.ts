import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

/** As RFC 4226, 4 recommends. */
const SECRET_BYTES = 20;
/** Codes of the step before and after are taken: clocks differ (RFC 6238, 5.2). */
const WINDOW = 1;

/** The library stumbles over other digits than these ten. */
const CODE = /^[0-9]{6}$/;

/** A new secret of 160 bits, in base32 as authenticator apps have it typed. */
export function newTotpSecret(): string {
  return new Secret({ buffer: Uint8Array.from(randomBytes(SECRET_BYTES)).buffer }).base32;
}

/** What authenticator apps read from a QR code: `otpauth://totp/…`. */
export function totpUri(secret: string, issuer: string, account: string): string {
  return totpOf(secret, issuer, account).toString();
}

/** The time step of this code, counted in 30 seconds since 1970; undefined when it is wrong now. */
export function stepOfCode(secret: string, code: string, now: Date): number | undefined {
  if (!CODE.test(code)) return undefined;
  const totp = totpOf(secret);
  const timestamp = now.getTime();
  const distance = totp.validate({ token: code, timestamp, window: WINDOW });
  return distance === null ? undefined : totp.counter({ timestamp }) + distance;
}

/** RFC 6238 with what every app can: SHA-1, six digits, 30 seconds. */
function totpOf(secret: string, issuer = '', label = ''): TOTP {
  return new TOTP({
    secret: Secret.fromBase32(secret),
    algorithm: 'SHA1',
    digits: 6,
    period: 30,
    // a colon would end the issuer
    issuer: issuer.replaceAll(':', ' '),
    label: label.replaceAll(':', ' '),
  });
}
