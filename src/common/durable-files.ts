import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** What a name under way ends in; a dot before it hides it. */
export const PARTIAL = '.partial';

/** Forces a folder's names to the disk. */
export async function forceFolder(folder: string): Promise<void> {
  const directory = await open(folder, 'r');
  await directory.sync().finally(() => directory.close());
}

/** Makes a folder, and those that it lies in, for their owner alone. They stay once it resolves. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; ; made = dirname(made)) {
    await forceFolder(dirname(made));
    if (made === first || made === dirname(made)) return;
  }
}

/** Keeps a text in a file for its owner alone, whole or not at all, in place of what was there. Durable when it resolves. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  const partial = join(folder, `.${basename(path)}.${randomUUID()}${PARTIAL}`);
  try {
    const handle = await open(partial, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await forceFolder(folder);
}
