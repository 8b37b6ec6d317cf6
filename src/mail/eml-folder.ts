import { Inject, Injectable } from '@nestjs/common';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONFIG, type Config } from '../config/config.js';

const NAME = /^([0-9a-f-]{36})\.eml$/;

/** Messages as standard `.eml` files (RFC 5322) under DATA_DIR/mail, where no mail server is configured. */
@Injectable()
export class EmlFolder {
  readonly folder: string;

  constructor(@Inject(CONFIG) config: Config) {
    this.folder = join(config.dataDir, 'mail');
  }

  /** A message written twice is one file. */
  async write(id: string, message: Buffer): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const path = join(this.folder, `${id}.eml`);
    await writeFile(`${path}.part`, message, { mode: 0o600 });
    await rename(`${path}.part`, path);
  }

  /** Does nothing about those that are not there. */
  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids)
      for (const name of [`${id}.eml`, `${id}.eml.part`]) await rm(join(this.folder, name), { force: true });
  }

  /** Ids of all messages, newest first. */
  async list(): Promise<string[]> {
    const names = await readdir(this.folder).catch(() => []);
    const ids = names.map((name) => NAME.exec(name)?.[1]).filter((id) => id !== undefined);
    const dated = await Promise.all(
      ids.map(async (id) => ({ id, at: (await stat(join(this.folder, `${id}.eml`))).mtimeMs })),
    );
    return dated.sort((one, other) => other.at - one.at).map(({ id }) => id);
  }

  /** The message's bytes, or null. */
  async read(id: string): Promise<Buffer | null> {
    if (!NAME.test(`${id}.eml`)) return null;
    return readFile(join(this.folder, `${id}.eml`)).catch(() => null);
  }
}
