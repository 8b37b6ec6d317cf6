import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { NotePlace } from './note-place.js';

const PARTIAL = '.partial';

/** A folder of this machine, or one that several share. */
export class NoteFolder implements NotePlace {
  constructor(readonly name: string) {}

  async put(name: string, text: string): Promise<void> {
    await mkdir(this.name, { recursive: true, mode: 0o700 });
    const partial = join(this.name, `.${name}.${randomUUID()}${PARTIAL}`);
    try {
      const handle = await open(partial, 'wx', 0o600);
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(partial, join(this.name, name));
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
    const folder = await open(this.name, 'r');
    await folder.sync().finally(() => folder.close());
  }

  async names(): Promise<string[]> {
    const found = await readdir(this.name).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    });
    return found.filter((name) => !name.endsWith(PARTIAL));
  }

  get(name: string): Promise<string> {
    return readFile(join(this.name, name), 'utf8');
  }
}
