import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { AlertsService } from '../../alerts/alerts.service.js';
import { AuditService } from '../../audit/audit.service.js';
import type { Actor } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { LOGGER } from '../../common/logging.js';
import { CONFIG, type Config } from '../../config/config.js';
import { type Cause, causeOf, Transactions, type Tx } from '../../database/transactions.js';
import { JobsService } from '../../jobs/jobs.service.js';
import type { ScanState, StoredFile } from '../file.entity.js';
import { FileReader } from '../file-reader.js';
import { FileNotReady } from '../files.errors.js';
import { SCAN_FILE } from '../files.jobs.js';
import { FilesMetrics } from '../files.metrics.js';
import { FilesRepository } from '../files.repository.js';
import { Scanner, type ScanResult } from './scanner.js';

/** In the name of the request that left the work behind, where one did. */
const actorIn = (tx: Tx): Actor => ({ kind: 'system', name: 'files', requestId: causeOf(tx).requestId });
const JOBS_AT_A_TIME = 1_000;
const WHY_NOT: Readonly<Record<Exclude<ScanState, 'clean'>, string>> = {
  unscanned: 'The file was never checked for malware and cannot be downloaded until it is',
  pending: 'The file is still being checked for malware; try again shortly',
  infected: 'The file contains malware and was put into quarantine',
};

/**
 * Malware in files, by SCAN_POLICY. `required`: before a file is kept. `async`: after it was kept, by a job, and nobody gets
 * the file before. `off`: not at all.
 */
@Injectable()
export class FileScans {
  private readonly logger: Logger;

  constructor(
    private readonly scanner: Scanner,
    private readonly files: FilesRepository,
    private readonly reader: FileReader,
    private readonly jobs: JobsService,
    private readonly metrics: FilesMetrics,
    private readonly audit: AuditService,
    private readonly alerts: AlertsService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'files' });
  }

  /**
   * Notes on a new file what the policy makes of it before it is kept: a verdict, or that one is owed. Throws
   * `FileScannerUnavailable` where a verdict is required and not to be had.
   */
  async begin(file: StoredFile, content: AsyncIterable<Buffer>): Promise<void> {
    if (this.config.files.scan.policy === 'async') file.scanState = 'pending';
    if (this.config.files.scan.policy === 'required') this.note(file, await this.verdictOn(content));
  }

  /** What a new file owes commits with its row. */
  async record(tx: Tx, file: StoredFile): Promise<void> {
    if (file.scanState === 'pending') await this.jobs.enqueue(tx, SCAN_FILE, [{ file_id: file.id }]);
    if (file.scanState === 'infected') await this.recordInfection(tx, file);
  }

  /** Throws `FileNotReady`, saying why, unless the policy lets this file be served. */
  throwUnlessServed({ scanState }: StoredFile): void {
    if (scanState === 'clean' || (scanState === 'unscanned' && this.config.files.scan.policy === 'off')) return;
    throw new FileNotReady({ detail: WHY_NOT[scanState] });
  }

  /** The job. Running it twice only scans twice; the later verdict counts. */
  async scan(cause: Cause, fileId: string): Promise<void> {
    const file = await this.files.findById(fileId);
    if (file?.deletedAt !== null) return;
    const verdict = await this.verdictOn(this.reader.content(file));
    const wasInfected = file.scanState === 'infected';
    this.note(file, verdict);
    await this.transactions.run(cause, async (tx) => {
      await this.files.update(tx, file, ['scanState', 'scanSignature', 'scanEngine', 'scannedAt']);
      if (verdict.state === 'infected' && !wasInfected) await this.recordInfection(tx, file);
      if (verdict.state === 'clean' && wasInfected) await this.recordClearing(tx, file);
    });
  }

  /** Owes a scan to every file that never had one, or to all of them. Returns how many. Throws while the policy is off. */
  async rescan(options: { readonly isAll: boolean; readonly isDryRun: boolean }): Promise<number> {
    if (this.config.files.scan.policy === 'off') throw new Error('SCAN_POLICY is off: there is nothing to scan with');
    const ids = await this.files.findToScan(options.isAll);
    for (let at = 0; at < ids.length && !options.isDryRun; at += JOBS_AT_A_TIME) {
      const payloads = ids.slice(at, at + JOBS_AT_A_TIME).map((id) => ({ file_id: id }));
      await this.transactions.run((tx) => this.jobs.enqueue(tx, SCAN_FILE, payloads));
    }
    return ids.length;
  }

  private async verdictOn(content: AsyncIterable<Buffer>): Promise<ScanResult> {
    try {
      const verdict = await this.scanner.scan(content);
      this.metrics.countScan(verdict.state);
      return verdict;
    } catch (error) {
      this.metrics.countScan('none');
      throw error;
    }
  }

  private note(file: StoredFile, verdict: ScanResult): void {
    file.scanState = verdict.state;
    file.scanSignature = verdict.state === 'infected' ? verdict.signature.slice(0, 200) : null;
    file.scanEngine = verdict.engine.slice(0, 200);
    file.scannedAt = this.clock.now();
  }

  private async recordInfection(tx: Tx, file: StoredFile): Promise<void> {
    const details = { signature: file.scanSignature, engine: file.scanEngine };
    const line = { file_id: file.id, request_id: causeOf(tx).requestId ?? undefined, ...details };
    this.logger.error(line, 'malware was found in a file, which is in quarantine');
    await this.audit.record(tx, actorIn(tx), {
      action: 'file.infected',
      targetKind: 'file',
      targetId: file.id,
      details,
    });
    await this.alerts.raise(tx, {
      cause: 'file.infected',
      summary: 'Malware was found in an upload, which is in quarantine',
      details: { file_id: file.id, ...details },
    });
  }

  /** Newer signatures may see that the older ones were wrong. */
  private async recordClearing(tx: Tx, file: StoredFile): Promise<void> {
    const details = { engine: file.scanEngine };
    const line = { file_id: file.id, request_id: causeOf(tx).requestId ?? undefined, ...details };
    this.logger.warn(line, 'a file in quarantine was found clean');
    await this.audit.record(tx, actorIn(tx), {
      action: 'file.cleared',
      targetKind: 'file',
      targetId: file.id,
      details,
    });
  }
}
