import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { ServiceUnavailable } from '../common/errors.js';
import { Lifecycle } from '../common/lifecycle.js';
import { LOGGER } from '../common/logging.js';
import { Database } from '../database/database.js';
import { FilesService } from '../files/files.service.js';
import { JobRecordsService } from '../jobs/job-records.service.js';
import { MailStatusService } from '../mail/mail-status.service.js';

/** Without one of these a submission is not taken. */
export const NEEDED = ['database', 'migrations', 'storage'] as const;
/** Without these it is taken, and what follows from it waits. */
export const WANTED = ['jobs', 'mail', 'replicas'] as const;

export type NeededName = (typeof NEEDED)[number];
export type CheckName = NeededName | (typeof WANTED)[number];

export interface CheckResult {
  readonly state: 'ok' | 'failed';
  /** How long the answer took. */
  readonly latencyMs: number;
}

/** `degraded`: all that is needed is there, but not all that is wanted. */
export type HealthStatus = 'ok' | 'degraded' | 'failing' | 'stopping';

const CHECK_WITHIN_MS = 3000;
/** Anybody may ask as often as they like: an answer serves all who ask within this time. That of the storage costs a file. */
const FRESH_FOR_MS: Readonly<Record<CheckName, number>> = {
  database: 1000,
  migrations: 1000,
  storage: 5000,
  jobs: 5000,
  mail: 5000,
  replicas: 1000,
};

/** Whether this process can do its work. */
@Injectable()
export class HealthService {
  private readonly logger: Logger;
  private readonly checks: Readonly<Record<CheckName, () => Promise<unknown>>>;
  private readonly latest = new Map<CheckName, { readonly at: number; readonly result: Promise<CheckResult> }>();

  constructor(
    database: Database,
    files: FilesService,
    jobs: JobRecordsService,
    mail: MailStatusService,
    private readonly lifecycle: Lifecycle,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'health' });
    this.checks = {
      database: () => database.read('SELECT 1'),
      migrations: async () => {
        if (await database.hasPendingMigrations()) throw new Error('migrations are pending');
      },
      storage: () => files.check(),
      jobs: async () => {
        if (!(await jobs.isAnybodyWorking())) throw new Error('no process runs jobs');
      },
      mail: async () => {
        if (await mail.isPaused()) throw new Error('the mail server is away, and mail waits');
      },
      replicas: async () => {
        const missing = (database.replicas?.health() ?? []).filter(({ isUsable }) => !isUsable);
        if (missing.length > 0)
          throw new Error(`replicas are away or behind: ${missing.map(({ number }) => number).join(', ')}`);
      },
    };
  }

  /** Every check, whatever its result. */
  async summarize(): Promise<{ status: HealthStatus; checks: Record<CheckName, CheckResult> }> {
    const checks = await this.ask([...NEEDED, ...WANTED]);
    return { status: this.statusOf(checks), checks };
  }

  /**
   * The result of every check that is needed. Throws `ServiceUnavailable`, naming the failed ones, when not all are ok, and when
   * the process is about to end.
   */
  async checkReadiness(): Promise<Record<NeededName, CheckResult>> {
    if (this.lifecycle.isStopping) throw new ServiceUnavailable({ detail: 'Not ready: stopping' });
    const checks = await this.ask(NEEDED);
    const failed = failedOf(NEEDED, checks);
    if (failed.length > 0) throw new ServiceUnavailable({ detail: `Not ready: ${failed.join(', ')}` });
    return checks;
  }

  private statusOf(checks: Record<CheckName, CheckResult>): HealthStatus {
    if (this.lifecycle.isStopping) return 'stopping';
    if (failedOf(NEEDED, checks).length > 0) return 'failing';
    return failedOf(WANTED, checks).length > 0 ? 'degraded' : 'ok';
  }

  private async ask<Name extends CheckName>(names: readonly Name[]): Promise<Record<Name, CheckResult>> {
    const results = await Promise.all(names.map(async (name) => [name, await this.recent(name)] as const));
    return Object.fromEntries(results) as Record<Name, CheckResult>;
  }

  private recent(name: CheckName): Promise<CheckResult> {
    const now = performance.now();
    const known = this.latest.get(name);
    if (known !== undefined && now - known.at < FRESH_FOR_MS[name]) return known.result;
    const result = this.run(name);
    this.latest.set(name, { at: now, result });
    return result;
  }

  private async run(name: CheckName): Promise<CheckResult> {
    const began = performance.now();
    const latencyMs = (): number => Math.round((performance.now() - began) * 10) / 10;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${CHECK_WITHIN_MS} ms`));
      }, CHECK_WITHIN_MS);
    });
    try {
      await Promise.race([this.checks[name](), late]);
      return { state: 'ok', latencyMs: latencyMs() };
    } catch (error) {
      this.logger.warn({ check: name, latency_ms: latencyMs(), err: error }, 'a health check failed');
      return { state: 'failed', latencyMs: latencyMs() };
    } finally {
      clearTimeout(timer);
    }
  }
}

function failedOf<Name extends CheckName>(names: readonly Name[], checks: Record<Name, CheckResult>): Name[] {
  return names.filter((name) => checks[name].state === 'failed');
}
