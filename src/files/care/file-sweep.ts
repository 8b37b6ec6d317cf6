import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { Clock } from '../../common/clock.js';
import { LOGGER } from '../../common/logging.js';
import { FilesRepository } from '../files.repository.js';
import { Spool } from '../spool.js';
import type { FileStorage } from '../storage/file-storage.js';
import { FileStorages } from '../storage/file-storages.js';

const KEYS_AT_A_TIME = 500;

export interface SweepOptions {
  /** What is younger may be on its way to a row, and is left alone. */
  readonly olderThanMinutes?: number;
  /** Only says what would be removed. */
  readonly isDryRun?: boolean;
}

/** No request lasts as long as this, by far. */
export const SWEPT_AFTER_MINUTES = 60;

/** What a sweep removed, or would. */
export interface Swept {
  readonly abandonedUploads: readonly string[];
  /** Stored bytes that no row names, as `<storage>:<key>`. */
  readonly orphanedFiles: readonly string[];
}

/** Clears away what crashes leave behind: uploads that never ended, and bytes that no row names. */
@Injectable()
export class FileSweep {
  private readonly logger: Logger;

  constructor(
    private readonly files: FilesRepository,
    private readonly storages: FileStorages,
    private readonly spool: Spool,
    private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'files' });
  }

  /** The job, too. Running it twice finds less. Throws what a storage throws; what was removed until then stays removed. */
  async run({ olderThanMinutes = SWEPT_AFTER_MINUTES, isDryRun = false }: SweepOptions = {}): Promise<Swept> {
    const before = new Date(this.clock.now().getTime() - olderThanMinutes * 60_000);
    const abandonedUploads = await this.spool.findAbandoned(before);
    if (!isDryRun) await this.spool.remove(abandonedUploads);
    const orphanedFiles: string[] = [];
    for (const driver of this.storages.configured)
      for await (const key of this.orphansIn(await this.storages.at(driver), before)) {
        if (!isDryRun) await (await this.storages.at(driver)).remove(key);
        orphanedFiles.push(`${driver}:${key}`);
      }
    if (!isDryRun && abandonedUploads.length + orphanedFiles.length > 0)
      this.logger.warn(
        { abandoned_uploads: abandonedUploads.length, orphaned_files: orphanedFiles.length },
        'what crashes left behind was removed',
      );
    return { abandonedUploads, orphanedFiles };
  }

  private async *orphansIn(storage: FileStorage, before: Date): AsyncGenerator<string> {
    let keys: string[] = [];
    const unknown = async (): Promise<string[]> => {
      const known = await this.files.findKnownKeys(storage.driver, keys);
      const orphans = keys.filter((key) => !known.has(key));
      keys = [];
      return orphans;
    };
    for await (const { key, modifiedAt } of storage.list()) {
      if (modifiedAt >= before) continue;
      keys.push(key);
      if (keys.length === KEYS_AT_A_TIME) yield* await unknown();
    }
    yield* await unknown();
  }
}
