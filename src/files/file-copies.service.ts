import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { Query } from '../database/query.js';
import { Seal } from './encryption.js';
import type { StoredFile } from './file.entity.js';
import { FileKeys } from './file-keys.js';
import { FileKeyMissing, FileNotFound } from './files.errors.js';
import { FilesRepository } from './files.repository.js';
import { FileStorages } from './storage/file-storages.js';

export type { StoredFile };

const FILES_AT_A_TIME = 200;

/** What is wrong with a copy. `gone`: the file was destroyed meanwhile, as it should be. */
export type CopyDefect = 'gone' | 'bytes missing' | 'content differs' | 'key missing';

/** Stored files for a backup: the bytes as they lie there, of encrypted ones the ciphertext. */
@Injectable()
export class FileCopiesService {
  constructor(
    private readonly files: FilesRepository,
    private readonly storages: FileStorages,
    private readonly keys: FileKeys,
  ) {}

  /** Every file whose bytes must be there, as `query` sees it. */
  each(query: Query): AsyncGenerator<StoredFile> {
    return this.files.eachKeptIn(query, FILES_AT_A_TIME);
  }

  /** Returns what is wrong with the bytes that it gave, or null. Throws what a storage that is away throws. */
  async *copy(file: StoredFile): AsyncGenerator<Buffer, CopyDefect | null> {
    let stored: AsyncIterable<Buffer>;
    try {
      stored = await this.open(file);
    } catch (error) {
      if (!(error instanceof FileNotFound)) throw error;
      return (await this.isStillKept(file)) ? 'bytes missing' : 'gone';
    }
    const code = this.codeOf(file);
    let bytes = 0;
    for await (const piece of stored) {
      bytes += piece.length;
      code?.update(piece);
      yield piece;
    }
    if (bytes !== file.storedBytes) return 'content differs';
    // encrypted before there were seals: each chunk proves itself when it is read
    if (code === undefined) return this.isWithoutKey(file) ? 'key missing' : null;
    const expected = file.seal ?? Buffer.from(file.sha256, 'hex');
    return (code instanceof Seal ? code.final() : code.digest()).equals(expected) ? null : 'content differs';
  }

  private codeOf(file: StoredFile): Seal | ReturnType<typeof createHash> | undefined {
    if (!file.isEncrypted) return createHash('sha256');
    const dataKey = this.keyOf(file);
    return dataKey === undefined || file.seal === null ? undefined : new Seal(dataKey);
  }

  private isWithoutKey(file: StoredFile): boolean {
    return this.keyOf(file) === undefined;
  }

  private keyOf(file: StoredFile): Buffer | undefined {
    try {
      return this.keys.unwrap(file.id, file);
    } catch (error) {
      if (error instanceof FileKeyMissing) return undefined;
      throw error;
    }
  }

  /** A file may have been moved to another storage since its row was read. */
  private async open({ id, storage, storageKey }: StoredFile): Promise<AsyncIterable<Buffer>> {
    try {
      return (await (await this.storages.at(storage)).open(storageKey)) as AsyncIterable<Buffer>;
    } catch (error) {
      const movedTo = error instanceof FileNotFound ? (await this.files.findById(id))?.storage : undefined;
      if (movedTo === undefined || movedTo === storage) throw error;
      return (await (await this.storages.at(movedTo)).open(storageKey)) as AsyncIterable<Buffer>;
    }
  }

  private async isStillKept({ id, isEncrypted }: StoredFile): Promise<boolean> {
    const now = await this.files.findById(id);
    return now?.purgedAt === null && (!isEncrypted || now.wrappedKey !== null);
  }
}
