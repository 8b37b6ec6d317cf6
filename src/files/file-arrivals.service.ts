import { Injectable } from '@nestjs/common';
import { Spool } from './spool.js';
import type { StorageDriver } from './storage/file-storage.js';
import { FileStorages } from './storage/file-storages.js';

/** Stored bytes that come from a backup, before there are rows that name them. */
@Injectable()
export class FileArrivalsService {
  constructor(
    private readonly storages: FileStorages,
    private readonly spool: Spool,
  ) {}

  /** Where they go. */
  get driver(): StorageDriver {
    return this.storages.current.driver;
  }

  /** Whether there is no file yet. */
  async isEmpty(): Promise<boolean> {
    for await (const _ of this.storages.current.list()) return false;
    return true;
  }

  /** Keeps the bytes under the key, in place of what was there. Throws as `FileStorage.put` does. */
  async keep(key: string, bytes: AsyncIterable<Buffer>): Promise<void> {
    const incoming = await this.spool.receive(undefined);
    try {
      for await (const piece of bytes) await incoming.write(piece);
      await incoming.end();
      await this.storages.current.put(key, await incoming.force());
    } finally {
      await incoming.discard();
    }
  }
}
