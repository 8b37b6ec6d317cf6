import type { NestExpressApplication } from '@nestjs/platform-express';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { closeApp, createApp } from '../src/app.setup.js';
import { loadConfig } from '../src/config/config.js';
import { Transactions } from '../src/database/transactions.js';
import { type JobDefinition, JobsService } from '../src/jobs/jobs.service.js';
import type { ScheduledJob } from '../src/jobs/scheduled.jobs.js';
import { ADMIN, eventually, SECRET_KEY, startApp } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { makeDatabase, type TestDatabase } from './support/database.js';
import { Gate } from './support/gate.js';
import { anEmail, formOf } from './support/leads.js';
import { makeFolder, type RunningForecourt, someSettings, startProgram } from './support/program.js';
import { startSmtp } from './support/smtp.js';

interface Note {
  readonly note: string;
}

const NOTE: JobDefinition<Note> = { name: 'test.note', maxAttempts: 5 };
const ONCE: JobDefinition<Note> = { name: 'test.once', maxAttempts: 1 };

/** A process's share in the background work, with handlers of the test's own. */
interface Worker {
  readonly app: NestExpressApplication;
  readonly jobs: JobsService;
  enqueue(note: string, job?: JobDefinition<Note>, runAt?: Date): Promise<void>;
}

let database: TestDatabase;

beforeEach(async () => {
  database = await makeDatabase();
  atEnd(() => database.drop());
});
afterEach(() => cleanUp());

async function startWorker(
  handler: (note: string) => Promise<void> | void,
  prepare: (jobs: JobsService) => void = () => undefined,
): Promise<Worker> {
  const config = loadConfig({
    DATA_DIR: await makeFolder(),
    DATABASE_URL: database.url,
    ROLE: 'worker',
    SECRET_KEY,
    ADMIN_PASSWORD: ADMIN.password,
    BCRYPT_ROUNDS: '4',
    DB_POOL_SIZE: '2',
  });
  const app = await createApp(config, pino({ level: 'silent' }));
  atEnd(() => closeApp(app));
  const jobs = app.get(JobsService);
  for (const job of [NOTE, ONCE]) jobs.handle(job, async ({ note }) => handler(note));
  prepare(jobs);
  await app.init();
  return {
    app,
    jobs,
    enqueue: (note, job = NOTE, runAt) =>
      app.get(Transactions).run((tx) => jobs.enqueue(tx, job, [{ note }], runAt === undefined ? {} : { runAt })),
  };
}

interface JobRow {
  readonly locked_by: string | null;
  readonly attempts: number;
  readonly last_error: string | null;
}

const jobsLeft = (): Promise<JobRow[]> =>
  database.query<JobRow>(
    'SELECT locked_by, attempts, last_error FROM graphile_worker.jobs WHERE key IS NULL ORDER BY id',
  );

const isLocked = ({ locked_by }: JobRow): boolean => locked_by !== null;

/** As if every job had been taken an hour ago. */
const ageLocks = (): Promise<unknown> =>
  database.query(`UPDATE graphile_worker._private_jobs SET locked_at = now() - interval '1 hour' WHERE key IS NULL`);

/** What is asked of the session that holds the lock of a worker. */
const holderOf = (worker: string | null | undefined, what = 'pid'): Promise<unknown[]> =>
  database.query(
    `SELECT ${what} FROM pg_locks
     WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND (classid::bigint << 32 | objid::bigint) = hashtextextended($1, 1)`,
    [worker],
  );

async function submit(program: RunningForecourt, email: string): Promise<void> {
  const response = await program.request('/api/v1/leads', { method: 'POST', body: formOf({ email }) });
  expect(response.status).toBe(201);
}

/** A job under way while the gate is closed, as if for an hour, and another worker who might take it for nobody's. */
async function aLongJob(): Promise<{ gate: Gate; done: string[]; before: JobRow | undefined; other: Worker }> {
  const gate = new Gate();
  const done: string[] = [];
  const slow = await startWorker(async (note) => {
    await gate.opened;
    done.push(`slow ${note}`);
  });
  await slow.enqueue('job');
  await eventually('the job is taken', async () => (await jobsLeft())[0]?.locked_by !== null);
  const [before] = await jobsLeft();
  await ageLocks();
  const other = await startWorker((note) => void done.push(`other ${note}`));
  return { gate, done, before, other };
}

