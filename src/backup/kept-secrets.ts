import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder, writeDurably } from '../common/durable-files.js';
import type { Config } from '../config/config.js';
import type { ArchivedSecret } from './archive.js';

/** Where Forecourt keeps what it made itself, under DATA_DIR. Nothing else of an archive becomes a file there. */
const KEPT = /^(file-encryption-key|secret-key|keys\/\d{8}T\d{6}Z-[0-9a-f]{8}\.pem)$/;
/** By which a key that was at the place of another one is still found. */
const REPLACED = '.before-restore-';

/** The secrets that stand in no setting: nobody else has a copy. */
export async function keptSecrets({ dataDir, auth }: Config): Promise<ArchivedSecret[]> {
  const paths = ['file-encryption-key'];
  if (auth.secretKey === undefined) paths.push('secret-key');
  if (auth.privateKeys.length === 0)
    paths.push(...(await readdir(auth.keysDir).catch(nothingWhenMissing)).sort().map((name) => `keys/${name}`));
  const found: ArchivedSecret[] = [];
  for (const path of paths.filter((each) => KEPT.test(each))) {
    const text = await textAt(join(dataDir, path));
    if (text !== undefined) found.push({ kind: 'secret', path, text });
  }
  return found;
}

/** Puts secrets in their places, for their owner alone. One that is there and differs stays beside it under another name. */
export async function placeSecrets({ dataDir }: Config, secrets: readonly ArchivedSecret[]): Promise<void> {
  for (const { path, text } of secrets) {
    if (!KEPT.test(path)) throw new Error('The archive has a secret that no place is known for');
    const place = join(dataDir, path);
    const there = await textAt(place);
    if (there === text) continue;
    await makeFolder(dirname(place));
    if (there !== undefined) await rename(place, `${place}${REPLACED}${randomUUID().slice(0, 8)}`);
    await writeDurably(place, text);
  }
}

async function textAt(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
}

function nothingWhenMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
