import { createHash, randomBytes } from 'node:crypto';

/** Crockford's base32: no letter that looks like a digit. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** 120 bits: a plain hash will do from 112 (ASVS 5.0, 6.5.2), and no change of SECRET_KEY takes them away. */
const CHARACTERS = 24;
const GROUP = 4;

export const RECOVERY_CODES = 10;

/** Such as `7g3k-x0qd-…` in six groups. */
export function newRecoveryCode(): string {
  // 32 divides 256, so that every character is as likely
  const characters = Array.from(randomBytes(CHARACTERS), (byte) => ALPHABET.charAt(byte % ALPHABET.length));
  const groups: string[] = [];
  for (let start = 0; start < CHARACTERS; start += GROUP) groups.push(characters.slice(start, start + GROUP).join(''));
  return groups.join('-');
}

/** What is kept of a code, however it was typed: spaces, dashes, capitals, and O for 0, I or L for 1. */
export function hashOfRecoveryCode(code: string): Buffer {
  const read = code.toLowerCase().replace(/[\s-]/g, '').replaceAll('o', '0').replace(/[il]/g, '1');
  return createHash('sha256').update(`recovery code ${read}`).digest();
}
