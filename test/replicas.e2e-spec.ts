import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../src/config/config.js';
import { checkReplicas } from '../src/doctor/replicas-check.js';
import { killTree, postmasterOf, treeOf } from '../tools/processes.mjs';
import { eventually, startApp, type TestApp } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { anAttorney, anEmail, get, jsonOf, sendJson, submit, tokenOf } from './support/leads.js';
import { metricsUrlOf, samplesOf, valueOf } from './support/metrics.js';
import { clusterOf, query } from './support/postgres.js';
import { makeFolder } from './support/program.js';
import { type Pair, pauseReplay, resumeReplay, startOne, startPair } from './support/replica.js';

jest.setTimeout(120_000);

let pair: Pair;
let app: TestApp;
let admin: string;
let attorney: string;

beforeAll(async () => {
  pair = await startPair();
  app = await startApp({
    DATABASE_URL: pair.primary.url,
    DATABASE_REPLICA_URLS: pair.replica.url,
    METRICS_PORT: '0',
    ROLE: 'http',
  });
  atEnd(() => app.close(), 'the whole file');
  admin = await tokenOf(app);
  attorney = (await anAttorney(app, admin)).token;
});
afterAll(() => cleanUp('the whole file'));

const onPrimary = <Row>(text: string): Promise<Row[]> => query<Row>(pair.primary, text);

async function reads(outcome: string): Promise<number> {
  const text = await (await fetch(await metricsUrlOf(app.log))).text();
  return valueOf(samplesOf(text), 'forecourt_replica_reads_total', { outcome }) ?? NaN;
}

async function isUsed(): Promise<boolean> {
  const text = await (await fetch(await metricsUrlOf(app.log))).text();
  return valueOf(samplesOf(text), 'forecourt_replica_up', { replica: '1' }) === 1;
}

/** The replica is well, has everything, and answers both of them. */
async function calm(): Promise<void> {
  await eventually('the replica answers', async () => {
    if (!(await isUsed())) return false;
    const before = await reads('replica');
    await list(admin);
    await list(attorney);
    return (await reads('replica')) === before + 2;
  });
}

async function list(
  token: string,
  path = '/api/v1/leads?size=100',
): Promise<{ total: number; items: Record<string, string>[] }> {
  const response = await get(app, path, token);
  expect(response.status).toBe(200);
  return jsonOf(response);
}

async function aNewLead(): Promise<string> {
  const response = await submit(app, { email: anEmail() });
  expect(response.status).toBe(201);
  return (await jsonOf<{ id: string }>(response)).id;
}

const moveTo = async (token: string, id: string, status: string): Promise<void> => {
  expect((await sendJson(app, 'PATCH', `/api/v1/leads/${id}`, { status }, token)).status).toBe(200);
};

async function statusFor(token: string, id: string): Promise<string | undefined> {
  return (await list(token)).items.find((lead) => lead['id'] === id)?.['status'];
}

