import type { Query } from '../database/query.js';
import { SCHEDULED } from './scheduled.jobs.js';

/** A job as a backup keeps it: what it takes to add it anew, whatever the version of graphile-worker. */
export interface JobCopy {
  readonly name: string;
  /** JSON. */
  readonly payload: string;
  readonly queue: string | null;
  readonly run_at: string;
  readonly priority: number;
  readonly attempts: number;
  readonly max_attempts: number;
  readonly key: string | null;
  readonly flags: string[] | null;
  readonly last_error: string | null;
}

/** All jobs, oldest first, so many at a time. One that runs at this moment is copied as one that waits: it may run twice. */
export async function* copiesOfJobs(query: Query, size: number): AsyncGenerator<JobCopy[]> {
  for (let after = '0'; ;) {
    const rows = await query<JobCopy & { id: string }>(
      `SELECT j.id::text, j.task_identifier AS name, p.payload::text, j.queue_name AS queue, j.run_at::text, j.priority, j.attempts,
         j.max_attempts, j.key, ARRAY(SELECT jsonb_object_keys(j.flags)) AS flags, j.last_error
       FROM graphile_worker.jobs AS j JOIN graphile_worker._private_jobs AS p ON p.id = j.id
       WHERE j.id > $1::bigint ORDER BY j.id LIMIT $2`,
      [after, size],
    );
    if (rows.length > 0) yield rows.map(({ id: _, ...copy }) => copy);
    const last = rows.at(-1);
    if (last === undefined || rows.length < size) return;
    after = last.id;
  }
}

/** Minutes from one run to the next, by the name of the job. */
const ROUNDS = new Map<string, number>(Object.values(SCHEDULED).map(({ name, everyMinutes }) => [name, everyMinutes]));

/**
 * Adds jobs anew, by the functions of graphile-worker alone; what was buried is buried again. What comes round again begins its
 * round now: it was planned in another time, and operators have things to put right before it removes anything.
 */
export async function addCopiesOfJobs(query: Query, copies: readonly JobCopy[]): Promise<void> {
  for (const { name, payload, queue, run_at, priority, attempts, max_attempts, key, flags, last_error } of copies) {
    const [job] = await query<{ id: string }>(
      `SELECT id::text FROM graphile_worker.add_job($1, $2::json, queue_name => $3,
         run_at => greatest($4::timestamptz, now() + $9 * interval '1 minute'), priority => $5,
         max_attempts => $6, job_key => $7, flags => $8::text[])`,
      [name, payload, queue, run_at, priority, max_attempts, key, flags?.length === 0 ? null : flags, ROUNDS.get(name)],
    );
    if (attempts >= max_attempts)
      await query(`SELECT graphile_worker.permanently_fail_jobs(ARRAY[$1::bigint], $2)`, [job?.id, last_error]);
    else if (attempts > 0)
      await query(`SELECT graphile_worker.reschedule_jobs(ARRAY[$1::bigint], attempts => $2)`, [job?.id, attempts]);
  }
}

export async function countJobs(query: Query): Promise<number> {
  const [row] = await query<{ jobs: number }>(`SELECT count(*)::int AS jobs FROM graphile_worker.jobs`);
  return row?.jobs ?? 0;
}
