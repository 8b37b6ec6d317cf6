import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SECRET_KEY } from './app.js';
import { atEnd } from './clean-up.js';
import { makeDatabase, type TestDatabase } from './database.js';
import { MAIN, makeFolder, Program, someSettings } from './program.js';

export const CLI = join(dirname(MAIN), 'cli.js');
export const BACKUP_KEY = randomBytes(32).toString('base64');

export type Settings = Readonly<Record<string, string>>;

export function command(settings: Settings, ...args: string[]): Program {
  return new Program(settings, { command: [process.execPath, CLI, ...args] });
}

/** Its exit code, and what it said. */
export async function run(settings: Settings, ...args: string[]): Promise<[code: number | string, output: string]> {
  const program = command(settings, ...args);
  return [await program.ended, program.output];
}

export interface EmptyInstance {
  readonly settings: Settings & { readonly DATA_DIR: string };
  readonly database: TestDatabase;
}

/** A new database and a new data folder, and nothing in either. */
export async function anEmptyInstance(more: Settings = {}): Promise<EmptyInstance> {
  const database = await makeDatabase();
  atEnd(() => database.drop());
  const settings = await someSettings({
    DATABASE_URL: database.url,
    SECRET_KEY,
    BACKUP_KEY,
    LOCKOUT_FAILURES: '0',
    DB_POOL_SIZE: '2',
    ...more,
  });
  return { settings, database };
}

/** Makes a backup in a folder of its own, and says where the one archive in it is. */
export async function aBackup(settings: Settings): Promise<string> {
  const folder = await makeFolder();
  const [code, output] = await run(settings, 'backup', '--to', folder);
  if (code !== 0) throw new Error(`no backup: ${output}`);
  const [name = ''] = await readdir(folder);
  return join(folder, name);
}
