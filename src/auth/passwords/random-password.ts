import { randomBytes } from 'node:crypto';
import { complexityFaults } from './password-rules.js';

const LEAST_CHARACTERS = 16;

/** A password of letters, digits, - and _, with some of each kind; nearly 96 random bits or more. */
export function randomPassword(minLength: number): string {
  for (;;) {
    const length = Math.max(LEAST_CHARACTERS, minLength);
    const password = randomBytes(length).toString('base64url').slice(0, length);
    if (complexityFaults(password).length === 0) return password;
  }
}
