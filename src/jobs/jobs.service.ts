import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import {
  type Job,
  Logger as WorkerLogger,
  run,
  runMigrations,
  type Runner,
  type Task,
  type TaskList,
  type WorkerEvents,
} from 'graphile-worker';
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { LOGGER } from '../common/logging.js';
import { Tracing } from '../common/tracing.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { exclusively } from '../database/locks.js';
import { type Cause, causeOf, rowsIn, type Tx } from '../database/transactions.js';
import { causeIn, dataIn, storedPayload, traceparentIn } from './job-payload.js';
import { JobRecordsRepository } from './job-records.repository.js';
import { JobsMetrics } from './jobs.metrics.js';
import { Lifeline } from './lifeline.js';
import { surviveQueues } from './local-queue.js';
import type { ScheduledJob } from './scheduled.jobs.js';

/** A kind of background work. The payload carries ids, never copies of rows or personal data. */
export interface JobDefinition<Payload extends object> {
  readonly name: string;
  /** Attempts when the handler throws; the wait between them grows exponentially. */
  readonly maxAttempts: number;
  /** Runs before the jobs of a greater one that are due as well; 0 unless said otherwise. */
  readonly priority?: number;
  /** Only for the compiler. */
  readonly payload?: Payload;
}

export interface EnqueueOptions {
  /** Not before this time. */
  readonly runAt?: Date;
  /** What each payload came from, in their order; the transaction's cause when absent. */
  readonly causes?: readonly Cause[];
}

const KEEP_EVERY_MS = 10_000;
const STOP_WITHIN_MS = 8_000;
const FETCHED_FOR_MS = 1_000;
const NOTED_WITHIN_MS = 20;
/** How often a run of a scheduled job may be cut off by the death of its process before it waits for its next time. */
const RUNS_CUT_OFF = 5;
const ENDS_OF_RUNNER = [
  'pool:gracefulShutdown:complete',
  'pool:forcefulShutdown:complete',
  'pool:forcefulShutdown:error',
] as const;

/**
 * Work that commits with the change that asks for it and survives any crash. A handler runs at least once and says why
 * running twice does no harm.
 *
 * graphile-worker keeps the jobs of a dead process locked for four hours. So each process holds a session lock on the
 * database under its worker's name for as long as it lives, and every process frees, at its start and every ten seconds,
 * the jobs of workers whose lock is gone.
 */
