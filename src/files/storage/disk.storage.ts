import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { FileNotFound, FileUnreadable } from '../files.errors.js';
import { storing } from '../storing.js';
import { type ByteRange, FileStorage, SPOOL_FOLDER, type SpooledFile, type StoredObject } from './file-storage.js';

/**
 * Files on a local or mounted disk, in folders named by the first two characters of their keys. A spooled file on the same
 * disk is renamed into its place and the folder forced to the disk, so that a name never stands for half a file. Nothing is
 * ever served from the folder directly.
 */
export class DiskStorage extends FileStorage {
  readonly driver = 'disk';
  /** Folders that are there for sure. */
  private readonly made = new Set<string>();

  /** Per folder the forcing that is under way or was the last, and the one after it, if somebody waits for it. */
  private readonly turns = new Map<string, { current: Promise<void>; next: Promise<void> | undefined }>();

  constructor(private readonly folder: string) {
    super();
  }

  async prepare(): Promise<void> {
    await mkdir(join(this.folder, SPOOL_FOLDER), { recursive: true, mode: 0o700 });
    await this.makeFolders();
    // where files lay before there were folders
    for (const entry of await readdir(this.folder, { withFileTypes: true })) {
      if (!entry.isFile() || entry.name.startsWith('.')) continue;
      await this.makeFolderOf(entry.name);
      await rename(join(this.folder, entry.name), this.pathOf(entry.name));
    }
    await this.check().catch((cause: unknown) => {
      throw new Error('UPLOAD_DIR cannot keep files', { cause });
    });
  }

  async put(key: string, file: SpooledFile): Promise<void> {
    await storing(async () => {
      await this.makeFolderOf(key);
      await rename(file.path, this.pathOf(key));
      await this.forceFolder(this.folderOf(key));
    });
  }

  async open(key: string, range?: ByteRange): Promise<Readable> {
    let handle: FileHandle;
    try {
      handle = await open(this.pathOf(key), constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      throw refusalFor(error);
    }
    const stats = await handle.stat();
    if (!stats.isFile()) {
      await handle.close();
      throw new FileUnreadable({ cause: new Error('the stored file is not a plain file') });
    }
    // told where it ends, the stream does not ask once more whether there is anything left
    const end = range?.end ?? Math.max(0, stats.size - 1);
    return handle.createReadStream({ highWaterMark: 256 * 1024, start: range?.start ?? 0, end });
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    try {
      return toObject(key, await lstat(this.pathOf(key)));
    } catch (error) {
      const refusal = refusalFor(error);
      if (refusal instanceof FileNotFound) return undefined;
      throw refusal;
    }
  }

  async remove(key: string): Promise<void> {
    await rm(this.pathOf(key), { force: true });
  }

  async *list(): AsyncGenerator<StoredObject> {
    for (const shard of await readdir(this.folder, { withFileTypes: true })) {
      if (!shard.isDirectory() || shard.name.startsWith('.')) continue;
      for (const key of await readdir(join(this.folder, shard.name))) {
        const found = key.startsWith('.') ? undefined : await this.stat(key);
        if (found !== undefined) yield found;
      }
    }
  }

  async check(): Promise<void> {
    const path = join(this.folder, SPOOL_FOLDER, `${randomUUID()}.probe`);
    await writeFile(path, 'probe', { mode: 0o600, flag: 'wx' });
    try {
      const handle = await open(path, constants.O_RDONLY);
      const { bytesRead } = await handle.read(Buffer.alloc(5), 0, 5, 0).finally(() => handle.close());
      if (bytesRead !== 5) throw new Error('the storage does not give back what it was given');
    } finally {
      await unlink(path);
    }
  }

  /** The folders of all keys that begin with a UUID, so that no upload has to wait for one. */
  private async makeFolders(): Promise<void> {
    const there = new Set(await readdir(this.folder));
    let isNew = false;
    for (let index = 0; index < 256; index += 1) {
      const name = index.toString(16).padStart(2, '0');
      if (!there.has(name)) {
        await mkdir(join(this.folder, name), { recursive: true, mode: 0o700 });
        isNew = true;
      }
      this.made.add(join(this.folder, name));
    }
    if (isNew) await this.forceFolder(this.folder);
  }

  private async makeFolderOf(key: string): Promise<void> {
    const folder = this.folderOf(key);
    if (this.made.has(folder)) return;
    if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) await this.forceFolder(this.folder);
    this.made.add(folder);
  }

  /**
   * Forces a folder's names to the disk. Who asks while one forcing is under way shares the next one with everybody who asks
   * until then: each begins after the renames it stands for.
   */
  private forceFolder(folder: string): Promise<void> {
    const turn = this.turns.get(folder) ?? { current: Promise.resolve(), next: undefined };
    this.turns.set(folder, turn);
    turn.next ??= turn.current.then(async () => {
      turn.next = undefined;
      const directory = await open(folder, constants.O_RDONLY);
      await directory.sync().finally(() => directory.close());
    });
    const { next } = turn;
    turn.current = next.catch(() => undefined);
    return next;
  }

  /** A key is one plain name; anything else, whatever wrote it, names no file. */
  private pathOf(key: string): string {
    return join(this.folderOf(key), key);
  }

  private folderOf(key: string): string {
    if (key !== basename(key) || key.startsWith('.') || key.length < 2 || /[\0\\]/.test(key)) throw new FileNotFound();
    return join(this.folder, key.slice(0, 2));
  }
}

function toObject(key: string, { size, mtime }: Stats): StoredObject {
  return { key, sizeBytes: size, modifiedAt: mtime };
}

function refusalFor(error: unknown): Error {
  if (error instanceof FileNotFound) return error;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR' ? new FileNotFound() : new FileUnreadable({ cause: error });
}
