import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { NotGenuine, opened, sealedSpan } from './encryption.js';
import type { StoredFile } from './file.entity.js';
import { FileKeys } from './file-keys.js';
import { FileIntegrityFailed, FileNotFound } from './files.errors.js';
import { slices } from './slices.js';
import { FilesRepository } from './files.repository.js';
import type { ByteRange, StorageDriver } from './storage/file-storage.js';
import { FileStorages } from './storage/file-storages.js';

/** Files up to this size are read once, checked in memory and sent; larger ones are read twice. */
const MOST_BYTES_IN_MEMORY = 1_048_576;

/** The content of a stored file that was found to be what was uploaded. */
export interface VerifiedContent {
  /** All of it or a part. */
  stream(range?: ByteRange): Readable;
}

/** Reads stored files, decrypted where they are encrypted. */
@Injectable()
export class FileReader {
  constructor(
    private readonly files: FilesRepository,
    private readonly storages: FileStorages,
    private readonly keys: FileKeys,
  ) {}

  /**
   * Reads the whole file and compares it with the recorded size and hash before a byte of it is given away. Throws
   * `FileIntegrityFailed`, `FileNotFound`, `FileKeyMissing` or what the storage throws. `copyAt` names another storage in which
   * a copy is looked for.
   */
  async verify(file: StoredFile, copyAt?: StorageDriver): Promise<VerifiedContent> {
    const isSmall = file.sizeBytes <= MOST_BYTES_IN_MEMORY;
    const kept: Buffer[] = [];
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for await (const chunk of this.content(file, { start: 0, end: file.sizeBytes - 1 }, copyAt)) {
      sizeBytes += chunk.length;
      hash.update(chunk);
      if (isSmall) kept.push(chunk);
    }
    if (sizeBytes !== file.sizeBytes || hash.digest('hex') !== file.sha256)
      throw new FileIntegrityFailed({ cause: new Error(`file ${file.id} differs from its record`) });
    return {
      stream: (range = { start: 0, end: file.sizeBytes - 1 }) =>
        isSmall
          ? Readable.from(slices(kept, range), { objectMode: false })
          : Readable.from(this.content(file, range, copyAt), { objectMode: false, highWaterMark: 256 * 1024 }),
    };
  }

  /** The content in pieces, unverified where it is not encrypted. Throws as {@link verify} does. */
  async *content(file: StoredFile, range: ByteRange, copyAt?: StorageDriver): AsyncGenerator<Buffer> {
    if (file.purgedAt !== null) throw new FileNotFound();
    const dataKey = this.keys.unwrap(file.id, file);
    const part = { start: range.start, end: range.end + 1 };
    if (dataKey === undefined) {
      yield* await this.open(file, range, copyAt);
      return;
    }
    const span = sealedSpan(part, file.sizeBytes);
    const stored = await this.open(file, { start: span.start, end: span.end - 1 }, copyAt);
    try {
      yield* opened(stored, dataKey, part, file.sizeBytes);
    } catch (error) {
      throw error instanceof NotGenuine ? new FileIntegrityFailed({ cause: error }) : error;
    }
  }

  /** The bytes as they are stored. A file may have been moved to another storage since its row was read. */
  private async open(
    { id, storage, storageKey }: StoredFile,
    range: ByteRange,
    copyAt: StorageDriver = storage,
  ): Promise<AsyncIterable<Buffer>> {
    try {
      return (await (await this.storages.at(copyAt)).open(storageKey, range)) as AsyncIterable<Buffer>;
    } catch (error) {
      const movedTo = error instanceof FileNotFound ? (await this.files.findById(id))?.storage : undefined;
      if (movedTo === undefined || movedTo === copyAt || copyAt !== storage) throw error;
      return (await (await this.storages.at(movedTo)).open(storageKey, range)) as AsyncIterable<Buffer>;
    }
  }
}
