import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { hashOfSecret } from '../../common/random-secret.js';

/** What every key begins with, so that people and secret scanners know one when they see it. */
export const KEY_START = 'fck_';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PUBLIC_DIGITS = 8;
/** 62 ** 43 is just above 2 ** 256. */
const SECRET_DIGITS = 43;
/** 62 ** 6 is above 2 ** 32. */
const CHECK_DIGITS = 6;
const FORM = new RegExp(
  `^${KEY_START}([0-9A-Za-z]{${PUBLIC_DIGITS}})_[0-9A-Za-z]{${SECRET_DIGITS}}([0-9A-Za-z]{${CHECK_DIGITS}})$`,
);
const LENGTH = KEY_START.length + PUBLIC_DIGITS + 1 + SECRET_DIGITS + CHECK_DIGITS;

/** A key and what is kept of it. */
export interface NewApiKey {
  /** Told its owner once and kept nowhere. */
  readonly text: string;
  readonly publicId: string;
  readonly hash: Buffer;
}

/**
 * `fck_`, a public id of 8 characters, `_`, 256 random bits in 43, and their CRC-32 in 6; all in base 62, so that a double
 * click takes the whole. A new secret of an old key keeps the public id.
 */
export function makeApiKey(publicId = randomPublicId()): NewApiKey {
  const start = `${KEY_START}${publicId}_${inBase62(BigInt(`0x${randomBytes(32).toString('hex')}`), SECRET_DIGITS)}`;
  const text = `${start}${checkOf(start)}`;
  return { text, publicId, hash: hashOfSecret(text) };
}

/** The public id of what may be a key; undefined for what is mistyped, cut or no key at all. */
export function publicIdIn(text: string): string | undefined {
  if (text.length !== LENGTH) return undefined;
  const [, publicId, check] = FORM.exec(text) ?? [];
  return check === checkOf(text.slice(0, -CHECK_DIGITS)) ? publicId : undefined;
}

function randomPublicId(): string {
  return inBase62(BigInt(`0x${randomBytes(8).toString('hex')}`) % 62n ** BigInt(PUBLIC_DIGITS), PUBLIC_DIGITS);
}

function checkOf(start: string): string {
  return inBase62(BigInt(crc32(start)), CHECK_DIGITS);
}

function inBase62(number: bigint, digits: number): string {
  let text = '';
  for (let rest = number; text.length < digits; rest /= 62n) text = DIGITS.charAt(Number(rest % 62n)) + text;
  return text;
}
