import { request as httpRequest } from 'node:http';
import { isAlive, kill, postmasterOf, treeOf } from '../tools/processes.mjs';
import { eventually } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { makeDatabase, type TestDatabase } from './support/database.js';
import { samplesOf, valueOf } from './support/metrics.js';
import { isClosed } from './support/ports.js';
import { Program, RunningForecourt, someSettings } from './support/program.js';
import { aSlowSubmission } from './support/slow-submission.js';

/** Of several processes on a busy machine, each of which takes seconds of computing to start. */
const SLOW_START_MS = 120_000;
jest.setTimeout(2 * SLOW_START_MS);

const ADMIN_PASSWORD = 'Blue-Harbour-42-Lantern';

afterAll(() => cleanUp('the whole file'));

type Line = Readonly<Record<string, unknown>>;

const linesOf = ({ output }: Program): Line[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);

/** The processes that the primary has started, and not what these have started in turn. */
const processesOf = ({ pid }: Program): number[] => treeOf(pid).slice(1);

async function startSlowly(
  settings: Readonly<Record<string, string>>,
  lifetime: 'one test' | 'the whole file' = 'one test',
): Promise<RunningForecourt> {
  const program = new RunningForecourt(settings, { lifetime });
  program.url = `http://127.0.0.1:${await program.says(/listens on port (\d+)/, SLOW_START_MS)}`;
  return program;
}

