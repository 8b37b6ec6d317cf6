import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { forceFolder } from '../../common/durable-files.js';
import { SEALED_CHUNK_BYTES } from '../encryption.js';
import { FileNotFound, FileUnreadable } from '../files.errors.js';
import { storing } from '../storing.js';
import { copyChecked, isOnOtherDisk, moveChecked } from './disk-files.js';
import { type ByteRange, FileStorage, SPOOL_FOLDER, type SpooledFile, type StoredObject } from './file-storage.js';
import { isKey } from './spooled-bytes.js';

/** A copy that has not become a file after this long belongs to a process that died. */
const ABANDONED_AFTER_MS = 3_600_000;
const COPY_SUFFIX = '.part';
/** How much of a file is read at a time; chunks of encrypted files come in one piece each. */
const READ_BYTES = 4 * SEALED_CHUNK_BYTES;

/**
 * Files on a local or mounted disk, in folders named by the first two characters of their keys. A spooled file on the same
 * disk is looked at once more and renamed into its place; one on another disk is copied beside its place and renamed there.
 * Then the folder is forced to the disk, so that a name never stands for half a file. Nothing is ever served from the folder
 * directly.
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
      if (!entry.isFile() || !isNameOfFile(entry.name)) continue;
      await this.makeFolderOf(entry.name);
      await rename(join(this.folder, entry.name), this.pathOf(entry.name));
    }
    const diskTime = await this.probe().catch((cause: unknown) => {
      throw new Error('UPLOAD_DIR cannot keep files', { cause });
    });
    await this.removeAbandoned(diskTime);
  }

  async put(key: string, file: SpooledFile): Promise<void> {
    const path = this.pathOf(key);
    await storing(async () => {
      await this.makeFolderOf(key);
      try {
        await moveChecked(file, path);
        await this.forceFolder(this.folderOf(key));
      } catch (error) {
        if (!isOnOtherDisk(error)) throw error;
        await this.putCopy(key, file);
      }
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
    return handle.createReadStream({ highWaterMark: READ_BYTES, start: range?.start ?? 0, end });
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
    for await (const { folder, name } of this.names()) {
      const found = isNameOfFile(name) && name.startsWith(folder) ? await this.stat(name) : undefined;
      if (found !== undefined) yield found;
    }
  }

  async check(): Promise<void> {
    await this.probe();
  }

  /** Writes, reads and deletes a small file. Gives the present time by the disk's own clock. */
  private async probe(): Promise<Date> {
    const path = join(this.folder, SPOOL_FOLDER, `${randomUUID()}.probe`);
    const handle = await open(path, 'wx+', 0o600);
    try {
      await handle.writeFile('probe');
      const { bytesRead } = await handle.read(Buffer.alloc(5), 0, 5, 0);
      if (bytesRead !== 5) throw new Error('the storage does not give back what it was given');
      return (await handle.stat()).mtime;
    } finally {
      await handle.close();
      await unlink(path);
    }
  }

  /** Copies a file from another disk beside its place first: only a rename puts all of it there at once. */
  private async putCopy(key: string, file: SpooledFile): Promise<void> {
    const folder = this.folderOf(key);
    const copy = join(folder, `.${randomUUID()}${COPY_SUFFIX}`);
    await copyChecked(file, copy);
    try {
      await rename(copy, this.pathOf(key));
    } catch (error) {
      await rm(copy, { force: true });
      throw error;
    }
    await this.forceFolder(folder);
    // the file is kept; what is left of the upload is its owner's to remove
    await unlink(file.path).catch(() => undefined);
  }

  /** Removes copies that processes that died left behind. */
  private async removeAbandoned(now: Date): Promise<void> {
    for await (const { folder, name } of this.names()) {
      if (!name.startsWith('.') || !name.endsWith(COPY_SUFFIX)) continue;
      const path = join(this.folder, folder, name);
      // another process may have finished it just now
      const found = await lstat(path).catch(() => undefined);
      if (found !== undefined && now.getTime() - found.mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true });
    }
  }

  /** All names in all folders of files. */
  private async *names(): AsyncGenerator<{ folder: string; name: string }> {
    for (const shard of await readdir(this.folder, { withFileTypes: true })) {
      if (!shard.isDirectory() || !isKey(shard.name)) continue;
      for (const name of await readdir(join(this.folder, shard.name))) yield { folder: shard.name, name };
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
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // even if somebody else made it just now: their forcing may not be over
    await this.forceFolder(this.folder);
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
      await forceFolder(folder);
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
    if (!isNameOfFile(key)) throw new FileNotFound();
    return join(this.folder, key.slice(0, 2));
  }
}

/** Longer than the names of the folders, which files lay beside once. */
const isNameOfFile = (name: string): boolean => isKey(name) && name.length > 2;

function toObject(key: string, { size, mtime }: Stats): StoredObject {
  return { key, sizeBytes: size, modifiedAt: mtime };
}

function refusalFor(error: unknown): Error {
  if (error instanceof FileNotFound) return error;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR' ? new FileNotFound() : new FileUnreadable({ cause: error });
}
