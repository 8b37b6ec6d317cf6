import { createHash, randomBytes } from 'node:crypto';

/** What a mailed link carries, and what is kept of it. */
export interface LinkToken {
  /** 256 random bits, base64url. */
  readonly text: string;
  readonly hash: Buffer;
}

const TOKEN_BYTES = 32;

export function newLinkToken(): LinkToken {
  const text = randomBytes(TOKEN_BYTES).toString('base64url');
  return { text, hash: hashOfLinkToken(text) };
}

/** SHA-256 will do: nobody guesses 256 random bits. */
export function hashOfLinkToken(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The token stands behind the #, which browsers send to no server and in no Referer. */
export function linkTo(page: string, token: string): string {
  return `${page}#token=${token}`;
}