describe('a job', () => {
  it('does not exist when the transaction that asks for it rolls back', async () => {
    const done: string[] = [];
    const worker = await startWorker((note) => void done.push(note));

    const refused = worker.app.get(Transactions).run(async (tx) => {
      await worker.jobs.enqueue(tx, NOTE, [{ note: 'rolled back' }]);
      throw new Error('the use case failed');
    });
    await expect(refused).rejects.toThrow('the use case failed');
    await worker.enqueue('committed');

    await eventually('the later job is done', async () => done.includes('committed'));
    expect(done).toEqual(['committed']);
    expect(await eventually('it is noted', async () => (await jobsLeft()).length === 0)).toBe(true);
  });

  it('has its name in the database before the first one is asked for: none waits for another to make it', async () => {
    // where nothing runs jobs nobody else would make them
    const app = await startApp({ ROLE: 'http' });
    atEnd(() => app.close());

    const named = await app.database.query<{ identifier: string }>(
      'SELECT identifier FROM graphile_worker._private_tasks',
    );

    const handled = ['mail.deliver', 'mail.probe_server', 'mail.watch_pause', 'files.scan', 'files.sweep'];
    expect(named.map(({ identifier }) => identifier)).toEqual(expect.arrayContaining(handled));
  });

  it('runs once for each payload when the transaction commits, and then is gone', async () => {
    const done: string[] = [];
    const worker = await startWorker((note) => void done.push(note));

    await worker.app
      .get(Transactions)
      .run((tx) => worker.jobs.enqueue(tx, NOTE, [{ note: 'a' }, { note: 'b' }, { note: 'c' }]));

    await eventually('all jobs are gone', async () => (await jobsLeft()).length === 0);
    expect(done.sort()).toEqual(['a', 'b', 'c']);
  });

  it('does not run before its time', async () => {
    const done: number[] = [];
    const worker = await startWorker(() => void done.push(Date.now()));
    const runAt = new Date(Date.now() + 1500);

    await worker.enqueue('later', NOTE, runAt);

    await eventually('the job is done', async () => done.length === 1);
    expect(done[0]).toBeGreaterThanOrEqual(runAt.getTime());
  });

  it('is tried again when its handler throws, while others go on', async () => {
    const tried: string[] = [];
    const worker = await startWorker((note) => {
      tried.push(note);
      if (note === 'unlucky' && tried.filter((each) => each === note).length === 1) throw new Error('the first time');
    });

    await worker.enqueue('unlucky');
    await eventually('it failed', async () => (await jobsLeft())[0]?.last_error === 'the first time');
    await worker.enqueue('lucky');

    await eventually('all jobs are gone', async () => (await jobsLeft()).length === 0);
    expect(tried).toEqual(['unlucky', 'lucky', 'unlucky']);
  });

  it('that has failed as often as it may stays on record, unlocked, with its error', async () => {
    const worker = await startWorker(() => {
      throw new Error('always');
    });

    await worker.enqueue('hopeless', ONCE);

    await eventually('it failed', async () => (await jobsLeft())[0]?.last_error === 'always');
    expect(await jobsLeft()).toEqual([{ locked_by: null, attempts: 1, last_error: 'always' }]);
  });

  it('has one handler', async () => {
    const worker = await startWorker(() => undefined);

    expect(() => {
      worker.jobs.handle(NOTE, async () => undefined);
    }).toThrow('job test.note has a handler already');
  });
});

describe('two processes at once', () => {
  it('share the work, and do none of it twice', async () => {
    const gate = new Gate();
    const sink = await startSmtp({ message: () => gate.opened.then(() => undefined) });
    const settings = await someSettings({
      ...sink.settings,
      DATABASE_URL: database.url,
      LOG_LEVEL: 'INFO',
      WORKER_CONCURRENCY: '4',
    });
    const http = await startProgram({ ...settings, ROLE: 'http' });
    const prospects = Array.from({ length: 40 }, anEmail);
    for (const prospect of prospects) await submit(http, prospect);

    const workers = await Promise.all([1, 2].map(() => startProgram({ ...settings, ROLE: 'worker' })));
    await eventually('both have their hands full', async () => (await jobsLeft()).filter(isLocked).length === 8);
    gate.open();

    await eventually('all mails are there', async () => sink.arrived.length >= 80);
    await eventually('no job is left', async () => (await jobsLeft()).length === 0);
    expect(sink.arrived).toHaveLength(80);
    expect(prospects.map((prospect) => sink.to(prospect).length)).toEqual(prospects.map(() => 1));
    expect(new Set(sink.arrived.map(({ parsed }) => parsed.messageId)).size).toBe(80);
    const done = workers.map(({ output }) => output.split('mail sent').length - 1);
    expect(done.reduce((sum, each) => sum + each)).toBe(80);
    expect(Math.min(...done)).toBeGreaterThan(0);
  });
});

