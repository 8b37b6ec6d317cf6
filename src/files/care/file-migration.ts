import { Injectable } from '@nestjs/common';
import { Transactions } from '../../database/transactions.js';
import type { StoredFile } from '../file.entity.js';
import { FileReader } from '../file-reader.js';
import { FileIntegrityFailed, FileKeyMissing, FileNotFound } from '../files.errors.js';
import { FilesRepository } from '../files.repository.js';
import { Spool } from '../spool.js';
import type { FileStorage, StorageDriver } from '../storage/file-storage.js';
import { FileStorages } from '../storage/file-storages.js';

const FILES_AT_A_TIME = 4;

/** What became of one file. `gone`: it was purged or moved by somebody else in the meantime. */
export type MoveOutcome = 'moved' | 'gone' | 'bytes missing' | 'content differs' | 'key missing';

export interface MovedFile {
  readonly id: string;
  readonly outcome: MoveOutcome;
}

/** Moves files from one storage to another while the service goes on reading and taking files. */
@Injectable()
export class FileMigration {
  constructor(
    private readonly files: FilesRepository,
    private readonly storages: FileStorages,
    private readonly reader: FileReader,
    private readonly spool: Spool,
    private readonly transactions: Transactions,
  ) {}

  /** How many files are still to be moved. */
  async count(from: StorageDriver): Promise<number> {
    return this.files.countIn(from);
  }

  /**
   * Moves every file, a few side by side, and says what became of each. A row names its new place only when the bytes were read
   * back from there and have the recorded hash, and its old bytes go only after that: cut off at any point, every file is whole
   * where its row says, the next run goes on with the rest, and the sweep finds what was left lying. What is wrong with a
   * file stays where it is. Throws what a storage that is away throws.
   */
  async *run(from: StorageDriver, to: StorageDriver): AsyncGenerator<MovedFile> {
    const source = await this.storages.at(from);
    const target = await this.storages.at(to);
    await target.prepare();
    let batch: StoredFile[] = [];
    const move = async (): Promise<MovedFile[]> => {
      const moved = await Promise.all(
        batch.map(async (file) => ({ id: file.id, outcome: await this.move(file, source, target) })),
      );
      batch = [];
      return moved;
    };
    for await (const file of this.files.eachKept(FILES_AT_A_TIME * 25, from)) {
      batch.push(file);
      if (batch.length === FILES_AT_A_TIME) yield* await move();
    }
    yield* await move();
  }

  private async move(file: StoredFile, source: FileStorage, target: FileStorage): Promise<MoveOutcome> {
    try {
      await this.copy(file, source, target);
      await this.reader.check(file, target.driver);
    } catch (error) {
      const outcome = outcomeOf(error);
      if (outcome === undefined) throw error;
      return (await this.files.findById(file.id))?.storage === source.driver ? outcome : 'gone';
    }
    const isOurs = await this.transactions.run((tx) =>
      this.files.changeStorage(tx, file.id, source.driver, target.driver),
    );
    await (isOurs ? source : target).remove(file.storageKey);
    return isOurs ? 'moved' : 'gone';
  }

  /** The stored bytes as they are: of an encrypted file the ciphertext. */
  private async copy(file: StoredFile, source: FileStorage, target: FileStorage): Promise<void> {
    const incoming = await this.spool.receive(undefined);
    try {
      for await (const chunk of (await source.open(file.storageKey)) as AsyncIterable<Buffer>)
        await incoming.write(chunk);
      await incoming.end();
      await target.put(file.storageKey, await incoming.force());
    } finally {
      await incoming.discard();
    }
  }
}

/** What is wrong with the file itself; undefined for trouble that may pass. */
function outcomeOf(error: unknown): MoveOutcome | undefined {
  if (error instanceof FileNotFound) return 'bytes missing';
  if (error instanceof FileIntegrityFailed) return 'content differs';
  return error instanceof FileKeyMissing ? 'key missing' : undefined;
}
