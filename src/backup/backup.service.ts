import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { SealedValues } from '../common/sealed-values.js';
import { CONFIG, type Config } from '../config/config.js';
import { migrationsOf } from '../database/migration-state.js';
import { type CopyDefect, FileCopiesService, type StoredFile } from '../files/file-copies.service.js';
import { copiesOfJobs } from '../jobs/copies.jobs.js';
import { type ArchiveTotals, noTotals } from './archive.js';
import { archived, type BodyOutcome, type Written } from './archive-writer.js';
import type { KeptArchive } from './archive-place.js';
import { newName, placeAt } from './archive-places.js';
import { keptSecrets } from './kept-secrets.js';
import { type Snapshot, SnapshotRepository } from './snapshot.repository.js';

const JOBS_AT_A_TIME = 500;
/** What the sealed value of an archive is sealed for. */
export const PROBE_PURPOSE = 'backup';

/** A file that came into the archive without its bytes, or with others than it should have. */
export interface DefectiveCopy {
  readonly id: string;
  readonly defect: CopyDefect;
}

export interface BackupResult extends KeptArchive {
  readonly totals: Readonly<ArchiveTotals>;
  readonly defective: readonly DefectiveCopy[];
  /** Settings and keys that the archive does not have and a restore needs. */
  readonly keptApart: readonly string[];
}

/**
 * Makes archives while the service runs: rows and jobs of one moment, and the stored bytes of the files that they name, which are
 * there because bytes are always kept before their row and stay for FILE_RETENTION_DAYS after it.
 */
@Injectable()
export class BackupService {
  constructor(
    private readonly snapshots: SnapshotRepository,
    private readonly copies: FileCopiesService,
    private readonly sealed: SealedValues,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** `to`: a folder of this machine or s3://bucket/folder. Throws `UsageError`, or what went wrong; then nothing is kept. */
  async make(to: string, key: Buffer): Promise<BackupResult> {
    const now = this.clock.now();
    const place = await placeAt(to, this.config, now);
    const snapshot = await this.snapshots.take();
    try {
      const [totals, defective] = [noTotals(), [] as DefectiveCopy[]];
      const samples = await snapshot.keySamples();
      const kept = await place.put(newName(now), archived(key, this.sections(snapshot, now, defective), totals));
      const keyIds = samples.map(({ keyId }) => keyId).filter((id) => id !== 'local');
      return { ...kept, totals, defective, keptApart: keptApartOf(this.config, keyIds) };
    } finally {
      await snapshot.close();
    }
  }

  private async *sections(snapshot: Snapshot, now: Date, defective: DefectiveCopy[]): AsyncGenerator<Written> {
    yield [
      {
        kind: 'beginning',
        madeAt: now.toISOString(),
        migrations: (await migrationsOf(snapshot.query)).done,
        fileKeys: await snapshot.keySamples(),
        sealedValue: await this.sealed.seal(PROBE_PURPOSE, 'probe'),
      },
    ];
    // after the value was sealed: that may have made the secret
    for (const secret of await keptSecrets(this.config)) yield [secret];
    for (const table of await snapshot.tables()) yield [{ kind: 'table', ...table }, rowsOf(snapshot.rowsOf(table))];
    for await (const jobs of copiesOfJobs(snapshot.query, JOBS_AT_A_TIME)) yield [{ kind: 'jobs', jobs }];
    for (const sequence of await snapshot.sequences()) yield [{ kind: 'sequence', ...sequence }];
    for await (const file of this.copies.each(snapshot.query))
      yield [{ kind: 'file', id: file.id, key: file.storageKey }, this.bytesOf(file, defective)];
  }

  private async *bytesOf(file: StoredFile, defective: DefectiveCopy[]): AsyncGenerator<Buffer, BodyOutcome> {
    const defect = yield* this.copies.copy(file);
    if (defect !== null) defective.push({ id: file.id, defect });
    return { defect };
  }
}

async function* rowsOf(rows: AsyncGenerator<Buffer, number>): AsyncGenerator<Buffer, BodyOutcome> {
  return { rows: yield* rows };
}

function keptApartOf({ auth }: Config, keyIds: readonly string[]): string[] {
  return [
    'the key of the archive',
    ...(auth.secretKey === undefined ? [] : ['SECRET_KEY']),
    ...(keyIds.length === 0 ? [] : [`FILE_ENCRYPTION_KEYS (${keyIds.join(', ')})`]),
    ...(auth.privateKeys.length === 0 ? [] : ['the files of JWT_PRIVATE_KEYS']),
    'the other settings',
  ];
}