describe('a scheduled job', () => {
  const ROUND: ScheduledJob = { name: 'test.round', everyMinutes: 60, doc: 'goes round' };
  const rounds = (): Promise<{ due_in: number; locked: boolean }[]> =>
    database.query(
      `SELECT round(extract(epoch FROM run_at - now()) / 60)::int AS due_in, locked_at IS NOT NULL AS locked
       FROM graphile_worker.jobs WHERE key = 'test.round'`,
    );
  const isDue = (): Promise<unknown> =>
    database.query(`UPDATE graphile_worker._private_jobs SET run_at = now() WHERE key = 'test.round'`);
  const workerWith = (handler: () => Promise<void>): Promise<Worker> =>
    startWorker(
      () => undefined,
      (jobs) => {
        jobs.schedule(ROUND, handler);
      },
    );

  it('waits for its time once, however many processes there are, and is given the next one after its run', async () => {
    let runs = 0;
    for (let processes = 0; processes < 3; processes++) await workerWith(async () => void (runs += 1));
    expect(await rounds()).toEqual([{ due_in: 60, locked: false }]);

    await isDue();
    await eventually('it ran', async () => runs > 0);

    await eventually('it waits again', async () => (await rounds())[0]?.due_in === 60);
    expect(runs).toBe(1);
  }, 40_000);

  it('that fails runs again at its next time, not before', async () => {
    let runs = 0;
    await workerWith(async () => {
      runs += 1;
      throw new Error('not today');
    });
    await isDue();

    await eventually('it waits again', async () => runs > 0 && (await rounds())[0]?.due_in === 60);
    expect(runs).toBe(1);
  }, 30_000);
});

describe('the jobs of a process', () => {
  it('that was killed in the middle of them are done by another within twenty seconds', async () => {
    const gate = new Gate();
    const sink = await startSmtp({ message: () => gate.opened.then(() => undefined) });
    const settings = await someSettings({ DATABASE_URL: database.url, ...sink.settings, ATTORNEY_EMAIL: 'a@b.test' });
    const killed = await startProgram(settings);
    const prospect = anEmail();
    await submit(killed, prospect);
    await eventually('both mails are under way', async () => sink.arrived.length === 2);
    const other = await startProgram({ ...settings, ROLE: 'worker' });
    const began = performance.now();

    killed.signal('SIGKILL');
    await killed.ended;
    gate.open();

    await eventually('both arrive again', async () => sink.arrived.length === 4);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(sink.to(prospect)).toHaveLength(2);
    expect(new Set(sink.arrived.map(({ parsed }) => parsed.messageId)).size).toBe(2);
    await eventually('no job is left', async () => (await jobsLeft()).length === 0);
    expect(await other.stop()).toBe(0);
  });

  it('are freed by a sweep when nobody holds the lock of their worker', async () => {
    const done: string[] = [];
    const worker = await startWorker((note) => void done.push(note));
    await worker.enqueue('orphan', NOTE, new Date(Date.now() + 3_600_000));
    await database.query(
      `UPDATE graphile_worker._private_jobs SET run_at = now(), locked_by = 'pool-of-the-dead', locked_at = now() - interval '6 s' WHERE key IS NULL`,
    );

    await worker.jobs.sweep();

    await eventually('it is done', async () => done.includes('orphan'));
  });

  it('are left alone by the sweep of another as long as it lives, however long they take', async () => {
    const { gate, done, before, other } = await aLongJob();

    await other.jobs.sweep();

    expect(await jobsLeft()).toEqual([before]);
    gate.open();
    await eventually('the job is gone', async () => (await jobsLeft()).length === 0);
    expect(done).toEqual(['slow job']);
  });

  it('stay its own when it loses the connection of its lock, again and again', async () => {
    const { gate, done, before, other } = await aLongJob();

    for (let time = 0; time < 3; time += 1) {
      expect(await holderOf(before?.locked_by, 'pg_terminate_backend(pid)')).toHaveLength(1);
      await other.jobs.sweep();
      expect(await jobsLeft()).toEqual([before]);
      await eventually('it has its lock again', async () => (await holderOf(before?.locked_by)).length === 1);
    }

    gate.open();
    await eventually('the job is gone', async () => (await jobsLeft()).length === 0);
    expect(done).toEqual(['slow job']);
  });

  it('that do not end in time when it stops are released, and done by another', async () => {
    const gate = new Gate();
    const done: string[] = [];
    const stuck = await startWorker(async () => {
      await gate.opened;
    });
    await stuck.enqueue('job');
    await eventually('the job is taken', async () => (await jobsLeft())[0]?.locked_by !== null);
    const began = performance.now();

    await stuck.jobs.stop();

    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await jobsLeft()).toEqual([{ locked_by: null, attempts: 1, last_error: null }]);
    await startWorker((note) => void done.push(note));
    await eventually('another did it', async () => done.includes('job'));
    gate.open();
  });

  it('that end while it stops are waited for', async () => {
    const gate = new Gate();
    const done: string[] = [];
    const worker = await startWorker(async (note) => {
      await gate.opened;
      done.push(note);
    });
    await worker.enqueue('job');
    await eventually('the job is taken', async () => (await jobsLeft())[0]?.locked_by !== null);

    const stopped = worker.jobs.stop();
    gate.open();
    await stopped;

    expect(done).toEqual(['job']);
    expect(await jobsLeft()).toEqual([]);
  });
});

