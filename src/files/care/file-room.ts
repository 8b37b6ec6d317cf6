import { Inject, Injectable } from '@nestjs/common';
import { statfs } from 'node:fs/promises';
import type { Logger } from 'pino';
import { AlertsService } from '../../alerts/alerts.service.js';
import { Clock } from '../../common/clock.js';
import { LOGGER } from '../../common/logging.js';
import { CONFIG, type Config } from '../../config/config.js';
import { FileStorageFull } from '../files.errors.js';
import { FilesRepository } from '../files.repository.js';

/** What files take and what is left for more, in bytes. */
export interface FileUsage {
  readonly files: number;
  /** Of all files that are not purged, by their content. */
  readonly usedBytes: number;
  /** On the disk of the upload folder, for whoever runs Forecourt. */
  readonly freeBytes: number;
}

interface Count {
  readonly at: number;
  usedBytes: number;
}

/** The use of the storage changes slowly against the quota, and the count of a large table takes its time. */
const COUNT_EVERY_MS = 10_000;
/** Operators hear of it when the quota is used to this share, or the free space is down to this many times its minimum. */
const WARN_AT_SHARE = 0.9;
const WARN_AT_TIMES = 2;

/**
 * Room for files: refuses an upload before the disk is full or the quota is used up, so that everything else that lives on the
 * disk, the database first of all, goes on.
 */
@Injectable()
export class FileRoom {
  private readonly logger: Logger;
  /** Uploads that hold room for themselves. */
  private admitted = 0;
  /** Used at the last count, and taken in by this process since. */
  private counted: Count | undefined;
  private counting: Promise<Count> | undefined;

  constructor(
    private readonly files: FilesRepository,
    private readonly alerts: AlertsService,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'files' });
  }

  /**
   * Holds room for a file of the largest size until the returned function is called, which may be called again. Throws
   * `FileStorageFull` when there may not be as much.
   */
  async admit(): Promise<() => void> {
    const { maxFileBytes, quotaBytes = Infinity, minFreeBytes } = this.config.files;
    const freeBytes = await this.freeBytes();
    const counted = quotaBytes === Infinity ? undefined : await this.recentCount();
    // from here to the addition nothing waits, so that of many at once the first ones get the room that there is
    const heldBytes = (this.admitted + 1) * maxFileBytes;
    if (freeBytes < minFreeBytes + heldBytes) return this.refuse('the disk is nearly full');
    if ((counted?.usedBytes ?? 0) + heldBytes > quotaBytes) return this.refuse('the quota of files is used up');
    this.admitted += 1;
    let isHeld = true;
    return () => {
      if (isHeld) this.admitted -= 1;
      isHeld = false;
    };
  }

  /** Notes that files came (or, below zero, went) since the last count. */
  note(sizeBytes: number): void {
    if (this.counted !== undefined) this.counted.usedBytes += sizeBytes;
  }

  async usage(): Promise<FileUsage> {
    return { ...(await this.files.sumUp()), freeBytes: await this.freeBytes() };
  }

  /** The job: says early that room runs short. Running it twice tells once, as alerts do. */
  async watch(): Promise<void> {
    const { maxFileBytes, quotaBytes = Infinity, minFreeBytes } = this.config.files;
    const { files, usedBytes, freeBytes } = await this.usage();
    this.logger.info({ files, used_bytes: usedBytes, free_bytes: freeBytes }, 'room for files');
    if (usedBytes <= quotaBytes * WARN_AT_SHARE && freeBytes >= minFreeBytes * WARN_AT_TIMES + maxFileBytes) return;
    await this.alerts.raiseAlone({
      cause: 'file.room_short',
      summary: 'Room for files runs short; uploads will be refused soon',
      details: { used_bytes: usedBytes, free_bytes: freeBytes },
    });
  }

  private async refuse(reason: string): Promise<never> {
    await this.alerts.raiseAlone({ cause: 'file.storage_full', summary: `Uploads are refused: ${reason}` });
    throw new FileStorageFull({ cause: new Error(reason) });
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.config.files.uploadDir);
    return bavail * bsize;
  }

  private async recentCount(): Promise<Count> {
    const now = this.clock.now().getTime();
    if (this.counted !== undefined && now - this.counted.at <= COUNT_EVERY_MS) return this.counted;
    this.counting ??= this.files.sumUp().then(({ usedBytes }) => (this.counted = { at: now, usedBytes }));
    try {
      return await this.counting;
    } finally {
      this.counting = undefined;
    }
  }
}
