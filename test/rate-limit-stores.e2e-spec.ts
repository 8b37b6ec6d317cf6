import { createClient } from '@redis/client';
import { Clock } from '../src/common/clock.js';
import { PostgresStore } from '../src/limits/postgres.store.js';
import type { RateLimitStore } from '../src/limits/rate-limit.store.js';
import { RateLimitsService } from '../src/limits/rate-limits.service.js';
import { RedisStore } from '../src/limits/redis.store.js';
import { Database } from '../src/database/database.js';
import { ADMIN, eventually, SECRET_KEY, startApp, type TestApp } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { anAttorney, get, jsonOf, login, submit, tokenOf } from './support/leads.js';
import { whyNoPackages } from './support/debian.js';
import { someSettings, startProgram } from './support/program.js';
import { describeWith } from './support/real-servers.js';
import { findRedis, startRedis } from './support/redis.js';

let app: TestApp;
afterEach(() => cleanUp());

async function start(settings: Record<string, string> = {}): Promise<TestApp> {
  const started = await startApp({ RATE_LIMIT_ENABLED: 'true', ROLE: 'http', ...settings });
  atEnd(() => started.close());
  app = started;
  return started;
}

/** How many of so many requests at once were let through to the check of the password. */
async function letThrough(url: string, many: number): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: many }, () =>
      fetch(`${url}/api/v1/auth/login`, {
        method: 'POST',
        body: new URLSearchParams({ username: 'admin', password: 'wrong' }),
      }),
    ),
  );
  const statuses = answers.map(({ status }) => status);
  if (statuses.some((status) => status !== 401 && status !== 429)) throw new Error(statuses.join());
  return statuses.filter((status) => status === 401).length;
}

/** What every store must do. */
function contractOf(open: () => Promise<RateLimitStore>): void {
  let store: RateLimitStore;
  beforeEach(async () => {
    store = await open();
    atEnd(() => store.close());
  });
  const taken = async (second: number, many = 1, limit = 5): Promise<number> => {
    const usages = await Promise.all(Array.from({ length: many }, () => store.take('key', limit, second)));
    return usages.filter(({ isTaken }) => isTaken).length;
  };

  it('lets exactly the limit through of 16 at once', async () => {
    expect(await taken(1000, 16)).toBe(5);
    expect(await taken(1000, 16)).toBe(0);
  });

  it('lets no second burst through at the edge of a minute', async () => {
    // 1020 begins a minute since 1970
    expect(await taken(1019, 16)).toBe(5);
    expect(await taken(1020, 16)).toBe(0);
    expect(await taken(1079, 16)).toBe(0);
    expect(await taken(1080, 16)).toBe(5);
  });

  it('gives back what was used long enough ago, second by second', async () => {
    for (const second of [1000, 1010, 1020, 1030, 1040]) expect(await taken(second)).toBe(1);

    expect(await taken(1060, 3)).toBe(0);
    expect(await taken(1061, 3)).toBe(1);
    expect(await taken(1072, 3)).toBe(1);
    expect(await store.take('key', 5, 1072)).toEqual({ isTaken: false, used: 5, resetSeconds: 9 });
  });

  it('keeps nobody out for what was counted before the clock was set back by an hour, and its limit after', async () => {
    expect(await taken(10_000, 16)).toBe(5);

    expect(await taken(6400, 16)).toBe(5);
    expect(await taken(6401, 16)).toBe(0);
    expect(await store.take('key', 5, 6401)).toEqual({ isTaken: false, used: 5, resetSeconds: 60 });
    const all = await store.add(new Map([['key', new Map([[2800, 1]])]]), 2800);
    expect(all).toEqual(new Map([['key', new Map([[2800, 1]])]]));
    expect(await taken(10_001, 16)).toBe(5);
  });

  it('believes a machine whose clock is a little ahead', async () => {
    expect(await taken(1030, 3)).toBe(3);
    expect(await taken(1000, 16)).toBe(2);
  });

  it('limits who asks two machines in turn, whose clocks are minutes apart', async () => {
    let through = 0;
    for (let turn = 0; turn < 16; turn += 1) through += (await taken(2000)) + (await taken(2090));

    expect(through).toBeLessThanOrEqual(10);
  });

  it('takes in what was counted elsewhere, and says all that it knows', async () => {
    await taken(1000, 2);

    const all = await store.add(
      new Map([
        ['other', new Map([[1001, 3]])],
        [
          'key',
          new Map([
            [1000, 2],
            [1002, 1],
          ]),
        ],
      ]),
      1002,
    );

    expect(all).toEqual(
      new Map([
        [
          'key',
          new Map([
            [1000, 4],
            [1002, 1],
          ]),
        ],
        ['other', new Map([[1001, 3]])],
      ]),
    );
    expect(await taken(1002)).toBe(0);
    expect(await store.add(new Map([['key', new Map([[1061, 1]])]]), 1061)).toEqual(
      new Map([
        [
          'key',
          new Map([
            [1002, 1],
            [1061, 1],
          ]),
        ],
      ]),
    );
  });

  it('lets many add at once, in any order, and loses nothing', async () => {
    const keys = ['a', 'b', 'c', 'd'];
    await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        store.add(
          new Map((index % 2 === 0 ? keys : keys.toReversed()).map((key) => [key, new Map([[1000, 1]])])),
          1000,
        ),
      ),
    );

    const all = await store.add(new Map(keys.map((key) => [key, new Map()])), 1000);
    expect([...all.values()].map((counts) => counts.get(1000))).toEqual([16, 16, 16, 16]);
  });
}

