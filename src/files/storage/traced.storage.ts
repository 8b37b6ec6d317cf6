import type { Readable } from 'node:stream';
import type { Tracing } from '../../common/tracing.js';
import { type ByteRange, FileStorage, type SpooledFile, type StoredObject } from './file-storage.js';

/** Shows in traces what a storage is asked for, and how long it takes until it answers; never the name of a file. */
export class TracedStorage extends FileStorage {
  constructor(
    private readonly storage: FileStorage,
    private readonly tracing: Tracing,
  ) {
    super();
  }

  override get driver(): FileStorage['driver'] {
    return this.storage.driver;
  }

  put(key: string, file: SpooledFile): Promise<void> {
    return this.step('put', () => this.storage.put(key, file), file.sizeBytes);
  }

  open(key: string, range?: ByteRange): Promise<Readable> {
    return this.step('open', () => this.storage.open(key, range));
  }

  stat(key: string): Promise<StoredObject | undefined> {
    return this.step('stat', () => this.storage.stat(key));
  }

  remove(key: string): Promise<void> {
    return this.step('remove', () => this.storage.remove(key));
  }

  list(): AsyncIterable<StoredObject> {
    return this.storage.list();
  }

  prepare(): Promise<void> {
    return this.storage.prepare();
  }

  check(): Promise<void> {
    return this.storage.check();
  }

  private step<T>(what: string, work: () => Promise<T>, sizeBytes?: number): Promise<T> {
    const size = sizeBytes === undefined ? {} : { 'forecourt.size_bytes': sizeBytes };
    return this.tracing.step(`storage ${what}`, { 'forecourt.storage': this.driver, ...size }, work);
  }
}
