import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { UsageError } from '../common/command.js';
import { forceFolder } from '../common/durable-files.js';
import type { Config } from '../config/config.js';
import { prefixOf, s3AddressOf } from '../config/s3-address.js';
import type { ArchivePlace, KeptArchive } from './archive-place.js';

/** Gives the bytes of an archive from its beginning; can be called again. */
export type ArchiveSource = () => Promise<AsyncIterable<Buffer>>;

const PARTIAL = /^\.forecourt-[\w-]+\.backup\.partial$/;
/** What was not written to for so long belongs to a backup that died. */
const ABANDONED_AFTER_MS = 3_600_000;

/** Such as `forecourt-20261122T033000Z-0f3a….backup`: names sort by time, and two of one second differ. */
export function newName(now: Date): string {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  return `forecourt-${time}-${randomBytes(4).toString('hex')}.backup`;
}

/** Where `--to` leads. Throws {@link UsageError}. */
export async function placeAt(to: string, config: Config, now: Date): Promise<ArchivePlace> {
  const object = objectAt(to);
  if (object === undefined) return folderAt(resolve(to), config, now);
  const prefix = prefixOf(object.key);
  const files = config.files.storage.s3;
  if (files?.bucket === object.bucket && prefix === files.prefix)
    throw new UsageError('--to must not be where files are kept: what no row names is removed there');
  const { S3Archives } = await import('./s3-archives.js');
  return new S3Archives(config.backup.s3, object.bucket, prefix);
}

/** Where `--from` and `--verify` lead. */
export function sourceAt(from: string, config: Config): ArchiveSource {
  const object = objectAt(from);
  if (object === undefined)
    return () => Promise.resolve(createReadStream(resolve(from), { highWaterMark: 1024 * 1024 }));
  return async () => {
    const { S3Archives } = await import('./s3-archives.js');
    return new S3Archives(config.backup.s3, object.bucket, '').open(object.key);
  };
}

/** Undefined for a path of this machine. */
function objectAt(text: string): ReturnType<typeof s3AddressOf> {
  if (!/^s3:/i.test(text)) return undefined;
  const address = s3AddressOf(text);
  if (address === undefined) throw new UsageError('an address in S3 looks like s3://bucket/folder');
  return address;
}

function folderAt(folder: string, { files: { uploadDir } }: Config, now: Date): ArchivePlace {
  const inside = relative(uploadDir, folder);
  if (inside === '' || !(inside.startsWith('..') || resolve(inside) === inside))
    throw new UsageError('--to must not be inside UPLOAD_DIR: what no row names is removed there');
  return {
    async put(name, pieces) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await removeAbandoned(folder, now);
      const partial = join(folder, `.${name}.partial`);
      try {
        const written = await write(partial, pieces);
        await rename(partial, join(folder, name));
        await forceFolder(folder);
        return { at: join(folder, name), ...written };
      } catch (error) {
        await rm(partial, { force: true });
        throw error;
      }
    },
  };
}

async function write(path: string, pieces: AsyncIterable<Buffer>): Promise<Omit<KeptArchive, 'at'>> {
  const handle = await open(path, 'wx', 0o600);
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const piece of pieces) {
      hash.update(piece);
      bytes += piece.length;
      // continues where the last one ended, and writes all of it
      await handle.writeFile(piece);
    }
    await handle.sync();
    const { size } = await handle.stat();
    if (size !== bytes) throw new Error(`the disk has ${size} bytes of ${basename(path)} in place of ${bytes}`);
  } finally {
    await handle.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** What backups that were killed left behind. */
async function removeAbandoned(folder: string, now: Date): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!PARTIAL.test(name)) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (now.getTime() - mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true });
  }
}
