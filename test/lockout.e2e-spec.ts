import { randomUUID } from 'node:crypto';
import { Clock } from '../src/common/clock.js';
import { type Account, anAccount, loginFrom, PASSWORD, recordsOf } from './support/accounts.js';
import { ADMIN, eventually, startApp, type TestApp } from './support/app.js';
import { get, jsonOf, sendJson } from './support/leads.js';
import { writtenMails } from './support/mail.js';

const HOME = '192.0.2.10';
const ELSEWHERE = '198.51.100.7';
const MINUTE_MS = 60_000;

let app: TestApp;
let superadmin: string;
let someone: Account;
/** How far the service's clock is ahead. */
let aheadMs = 0;

beforeAll(async () => {
  app = await startApp({ LOCKOUT_FAILURES: '5', LOCKOUT_ACCOUNT_FAILURES: '12', TRUST_PROXY: 'loopback' });
  jest.spyOn(app.app.get(Clock), 'now').mockImplementation(() => new Date(Date.now() + aheadMs));
  superadmin = await signedIn(HOME, ADMIN.username, ADMIN.password);
});
afterAll(() => app.close());
beforeEach(async () => {
  aheadMs = 0;
  someone = await anAccount(app, superadmin, 'attorney');
  // they were never anywhere yet
  await app.database.query('DELETE FROM known_sources WHERE user_id = $1', [someone.id]);
});

async function signedIn(ip: string, username: string, password: string): Promise<string> {
  return (await jsonOf<{ access_token: string }>(await loginFrom(app, ip, username, password))).access_token;
}
const status = async (ip: string, name = someone.username, password = PASSWORD): Promise<number> =>
  (await loginFrom(app, ip, name, password)).status;
async function fail(times: number, ip: string, name = someone.username): Promise<void> {
  for (let time = 0; time < times; time += 1) expect(await status(ip, name, 'a wrong guess')).toBe(401);
}
const mailsTo = async ({ email }: Account): Promise<string[]> =>
  (await writtenMails(app.dataDir)).filter((mail) => mail.includes(`To: ${email}`));
const anAddress = (): string => `203.0.113.${1 + Math.floor(Math.random() * 250)}`;