describe('a database that is away for a while', () => {
  const name = (): string => new URL(database.url).pathname.slice(1);

  async function onServer(...statements: string[]): Promise<void> {
    const client = new pg.Client({ connectionString: process.env['TEST_DATABASE_URL'] });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  }

  const cutAll = (): string =>
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name()}' AND pid <> pg_backend_pid()`;
  const workerLocks = (): Promise<{ pid: number }[]> =>
    database.query(
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND granted`,
    );

  it('costs neither further jobs nor, for long, the lock that protects the running ones', async () => {
    const done: string[] = [];
    const worker = await startWorker((note) => void done.push(note));
    // those of the start are given back one by one
    await eventually('only the lock of the worker is held', async () => (await workerLocks()).length === 1);

    const [before] = await workerLocks();

    await onServer(cutAll());

    await eventually('another connection holds the lock', async () => {
      const locks = await workerLocks();
      return locks.length === 1 && locks[0]?.pid !== before?.pid;
    });
    await worker.enqueue('afterwards');
    await eventually('the job is done', async () => done.includes('afterwards'));
    expect(await workerLocks()).toHaveLength(1);
  });

  it('in the middle of a job ends neither the process nor its work', async () => {
    const gate = new Gate();
    let answered = 0;
    const sink = await startSmtp({
      async message() {
        await gate.opened;
        // a few milliseconds apart: jobs that fail one after the other while the runner ends have kept it from ending
        await sleep(4 * answered++);
        return undefined;
      },
    });
    const settings = { DATABASE_URL: database.url, ATTORNEY_EMAIL: 'a@b.test', MAIL_RETRY_SECONDS: '1' };
    const program = await startProgram(await someSettings({ ...settings, ...sink.settings }));
    await submit(program, anEmail());
    await submit(program, anEmail());
    await eventually('all mails are under way', async () => sink.arrived.length === 4);

    await onServer(`ALTER DATABASE ${name()} ALLOW_CONNECTIONS false`, cutAll());
    gate.open();
    await program.says(/the job runner gave up/);
    await program.says(/WARNING: .*database connection was lost/);
    expect((await program.request('/health/live')).status).toBe(200);
    await onServer(`ALTER DATABASE ${name()} ALLOW_CONNECTIONS true`);

    await eventually(
      'all mails are sent',
      async () => (await database.query(`SELECT 1 FROM mail_messages WHERE state = 'sent'`)).length === 4,
      30_000,
    );
    expect(new Set(sink.arrived.map(({ parsed }) => parsed.messageId)).size).toBe(4);
    expect(await program.stop()).toBe(0);
  });
});
