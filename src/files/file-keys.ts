import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keptSecret } from '../common/kept-secret.js';
import { CONFIG, type Config } from '../config/config.js';
import { DATA_KEY_BYTES } from './encryption.js';
import { FileKeyMissing } from './files.errors.js';

/** A key-encryption key. */
export interface FileKey {
  readonly id: string;
  readonly key: Buffer;
}

/** A data key as it is kept in the row of its file. */
export interface WrappedKey {
  readonly keyId: string | null;
  readonly wrappedKey: Buffer | null;
}

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Where that key is kept under DATA_DIR. */
export const LOCAL_KEY_FILE = 'file-encryption-key';
/** The id of the key that is made where none was given. */
export const LOCAL_KEY_ID = 'local';

/**
 * The keys of files: each has a random data key of its own, which lies in its row wrapped by a key-encryption key
 * (AES-256-GCM with a random nonce, NIST SP 800-38D, bound to the file's id). The first key-encryption key wraps new ones; the
 * others only unwrap.
 */
@Injectable()
export class FileKeys implements OnModuleInit {
  private keys: readonly FileKey[] = [];

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  async onModuleInit(): Promise<void> {
    const { isOn, keys } = this.config.files.encryption;
    // files of an earlier time stay readable after encryption was switched off, or keys were given in place of our own
    const local = await localKey(this.config.dataDir, isOn && keys.length === 0);
    this.keys = [...keys, ...local.filter(({ id }) => keys.every((key) => key.id !== id))];
  }

  /** A new data key and its wrapped form; undefined while files are stored as they come. */
  make(fileId: string): { readonly dataKey: Buffer; readonly keyId: string; readonly wrappedKey: Buffer } | undefined {
    if (!this.config.files.encryption.isOn) return undefined;
    const dataKey = randomBytes(DATA_KEY_BYTES);
    return { dataKey, keyId: this.current.id, wrappedKey: wrap(this.current, fileId, dataKey) };
  }

  /** The data key of a file; undefined when it is stored as it came. Throws `FileKeyMissing`. */
  unwrap(fileId: string, { keyId, wrappedKey }: WrappedKey): Buffer | undefined {
    if (keyId === null) return undefined;
    const found = this.keys.find(({ id }) => id === keyId);
    if (found === undefined) throw new FileKeyMissing({ cause: new Error(`FILE_ENCRYPTION_KEYS has no key ${keyId}`) });
    if (wrappedKey === null) throw new FileKeyMissing({ cause: new Error('the key of this file was destroyed') });
    return unwrapWith(found, fileId, wrappedKey);
  }

  /** The id of the key that wraps new ones. Throws when there is none. */
  get currentId(): string {
    return this.current.id;
  }

  /** The same data key, wrapped by the current key. Throws `FileKeyMissing`. */
  rewrap(fileId: string, wrapped: WrappedKey): { readonly keyId: string; readonly wrappedKey: Buffer } {
    const dataKey = this.unwrap(fileId, wrapped);
    if (dataKey === undefined) throw new Error('this file is not encrypted');
    return { keyId: this.current.id, wrappedKey: wrap(this.current, fileId, dataKey) };
  }

  /** Which of these key-encryption keys are not at hand. */
  missingOf(keyIds: readonly string[]): string[] {
    return keyIds.filter((keyId) => this.keys.every(({ id }) => id !== keyId));
  }

  private get current(): FileKey {
    const [current] = this.keys;
    if (current === undefined) throw new Error('there is no key for files');
    return current;
  }
}

function wrap({ key }: FileKey, fileId: string, dataKey: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(boundTo(fileId));
  return Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
}

function unwrapWith({ id, key }: FileKey, fileId: string, wrapped: Buffer): Buffer {
  try {
    const decipher = createDecipheriv(ALGORITHM, key, wrapped.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(boundTo(fileId)).setAuthTag(wrapped.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(wrapped.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (error) {
    throw new FileKeyMissing({ cause: new Error(`key ${id} does not fit the file`, { cause: error }) });
  }
}

/** Whether the key wrapped this data key of this file. */
export function fits(key: FileKey, fileId: string, wrapped: Buffer): boolean {
  try {
    unwrapWith(key, fileId, wrapped);
    return true;
  } catch (error) {
    if (error instanceof FileKeyMissing) return false;
    throw error;
  }
}

function boundTo(fileId: string): Buffer {
  return Buffer.from(`forecourt file key 1 ${fileId}`);
}

/** The key of a machine that keeps its files itself: made at the first need and kept for its owner alone. */
async function localKey(dataDir: string, isNeeded: boolean): Promise<FileKey[]> {
  const path = join(dataDir, LOCAL_KEY_FILE);
  if (isNeeded) return [toLocalKey(await keptSecret(path, DATA_KEY_BYTES))];
  try {
    return [toLocalKey(await readFile(path, 'utf8'))];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function toLocalKey(text: string): FileKey {
  return { id: LOCAL_KEY_ID, key: Buffer.from(text.trim(), 'base64') };
}