/** A request on a connection of its own, as each client of a balancer has. Resolves to the status, or to what went wrong. */
function ask(program: RunningForecourt, path: string): Promise<number | string> {
  return new Promise((resolve) => {
    const request = httpRequest(`${program.url}${path}`, { agent: false }, (response) => {
      response.resume().once('end', () => {
        resolve(response.statusCode ?? 0);
      });
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    request.end();
  });
}

describe('WEB_CONCURRENCY in production', () => {
  let database: TestDatabase;
  let program: RunningForecourt;
  let metricsPort: number;
  let first: number[] = [];
  beforeAll(async () => {
    database = await makeDatabase();
    atEnd(() => database.drop(), 'the whole file');
    metricsPort = 10_000 + (process.pid % 20_000);
    const settings = await someSettings({
      ENVIRONMENT: 'production',
      SECRET_KEY: 'q8Zr1v-K3mWt_Xy7Lp0Bn5Hd2Gj9Fs4CaE6uTi',
      ADMIN_PASSWORD,
      BCRYPT_ROUNDS: '12',
      DATABASE_URL: database.url,
      DB_POOL_SIZE: '2',
      DB_MAX_OVERFLOW: '8',
      WEB_CONCURRENCY: '2',
      METRICS_PORT: String(metricsPort),
    });
    program = await startSlowly(settings, 'the whole file');
    first = processesOf(program);
  }, SLOW_START_MS);

  /** The processes, as soon as the killed one has a successor that is ready. */
  const hasReplaced = (victim: number): number[] | false => {
    const pids = processesOf(program);
    const back = linesOf(program).filter(({ message }) => message === 'a process is there again');
    return (
      !pids.includes(victim) &&
      pids.length === 2 &&
      pids.every((pid) => first.includes(pid) || back.some(({ worker_pid }) => worker_pid === pid)) &&
      pids
    );
  };

  it('is that many processes, which start as one and share the port', async () => {
    expect(processesOf(program)).toHaveLength(2);
    const greetings = linesOf(program).filter(({ message }) => /listens on port/.test(String(message)));
    expect(greetings).toEqual([expect.objectContaining({ processes: 2, pid: program.pid })]);
    const [row] = await database.query('SELECT count(*)::int AS users FROM users');
    expect(row).toEqual({ users: 1 });

    const served = await eventually('both have served', async () => {
      await Promise.all(Array.from({ length: 64 }, () => ask(program, '/api/v1/auth/providers')));
      const pids = linesOf(program)
        .filter(({ route }) => route !== undefined)
        .map(({ pid }) => pid);
      return new Set(pids).size === 2 && new Set(pids);
    });
    expect(served).toEqual(new Set(processesOf(program)));
  });

  it('is measured process by process: METRICS_PORT is the first one’s, and the next port the second one’s', async () => {
    const pages = await Promise.all(
      [0, 1].map(async (number) => (await fetch(`http://127.0.0.1:${metricsPort + number}/metrics`)).text()),
    );

    const started = pages.map((page) => valueOf(samplesOf(page), 'process_start_time_seconds'));
    const handled = pages.map((page) => valueOf(samplesOf(page), 'forecourt_http_request_duration_seconds_count') ?? 0);
    expect(started.every((time) => time !== undefined)).toBe(true);
    expect(handled.every((count) => count > 0)).toBe(true);
  });

  it('a session that one of them has ended is over in the other', async () => {
    const headers = await program.signIn(ADMIN_PASSWORD);
    const me = async (): Promise<number[]> =>
      Promise.all(
        Array.from({ length: 16 }, async () => (await program.request('/api/v1/auth/me', { headers })).status),
      );
    expect(new Set(await me())).toEqual(new Set([200]));

    await program.request('/api/v1/auth/logout', { method: 'POST', headers });

    await eventually('it is over everywhere', async () => (await me()).every((status) => status === 401));
  });

  it('puts another in the place of one that is killed, at the log level of all, while the others serve on', async () => {
    const told = (level: string): Set<unknown> =>
      new Set(
        linesOf(program)
          .filter(({ log_level }) => log_level === level)
          .map(({ pid }) => pid),
      );
    program.signal('SIGUSR2');
    await eventually('all are told', async () => processesOf(program).every((pid) => told('DEBUG').has(pid)));
    expect(told('DEBUG')).toContain(program.pid);
    const [victim = 0, other] = processesOf(program);
    const answers: (number | string)[] = [];
    let isOver = false;
    const asking = Array.from({ length: 4 }, async () => {
      while (!isOver) answers.push(await ask(program, '/health/ready'));
    });

    kill(victim);
    try {
      const pids = await eventually('there are two again', async () => hasReplaced(victim), SLOW_START_MS);
      expect(pids).toContain(other);
    } finally {
      isOver = true;
      await Promise.all(asking);
    }

    // only what the killed one had taken is cut off, and nothing hangs or is refused while its successor starts
    const wrong = answers.filter((answer) => answer !== 200);
    expect(wrong.filter((answer) => answer !== 'ECONNRESET')).toEqual([]);
    expect(wrong.length).toBeLessThanOrEqual(4);
    expect(answers.length).toBeGreaterThan(4);
    await eventually('its successor is told', async () => processesOf(program).every((pid) => told('DEBUG').has(pid)));
    program.signal('SIGUSR2');
    await eventually('all are as before', async () => processesOf(program).every((pid) => told('INFO').has(pid)));
  });

  it('starts one that dies at its start ever more seldom, and has it back when what hindered it is gone', async () => {
    // no version of this program knows it, so no process of it starts
    await database.query(
      `INSERT INTO migrations (timestamp, name) VALUES (9999999999999, 'FromTheFuture9999999999999')`,
    );
    const [victim = 0] = processesOf(program);
    const before = linesOf(program).length;
    const waits = (): number[] =>
      linesOf(program)
        .slice(before)
        .flatMap(({ wait_ms }) => (typeof wait_ms === 'number' && wait_ms > 0 ? [wait_ms] : []));
    kill(victim);

    await eventually('it has died again and again', async () => waits().length >= 2, SLOW_START_MS);
    await database.query(`DELETE FROM migrations WHERE name = 'FromTheFuture9999999999999'`);

    const [one = 0, two] = waits();
    expect(two).toBe(one * 2);
    await eventually('it is there again', async () => hasReplaced(victim), SLOW_START_MS);
  });

  it('ends with all of them at SIGTERM, and writes whole lines to the end', async () => {
    const pids = processesOf(program);

    expect(await program.stop()).toBe(0);

    expect(pids.filter(isAlive)).toEqual([]);
    expect(program.output.split('\n').filter((line) => line !== '' && !line.startsWith('{'))).toEqual([]);
    expect(linesOf(program).filter(({ message }) => message === 'Forecourt has stopped')).toHaveLength(2);
  });
});

describe('WEB_CONCURRENCY in development', () => {
  afterEach(() => cleanUp());

  it('starts one embedded PostgreSQL for all, prints one password once, and lets an upload finish at SIGTERM', async () => {
    const settings = await someSettings({ WEB_CONCURRENCY: '2' });
    const program = await startSlowly(settings);
    const password = await program.says(/Password +(\S{16}) +\(shown only this once\)/);
    expect(program.output.split(password)).toHaveLength(2);
    await program.signIn(password);
    const finish = await aSlowSubmission(program.url, settings.DATA_DIR);

    program.signal('SIGTERM');
    await program.says(/Forecourt stops/);
    const answer = await finish();

    expect(answer.statusCode).toBe(201);
    answer.resume();
    expect(await program.ended).toBe(0);
    expect(postmasterOf(settings.DATA_DIR)).toBeUndefined();
  });

  it('leaves nobody behind when the primary is killed: the port is closed, what was begun is answered', async () => {
    const database = await makeDatabase();
    atEnd(() => database.drop());
    const settings = await someSettings({ WEB_CONCURRENCY: '2', ADMIN_PASSWORD, DATABASE_URL: database.url });
    const program = await startSlowly(settings);
    const pids = processesOf(program);
    const finish = await aSlowSubmission(program.url, settings.DATA_DIR);

    program.signal('SIGKILL');
    await eventually('the port is closed', async () => isClosed(program.url));
    const answer = await finish();

    expect(answer.statusCode).toBe(201);
    answer.resume();
    await eventually('all are gone', async () => !pids.some(isAlive));
  });

  it('ends a start that fails with its reason and code 1, as one process does', async () => {
    const settings = await someSettings({ WEB_CONCURRENCY: '2', DATABASE_URL: 'postgresql://x:y@127.0.0.1:1/x' });

    const program = new Program(settings);

    expect(await program.ended).toBe(1);
    expect(program.output).toContain('ECONNREFUSED');
    expect(program.output).toMatch(/process \d ended at its start/);
  });
});
