import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { prefixOf, s3AddressOf } from './s3-address.js';
import { canonicalLanguageTag } from './language-tag.js';

/** The text of a variable cannot be read as what the setting needs. */
export class Misread extends Error {}

/** Reads the text of a variable. Throws a {@link Misread} whose message never repeats the text. */
export type Reader<T> = (text: string) => T;

export const text: Reader<string> = (value) => value;

export const secretText: Reader<string> = (value) => value;

export const flag: Reader<boolean> = (value) => {
  if (/^(true|1|yes|on)$/i.test(value)) return true;
  if (/^(false|0|no|off)$/i.test(value)) return false;
  throw new Misread('must be true or false');
};

export const whole =
  (min: number, max: number): Reader<number> =>
  (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
    if (!(number >= min && number <= max)) throw new Misread(`must be a whole number from ${min} to ${max}`);
    return number;
  };

export const oneOf =
  <const T extends string>(...choices: T[]): Reader<T> =>
  (value) => {
    const found = choices.find((choice) => choice.toLowerCase() === value.toLowerCase());
    if (found === undefined) throw new Misread(`must be one of ${choices.join(', ')}`);
    return found;
  };

export const webAddress: Reader<string> = (value) => {
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    throw new Misread('must be an address such as https://intake.example.com');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Misread('must begin with http:// or https://');
  if (url.username !== '' || url.password !== '') throw new Misread('must not carry a user name or password');
  return value.replace(/\/+$/, '');
};

/** A DSN of Sentry: https://key@host/project. */
export const sentryAddress: Reader<string> = (value) => {
  if (/^https?:\/\/\w+@[\w.-]+(:\d{1,5})?(\/[\w.~-]+)*\/\d+$/.test(value) && URL.canParse(value)) return value;
  throw new Misread('must look like https://key@sentry.example.com/42');
};

export const postgresAddress: Reader<string> = (value) => {
  try {
    const url = new URL(value);
    if (url.protocol === 'postgresql:' || url.protocol === 'postgres:') return value;
  } catch {
    // falls through to the one sentence that does not repeat the value: it may hold a password
  }
  throw new Misread('must look like postgresql://user:password@host:5432/database');
};

export const redisAddress: Reader<string> = (value) => {
  try {
    const url = new URL(value);
    if ((url.protocol === 'redis:' || url.protocol === 'rediss:') && url.hostname !== '') return value;
  } catch {
    // as above
  }
  throw new Misread('must look like redis://user:password@host:6379');
};

/** A key-encryption key with its id: `2026-11:<32 bytes in base64>`. */
export const fileKey: Reader<{ readonly id: string; readonly key: Buffer }> = (value) => {
  const [, id, encoded] = /^([A-Za-z0-9._-]{1,50}):([A-Za-z0-9+/]{43}=)$/.exec(value) ?? [];
  if (id === undefined || encoded === undefined || id === 'local')
    throw new Misread('must list keys as id:key, each key 32 bytes in base64; make one with: openssl rand -base64 32');
  return { id, key: Buffer.from(encoded, 'base64') };
};

/** A key by itself: 32 bytes in base64. */
export const key: Reader<Buffer> = (value) => {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(value))
    throw new Misread('must be 32 bytes in base64; make one with: openssl rand -base64 32');
  return Buffer.from(value, 'base64');
};

/** A file with a key, and the id that tokens name it by: `2026-11:/run/secrets/jwt.pem`. */
export const keyFile: Reader<{ readonly id: string; readonly path: string }> = (value) => {
  const [, id, path] = /^([A-Za-z0-9._-]{1,50}):(.+)$/.exec(value) ?? [];
  if (id === undefined || path === undefined) throw new Misread('must list keys as id:path of a PEM file');
  return { id, path };
};

/** Names a version of a text. */
export const versionName: Reader<string> = (value) => {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/.test(value))
    throw new Misread('must be 1 to 50 letters, digits, dots, dashes or underscores');
  return value;
};

/** Somewhere outside of the database. */
export type Place =
  | { readonly kind: 'folder'; readonly path: string }
  /** `prefix` is empty or ends in a slash. */
  | { readonly kind: 'bucket'; readonly bucket: string; readonly prefix: string };

/** A folder of this machine, or `s3://bucket/folder`. */
export const place: Reader<Place> = (value) => {
  if (!/^[a-z0-9+.-]+:\/\//i.test(value)) return { kind: 'folder', path: resolve(value) };
  const address = s3AddressOf(value);
  if (address === undefined) throw new Misread('must be a folder, or look like s3://bucket/folder');
  return { kind: 'bucket', bucket: address.bucket, prefix: prefixOf(address.key) };
};

export const webhookSecret: Reader<Buffer> = (value) => {
  const encoded = value.replace(/^whsec_/, '');
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length < 24 || bytes.length > 64 || bytes.toString('base64') !== encoded)
    throw new Misread('must be 24 to 64 bytes in base64; make one with: openssl rand -base64 32');
  return bytes;
};

