import { readdir, rename } from 'node:fs/promises';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { eventually, startApp, type TestApp } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { makeDatabase } from './support/database.js';
import { jsonOf } from './support/leads.js';
import { freePort } from './support/ports.js';
import { RunningForecourt, someSettings, startProgram } from './support/program.js';

const ALL_OK = {
  database: { state: 'ok', latency_ms: expect.any(Number), needed: true },
  migrations: { state: 'ok', latency_ms: expect.any(Number), needed: true },
  storage: { state: 'ok', latency_ms: expect.any(Number), needed: true },
  jobs: { state: 'ok', latency_ms: expect.any(Number), needed: false },
  mail: { state: 'ok', latency_ms: expect.any(Number), needed: false },
  replicas: { state: 'ok', latency_ms: expect.any(Number), needed: false },
};

afterEach(() => cleanUp());

describe('GET /health', () => {
  let app: TestApp;
  beforeEach(async () => {
    app = await startApp();
  });
  afterEach(() => app.close());

  const summary = async (): Promise<Record<string, unknown>> => {
    const response = await app.request('/health');
    expect(response.status).toBe(200);
    return jsonOf(response);
  };

  it('names every dependency with its state and how long its answer took', async () => {
    expect(await summary()).toEqual({ status: 'ok', checks: ALL_OK });
  });

  it('is degraded while mail waits for its server, which takes nothing from readiness', async () => {
    await app.database.query('UPDATE mail_server_state SET paused_since = now()');

    expect(await summary()).toEqual({
      status: 'degraded',
      checks: { ...ALL_OK, mail: { ...ALL_OK.mail, state: 'failed' } },
    });
    expect((await app.request('/health/ready')).status).toBe(200);
  });

  it('is degraded while no process runs jobs', async () => {
    await app.database.query(`UPDATE job_workers SET seen_at = now() - interval '31 s'`);

    expect(await summary()).toMatchObject({ status: 'degraded', checks: { jobs: { state: 'failed', needed: false } } });
  });

  it('is failing, and says nothing of why to strangers, while files cannot be stored', async () => {
    await rename(`${app.uploadDir}/.incoming`, `${app.uploadDir}/.away`);
    const failing = await summary();
    await rename(`${app.uploadDir}/.away`, `${app.uploadDir}/.incoming`);

    expect(failing).toEqual({
      status: 'failing',
      checks: { ...ALL_OK, storage: { ...ALL_OK.storage, state: 'failed' } },
    });
    expect(app.log).toContainEqual(
      expect.objectContaining({ level: 'WARNING', logger: 'health', check: 'storage', err: expect.any(Object) }),
    );
    await eventually('storage is seen to be back', async () => (await summary())['status'] === 'ok');
  });

  it('writes one probe for all who ask within a moment, however many they are', async () => {
    const written = new Set<string>();
    const watcher = watch(join(app.uploadDir, '.incoming'), (_, name) => {
      if (name?.endsWith('.probe') === true) written.add(name);
    });

    const statuses = await Promise.all(
      Array.from(
        { length: 64 },
        async (_, index) => (await app.request(index % 2 ? '/health' : '/health/ready')).status,
      ),
    );
    await eventually('the probe was seen', async () => written.size > 0);
    await sleep(200);
    watcher.close();

    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(written.size).toBe(1);
    expect((await readdir(join(app.uploadDir, '.incoming'))).filter((name) => name.endsWith('.probe'))).toEqual([]);
  });
});

describe('the start', () => {
  it('is told: alive, not ready, until what it waits for is there; then it serves on the same port', async () => {
    const database = await makeDatabase();
    atEnd(() => database.drop());
    // another process migrates
    const other = new pg.Client({ connectionString: database.url });
    other.on('error', () => undefined);
    await other.connect();
    await other.query(`SELECT pg_advisory_lock(hashtextextended('forecourt:migrations', 0))`);
    const port = await freePort();
    const program = new RunningForecourt(
      await someSettings({ PORT: String(port), DATABASE_URL: database.url, SECRET_KEY: 'k'.repeat(40) }),
    );
    program.url = `http://127.0.0.1:${port}`;

    const live = await eventually('the port is open', async () => {
      if (program.hasEnded) throw new Error(program.output);
      return program.request('/health/live').catch(() => undefined);
    });
    const ready = await program.request('/health/ready');
    const submission = await program.submit('ada@example.com');

    expect([live.status, await live.json()]).toEqual([200, { status: 'ok' }]);
    for (const answer of [ready, submission]) {
      expect([answer.status, await answer.json()]).toEqual([
        503,
        {
          detail: 'Not ready: starting',
          error_code: 'SERVICE_UNAVAILABLE',
          timestamp: expect.any(String),
          request_id: answer.headers.get('x-request-id'),
        },
      ]);
      expect(answer.headers.get('retry-after')).toBe('5');
      expect(answer.headers.get('x-frame-options')).toBe('DENY');
    }
    await other.end();
    await program.says(new RegExp(`listens on port ${port}`));
    expect((await program.request('/health/ready')).status).toBe(200);
    expect(await program.stop()).toBe(0);
  });
});

describe('the end', () => {
  it('is told to balancers first: for DRAIN_SECONDS nothing is ready, and everything is still answered', async () => {
    const program = await startProgram(await someSettings({ DRAIN_SECONDS: '8' }));
    expect((await program.request('/health/ready')).status).toBe(200);

    program.signal('SIGTERM');
    await program.says(/Forecourt stops/);
    const ready = await program.request('/health/ready');
    const summary = await program.request('/health');
    const submission = await program.submit('ada@example.com');

    expect([ready.status, await jsonOf(ready)]).toEqual([
      503,
      expect.objectContaining({ detail: 'Not ready: stopping' }),
    ]);
    expect(await jsonOf(summary)).toMatchObject({ status: 'stopping' });
    expect((await program.request('/health/live')).status).toBe(200);
    expect(submission.status).toBe(201);
    expect(await program.ended).toBe(0);
  });
});
