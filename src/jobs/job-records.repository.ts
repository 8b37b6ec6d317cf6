import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';

/** A job that failed as often as it may, and that nobody runs any more. */
export interface BuriedJob {
  readonly id: string;
  /** What kind of work, such as `mail.deliver`. */
  readonly name: string;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly createdAt: Date;
  /** Of the last attempt. */
  readonly updatedAt: Date;
}

export interface JobCounts {
  /** Due and not taken yet. */
  readonly waiting: number;
  /** Not due yet: retries, and what is to run at a later time. */
  readonly later: number;
  readonly running: number;
  readonly buried: number;
  /** How long the oldest one that is due has waited; 0 when there is none. */
  readonly oldestWaitingSeconds: number;
}

/** A process that runs jobs, as it was last seen. */
export interface JobWorker {
  readonly id: string;
  readonly startedAt: Date;
  readonly seenAt: Date;
}

const IS_BURIED = 'attempts >= max_attempts AND locked_at IS NULL';

/** Reads the tables of graphile-worker through its own view, and changes them through its own functions. */
@Injectable()
export class JobRecordsRepository {
  constructor(private readonly database: Database) {}

  /** Of so many rows at most, where a number near enough will do; of all of them when there is no such number. */
  async count(mostRows: number | null = null): Promise<JobCounts> {
    const [row] = await this.database.read<JobCounts>(
      `SELECT count(*) FILTER (WHERE is_alive AND locked_at IS NULL AND run_at <= now())::int AS waiting,
         count(*) FILTER (WHERE is_alive AND locked_at IS NULL AND run_at > now())::int AS later,
         count(*) FILTER (WHERE locked_at IS NOT NULL)::int AS running,
         count(*) FILTER (WHERE NOT is_alive AND locked_at IS NULL)::int AS buried,
         coalesce(extract(epoch FROM now() - min(run_at)
           FILTER (WHERE is_alive AND locked_at IS NULL AND run_at <= now())), 0)::float AS "oldestWaitingSeconds"
       FROM (SELECT locked_at, run_at, attempts < max_attempts AS is_alive FROM graphile_worker.jobs LIMIT $1) AS jobs`,
      [mostRows],
    );
    return row ?? { waiting: 0, later: 0, running: 0, buried: 0, oldestWaitingSeconds: 0 };
  }

  /** The next times of scheduled jobs, by name. */
  async nextTimes(names: readonly string[]): Promise<Map<string, Date>> {
    const rows = await this.database.read<{ name: string; at: Date }>(
      `SELECT key AS name, run_at AS at FROM graphile_worker.jobs WHERE key = ANY ($1)`,
      [names],
    );
    return new Map(rows.map(({ name, at }) => [name, at]));
  }

  /** Latest first. */
  async listBuried(page: number, size: number): Promise<BuriedJob[]> {
    return this.database.read(
      `SELECT id::text, task_identifier AS name, attempts, last_error AS "lastError", created_at AS "createdAt",
         updated_at AS "updatedAt"
       FROM graphile_worker.jobs WHERE ${IS_BURIED} ORDER BY updated_at DESC, id DESC LIMIT $1 OFFSET $2`,
      [size, (page - 1) * size],
    );
  }

  /** Lets it run again at once, as if it had never failed. Returns its name, or undefined when it is not buried. */
  async revive(tx: Tx, id: string): Promise<string | undefined> {
    const [row] = await rowsIn<{ name: string }>(
      tx,
      `SELECT (SELECT task_identifier FROM graphile_worker.jobs WHERE id = $1::bigint) AS name
       FROM graphile_worker.reschedule_jobs(
         ARRAY(SELECT id FROM graphile_worker.jobs WHERE id = $1::bigint AND ${IS_BURIED}), run_at => now(), attempts => 0)`,
      [id],
    );
    return row?.name;
  }

  /** Returns its name, or undefined when it is not buried. */
  async remove(tx: Tx, id: string): Promise<string | undefined> {
    const [job] = await rowsIn<{ name: string }>(
      tx,
      `SELECT task_identifier AS name FROM graphile_worker.jobs WHERE id = $1::bigint AND ${IS_BURIED}`,
      [id],
    );
    if (job === undefined) return undefined;
    const removed = await rowsIn(tx, `SELECT id FROM graphile_worker.complete_jobs(ARRAY[$1::bigint])`, [id]);
    return removed.length === 1 ? job.name : undefined;
  }

  /** Says that this process lives, and forgets those that have not for a day. */
  async see(id: string): Promise<void> {
    await this.database.read(
      `WITH forgotten AS (DELETE FROM job_workers WHERE seen_at < now() - interval '1 day')
       INSERT INTO job_workers (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET seen_at = now()`,
      [id],
    );
  }

  /** Seen within so many seconds, longest alive first. */
  async listWorkers(withinSeconds: number): Promise<JobWorker[]> {
    return this.database.read(
      `SELECT id, started_at AS "startedAt", seen_at AS "seenAt" FROM job_workers
       WHERE seen_at > now() - make_interval(secs => $1) ORDER BY started_at`,
      [withinSeconds],
    );
  }
}
