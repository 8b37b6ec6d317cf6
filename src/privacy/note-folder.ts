import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, PARTIAL, writeDurably } from '../common/durable-files.js';
import type { NotePlace } from './note-place.js';

/** A folder of this machine, or one that several share. */
export class NoteFolder implements NotePlace {
  constructor(readonly name: string) {}

  async put(name: string, text: string): Promise<void> {
    await makeFolder(this.name);
    await writeDurably(join(this.name, name), text);
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
