import { Injectable } from '@nestjs/common';
import type { Rows } from '../common/pagination.js';
import { maskEmails } from '../common/privacy.js';
import type { Tx } from '../database/transactions.js';
import { type BuriedJob, type JobCounts, JobRecordsRepository, type JobWorker } from './job-records.repository.js';
import { JobNotFound } from './jobs.errors.js';
import { SCHEDULED, type ScheduledJob } from './scheduled.jobs.js';

export type { BuriedJob };

/** A process says every ten seconds that it lives. */
const DEAD_AFTER_SECONDS = 30;

/** How the background work stands. */
export interface JobsStatus extends JobCounts {
  /** Processes that live. */
  readonly workers: readonly JobWorker[];
  readonly scheduled: readonly (ScheduledJob & { readonly nextAt: Date | null })[];
}

/** What is on record of jobs, for operators. */
@Injectable()
export class JobRecordsService {
  constructor(private readonly records: JobRecordsRepository) {}

  async status(): Promise<JobsStatus> {
    const scheduled = Object.values(SCHEDULED);
    const [counts, workers, next] = await Promise.all([
      this.records.count(),
      this.records.listWorkers(DEAD_AFTER_SECONDS),
      this.records.nextTimes(scheduled.map(({ name }) => name)),
    ]);
    return { ...counts, workers, scheduled: scheduled.map((job) => ({ ...job, nextAt: next.get(job.name) ?? null })) };
  }

  /** Counts at most so many jobs. */
  async count(mostRows: number): Promise<JobCounts> {
    return this.records.count(mostRows);
  }

  /** Whether some process lives that runs jobs. */
  async isAnybodyWorking(): Promise<boolean> {
    return (await this.countWorkers()) > 0;
  }

  /** Processes that live and run jobs. */
  async countWorkers(): Promise<number> {
    return (await this.records.listWorkers(DEAD_AFTER_SECONDS)).length;
  }

  /** Latest first, their errors without e-mail addresses. */
  async listBuried(page: number, size: number): Promise<Rows<BuriedJob>> {
    const [jobs, { buried }] = await Promise.all([this.records.listBuried(page, size), this.records.count()]);
    const masked = jobs.map((job) => ({
      ...job,
      lastError: job.lastError === null ? null : maskEmails(job.lastError),
    }));
    return { rows: masked, total: buried };
  }

  /** Lets it run again as if it had never failed. Returns its name. Throws `JobNotFound`. */
  async retry(tx: Tx, id: string): Promise<string> {
    return found(await this.records.revive(tx, id));
  }

  /** Gives it up for good. Returns its name. Throws `JobNotFound`. */
  async discard(tx: Tx, id: string): Promise<string> {
    return found(await this.records.remove(tx, id));
  }
}

function found(name: string | undefined): string {
  if (name === undefined) throw new JobNotFound();
  return name;
}