describe('a store in PostgreSQL', () => {
  contractOf(async () => new PostgresStore((await start({ RATE_LIMIT_ENABLED: 'false' })).app.get(Database)));
});

describe('the store in PostgreSQL', () => {
  it('forgets who stays away', async () => {
    const store = new PostgresStore((await start()).app.get(Database));
    await store.take('away', 5, 1000);
    await store.take('there', 5, 1061);

    await store.sweep();
    await store.close();

    expect(await app.database.query('SELECT key FROM rate_limits')).toEqual([{ key: 'there' }]);
  });

  it('is shared by two processes: together they let exactly the limit through', async () => {
    await start({ RATE_LIMIT_LOGIN: '20' });
    const settings = { DATABASE_URL: app.database.url, SECRET_KEY, ADMIN_PASSWORD: ADMIN.password, DB_POOL_SIZE: '2' };
    const other = await startProgram(
      await someSettings({ ...settings, RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_LOGIN: '20', ROLE: 'http' }),
    );

    const counts = await Promise.all([letThrough(app.url, 16), letThrough(other.url, 16)]);

    expect(counts[0] + counts[1]).toBe(20);
  });

  it('that is away is replaced by memory, with one warning, and is back by itself', async () => {
    await start({ RATE_LIMIT_LOGIN: '1000', RATE_LIMIT_RECIPIENT: '2' });
    const limits = app.app.get(RateLimitsService);
    const outcome = (): Promise<string> =>
      limits.take('recipient', 'x').then(
        () => 'taken',
        () => 'refused',
      );
    const messages = (pattern: RegExp): number => app.log.filter(({ message }) => pattern.test(String(message))).length;
    await app.database.query('ALTER TABLE rate_limits RENAME TO rate_limits_away');

    const while_away = [await outcome(), await outcome(), await outcome()];
    await app.database.query('ALTER TABLE rate_limits_away RENAME TO rate_limits');

    expect(while_away).toEqual(['taken', 'taken', 'refused']);
    expect(messages(/kept by each process for itself/)).toBe(1);
    await eventually('it is back', async () => (await outcome()) === 'taken');
    expect(messages(/are shared again/)).toBe(1);
    expect(await app.database.query(`SELECT FROM rate_limits WHERE key = 'recipient:x'`)).toHaveLength(1);
  });
});

