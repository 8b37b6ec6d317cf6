import { isUuid } from '../../common/uuid.js';

export const TOKEN_ISSUER = 'forecourt';
export const TOKEN_AUDIENCE = 'forecourt-api';
export const ACCESS_TOKEN_TYPE = 'access';
/** RFC 9068, 2.1: keeps tokens of other kinds apart. */
export const ACCESS_TOKEN_HEADER_TYPE = 'at+jwt';

/** What an access token says (RFC 7519). Times in seconds since 1970. */
export interface AccessClaims {
  readonly sub: string;
  readonly username: string;
  readonly type: string;
  readonly iat: number;
  readonly exp: number;
  /** The session; only tokens from before there were sessions have none. */
  readonly sid?: string;
}

/** What chooses the key that an access token must be signed with. */
export interface TokenForm {
  readonly algorithm: string;
  readonly keyId: string | undefined;
}

/** Some ten times what one of ours takes. */
const LONGEST_TOKEN = 8192;
const HEADER_NAMES = new Set(['alg', 'typ', 'kid']);

/**
 * The form of an access token, nothing of which is proved before its signature is; undefined for what could be none of
 * ours. Stricter than RFC 7519: one spelling for each token (canonical base64url, JSON as `JSON.stringify` writes it, hence no name
 * twice), and no header but alg, typ and kid, so that nothing can point at a key (RFC 8725, 3.10) or change the rules (crit).
 */
export function formOf(token: string): TokenForm | undefined {
  const parts = token.split('.');
  const [head = '', body = '', signature = ''] = parts;
  if (token.length > LONGEST_TOKEN || parts.length !== 3 || signature === '') return undefined;
  if (!isCanonical(signature)) return undefined;
  const [header, claims] = [objectIn(head), objectIn(body)];
  if (header === undefined || claims === undefined) return undefined;
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string' || !(kid === undefined || typeof kid === 'string')) return undefined;
  if (!Object.keys(header).every((name) => HEADER_NAMES.has(name))) return undefined;
  if (!areAccessClaims(claims) || !isTypeOf(claims, typ)) return undefined;
  return { algorithm: alg, keyId: kid };
}

/** Ours are at+jwt and name a session; those from before there were sessions are plain and name none. */
function isTypeOf({ sid, jti }: Readonly<Record<string, unknown>>, typ: unknown): boolean {
  if (typ === ACCESS_TOKEN_HEADER_TYPE) return typeof sid === 'string' && isUuid(sid) && typeof jti === 'string';
  return (typ === undefined || typ === 'JWT') && sid === undefined;
}

function areAccessClaims({ type, sub, iat, exp, iss, aud }: Readonly<Record<string, unknown>>): boolean {
  return (
    type === ACCESS_TOKEN_TYPE &&
    typeof sub === 'string' &&
    isUuid(sub) &&
    Number.isSafeInteger(iat) &&
    Number.isSafeInteger(exp) &&
    iss === TOKEN_ISSUER &&
    aud === TOKEN_AUDIENCE
  );
}

function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

function objectIn(part: string): Readonly<Record<string, unknown>> | undefined {
  if (!isCanonical(part)) return undefined;
  const text = Buffer.from(part, 'base64url').toString();
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value) || JSON.stringify(value) !== text)
      return undefined;
    return value as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