export const list =
  <T>(item: Reader<T>): Reader<T[]> =>
  (value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(item);

export const origin: Reader<string> = (value) => {
  if (value.includes('*')) throw new Misread('must name exact origins; * is refused');
  const address = webAddress(value);
  if (new URL(address).origin !== address)
    throw new Misread('must be origins without a path, such as https://app.example.com');
  return address;
};

/** An address that a mail can be sent to or from. Kept narrow on purpose, like the public form's rule. */
export const mailbox: Reader<string> = (value) => {
  if (!/^[^\s@<>",;:\\()[\]]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(value)) {
    throw new Misread('must be an e-mail address');
  }
  return value;
};

export const proxy: Reader<string> = (value) => {
  const [address = '', prefix, more] = value.split('/');
  const version = isIP(address);
  // a range of everything would believe everybody
  const ranges =
    prefix === undefined ||
    (/^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= (version === 4 ? 32 : 128));
  const named = /^(loopback|linklocal|uniquelocal)$/.test(value);
  if (!named && (version === 0 || !ranges || more !== undefined)) {
    throw new Misread('must list the proxies: IP addresses, CIDR ranges, or loopback, linklocal, uniquelocal');
  }
  return value;
};

/** In lower case with its #, which may be left out: in a `.env` file it would begin a comment. */
export const colour: Reader<string> = (value) => {
  const [, digits] = /^#?([0-9a-f]{6})$/i.exec(value) ?? [];
  if (digits === undefined) throw new Misread('must be a colour as six hexadecimal digits, rrggbb');
  return `#${digits.toLowerCase()}`;
};

/** A few lines of text; \n stands for a line break where a value can hold none. */
export const lines: Reader<string[]> = (value) => {
  const found = value
    .split(/\r?\n|\\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (found.length > 8 || found.some((line) => line.length > 200 || /\p{Cc}/u.test(line)))
    throw new Misread('must be at most 8 lines of at most 200 characters, separated by \\n');
  return found;
};

/** A picture that mails show: programs that read mail load none over an open line. */
export const pictureAddress: Reader<string> = (value) => {
  if (!webAddress(value).startsWith('https://')) throw new Misread('must begin with https://');
  return value;
};

export const languageTag: Reader<string> = (value) => {
  const tag = canonicalLanguageTag(value);
  if (tag === undefined) throw new Misread('must be a language tag such as en or de-AT');
  return tag;
};

/** A host name of two labels or more, in lower case. */
export const domainName: Reader<string> = (value) => {
  if (value.length > 253 || !/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(value))
    throw new Misread('must be a domain such as practice.example');
  return value.toLowerCase();
};

/** RFC 6376, 3.1: one label or more. */
export const selector: Reader<string> = (value) => {
  if (value.length > 63 || !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(value))
    throw new Misread('must be letters, digits, dashes and dots');
  return value.toLowerCase();
};

/** RFC 8301, 3.2: verifiers refuse what is shorter. */
const SHORTEST_RSA_BITS = 1024;

/** An RSA private key in PEM, for signatures; \n stands for a line break where a value can hold none. */
export const signingKey: Reader<string> = (value) => {
  const pem = value.replaceAll('\\n', '\n');
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new Misread('must be a private key in PEM, not encrypted');
  }
  if (key.asymmetricKeyType !== 'rsa') throw new Misread('must be an RSA key');
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < SHORTEST_RSA_BITS)
    throw new Misread(`must have at least ${SHORTEST_RSA_BITS} bits`);
  return pem;
};

/** The key that a file holds. */
export const signingKeyFile: Reader<string> = (path) => {
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch {
    throw new Misread('must be a file that can be read');
  }
  return signingKey(pem);
};

/** What somebody can be to the practice; the roles of src/users/role.ts, which settings must not know. */
export type RoleName = 'client' | 'attorney' | 'admin' | 'superadmin';

export const roleName: Reader<RoleName> = oneOf('client', 'attorney', 'admin', 'superadmin');

/** The id of a provider: it stands in names of variables and in addresses. */
export const providerId: Reader<string> = (value) => {
  if (!/^[a-z][a-z0-9]{0,19}$/i.test(value)) throw new Misread('must list ids of letters and digits, such as google');
  return value.toLowerCase();
};

/** The address of a provider as it writes it: some end in a slash, and must. */
export const providerAddress: Reader<string> = (value) => {
  webAddress(value);
  return value;
};

/** What a provider says of somebody, and the role that follows from it: `partners=superadmin`. */
export const roleRule: Reader<{ readonly value: string; readonly role: RoleName }> = (rule) => {
  const [, value, role] = /^(.+)=(\w+)$/.exec(rule) ?? [];
  if (value === undefined || role === undefined)
    throw new Misread('must list rules as value=role, such as partners=admin');
  return { value: value.trim(), role: roleName(role) };
};

/** A path without anything that could lead elsewhere. */
export const plainPath: Reader<string> = (value) => {
  if (!/^\/$|^(\/[A-Za-z0-9_~-]+)+$/.test(value)) throw new Misread('must list paths such as /leads');
  return value;
};

/** Pairs as OpenTelemetry writes them: `name=value,name=value`, percent-encoded where a value holds one of the two signs. */
export const keyValues: Reader<Readonly<Record<string, string>>> = (value) => {
  const pairs = list((pair) => {
    const [, name, encoded] = /^([\w.-]+)\s*=\s*([\x21-\x7e]*)$/.exec(pair) ?? [];
    try {
      if (name !== undefined && encoded !== undefined) return [name, decodeURIComponent(encoded)] as const;
    } catch {
      // falls through to the one sentence that does not repeat the value: it may be a token
    }
    throw new Misread('must list pairs as name=value, percent-encoded');
  })(value);
  if (pairs.some(([, decoded]) => /\p{Cc}/u.test(decoded))) throw new Misread('must not hold control characters');
  return Object.fromEntries(pairs);
};

/** From 0 to 1. */
export const share: Reader<number> = (value) => {
  if (!/^(0(\.\d{1,9})?|1(\.0{1,9})?)$/.test(value)) throw new Misread('must be a number from 0 to 1, such as 0.05');
  return Number(value);
};