describe('five failed sign-ins within 15 minutes', () => {
  it('close the account to where they came from, and to nowhere else', async () => {
    await fail(4, ELSEWHERE);
    expect(await status(HOME)).toBe(200);
    await fail(1, ELSEWHERE);

    expect([await status(ELSEWHERE), await status(HOME)]).toEqual([401, 200]);
  });

  it('and not sooner: the fifth may still be right, and a right one begins the count anew', async () => {
    for (const _ of [1, 2, 3]) {
      await fail(4, ELSEWHERE);
      expect(await status(ELSEWHERE)).toBe(200);
    }
  });

  it('count together whether the name or the address was given', async () => {
    await fail(2, ELSEWHERE);
    await fail(2, ELSEWHERE, someone.email);
    await fail(1, ELSEWHERE, someone.username.toUpperCase());

    expect([await status(ELSEWHERE), await status(ELSEWHERE, someone.email)]).toEqual([401, 401]);
  });

  it('count together for a whole /64 of IPv6, which is one subscriber', async () => {
    const addresses = ['2001:db8:0:1::1', '2001:db8:0:1:2:3:4:5', '2001:db8:0:1:ffff::', '2001:0db8::1:0:0:0:a'];
    for (const address of [...addresses, '2001:DB8:0:1::b']) await fail(1, address);

    expect([await status('2001:db8:0:1::77'), await status('2001:db8:0:2::77')]).toEqual([401, 200]);
  });

  it('are answered, and the locked account after them, exactly as those of a name that nobody has', async () => {
    const answersOf = async (name: string): Promise<unknown[]> => {
      const answers: unknown[] = [];
      for (let time = 0; time < 7; time += 1) {
        const response = await loginFrom(app, ELSEWHERE, name, time === 6 ? PASSWORD : 'a wrong guess');
        const { timestamp, request_id: id, ...body } = await jsonOf(response);
        const headers = [...response.headers].filter(([header]) => !['date', 'x-request-id'].includes(header));
        expect([typeof timestamp, typeof id]).toEqual(['string', 'string']);
        answers.push([response.status, headers, body]);
      }
      return answers;
    };

    const known = await answersOf(someone.username);

    expect(await answersOf(`nobody-${randomUUID()}`)).toEqual(known);
    expect(new Set(known.map((each) => JSON.stringify(each))).size).toBe(1);
  });

  it('are kept alike for a name that nobody has: rows of the same shape, and no name or address in them', async () => {
    const rowsAfter = async (name: string): Promise<unknown[]> => {
      await app.database.query('DELETE FROM sign_in_locks');
      await fail(5, ELSEWHERE, name);
      return app.database.query(
        `SELECT length(account) AS account, length(source) AS source, cardinality(failed_at) AS failures, locks,
           locked_until > now() AS locked, told_at IS NOT NULL AS told FROM sign_in_locks ORDER BY source`,
      );
    };

    const known = await rowsAfter(someone.username);

    expect(known).toEqual([
      { account: 32, source: 0, failures: 5, locks: 0, locked: null, told: true },
      { account: 32, source: 32, failures: 0, locks: 1, locked: true, told: false },
    ]);
    expect(await rowsAfter('nobody-at-all')).toEqual(known);
    const [{ everything } = {}] = await app.database.query<{ everything: string }>(
      'SELECT string_agg(t::text, chr(10)) AS everything FROM sign_in_locks AS t',
    );
    expect(everything).not.toMatch(/nobody|198\.51/);
  });

  it('of 16 at once lock once, and no right one among them is believed afterwards', async () => {
    await Promise.all(Array.from({ length: 16 }, () => fail(1, ELSEWHERE)));

    const [row] = await app.database.query(
      `SELECT locks, cardinality(failed_at) AS failures FROM sign_in_locks
       WHERE length(source) = 32 AND locked_until > now() ORDER BY changed_at DESC LIMIT 1`,
    );
    expect(row).toEqual({ locks: 1, failures: 0 });
    expect(await status(ELSEWHERE)).toBe(401);
  });

  it('are counted exactly when they come at once, from one source and from many', async () => {
    for (let round = 0; round < 5; round += 1) {
      await app.database.query('DELETE FROM sign_in_locks');
      await fail(1, ELSEWHERE);
      const sources = Array.from({ length: 7 }, (_, index) => `203.0.113.${index}`);

      await Promise.all([...sources, ELSEWHERE, ELSEWHERE, ELSEWHERE].map((source) => fail(1, source)));

      const counted = await app.database.query(
        'SELECT length(source) AS source, max(cardinality(failed_at)) AS most FROM sign_in_locks GROUP BY 1 ORDER BY 1',
      );
      expect(counted).toEqual([
        { source: 0, most: 11 },
        { source: 32, most: 4 },
      ]);
    }
  });

  it('do not stand in the way of 16 right ones at once', async () => {
    await fail(4, HOME);

    expect(await Promise.all(Array.from({ length: 16 }, () => status(HOME)))).toEqual(Array(16).fill(200));
  });
});

describe('a lock', () => {
  it('ends after 15 minutes, and lasts twice as long the next time', async () => {
    await fail(5, ELSEWHERE);
    aheadMs = 14 * MINUTE_MS;
    expect(await status(ELSEWHERE)).toBe(401);
    aheadMs = 16 * MINUTE_MS;

    await fail(5, ELSEWHERE);

    aheadMs = (16 + 29) * MINUTE_MS;
    expect(await status(ELSEWHERE)).toBe(401);
    aheadMs = (16 + 31) * MINUTE_MS;
    expect(await status(ELSEWHERE)).toBe(200);
  });

  it('is not drawn out by further failures', async () => {
    await fail(5, ELSEWHERE);
    for (const minutes of [5, 10, 14]) {
      aheadMs = minutes * MINUTE_MS;
      await fail(3, ELSEWHERE);
    }
    aheadMs = 16 * MINUTE_MS;

    expect(await status(ELSEWHERE)).toBe(200);
  });

  it('leaves a token that was given before as good as it was', async () => {
    await fail(5, HOME);

    expect((await get(app, '/api/v1/auth/me', someone.token)).status).toBe(200);
  });

  it('is on record, and its owner reads of it once an hour at most', async () => {
    const before = await mailsTo(someone);
    await fail(5, ELSEWHERE);
    await fail(5, anAddress());
    const [first] = await eventually('the mail is written', async () => {
      const mails = await mailsTo(someone);
      return mails.length > before.length && mails;
    });

    expect(first).toContain('Subject: Too many failed sign-ins to your account');
    expect(first).toContain(someone.username);
    const records = (await recordsOf(app, someone.id)).filter(({ action }) => action === 'auth.sign_in_locked');
    expect(records).toEqual(
      Array(2).fill({
        action: 'auth.sign_in_locked',
        actor_name: null,
        details: { until: expect.stringMatching(/Z$/), from: 'one source' },
      }),
    );
    const owed = (): Promise<unknown[]> =>
      app.database.query(`SELECT FROM mail_messages WHERE template = 'sign_in_locked' AND recipient = $1`, [
        someone.email,
      ]);
    expect(await owed()).toHaveLength(1);
    aheadMs = 61 * MINUTE_MS;
    await fail(5, anAddress());
    await eventually('there is a second mail', async () => (await owed()).length === 2);
  });

  it('of a name that nobody has writes to nobody', async () => {
    const name = `nobody-${randomUUID()}@practice.test`;
    await fail(5, ELSEWHERE, name);
    await eventually('its job is done', async () => {
      const [row] = await app.database.query<{ jobs: number }>(
        `SELECT count(*)::int AS jobs FROM graphile_worker.jobs WHERE task_identifier = 'auth.tell_locked'`,
      );
      return row?.jobs === 0;
    });

    expect(await app.database.query('SELECT FROM mail_messages WHERE recipient = $1', [name])).toEqual([]);
  });
});

