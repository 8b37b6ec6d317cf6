import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { AuditService } from '../../audit/audit.service.js';
import type { Actor } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { LOGGER } from '../../common/logging.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Transactions } from '../../database/transactions.js';
import type { StoredFile } from '../file.entity.js';
import { FilesRepository } from '../files.repository.js';
import { FileStorages } from '../storage/file-storages.js';
import { FileRoom } from './file-room.js';

const FILES_AT_A_TIME = 100;
const DAY_MS = 86_400_000;
/** What stands in place of the sender's name for it. */
const NO_NAME = 'purged';
const ACTOR: Actor = { kind: 'system', name: 'files' };

/** Ends the life of files that were deleted, or put into quarantine, longer ago than they are to be retained. */
@Injectable()
export class FilePurge {
  private readonly logger: Logger;

  constructor(
    private readonly files: FilesRepository,
    private readonly storages: FileStorages,
    private readonly room: FileRoom,
    private readonly audit: AuditService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'files' });
  }

  /** Files that are due, oldest first. */
  async find(): Promise<StoredFile[]> {
    const before = new Date(this.clock.now().getTime() - this.config.files.retentionDays * DAY_MS);
    return this.files.findToPurge(before, FILES_AT_A_TIME);
  }

  /** The job. Running it twice does no harm: each step finds its work done. A file whose storage is away is left for later. */
  async run(): Promise<number> {
    let purged = 0;
    for (;;) {
      const due = await this.find();
      let done = 0;
      for (const file of due) {
        try {
          await this.purge(file);
          done += 1;
        } catch (error) {
          this.logger.warn({ file_id: file.id, err: error }, 'a deleted file could not be purged now');
        }
      }
      purged += done;
      if (done === 0 || due.length < FILES_AT_A_TIME) return purged;
    }
  }

  /** Removes a file that was erased, and its row. Does nothing when it is gone. Throws what the storage throws. */
  async destroy(id: string): Promise<void> {
    const file = await this.files.findById(id);
    if (file === null) return;
    // its name may tell whose it was, so the row goes as well, but not before the bytes: it is how they are found
    if (file.purgedAt === null) await (await this.storages.at(file.storage)).remove(file.storageKey);
    await this.transactions.run(async (tx) => {
      await this.files.remove(tx, id);
      await this.audit.record(tx, ACTOR, { action: 'file.purged', targetKind: 'file', targetId: id });
    });
    if (file.purgedAt === null) this.room.note(-file.sizeBytes);
    this.logger.info({ file_id: id }, 'an erased file was removed');
  }

  /** The key first: from then on the bytes say nothing, here and in every backup. What they said goes with it. */
  private async purge(file: StoredFile): Promise<void> {
    const now = this.clock.now();
    file.deletedAt ??= now;
    file.wrappedKey = null;
    await this.transactions.run(async (tx) => {
      await this.files.update(tx, file, ['deletedAt', 'wrappedKey']);
      await this.files.deleteText(tx, file.id);
    });
    await (await this.storages.at(file.storage)).remove(file.storageKey);
    file.purgedAt = now;
    // people name files after themselves
    file.originalName = NO_NAME;
    file.storageKey = file.id;
    await this.transactions.run(async (tx) => {
      await this.files.update(tx, file, ['purgedAt', 'originalName', 'storageKey']);
      await this.audit.record(tx, ACTOR, { action: 'file.purged', targetKind: 'file', targetId: file.id });
    });
    this.room.note(-file.sizeBytes);
    this.logger.info({ file_id: file.id }, 'a deleted file was purged');
  }
}
