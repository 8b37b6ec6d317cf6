import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { SCHEDULED } from '../../jobs/scheduled.jobs.js';
import type { DueRows, HeldPersons, RetentionRule } from '../../persons/retention.service.js';
import { FilesRepository } from '../files.repository.js';

/** How long files are kept that belong to nobody any more. `FilePurge` destroys them, as it has to outlive a storage that is away. */
@Injectable()
export class FileRetention implements RetentionRule {
  readonly name = 'files';
  readonly setting = 'FILE_RETENTION_DAYS';
  readonly doc = 'files that were deleted, or put into quarantine: their keys, texts and bytes';
  readonly job = SCHEDULED.purgeFiles.name;
  readonly days: number;

  constructor(
    private readonly files: FilesRepository,
    @Inject(CONFIG) { files: { retentionDays } }: Config,
  ) {
    this.days = retentionDays;
  }

  /** What belongs to nobody is of no person on hold. */
  preview(before: Date, _held: HeldPersons, most: number): Promise<DueRows> {
    return this.files.findDue(before, most);
  }
}
