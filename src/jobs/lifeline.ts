import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import type { Logger } from 'pino';
import type { Database } from '../database/database.js';

const RETAKE_AFTER_MS = 250;
/** A worker holds its lock within milliseconds of its first job; this keeps the sweep away from those moments. */
const SWEEP_AFTER_SECONDS = 5;
const LOOK_AGAIN_AFTER_MS = 3_000;
/** By these PostgreSQL finds out within six seconds that a machine is gone which could not say so. */
const NOTICED_BY = `SELECT set_config('tcp_keepalives_idle', '3', false), set_config('tcp_keepalives_interval', '1', false),
  set_config('tcp_keepalives_count', '3', false)`;
const LOCK_OF = 'hashtextextended($1, 1)';

/**
 * The lock by which the processes that work see which of them live: each holds that of its worker, for its session, and
 * the jobs of a worker whose lock can be had are free.
 */
export class Lifeline {
  private client: PoolClient | undefined;
  /** Whose lock it is to be; undefined when none is. */
  private worker: string | undefined;
  private taking: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {}

  /** Holds the lock of this worker when it resolves, and takes it again, at once, when its connection is lost. */
  async hold(worker: string): Promise<void> {
    if (worker !== this.worker) this.release();
    this.worker = worker;
    await this.taking?.catch(() => undefined);
    this.taking ??= this.take(worker).finally(() => {
      this.taking = undefined;
    });
    await this.taking;
  }

  /** Lets others have the jobs of this worker. */
  release(): void {
    this.worker = undefined;
    this.drop(this.client);
  }

  private async take(worker: string): Promise<void> {
    if (this.client !== undefined) return;
    const client = await this.database.connect();
    this.client = client;
    client.once('error', () => {
      this.drop(client);
      void this.retake(worker);
    });
    try {
      // not every system that PostgreSQL runs on has all of them
      await client.query(NOTICED_BY).catch(() => undefined);
      await client.query(`SELECT pg_advisory_lock(${LOCK_OF})`, [worker]);
    } catch (error) {
      this.drop(client);
      throw error;
    }
    if (this.worker !== worker) this.drop(client);
  }

  /** Whoever sweeps meanwhile takes this process for dead when it looks twice. */
  private async retake(worker: string): Promise<void> {
    while (this.client === undefined && this.worker === worker) {
      await this.hold(worker).catch(() => sleep(RETAKE_AFTER_MS, undefined, { ref: false }));
    }
  }

  private drop(client: PoolClient | undefined): void {
    if (client === undefined || client !== this.client) return;
    this.client = undefined;
    client.release(true);
  }

  /**
   * Frees the jobs of workers whose process is gone. A lock of a dead connection can be had; that of a living one cannot. Looks
   * twice, since a living process that has lost the connection of its lock has it again by then.
   */
  async sweep(own: string | undefined, stop: AbortSignal): Promise<void> {
    if ((await this.findDead(own)).length === 0) return;
    await sleep(LOOK_AGAIN_AFTER_MS, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return;
    const dead = await this.findDead(own);
    if (dead.length === 0) return;
    this.logger.warn({ workers: dead }, 'released the jobs of workers that are gone');
    await this.unlock(dead);
  }

  private async findDead(own = ''): Promise<string[]> {
    const found = await this.database.read<{ worker: string }>(
      `SELECT DISTINCT locked_by AS worker FROM graphile_worker.jobs
       WHERE locked_by IS NOT NULL AND locked_by <> $1 AND locked_at < now() - make_interval(secs => $2)`,
      [own, SWEEP_AFTER_SECONDS],
    );
    const dead: string[] = [];
    for (const { worker } of found) {
      const [row] = await this.database.read<{ gone: boolean }>(
        `SELECT pg_try_advisory_xact_lock(${LOCK_OF}) AS gone`,
        [worker],
      );
      if (row?.gone === true) dead.push(worker);
    }
    return dead;
  }

  /** Frees the jobs of these workers, whether or not they live. */
  async unlock(workers: readonly string[]): Promise<void> {
    await this.database.read(`SELECT graphile_worker.force_unlock_workers($1::text[])`, [workers]);
  }
}