const redis = findRedis();
describeWith(
  typeof redis === 'string' ? undefined : redis,
  'Redis',
  typeof redis === 'string' ? `${redis}; ${whyNoPackages()}` : '',
)('the store in a real Redis', () => {
  if (typeof redis === 'string') return;

  contractOf(async () => {
    const { url } = await startRedis(redis);
    const store = new RedisStore(url, () => undefined);
    await eventually('it is connected', () =>
      store.take('first', 1, 1000).then(
        () => true,
        () => false,
      ),
    );
    return store;
  });

  it('is shared by two processes, holds nothing for ever, is replaced by memory when it dies, and is back by itself', async () => {
    const server = await startRedis(redis);
    const limit = { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_LOGIN: '10', REDIS_URL: server.url };
    await start(limit);
    const settings = { DATABASE_URL: app.database.url, SECRET_KEY, ADMIN_PASSWORD: ADMIN.password, DB_POOL_SIZE: '2' };
    const other = await startProgram(await someSettings({ ...settings, ...limit, ROLE: 'http' }));

    const counts = await Promise.all([letThrough(app.url, 16), letThrough(other.url, 16)]);
    expect(counts[0] + counts[1]).toBe(10);
    expect(await app.database.query('SELECT FROM rate_limits')).toEqual([]);
    const client = createClient({ url: server.url });
    await client.connect();
    expect(await client.ttl('forecourt:limit:login:127.0.0.1')).toBeGreaterThan(0);
    client.destroy();

    await server.kill();
    expect(await letThrough(app.url, 16)).toBe(10);
    expect(app.log.filter(({ message }) => /kept by each process/.test(String(message)))).toHaveLength(1);
    expect(JSON.stringify(app.log)).not.toContain(':secret@');

    await server.startAgain();
    await eventually('it counts in Redis again', async () => (await letThrough(app.url, 1)) === 1);
    expect(app.log.some(({ message }) => /are shared again/.test(String(message)))).toBe(true);
  }, 120_000);
});

