import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpooledFile } from '../../src/files/storage/file-storage.js';
import { makeFolder } from './program.js';

export const aKey = (): string => `${randomUUID()}_cv.pdf`;

/** A file that waits for a storage, with these bytes or as many random ones. Removed after the test. */
export async function spool(content: Buffer | number): Promise<SpooledFile & { readonly bytes: Buffer }> {
  const bytes = typeof content === 'number' ? randomBytes(content) : content;
  const path = join(await makeFolder(), 'spooled');
  await writeFile(path, bytes);
  return { path, bytes, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
