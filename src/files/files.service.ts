import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { Clock } from '../common/clock.js';
import type { Tx } from '../database/transactions.js';
import { StoredFile } from './file.entity.js';
import { storageKeyFor } from './file-names.js';
import { FileStorage, type OpenFile } from './file-storage.js';
import { FileNotFound } from './files.errors.js';
import { FilesRepository } from './files.repository.js';
import type { ReceivedFile } from './upload.js';

export type { ReceivedFile, StoredFile };

@Injectable()
export class FilesService {
  constructor(
    private readonly files: FilesRepository,
    private readonly storage: FileStorage,
    private readonly clock: Clock,
  ) {}

  /** Makes the bytes of an upload durable. Call it before the transaction that names them; then {@link record} them in it. */
  async keep(received: ReceivedFile): Promise<StoredFile> {
    const file = Object.assign(new StoredFile(), {
      id: randomUUID(),
      storageKey: storageKeyFor(received.originalName, received.type.extension),
      originalName: received.originalName,
      mediaType: received.type.mediaType,
      sizeBytes: received.sizeBytes,
      sha256: received.sha256,
      createdAt: this.clock.now(),
    });
    await this.storage.keep(received.incoming, file.storageKey);
    return file;
  }

  async record(tx: Tx, file: StoredFile): Promise<void> {
    await this.files.insert(tx, file);
  }

  /** Removes bytes that no row names. Call it only when the transaction that would have named them surely failed. */
  async removeUnrecorded(file: StoredFile): Promise<void> {
    await this.storage.remove(file.storageKey);
  }

  async get(id: string): Promise<StoredFile> {
    return found(await this.files.findById(id));
  }

  /** The record and the open bytes of a stored file. Throws `FileNotFound` when either is missing. */
  async open(storageKey: string): Promise<OpenFile & { readonly file: StoredFile }> {
    const [row, bytes] = await Promise.allSettled([
      this.files.findByStorageKey(storageKey),
      this.storage.open(storageKey),
    ]);
    if (row.status === 'fulfilled' && row.value !== null && bytes.status === 'fulfilled')
      return { ...bytes.value, file: row.value };
    if (bytes.status === 'fulfilled') bytes.value.stream.destroy();
    if (row.status === 'rejected') throw row.reason;
    throw row.value !== null && bytes.status === 'rejected' ? bytes.reason : new FileNotFound();
  }

  /** Resolves when files can be stored; throws otherwise. */
  async check(): Promise<void> {
    await this.storage.check();
  }
}

function found(file: StoredFile | null): StoredFile {
  if (file === null) throw new FileNotFound();
  return file;
}