@Injectable()
export class JobsService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger: Logger;
  private readonly tasks: TaskList = {};
  private readonly scheduled: ScheduledJob[] = [];
  private runner: Runner | undefined;
  private poolId: string | undefined;
  private readonly lifeline: Lifeline;
  private keeper: NodeJS.Timeout | undefined;
  private keeping: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;
  private readonly stopSignal = new AbortController();

  constructor(
    private readonly database: Database,
    private readonly records: JobRecordsRepository,
    private readonly metrics: JobsMetrics,
    private readonly tracing: Tracing,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'jobs' });
    this.lifeline = new Lifeline(database, this.logger);
  }

  /** Names the one handler of a kind of job, which is told what the job came from. Call it before the application has started. */
  handle<Payload extends object>(
    job: JobDefinition<Payload>,
    handler: (payload: Payload, cause: Cause) => Promise<void>,
  ): void {
    this.add(job.name, (payload) =>
      this.metrics.watch(job.name, () => handler(dataIn(payload) as Payload, causeIn(payload))),
    );
  }

  /**
   * Runs a job again and again, at one time in one process only. A run that fails is logged; the next comes in its turn.
   * A long one listens to the signal, which comes when the process is to end. Call it before the application has started.
   */
  schedule(job: ScheduledJob, handler: (stop: AbortSignal) => Promise<void>): void {
    this.add(job.name, async (_, { job: { id } }) => {
      try {
        await this.metrics.watch(job.name, () => handler(this.stopSignal.signal));
      } catch (error) {
        this.logger.error(
          { job: job.name, job_id: id, err: error },
          'a scheduled job failed; it runs again at its next time',
        );
      }
    });
    this.scheduled.push(job);
  }

  private add(name: string, task: Task): void {
    if (name in this.tasks) throw new Error(`job ${name} has a handler already`);
    this.tasks[name] = (payload, helpers) => {
      const { id, attempts } = helpers.job;
      const attributes = { 'forecourt.job': name, 'forecourt.job_id': id, 'forecourt.attempt': attempts };
      const plan = { kind: 'consumer', attributes, from: traceparentIn(payload) } as const;
      return this.tracing.span(`job ${name}`, plan, async () => {
        this.logger.debug(lineAbout(helpers.job), 'job begins');
        await task(payload, helpers);
      });
    };
  }

  /** Adds one job per payload; they exist exactly when the transaction commits, and remember its cause. */
  async enqueue<Payload extends object>(
    tx: Tx,
    job: JobDefinition<Payload>,
    payloads: readonly Payload[],
    options: EnqueueOptions = {},
  ): Promise<void> {
    if (payloads.length === 0) return;
    const { traceparent } = this.tracing;
    await rowsIn(
      tx,
      `SELECT graphile_worker.add_job($1, payload, run_at => $3, max_attempts => $4, priority => $5) FROM unnest($2::json[]) AS payload`,
      [
        job.name,
        payloads.map((payload, index) => storedPayload(payload, options.causes?.[index] ?? causeOf(tx), traceparent)),
        options.runAt ?? null,
        job.maxAttempts,
        job.priority ?? 0,
      ],
    );
  }

  /** Whether a job of this kind waits or runs. */
  async isAnyLeft<Payload extends object>(tx: Tx, { name }: JobDefinition<Payload>): Promise<boolean> {
    const rows = await rowsIn(
      tx,
      `SELECT FROM graphile_worker.jobs WHERE task_identifier = $1 AND attempts < max_attempts LIMIT 1`,
      [name],
    );
    return rows.length > 0;
  }

  async onApplicationBootstrap(): Promise<void> {
    await exclusively(this.database, 'migrations', () => this.prepare());
    if (this.config.role === 'http') return;
    await this.startRunner();
    await this.holdLifeline();
    await this.plan();
    await this.sayAlive();
    this.care(() => this.sweep());
    this.keeper = setInterval(() => {
      this.care(() => this.keepAlive());
    }, KEEP_EVERY_MS);
  }

  private async prepare(): Promise<void> {
    await runMigrations({ pgPool: this.database.pool, logger: this.workerLogger() });
    // otherwise each name is made by its first job, and in a new database those of several would wait for each other in a ring
    await this.database.read(
      `INSERT INTO graphile_worker._private_tasks (identifier) SELECT name FROM unnest($1::text[]) AS task (name)
       WHERE name NOT IN (SELECT identifier FROM graphile_worker._private_tasks) ON CONFLICT DO NOTHING`,
      [Object.keys(this.tasks)],
    );
  }

  onModuleDestroy(): Promise<void> {
    return this.stop();
  }

  /** Takes no further job and waits for the running ones; what is not done in time is released for another process. */
  stop(): Promise<void> {
    this.stopping ??= this.finish();
    return this.stopping;
  }

  private async finish(): Promise<void> {
    clearInterval(this.keeper);
    this.stopSignal.abort();
    const stopped = this.stopRunner().then(() => true);
    const inTime = await Promise.race([stopped, sleep(STOP_WITHIN_MS, false, { ref: false })]);
    if (!inTime) {
      this.logger.warn('jobs were still running at the end and are released');
      await this.lifeline.unlock([this.poolId ?? '']).catch((error: unknown) => {
        this.logger.warn({ err: error }, 'jobs were not released; the sweep of another process does it');
      });
    }
    this.lifeline.release();
  }

  private async stopRunner(): Promise<void> {
    await this.keeping;
    // it may be at its own end, which is then the one to wait for
    await this.runner?.stop().catch(() => this.runner?.promise);
  }

  /** Beside everything else, one at a time. */
  private care(work: () => Promise<void>): void {
    this.keeping ??= work()
      .catch((error: unknown) => {
        this.logger.warn({ err: error }, 'the care for jobs failed; it is tried again');
      })
      .finally(() => {
        this.keeping = undefined;
      });
  }

  private async keepAlive(): Promise<void> {
    if (this.runner === undefined) await this.startRunner();
    await this.holdLifeline();
    await this.sweep();
    await this.plan();
    await this.sayAlive();
  }

  /** Runs jobs until told to stop, or until the database is away at the end of a job: the runner gives up then. */
  private async startRunner(): Promise<void> {
    if (this.poolId !== undefined) await this.lifeline.unlock([this.poolId]);
    const events: WorkerEvents = new EventEmitter();
    events.on('pool:create', ({ workerPool }) => {
      this.poolId = workerPool.id;
    });
    surviveQueues(events, (error) => {
      this.logger.warn({ err: error }, 'jobs were not handed back; the next runner frees them');
    });
    const runner = await run({
      pgPool: this.database.pool,
      taskList: this.tasks,
      concurrency: this.config.jobs.concurrency,
      pollInterval: 1000,
      noHandleSignals: true,
      logger: this.workerLogger(),
      events,
      preset: { worker: this.batches },
    });
    this.runner = runner;
    const over = (): void => {
      if (this.stopping !== undefined || this.runner !== runner) return;
      this.logger.error('the job runner gave up and is replaced');
      this.runner = undefined;
      // the lock bears the name of the runner that is no more
      this.lifeline.release();
    };
    runner.promise.then(over, over);
    // Its promise may stay open for ever after two jobs could not be noted (the count in graphile-worker's batches goes
    // below zero); by these events its last handler has returned.
    for (const event of ENDS_OF_RUNNER) events.on(event, over);
  }

  /**
   * Jobs are fetched and noted several at a time: in haste that halves what a job costs. What is fetched and not begun goes
   * back within a second, so that no job waits here while another process has nothing to do. Ends are noted in batches,
   * however small, also because the failure to note one by itself would be nobody's and end the process.
   */
  private get batches(): {
    localQueue: { size: number; ttl: number };
    completeJobBatchDelay: number;
    failJobBatchDelay: number;
  } {
    return {
      localQueue: { size: this.config.jobs.concurrency, ttl: FETCHED_FOR_MS },
      completeJobBatchDelay: NOTED_WITHIN_MS,
      failJobBatchDelay: 0,
    };
  }

  /** Frees the jobs of workers whose process is gone; takes three seconds when there seem to be any. */
  sweep(): Promise<void> {
    return this.lifeline.sweep(this.poolId, this.stopSignal.signal);
  }

  private async holdLifeline(): Promise<void> {
    if (this.poolId !== undefined && this.stopping === undefined) await this.lifeline.hold(this.poolId);
  }

  /** Gives each scheduled job its next time, unless it waits for it or runs; the key keeps two processes from adding two. */
  private async plan(): Promise<void> {
    await this.database.read(
      `SELECT graphile_worker.add_job(name, '{}'::json, run_at => now() + make_interval(mins => minutes), max_attempts => $3,
         job_key => name, job_key_mode => 'preserve_run_at')
       FROM unnest($1::text[], $2::int[]) AS scheduled (name, minutes)
       WHERE NOT EXISTS (SELECT FROM graphile_worker.jobs WHERE key = name AND attempts < max_attempts)`,
      [this.scheduled.map(({ name }) => name), this.scheduled.map(({ everyMinutes }) => everyMinutes), RUNS_CUT_OFF],
    );
  }

  private async sayAlive(): Promise<void> {
    if (this.poolId !== undefined) await this.records.see(this.poolId);
  }

  private workerLogger(): WorkerLogger {
    return new WorkerLogger(() => (level, message, meta) => {
      // of these the job itself tells, and whose it is
      if (message.startsWith('Found task')) return;
      const error = meta?.['error'];
      const line = { ...lineAbout(meta?.['job']), ...(error instanceof Error ? { err: error } : {}) };
      const severity: string = level;
      if (severity === 'error') this.logger.error(line, message);
      else if (severity === 'warning') this.logger.warn(line, message);
      else this.logger.debug(line, message);
    });
  }
}

/** Which job a line is about, and which request left it behind. */
function lineAbout(job: unknown): Record<string, string | number | undefined> {
  const { id, task_identifier: task, payload, attempts } = (job ?? {}) as Partial<Job>;
  return { job: task, job_id: id, attempt: attempts, request_id: causeIn(payload).requestId ?? undefined };
}
