import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { UsageError } from '../common/command.js';
import type { Config } from '../config/config.js';
import { key as readKey } from '../config/setting-readers.js';
import { DATA_KEY_BYTES } from '../files/encryption.js';

const MAGIC = Buffer.from('Forecourt backup 1\n');
const SALT_BYTES = 32;
const CHECK_BYTES = 16;

/** What stands before the encrypted part of an archive: what it is, a salt, and a check by which a wrong key is told. */
export const PREAMBLE_BYTES = MAGIC.length + SALT_BYTES + CHECK_BYTES;

/** An archive is not what it should be, for the reason that the message gives. */
export class ArchiveRefused extends Error {}

/** A preamble for a new archive, and the key of that archive alone: it follows from the given one by HKDF (RFC 5869). */
export function newPreamble(key: Buffer): { readonly preamble: Buffer; readonly archiveKey: Buffer } {
  const salt = randomBytes(SALT_BYTES);
  const { archiveKey, check } = derive(key, salt);
  return { preamble: Buffer.concat([MAGIC, salt, check]), archiveKey };
}

/** The key of the archive that begins so. Throws {@link ArchiveRefused}. */
export function keyOf(preamble: Buffer, key: Buffer): Buffer {
  if (!preamble.subarray(0, MAGIC.length).equals(MAGIC))
    throw new ArchiveRefused(
      'This is no backup of Forecourt, one made by a newer version, or its beginning is damaged',
    );
  const { archiveKey, check } = derive(key, preamble.subarray(MAGIC.length, MAGIC.length + SALT_BYTES));
  if (!preamble.subarray(MAGIC.length + SALT_BYTES).equals(check))
    throw new ArchiveRefused('The key is not the one that the archive was made with, or its beginning is damaged');
  return archiveKey;
}

/** The key of the file that --key-file names, or else BACKUP_KEY. Throws {@link UsageError} when there is none. */
export async function givenKey({ backup }: Config, keyFile: string | undefined): Promise<Buffer> {
  if (keyFile === undefined) {
    if (backup.key === undefined)
      throw new UsageError(
        'Set BACKUP_KEY, or name a file with the key by --key-file; openssl rand -base64 32 makes one',
      );
    return backup.key;
  }
  try {
    return readKey((await readFile(keyFile, 'utf8')).trim());
  } catch (error) {
    throw new UsageError(`--key-file ${error instanceof Error ? error.message : 'cannot be read'}`, { cause: error });
  }
}

function derive(key: Buffer, salt: Buffer): { readonly archiveKey: Buffer; readonly check: Buffer } {
  const bytes = Buffer.from(hkdfSync('sha256', key, salt, 'forecourt backup 1', DATA_KEY_BYTES + CHECK_BYTES));
  // the check says nothing of the key: neither part of HKDF's output follows from the other
  return {
    archiveKey: bytes.subarray(0, DATA_KEY_BYTES),
    check: createHash('sha256').update(bytes.subarray(DATA_KEY_BYTES)).digest().subarray(0, CHECK_BYTES),
  };
}
