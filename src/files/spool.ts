import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { createHash, type Hash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Clock } from '../common/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import type { Content } from './content.js';
import { opened, Seal, sealedSpan, Sealer } from './encryption.js';
import { slices } from './slices.js';
import { SPOOL_FOLDER, type SpooledFile } from './storage/file-storage.js';
import { storing } from './storing.js';

/** An upload that has not become a file after this long belongs to a process that died. */
const ABANDONED_AFTER_MS = 3_600_000;
const MOST_BYTES_AT_A_TIME = 1_048_576;
const READ_BYTES = 256 * 1024;
/** Up to this size an upload is looked at in memory, and only written to the disk. */
const MOST_BYTES_IN_MEMORY = 256 * 1024;

/**
 * Uploads on their way in: files of the local disk, encrypted from their first byte when files are encrypted, that become
 * something only when a storage takes them.
 */
@Injectable()
export class Spool implements OnModuleInit {
  private readonly folder: string;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly clock: Clock,
  ) {
    this.folder = join(config.files.uploadDir, SPOOL_FOLDER);
  }

  async onModuleInit(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await this.remove(await this.findAbandoned(new Date(this.clock.now().getTime() - ABANDONED_AFTER_MS)));
  }

  /** A new file on the way in, encrypted with this key if there is one. */
  async receive(dataKey: Buffer | undefined): Promise<IncomingFile> {
    return storing(async () => {
      const path = join(this.folder, `${randomUUID()}.part`);
      return new IncomingFile(path, await open(path, 'wx+', 0o600), dataKey);
    });
  }

  /** The names of what was last written to before that time: what processes that died left behind. */
  async findAbandoned(before: Date): Promise<string[]> {
    const abandoned: string[] = [];
    for (const name of await readdir(this.folder)) {
      const { mtimeMs } = await stat(join(this.folder, name)).catch(() => ({ mtimeMs: Infinity }));
      if (mtimeMs < before.getTime()) abandoned.push(name);
    }
    return abandoned;
  }

  /** Removes what {@link findAbandoned} found. */
  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) await rm(join(this.folder, name), { force: true });
  }
}

/** Bytes on their way in. */
export class IncomingFile implements Content {
  private readonly sealer: Sealer | undefined;
  private readonly hash = createHash('sha256');
  /** Of the ciphertext, where that differs from the content. */
  private readonly sealedHash: Hash | undefined;
  private sha256 = '';
  private readonly sealing: Seal | undefined;
  private sealed: Buffer | null = null;
  /** All content so far; undefined when it has become too much. */
  private inMemory: Buffer[] | undefined = [];
  private contentBytes = 0;
  private storedBytes = 0;
  private isOver = false;

  constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    private readonly dataKey: Buffer | undefined,
  ) {
    this.sealer = dataKey === undefined ? undefined : new Sealer(dataKey);
    this.sealedHash = dataKey === undefined ? undefined : createHash('sha256');
    this.sealing = dataKey === undefined ? undefined : new Seal(dataKey);
  }

  /** So far. */
  get sizeBytes(): number {
    return this.contentBytes;
  }

  /** More content. */
  async write(content: Buffer): Promise<void> {
    this.contentBytes += content.length;
    this.hash.update(content);
    if (this.contentBytes > MOST_BYTES_IN_MEMORY) this.inMemory = undefined;
    this.inMemory?.push(content);
    await this.store(this.sealer === undefined ? [content] : this.sealer.update(content));
  }

  /** Says that all content is there, which can be read from now on. Returns its SHA-256 in hexadecimal. */
  async end(): Promise<string> {
    if (this.sealer !== undefined) await this.store(this.sealer.final());
    this.sealed = this.sealing?.final() ?? null;
    this.sha256 = this.hash.digest('hex');
    return this.sha256;
  }

  /** Of the ciphertext, once all content is there; null when the bytes are stored as they came. */
  get seal(): Buffer | null {
    return this.sealed;
  }

  /** Forces the bytes to the disk; then a storage can take them. */
  async force(): Promise<SpooledFile> {
    await storing(() => this.handle.sync());
    return { path: this.path, sizeBytes: this.storedBytes, sha256: this.sealedHash?.digest('hex') ?? this.sha256 };
  }

  async read(position: number, length: number): Promise<Buffer> {
    if (length > MOST_BYTES_AT_A_TIME) throw new RangeError('too much at a time');
    const end = Math.min(position + length, this.contentBytes);
    if (!(position >= 0 && end > position)) return Buffer.alloc(0);
    const parts: Buffer[] = [];
    for await (const part of this.part(position, end)) parts.push(part);
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  async *stream(): AsyncGenerator<Buffer> {
    yield* this.part(0, this.contentBytes);
  }

  /** Closes and removes it, unless a storage has taken it. Can be called again. */
  async discard(): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    await this.handle.close().catch(() => undefined);
    await unlink(this.path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  }

  private part(start: number, end: number): AsyncIterable<Buffer> | Iterable<Buffer> {
    if (this.inMemory !== undefined) return slices(this.inMemory, { start, end: end - 1 });
    if (this.dataKey === undefined) return this.stored(start, end);
    const span = sealedSpan({ start, end }, this.contentBytes);
    return opened(this.stored(span.start, span.end), this.dataKey, { start, end }, this.contentBytes);
  }

  private async *stored(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end;) {
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, end - at));
      const { bytesRead } = await this.handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  private async store(pieces: readonly Buffer[]): Promise<void> {
    await storing(async () => {
      for (const piece of pieces) {
        this.storedBytes += piece.length;
        this.sealedHash?.update(piece);
        this.sealing?.update(piece);
      }
      // one call for the pieces of a chunk; what a full disk did not take comes back as an error with the next
      for (let rest = pieces; rest.length > 0;) {
        const { bytesWritten } = await this.handle.writev(rest as Buffer[]);
        rest = without(rest, bytesWritten);
      }
    });
  }
}

/** What is left of these pieces after so many bytes. */
function without(pieces: readonly Buffer[], bytes: number): Buffer[] {
  const rest: Buffer[] = [];
  let gone = bytes;
  for (const piece of pieces) {
    if (gone >= piece.length) gone -= piece.length;
    else {
      rest.push(piece.subarray(gone));
      gone = 0;
    }
  }
  return rest;
}