describe('limits', () => {
  it('hold over the edge of a minute, for whoever comes over HTTP', async () => {
    await start({ RATE_LIMIT_LOGIN: '5' });
    const clock = app.app.get(Clock);
    let time = Date.parse('2030-01-01T00:00:59.900Z');
    clock.now = () => new Date(time);

    expect(await letThrough(app.url, 8)).toBe(5);
    time += 200;
    expect(await letThrough(app.url, 8)).toBe(0);
    time += 59_000;
    expect(await letThrough(app.url, 8)).toBe(0);
    time += 1_900;
    expect(await letThrough(app.url, 8)).toBe(5);
  });

  it('of a user hold wherever the requests come from; other users and other classes have their own', async () => {
    await start({ RATE_LIMIT_READ: '3', RATE_LIMIT_WRITE: '2', RATE_LIMIT_ADMIN: '1', TRUST_PROXY: 'loopback' });
    const token = await tokenOf(app);
    const attorney = await anAttorney(app, token);
    const from = (address: string, path: string, by = token): Promise<Response> =>
      app.request(path, { headers: { Authorization: `Bearer ${by}`, 'X-Forwarded-For': address } });

    const reads = await Promise.all(
      ['203.0.113.1', '203.0.113.2', '::1', '198.51.100.1'].map((ip) => from(ip, '/api/v1/leads')),
    );
    const admin = [await from('::1', '/api/v1/admin/jobs'), await from('::1', '/api/v1/admin/jobs')];

    expect(reads.map(({ status }) => status).sort()).toEqual([200, 200, 200, 429]);
    expect(reads[0]!.headers.get('ratelimit-policy')).toBe('"address";q=6000;w=60, "read";q=3;w=60');
    expect(reads[0]!.headers.get('ratelimit')).toMatch(/^"address";r=5\d{3};t=\d+, "read";r=[0-2];t=\d+$/);
    const refused = reads.find(({ status }) => status === 429)!;
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(await jsonOf(refused)).toMatchObject({ error_code: 'RATE_LIMITED' });
    expect(admin.map(({ status }) => status)).toEqual([200, 429]);
    expect((await get(app, '/api/v1/leads', attorney.token)).status).toBe(200);
  });

  it('of a user are shared by processes within a moment', async () => {
    await start({ RATE_LIMIT_READ: '10' });
    const settings = { DATABASE_URL: app.database.url, SECRET_KEY, ADMIN_PASSWORD: ADMIN.password, DB_POOL_SIZE: '2' };
    const other = await startProgram(
      await someSettings({ ...settings, RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_READ: '10', ROLE: 'http' }),
    );
    const token = await tokenOf(app);
    const headers = { Authorization: `Bearer ${token}` };
    for (let round = 0; round < 10; round += 1) await get(app, '/api/v1/leads', token);
    await eventually('it is told', async () => {
      const [row] = await app.database.query<{ sum: number }>(
        `SELECT sum(value::int)::int AS sum FROM rate_limits AS r, jsonb_each_text(counts) WHERE r.key LIKE 'read:user:%'`,
      );
      return row?.sum === 10;
    });

    const first = await other.request('/api/v1/leads', { headers });
    await eventually('the other process refuses', async () => {
      return (await other.request('/api/v1/leads', { headers })).status === 429;
    });

    expect(first.status).toBe(200);
  });

  it('of an address count what no token gets through', async () => {
    await start({ RATE_LIMIT_ADDRESS: '3' });

    const statuses = [];
    for (let round = 0; round < 4; round += 1) statuses.push((await get(app, '/api/v1/leads', 'a.b.c')).status);

    expect(statuses).toEqual([401, 401, 401, 429]);
    expect((await app.request('/health/live')).status).toBe(200);
    expect((await login(app, 'admin', 'wrong')).status).toBe(401);
  });

  it('of a mailbox hold for all its addresses, and nothing of what is refused is kept', async () => {
    await start({ RATE_LIMIT_RECIPIENT: '2', RATE_LIMIT_SUBMIT: '1000' });

    const statuses = [];
    for (const email of [
      'ada+1@example.com',
      'ADA+2@example.com',
      'ada+3@example.com',
      'ada@example.com',
      'eve@example.com',
    ])
      statuses.push((await submit(app, { email })).status);

    expect(statuses).toEqual([201, 201, 429, 429, 201]);
    expect(await app.database.query('SELECT FROM files')).toHaveLength(3);
    expect(await app.storedFiles()).toHaveLength(3);
    expect(JSON.stringify(await app.database.query('SELECT * FROM rate_limits'))).not.toContain('example.com');
  });

  it('are told to pages of other origins', async () => {
    await start({ CORS_ORIGINS: 'https://app.example.com' });

    const response = await app.request('/api/v1/leads', { headers: { Origin: 'https://app.example.com' } });

    const exposed = response.headers
      .get('access-control-expose-headers')!
      .split(',')
      .map((name) => name.trim());
    expect(exposed).toEqual(expect.arrayContaining(['RateLimit', 'RateLimit-Policy', 'Retry-After']));
  });
});

describe('a name with a web address', () => {
  it.each([
    ['first_name', 'See https://evil.example'],
    ['last_name', 'ftp://evil.example'],
    ['first_name', 'WWW.evil.example'],
    ['last_name', 'now at www.evil.example'],
  ])('%s=%j is refused with 400 under its name', async (name, value) => {
    await start();

    const response = await submit(app, { [name]: value });

    expect(response.status).toBe(400);
    expect(await jsonOf(response)).toMatchObject({ field_errors: { [name]: ['Must not contain a web address'] } });
  });
});
