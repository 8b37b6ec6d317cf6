import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Clock } from '../common/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import { FileStorage, type IncomingFile, type OpenFile } from './file-storage.js';
import { FileNotFound, FileNotStored, FileStorageFull, FileUnreadable } from './files.errors.js';

/** An upload that has not become a file after this long belongs to a process that died. */
const ABANDONED_AFTER_MS = 3_600_000;

/**
 * Files on a local or mounted disk: written to a temporary name beside their place, forced to the disk, renamed, and the
 * folder forced as well, so that a name never stands for half a file. Nothing is ever served from the folder directly.
 */
@Injectable()
export class DiskStorage extends FileStorage implements OnModuleInit {
  private readonly folder: string;
  private readonly incoming: string;
  /** The forcing of the folder that is under way or was the last, and the one after it, if somebody waits for it. */
  private forcing: Promise<void> = Promise.resolve();
  private nextForcing: Promise<void> | undefined;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly clock: Clock,
  ) {
    super();
    this.folder = config.files.uploadDir;
    this.incoming = join(this.folder, '.incoming');
  }

  async onModuleInit(): Promise<void> {
    await mkdir(this.incoming, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.incoming)) {
      const path = join(this.incoming, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
      if (this.clock.now().getTime() - mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true });
    }
  }

  async receive(): Promise<IncomingFile> {
    return storing(async () => {
      const path = join(this.incoming, `${randomUUID()}.part`);
      return new IncomingDiskFile(path, await open(path, 'wx+', 0o600));
    });
  }

  async keep(incoming: IncomingFile, key: string): Promise<void> {
    await storing(() => (incoming as IncomingDiskFile).moveTo(this.pathOf(key), () => this.forceFolder()));
  }

  async open(key: string): Promise<OpenFile> {
    const path = this.pathOf(key);
    let handle: FileHandle;
    try {
      handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new FileNotFound();
      throw new FileUnreadable({ cause: error });
    }
    const stats = await handle.stat();
    if (!stats.isFile()) {
      await handle.close();
      throw new FileUnreadable({ cause: new Error('the stored file is not a plain file') });
    }
    return {
      stream: handle.createReadStream({ highWaterMark: 256 * 1024, end: Math.max(0, stats.size - 1) }),
      sizeBytes: stats.size,
    };
  }

  async remove(key: string): Promise<void> {
    await rm(this.pathOf(key), { force: true });
  }

  async check(): Promise<void> {
    const probe = await this.receive();
    try {
      await probe.write(Buffer.from('probe'));
    } finally {
      await probe.discard();
    }
  }

  /**
   * Forces the folder's names to the disk. Who asks while one forcing is under way shares the next one with everybody who
   * asks until then: each begins after the renames it stands for.
   */
  private forceFolder(): Promise<void> {
    this.nextForcing ??= this.forcing.then(async () => {
      this.nextForcing = undefined;
      const directory = await open(this.folder, constants.O_RDONLY);
      try {
        await directory.sync();
      } finally {
        await directory.close();
      }
    });
    const next = this.nextForcing;
    this.forcing = next.catch(() => undefined);
    return next;
  }

  /** A key is one plain name; anything else, whatever wrote it, names no file. */
  private pathOf(key: string): string {
    if (key !== basename(key) || key.startsWith('.') || key.includes('\0') || key.includes('\\'))
      throw new FileNotFound();
    return join(this.folder, key);
  }
}

class IncomingDiskFile implements IncomingFile {
  private ended = false;

  constructor(
    private readonly path: string,
    readonly handle: FileHandle,
  ) {}

  async write(chunk: Buffer): Promise<void> {
    await storing(async () => {
      for (let done = 0; done < chunk.length;) done += (await this.handle.write(chunk, done)).bytesWritten;
    });
  }

  async seal(): Promise<void> {
    await storing(() => this.handle.sync());
  }

  async moveTo(path: string, forceFolder: () => Promise<void>): Promise<void> {
    if (this.ended) throw new Error('this upload is over');
    await rename(this.path, path);
    this.ended = true;
    await Promise.all([this.handle.close(), forceFolder()]);
  }

  async discard(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    await this.handle.close().catch(() => undefined);
    await unlink(this.path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  }
}

/** Gives a failure of the disk its refusal: no room is the operator's to solve and may pass, anything else is a defect. */
async function storing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new FileStorageFull({ cause: error });
    throw new FileNotStored({ cause: error });
  }
}
