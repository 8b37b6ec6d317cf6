import { createHash, createHmac, randomBytes } from 'node:crypto';

/** A token of 256 bits as its holder has it, and what is kept of it. */
export interface RefreshToken {
  readonly text: string;
  readonly hash: Buffer;
}

const TOKEN_BYTES = 32;

/** A token that follows no other. */
export function firstRefreshToken(): RefreshToken {
  return toToken(randomBytes(TOKEN_BYTES));
}

export function newSalt(): Buffer {
  return randomBytes(TOKEN_BYTES);
}

/**
 * The token that replaces this one: HMAC-SHA256 under it of 256 random bits, which are kept. So whoever holds the token can
 * be given its successor once more, and neither the database alone nor the token alone says what that is.
 */
export function successorOf(text: string, salt: Buffer): RefreshToken {
  return toToken(createHmac('sha256', text).update(salt).digest());
}

/** SHA-256 will do: nobody guesses 256 random bits. */
export function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function toToken(bytes: Buffer): RefreshToken {
  const text = bytes.toString('base64url');
  return { text, hash: hashOf(text) };
}
