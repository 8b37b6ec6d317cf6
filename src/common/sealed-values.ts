import { Injectable } from '@nestjs/common';
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { ApplicationSecret } from './application-secret.js';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A value was sealed with another key or for another purpose, or was changed since. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

interface ValueKey {
  readonly id: string;
  readonly key: Buffer;
}

/**
 * Short secrets that must be read again, such as those of authenticator apps: sealed for the database with AES-256-GCM
 * (NIST SP 800-38D, random nonces) under a key that follows from SECRET_KEY by HKDF (RFC 5869). What SECRET_KEY_PREVIOUS sealed
 * can still be opened.
 */
@Injectable()
export class SealedValues {
  private keys: Promise<readonly ValueKey[]> | undefined;

  constructor(private readonly secret: ApplicationSecret) {}

  /** `purpose` names the field and its row: a value that was copied into another one does not open there. */
  async seal(purpose: string, value: string): Promise<string> {
    const [current] = await this.readKeys();
    if (current === undefined) throw new Error('there is no secret to seal with');
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, current.key, nonce).setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${current.id}.${sealed.toString('base64url')}`;
  }

  /** Throws `SealBroken`. */
  async open(purpose: string, sealed: string): Promise<string> {
    const { id, bytes } = parse(sealed);
    const found = (await this.readKeys()).find((key) => key.id === id);
    if (found === undefined) throw new SealBroken('neither SECRET_KEY nor SECRET_KEY_PREVIOUS sealed this value');
    try {
      const nonce = bytes.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv(ALGORITHM, found.key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(-TAG_BYTES));
      const opened = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      return opened.toString('utf8');
    } catch (error) {
      throw new SealBroken('the value was changed, or sealed for another purpose', { cause: error });
    }
  }

  /** Whether a value should be sealed anew, because SECRET_KEY was changed. */
  async isOutdated(sealed: string): Promise<boolean> {
    const [current] = await this.readKeys();
    return parse(sealed).id !== current?.id;
  }

  private async readKeys(): Promise<readonly ValueKey[]> {
    this.keys ??= this.secret.all().then((secrets) => secrets.map(toKey));
    return this.keys;
  }
}

function toKey(secret: string): ValueKey {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'forecourt sealed values 1', KEY_BYTES));
  return { key, id: createHash('sha256').update('id').update(key).digest('hex').slice(0, 8) };
}

function parse(sealed: string): { readonly id: string; readonly bytes: Buffer } {
  const [id = '', text = ''] = sealed.split('.');
  return { id, bytes: Buffer.from(text, 'base64url') };
}