describe('whoever attacks an account from many places', () => {
  const attack = async (): Promise<void> => {
    for (const host of [1, 2, 3]) await fail(4, `198.51.100.${100 + host}`);
  };

  it('closes it to places it was never used from, right password or not', async () => {
    await attack();

    expect(await status(anAddress())).toBe(401);
  });

  it('never shuts its owner out of where they signed in within 30 days', async () => {
    expect(await status(HOME)).toBe(200);

    await attack();

    expect([await status(HOME), await status(anAddress())]).toEqual([200, 401]);
    await app.database.query(`UPDATE known_sources SET last_used_at = now() - interval '31 days' WHERE user_id = $1`, [
      someone.id,
    ]);
    expect(await status(HOME)).toBe(401);
  });
});

describe('POST /api/v1/admin/users/{id}/unlock', () => {
  const unlock = (id: string, token = superadmin): Promise<Response> =>
    app.request(`/api/v1/admin/users/${id}/unlock`, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });

  it('lets them try again at once, wherever they are, and is on record', async () => {
    await fail(5, ELSEWHERE);
    const locked = await jsonOf(await get(app, `/api/v1/admin/users/${someone.id}`, superadmin));
    expect(locked['locked_until']).toMatch(/Z$/);

    const response = await unlock(someone.id);

    expect([response.status, await jsonOf(response)]).toEqual([
      200,
      expect.objectContaining({ id: someone.id, locked_until: null }),
    ]);
    expect(await status(ELSEWHERE)).toBe(200);
    expect((await recordsOf(app, someone.id)).at(-1)).toEqual({
      action: 'user.unlocked',
      actor_name: 'admin',
      details: { was_locked: true },
    });
  });

  it('is not for strangers, clients and attorneys, nor for admins when it is about an admin', async () => {
    const [client, admin, other] = await Promise.all(
      ['client', 'admin', 'admin'].map((role) => anAccount(app, superadmin, role)),
    );
    await fail(5, ELSEWHERE, other!.username);

    const statuses = [
      (await unlock(other!.id, client!.token)).status,
      (await unlock(other!.id, someone.token)).status,
      (await unlock(other!.id, admin!.token)).status,
      (await app.request(`/api/v1/admin/users/${other!.id}/unlock`, { method: 'POST' })).status,
      (await unlock(randomUUID())).status,
      (await unlock('abc')).status,
    ];

    expect(statuses).toEqual([403, 403, 403, 401, 404, 422]);
    expect(await status(ELSEWHERE, other!.username)).toBe(401);
  });
});

describe('POST /api/v1/auth/password', () => {
  it('counts wrong current passwords like sign-ins, so that a stolen token guesses no longer', async () => {
    const change = (current: string): Promise<Response> =>
      sendJson(
        app,
        'POST',
        '/api/v1/auth/password',
        { current_password: current, new_password: 'herons sleep at dawn' },
        someone.token,
      );
    for (let time = 0; time < 5; time += 1) expect((await change('a wrong guess')).status).toBe(403);

    const right = await change(PASSWORD);

    expect([right.status, (await jsonOf(right))['error_code']]).toEqual([403, 'WRONG_PASSWORD']);
    expect(await status(HOME)).toBe(200);
  });
});

describe('what plays no part any more', () => {
  it('is forgotten by a job that comes round every hour', async () => {
    await fail(5, ELSEWHERE);
    await status(HOME);
    await app.database.query(`UPDATE sign_in_locks SET changed_at = now() - interval '4 days'`);
    await app.database.query(`UPDATE known_sources SET last_used_at = now() - interval '31 days'`);

    await app.database.query(`SELECT graphile_worker.add_job('auth.sweep_sign_in_locks', '{}')`);

    await eventually('nothing is left', async () => {
      const rows = await app.database.query('SELECT FROM sign_in_locks UNION ALL SELECT FROM known_sources');
      return rows.length === 0;
    });
  });
});
