import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** What a browser is given, as far as this authenticator looks at it. */
export interface CreationOptions {
  readonly rp: { readonly id: string };
  readonly user: { readonly id: string };
  readonly challenge: string;
}
export interface RequestOptions {
  readonly rpId: string;
  readonly challenge: string;
}

/** What an attacker, or a broken device, may do differently. */
export interface Ceremony {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  readonly isUserVerified?: boolean;
  readonly isUserPresent?: boolean;
  readonly userHandle?: string | null;
  /** Signs with another key than the registered one. */
  readonly key?: KeyObject;
}

const base64url = (bytes: Buffer): string => bytes.toString('base64url');
const sha256 = (data: Buffer | string): Buffer => createHash('sha256').update(data).digest();

/** CBOR (RFC 8949) of what follows here: whole numbers, bytes, texts and maps of fewer than 24 entries. */
function cbor(value: number | Buffer | string | Map<number | string, unknown>): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  const entries = [...value].flatMap(([key, each]) => [cbor(key), cbor(each as number)]);
  return Buffer.concat([head(5, value.size), ...entries]);
}

function head(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 256) return Buffer.from([(major << 5) | 24, value]);
  return Buffer.from([(major << 5) | 25, value >> 8, value & 255]);
}

/**
 * An authenticator in software (WebAuthn Level 3, 6) with one passkey of P-256, and the browser before it: for what neither
 * of them would do of itself.
 */
export class Authenticator {
  readonly credentialId = randomBytes(32);
  readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  count = 0;
  private userHandle = '';

  constructor(private readonly origin = 'http://localhost:3000') {}

  /** RegistrationResponseJSON. */
  create({ rp, user, challenge }: CreationOptions, how: Ceremony = {}): object {
    this.userHandle = user.id;
    const { x, y } = this.keys.publicKey.export({ format: 'jwk' });
    const key = new Map<number, number | Buffer>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x!, 'base64url')],
      [-3, Buffer.from(y!, 'base64url')],
    ]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.credentialId.length);
    const attested = Buffer.concat([Buffer.alloc(16), length, this.credentialId, cbor(key)]);
    const attestation = new Map<string, unknown>([
      ['fmt', 'none'],
      ['attStmt', new Map()],
      ['authData', Buffer.concat([this.authenticatorData(how.rpId ?? rp.id, 0x40, how), attested])],
    ]);
    const clientDataJSON = this.clientData('webauthn.create', challenge, how);
    return this.credential({
      clientDataJSON: base64url(clientDataJSON),
      attestationObject: base64url(cbor(attestation)),
      transports: ['internal'],
    });
  }

  /** AuthenticationResponseJSON. Counts. */
  get({ rpId, challenge }: RequestOptions, how: Ceremony = {}): object {
    this.count += 1;
    const data = this.authenticatorData(how.rpId ?? rpId, 0, how);
    const clientDataJSON = this.clientData('webauthn.get', challenge, how);
    const signature = sign('sha256', Buffer.concat([data, sha256(clientDataJSON)]), how.key ?? this.keys.privateKey);
    const userHandle = how.userHandle === undefined ? this.userHandle : how.userHandle;
    return this.credential({
      clientDataJSON: base64url(clientDataJSON),
      authenticatorData: base64url(data),
      signature: base64url(signature),
      ...(userHandle === null ? {} : { userHandle }),
    });
  }

  private authenticatorData(rpId: string, flags: number, how: Ceremony): Buffer {
    const { isUserPresent = true, isUserVerified = true } = how;
    const count = Buffer.alloc(4);
    count.writeUInt32BE(this.count);
    const all = flags | (isUserPresent ? 0x01 : 0) | (isUserVerified ? 0x04 : 0);
    return Buffer.concat([sha256(rpId), Buffer.from([all]), count]);
  }

  private clientData(type: string, challenge: string, how: Ceremony): Buffer {
    const data = {
      type: how.type ?? type,
      challenge: how.challenge ?? challenge,
      origin: how.origin ?? this.origin,
      crossOrigin: false,
    };
    return Buffer.from(JSON.stringify(data));
  }

  private credential(response: object): object {
    const id = base64url(this.credentialId);
    return { id, rawId: id, type: 'public-key', response, clientExtensionResults: {} };
  }
}
