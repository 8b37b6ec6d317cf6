import { createHmac, randomBytes } from 'node:crypto';
import { type RandomSecret, secretOf } from '../../common/random-secret.js';

const SALT_BYTES = 32;

export function newSalt(): Buffer {
  return randomBytes(SALT_BYTES);
}

/**
 * The token that replaces this one: HMAC-SHA256 under it of 256 random bits, which are kept. So whoever holds the token can
 * be given its successor once more, and neither the database alone nor the token alone says what that is.
 */
export function successorOf(text: string, salt: Buffer): RandomSecret {
  return secretOf(createHmac('sha256', text).update(salt).digest());
}
