import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The secret in a file, in base64: made of this many random bytes at the first need, and kept for its owner alone. */
export async function keptSecret(path: string, bytes: number): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(path, `${randomBytes(bytes).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(path, 'utf8')).trim();
}