describe('lists with a replica', () => {
  it.each([
    '/api/v1/leads',
    '/api/v1/leads?status=PENDING&sort_by=email',
    '/api/v1/users',
    '/api/v1/admin/users?search=a',
    '/api/v1/admin/audit-entries',
    '/api/v1/admin/audit-entries/export?format=csv',
    '/api/v1/admin/mail/messages',
  ])('are read from it: %s', async (path) => {
    await calm();
    const before = await reads('replica');

    const response = await get(app, path, admin);
    await response.text();

    expect(response.status).toBe(200);
    expect(await reads('replica')).toBeGreaterThan(before);
  });

  it('show everybody what they wrote, while others still see what the replica has, and that not for long', async () => {
    const id = await aNewLead();
    let [status, next] = ['PENDING', 'REACHED_OUT'];
    // until the attorney is answered soon enough by a replica that cannot know it yet
    await eventually('others see what was before', async () => {
      await eventually('all know the lead', async () => (await statusFor(attorney, id)) === status);
      await calm();
      await pauseReplay(pair);
      try {
        await moveTo(admin, id, next);
        const before = await reads('replica');
        const [mine, theirs] = [await statusFor(admin, id), await statusFor(attorney, id)];
        expect(mine).toBe(next);
        return theirs === status && (await reads('replica')) === before + 1;
      } finally {
        [status, next] = [next, status];
        await resumeReplay(pair);
      }
    });

    await calm();
    await pauseReplay(pair);
    try {
      await moveTo(admin, id, next);
      await eventually('it is too old for others as well', async () => (await statusFor(attorney, id)) === next);
      await eventually('that is told', async () => {
        const health = await jsonOf<{ status: string; checks: Record<string, unknown> }>(await app.request('/health'));
        return health.status === 'degraded' && (health.checks['replicas'] as { state: string }).state === 'failed';
      });
      expect((await app.request('/health/ready')).status).toBe(200);
    } finally {
      await resumeReplay(pair);
    }
    await calm();
    expect(await statusFor(attorney, id)).toBe(next);
  });

  it('show 16 at once what they wrote, time and again, while the replica stops and goes', async () => {
    const others = await Promise.all([anAttorney(app, admin), anAttorney(app, admin)]);
    const people = [admin, attorney, ...others.map(({ token }) => token)];
    const ids = await Promise.all(Array.from({ length: 16 }, () => aNewLead()));
    const over = new AbortController();
    const stopping = (async () => {
      while (!over.signal.aborted) {
        await pauseReplay(pair);
        await sleep(60);
        await resumeReplay(pair);
        await sleep(20);
      }
    })();

    const seen: (string | undefined)[] = [];
    await Promise.all(
      ids.map(async (id, index) => {
        const token = people[index % people.length] ?? admin;
        for (const status of ['REACHED_OUT', 'PENDING', 'REACHED_OUT', 'PENDING']) {
          await moveTo(token, id, status);
          const found = await statusFor(token, id);
          if (found !== status) seen.push(`${status}, but saw ${found}`);
        }
      }),
    );
    over.abort();
    await stopping;

    expect(seen).toEqual([]);
  });

  it('show it also after the primary crashed and forgot who wrote what', async () => {
    const id = await aNewLead();
    await calm();
    await pauseReplay(pair);
    try {
      await moveTo(admin, id, 'REACHED_OUT');
      // as a crash leaves an unlogged table
      await onPrimary('TRUNCATE write_marks');

      expect(await statusFor(admin, id)).toBe('REACHED_OUT');
      expect(await statusFor(admin, id)).toBe('REACHED_OUT');
    } finally {
      await resumeReplay(pair);
    }
  });

  it('that go on behind a cursor are the primary’s: what lies between must not be missing', async () => {
    for (let count = 0; count < 2; count += 1) await aNewLead();
    await calm();
    const page = await jsonOf<{ next_cursor: string }>(await get(app, '/api/v1/leads?size=1', admin));
    const before = await reads('replica');

    const next = await get(app, `/api/v1/leads?cursor=${page.next_cursor}`, admin);

    expect(next.status).toBe(200);
    expect(await reads('replica')).toBe(before);
  });

  it('are the primary’s while the replica is away, frozen or follows nobody any more, and nobody notices', async () => {
    await calm();
    const postmaster = postmasterOf(pair.replicaDir) ?? 0;
    const frozen = treeOf(postmaster);
    for (const pid of frozen) process.kill(pid, 'SIGSTOP');
    const whileFrozen = await Promise.all(Array.from({ length: 16 }, () => list(admin)));
    expect(new Set(whileFrozen.map(({ total }) => total)).size).toBe(1);
    await eventually('it is not asked any more', async () => !(await isUsed()));
    for (const pid of frozen) process.kill(pid, 'SIGCONT');
    await calm();

    await killTree(postmaster);
    const whileAway = await Promise.all(Array.from({ length: 16 }, () => list(attorney)));
    expect(new Set(whileAway.map(({ total }) => total)).size).toBe(1);
    expect(app.log.filter(({ status }) => status === 500 || status === 503)).toEqual([]);
    const lines = app.log.filter(({ message }) => /replica/.test(String(message)));
    expect(lines.length).toBeGreaterThan(0);
    expect(JSON.stringify(lines)).not.toContain(new URL(pair.replica.url).password);

    const { url } = await startOne(pair.replicaDir);
    expect(new URL(url).hostname).toBe('127.0.0.1');
  });

  it('say nothing of a server that is no standby, or of another PostgreSQL: it is not read from', async () => {
    const lone = await startApp({ DATABASE_REPLICA_URLS: pair.primary.url, METRICS_PORT: '0', ROLE: 'http' });
    atEnd(() => lone.close());
    try {
      const reason = await eventually('it is refused', async () => {
        const line = lone.log.find(({ message }) => /is not read from/.test(String(message)));
        return line?.['reason'];
      });

      expect(reason).toBe('it is a copy of another PostgreSQL');
    } finally {
      await cleanUp();
    }
  });

  it('are never those of a standby that follows another history than the primary, however far it has come', async () => {
    // both follow the primary; one is promoted, the other goes on with the old one, and gets further
    await killTree(postmasterOf(pair.replicaDir) ?? 0);
    const otherDir = await makeFolder('the whole file');
    expect(spawnSync('cp', ['-a', clusterOf(pair.replicaDir), otherDir]).status).toBe(0);
    for (const name of ['postmaster.pid', 'postmaster.opts'])
      await rm(join(clusterOf(otherDir), name), { force: true });
    const [promoted, other] = [await startOne(pair.replicaDir), await startOne(otherDir)];
    await query(promoted, 'SELECT pg_promote()');
    await onPrimary(`CREATE TABLE ahead AS SELECT n, repeat('x', 1000) FROM generate_series(1, 5000) AS n`);
    await eventually(
      'it is ahead',
      async () => (await query(other, `SELECT FROM pg_tables WHERE tablename = 'ahead'`)).length > 0,
    );

    const after = await startApp({
      DATABASE_URL: promoted.url,
      DATABASE_REPLICA_URLS: other.url,
      METRICS_PORT: '0',
      ROLE: 'http',
    });
    atEnd(() => after.close());
    try {
      const reason = await eventually(
        'it is refused',
        async () => after.log.find(({ message }) => /is not read from/.test(String(message)))?.['reason'],
      );
      expect(reason).toBe('it does not follow this primary, or has not heard of its promotion yet');
      expect((await get(after, '/api/v1/leads', await tokenOf(after))).status).toBe(200);
      const text = await (await fetch(await metricsUrlOf(after.log))).text();
      expect(valueOf(samplesOf(text), 'forecourt_replica_up', { replica: '1' })).toBe(0);
      const config = loadConfig({ DATABASE_URL: promoted.url, DATABASE_REPLICA_URLS: other.url });
      expect(await checkReplicas(config)).toEqual([expect.objectContaining({ state: 'warning' })]);
    } finally {
      await cleanUp();
    }
  });
});
