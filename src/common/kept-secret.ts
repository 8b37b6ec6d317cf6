import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const WRITTEN_WITHIN_MS = 5_000;

/** The secret in a file, in base64: made of this many random bytes at the first need, and kept for its owner alone. */
export async function keptSecret(path: string, bytes: number): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(path, `${randomBytes(bytes).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readWhole(path);
}

/** Of processes that start together one writes it, and the others find the file before there is anything in it. */
async function readWhole(path: string): Promise<string> {
  const deadline = performance.now() + WRITTEN_WITHIN_MS;
  for (;;) {
    const text = (await readFile(path, 'utf8')).trim();
    if (text !== '') return text;
    if (performance.now() > deadline)
      throw new Error(`${path} is empty: restore it, or remove it where it has protected nothing yet`);
    await sleep(20);
  }
}
