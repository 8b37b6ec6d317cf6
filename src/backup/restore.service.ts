import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { AuditService } from '../audit/audit.service.js';
import { operatorOf } from '../common/operator.js';
import { SealBroken, SealedValues } from '../common/sealed-values.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { exclusively } from '../database/locks.js';
import { FileArrivalsService } from '../files/file-arrivals.service.js';
import { KeyTrialService } from '../files/key-trial.service.js';
import { ArchiveRefused } from './archive-key.js';
import { type CheckedArchive, checkArchive } from './archive-check.js';
import type { ArchiveSource } from './archive-places.js';
import { sectionsOf } from './archive-reader.js';
import { PROBE_PURPOSE } from './backup.service.js';
import { placeSecrets } from './kept-secrets.js';
import { type Filling, RestoreRepository } from './restore.repository.js';

export interface RestoreOptions {
  /** Whether values that the old SECRET_KEY sealed are given up. */
  readonly isSecretKeyLost: boolean;
}

/** The instance cannot take the archive, for the reason that the message gives. Nothing was changed. */
export class RestoreRefused extends Error {}

/**
 * Fills an empty instance from an archive. Rows commit all at once, and only after every file is kept and every hash and number was
 * compared: a restore that fails or dies leaves an instance that has nothing, says so, and can be filled by the next one.
 */
@Injectable()
export class RestoreService {
  constructor(
    private readonly rows: RestoreRepository,
    private readonly arrivals: FileArrivalsService,
    private readonly keys: KeyTrialService,
    private readonly sealed: SealedValues,
    private readonly audit: AuditService,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Throws {@link RestoreRefused}, `ArchiveRefused`, or what went wrong. */
  async fill(
    source: ArchiveSource,
    key: Buffer,
    options: RestoreOptions,
    say: (line: string) => void,
  ): Promise<CheckedArchive> {
    const archive = await checkArchive(source, key);
    say(`The archive of ${archive.beginning.madeAt} is whole`);
    if (!this.rows.knows(archive.beginning.migrations))
      throw new RestoreRefused(
        'The archive was made by a newer version: install that one, or a later one, and restore with it',
      );
    // a service that starts meanwhile waits for its migrations, and so for the end
    await exclusively(this.database, 'migrations', () => this.fillEmpty(archive, source, key, options, say));
    const { totals, sha256, beginning } = archive;
    await this.audit.recordAlone(operatorOf('restore'), {
      action: 'instance.restored',
      targetKind: 'instance',
      targetId: null,
      details: { archive_sha256: sha256, made_at: beginning.madeAt, ...totals },
    });
    return archive;
  }

  private async fillEmpty(
    archive: CheckedArchive,
    source: ArchiveSource,
    key: Buffer,
    options: RestoreOptions,
    say: (line: string) => void,
  ): Promise<void> {
    await this.refuseUnlessEmpty(say);
    await this.refuseUnlessReadable(archive, options);
    await this.rows.mark();
    await placeSecrets(this.config, archive.secrets);
    await this.rows.takeSchemaTo(archive.beginning.migrations);
    const filling = await this.rows.begin();
    try {
      await this.fillFrom(archive, source, key, filling);
      await filling.commit();
    } finally {
      await filling.close();
    }
    await this.rows.bringUpToDate();
  }

  private async refuseUnlessEmpty(say: (line: string) => void): Promise<void> {
    const filled = await this.rows.filledTables();
    if (filled.length > 0)
      throw new RestoreRefused(
        `The instance is not empty (${filled.join(', ')}): restore into a new database, before the first start`,
      );
    if (await this.rows.isMarked()) {
      say('An earlier restore was begun here and did not end: it is begun anew');
      return;
    }
    if (!(await this.arrivals.isEmpty()))
      throw new RestoreRefused(`The ${this.arrivals.driver} storage has files already: restore into an empty one`);
  }

  private async refuseUnlessReadable({ beginning, secrets }: CheckedArchive, options: RestoreOptions): Promise<void> {
    const localKey = secrets.find(({ path }) => path === 'file-encryption-key')?.text;
    const missing = this.keys.missingFor(beginning.fileKeys, localKey);
    if (missing.length > 0)
      throw new RestoreRefused(`FILE_ENCRYPTION_KEYS lacks the keys that files are under: ${missing.join(', ')}`);
    if (options.isSecretKeyLost) return;
    // the secret of the archive is going to be the one of this instance
    if (this.config.auth.secretKey === undefined && secrets.some(({ path }) => path === 'secret-key')) return;
    try {
      await this.sealed.open(PROBE_PURPOSE, beginning.sealedValue);
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      throw new RestoreRefused(
        'SECRET_KEY is not the one of the archive: set that one, or put it into SECRET_KEY_PREVIOUS; if it is lost, --secret-key-lost goes on without second factors',
      );
    }
  }

  private async fillFrom(archive: CheckedArchive, source: ArchiveSource, key: Buffer, filling: Filling): Promise<void> {
    const hash = createHash('sha256');
    const sections = sectionsOf(await source(), key, (piece) => hash.update(piece));
    for await (const { section, body, end } of sections) {
      if (section.kind === 'table') {
        await filling.addRows(section.name, section.columns, body);
        const [found, expected] = [filling.countOf(section.name), end().rows];
        if (found !== expected) throw new Error(`${section.name} has ${found} rows in place of ${String(expected)}`);
      } else if (section.kind === 'jobs') await filling.addJobs(section.jobs);
      else if (section.kind === 'sequence') await filling.advance(section.name, section.lastValue);
      else if (section.kind === 'file') await this.keepFile(section.key, body, () => end().defect ?? null);
    }
    if (hash.digest('hex') !== archive.sha256) throw new ArchiveRefused('The archive was changed while it was read');
    const jobs = await filling.countJobs();
    if (jobs !== archive.totals.jobs) throw new Error(`there are ${jobs} jobs in place of ${archive.totals.jobs}`);
    await filling.placeFilesIn(this.arrivals.driver);
  }

  /** Without bytes there is no file: its row says where it should be, and `files:check` that it is not. */
  private async keepFile(key: string, body: AsyncIterable<Buffer>, defectOf: () => string | null): Promise<void> {
    const pieces: AsyncIterator<Buffer, unknown> = body[Symbol.asyncIterator]();
    const first = await pieces.next();
    if (first.done === true) {
      if (defectOf() !== 'gone' && defectOf() !== 'bytes missing') await this.arrivals.keep(key, nothing());
      return;
    }
    await this.arrivals.keep(key, startingWith(first.value, pieces));
  }
}

async function* startingWith(first: Buffer, rest: AsyncIterator<Buffer, unknown>): AsyncGenerator<Buffer> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

async function* nothing(): AsyncGenerator<Buffer> {
  // a file without content
}
