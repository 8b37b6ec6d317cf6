import { createHash, randomBytes } from 'node:crypto';

/** What somebody has to show later, and what is kept of it meanwhile. */
export interface RandomSecret {
  /** 256 random bits, base64url. */
  readonly text: string;
  readonly hash: Buffer;
}

const SECRET_BYTES = 32;

export function newRandomSecret(): RandomSecret {
  return secretOf(randomBytes(SECRET_BYTES));
}

/** The secret that these bytes are. */
export function secretOf(bytes: Buffer): RandomSecret {
  const text = bytes.toString('base64url');
  return { text, hash: hashOfSecret(text) };
}

/** SHA-256 will do, and needs no salt: nobody guesses 256 random bits (ASVS 5.0, 6.5.2). */
export function hashOfSecret(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
