import { createHash, randomUUID } from 'node:crypto';
import { KnownSessions } from '../src/auth/sessions/known-sessions.js';
import { SessionsService } from '../src/auth/sessions/sessions.service.js';
import { SessionSweep } from '../src/auth/sessions/session-sweep.js';
import { Announcements } from '../src/database/announcements.js';
import { Transactions } from '../src/database/transactions.js';
import { ADMIN, eventually, SECRET_KEY, startApp, type TestApp } from './support/app.js';
import { anAttorney, bearer, get, jsonOf, login, sendJson, tokenOf } from './support/leads.js';
import { cleanUp } from './support/clean-up.js';
import { someSettings, startProgram } from './support/program.js';

const PASSWORD = 'a fine password';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const PAGE = 'http://localhost:3000';

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly refresh_expires_in: number;
}

let app: TestApp;
let admin: string;
beforeAll(async () => {
  app = await startApp();
  admin = await tokenOf(app);
});
afterEach(() => cleanUp());
afterAll(() => app.close());

const me = async (token: string): Promise<number> => (await get(app, '/api/v1/auth/me', token)).status;
const send = (method: string, path: string, token?: string, headers: Record<string, string> = {}): Promise<Response> =>
  app.request(`/api/v1${path}`, { method, headers: { ...(token === undefined ? {} : bearer(token)), ...headers } });
const refresh = (token: string, userAgent = 'node'): Promise<Response> =>
  app.request('/api/v1/auth/refresh', {
    method: 'POST',
    body: new URLSearchParams({ refresh_token: token }),
    headers: { 'User-Agent': userAgent },
  });
const claimsOf = (token: string): { sid: string; jti: string; exp: number; iat: number; sub: string } =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as ReturnType<typeof claimsOf>;
const codeOf = async (response: Response): Promise<unknown[]> => [
  response.status,
  (await jsonOf(response))['error_code'],
];
const rowOf = async (sid: string): Promise<Record<string, unknown> | undefined> =>
  (await app.database.query('SELECT * FROM sessions WHERE id = $1', [sid]))[0];
const auditOf = async (targetId: string): Promise<Record<string, unknown>[]> =>
  app.database.query(
    'SELECT action, actor_kind, details FROM audit_entries WHERE target_id = $1 AND action LIKE $2 ORDER BY at',
    [targetId, 'session.%'],
  );

/** Somebody new, signed in. */
async function somebody(userAgent = 'node'): Promise<Tokens & { readonly id: string; readonly username: string }> {
  const { id, username } = await anAttorney(app, admin);
  return { ...(await signIn(username, userAgent)), id, username };
}

async function signIn(username: string, userAgent = 'node'): Promise<Tokens> {
  const response = await app.request('/api/v1/auth/login', {
    method: 'POST',
    body: new URLSearchParams({ username, password: PASSWORD }),
    headers: { 'User-Agent': userAgent },
  });
  expect(response.status).toBe(200);
  return jsonOf<Tokens>(response);
}

/** Lets the ten seconds pass in which a used token is forgiven. */
const forgetGrace = (sid: string): Promise<unknown> =>
  app.database.query(`UPDATE refresh_tokens SET used_at = used_at - interval '11 seconds' WHERE session_id = $1`, [
    sid,
  ]);

describe('a sign-in', () => {
  it('makes a session of its own each time, with device, address and times', async () => {
    const { username, access_token: first } = await somebody();
    const second = await signIn(username, FIREFOX);

    const [one, other] = [claimsOf(first), claimsOf(second.access_token)];
    expect(other.sid).not.toBe(one.sid);
    expect(other.jti).not.toBe(one.jti);
    const row = await rowOf(other.sid);
    expect(row).toMatchObject({
      user_id: other.sub,
      transport: 'body',
      device: 'Firefox on Linux',
      user_agent: FIREFOX,
      ip: expect.stringContaining('127.0.0.1'),
      ended_at: null,
    });
    const days = ((row!['expires_at'] as Date).getTime() - (row!['created_at'] as Date).getTime()) / 86_400_000;
    expect([days, second.refresh_expires_in]).toEqual([30, 7 * 86_400]);
  });

  it('keeps no token that could be used: only the hash of 256 random bits', async () => {
    const { refresh_token: token, access_token: access } = await somebody();

    const [row] = await app.database.query<{ hash: Buffer }>('SELECT hash FROM refresh_tokens WHERE session_id = $1', [
      claimsOf(access).sid,
    ]);

    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(row!.hash.equals(createHash('sha256').update(token).digest())).toBe(true);
    const everything = JSON.stringify(await app.database.query('SELECT * FROM refresh_tokens, sessions'));
    expect(everything).not.toContain(token);
    expect(JSON.stringify(app.log)).not.toContain(token);
  });

  it('takes no session that the client brings along', async () => {
    const { username, access_token: mine } = await somebody();
    const { sid } = claimsOf(mine);

    const response = await app.request('/api/v1/auth/login', {
      method: 'POST',
      body: new URLSearchParams({ username, password: PASSWORD }),
      headers: { ...bearer(mine), Cookie: `forecourt_refresh=fixed; session=${sid}; sid=${sid}` },
    });

    const { access_token: token, refresh_token: refreshToken } = await jsonOf<Tokens>(response);
    expect(claimsOf(token).sid).not.toBe(sid);
    expect(refreshToken).not.toBe('fixed');
    const withField = await sendJson(app, 'POST', '/api/v1/auth/login', { username, password: PASSWORD, sid });
    expect(withField.status).toBe(422);
  });

  it('with a password that is changed meanwhile begins nothing', async () => {
    const { id, username } = await somebody();
    const transactions = app.app.get(Transactions);
    const sessions = app.app.get(SessionsService);
    let signingIn: Promise<Response> | undefined;

    await transactions.run(async (tx) => {
      await sessions.endAllOf(tx, { kind: 'system', name: 'test' }, id, 'password_changed');
      signingIn = login(app, username, PASSWORD);
      // it has read the account and waits for the row that this transaction holds
      await eventually('the sign-in waits', async () => {
        const waiting = await app.database.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FOR SHARE%'`,
        );
        return waiting.length > 0;
      });
    });

    expect(await codeOf(await signingIn!)).toEqual([401, 'INVALID_CREDENTIALS']);
    expect(await app.database.query('SELECT FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [id])).toEqual([]);
  });
});

describe('POST /api/v1/auth/refresh', () => {
  it('gives new tokens of the same session, and moves its last use', async () => {
    const before = await somebody();
    const { sid } = claimsOf(before.access_token);
    await app.database.query(`UPDATE sessions SET last_used_at = last_used_at - interval '1 hour' WHERE id = $1`, [
      sid,
    ]);

    const response = await refresh(before.refresh_token, FIREFOX);

    expect([response.status, response.headers.get('cache-control'), response.headers.get('set-cookie')]).toEqual([
      200,
      'no-store',
      null,
    ]);
    const after = await jsonOf<Tokens>(response);
    expect(after).toEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 86_400,
      refresh_token: expect.stringMatching(/^[\w-]{43}$/),
      refresh_expires_in: 7 * 86_400,
    });
    expect(after.refresh_token).not.toBe(before.refresh_token);
    expect(claimsOf(after.access_token).sid).toBe(sid);
    expect(claimsOf(after.access_token).jti).not.toBe(claimsOf(before.access_token).jti);
    const row = await rowOf(sid);
    expect(Date.now() - (row!['last_used_at'] as Date).getTime()).toBeLessThan(3_000_000);
    expect(row!['device']).toBe('Firefox on Linux');
    expect([await me(before.access_token), await me(after.access_token)]).toEqual([200, 200]);
  });

  it('takes JSON as well, and what an OAuth2 client sends beside', async () => {
    const { refresh_token: token } = await somebody();

    const response = await sendJson(app, 'POST', '/api/v1/auth/refresh', {
      refresh_token: token,
      grant_type: 'refresh_token',
      scope: '',
      client_id: 'x',
    });

    expect(response.status).toBe(200);
  });

  it('16 times at once rotates once, gives everybody the same successor and signs nobody out', async () => {
    const { refresh_token: token, access_token: access } = await somebody();
    const { sid } = claimsOf(access);

    const answers = await Promise.all(Array.from({ length: 16 }, () => refresh(token)));

    expect(answers.map(({ status }) => status)).toEqual(Array<number>(16).fill(200));
    const tokens = await Promise.all(answers.map((answer) => jsonOf<Tokens>(answer)));
    expect(new Set(tokens.map((each) => each.refresh_token)).size).toBe(1);
    const [counted] = await app.database.query(
      `SELECT count(*)::int AS all, count(used_at)::int AS used FROM refresh_tokens WHERE session_id = $1`,
      [sid],
    );
    expect(counted).toEqual({ all: 2, used: 1 });
    expect(await rowOf(sid)).toMatchObject({ ended_at: null });
    expect((await refresh(tokens[0]!.refresh_token)).status).toBe(200);
    expect(await Promise.all(tokens.map((each) => me(each.access_token)))).toEqual(Array<number>(16).fill(200));
  });

  it('gives a tab that is late the end of the chain, so that the other one’s successor stays good', async () => {
    const { refresh_token: first } = await somebody();
    const { refresh_token: second } = await jsonOf<Tokens>(await refresh(first));
    const { refresh_token: third } = await jsonOf<Tokens>(await refresh(second));

    const late = await jsonOf<Tokens>(await refresh(first));

    expect(late.refresh_token).toBe(third);
    expect((await refresh(third)).status).toBe(200);
  });

  it('with a used token ends the session: thief and owner are both out, on record', async () => {
    const before = await somebody();
    const { sid } = claimsOf(before.access_token);
    const after = await jsonOf<Tokens>(await refresh(before.refresh_token));
    expect(await me(after.access_token)).toBe(200);
    await forgetGrace(sid);

    const replay = await refresh(before.refresh_token);

    expect(await codeOf(replay)).toEqual([401, 'INVALID_REFRESH_TOKEN']);
    expect([await me(before.access_token), await me(after.access_token)]).toEqual([401, 401]);
    expect((await refresh(after.refresh_token)).status).toBe(401);
    expect(await rowOf(sid)).toMatchObject({ end_reason: 'reuse' });
    expect(await auditOf(sid)).toEqual([
      { action: 'session.ended', actor_kind: 'anonymous', details: { reason: 'reuse', user_id: before.id } },
    ]);
    const line = app.log.find((each) => each['session_id'] === sid && each['level'] === 'WARNING');
    expect(line?.['message']).toBe('a used refresh token came again: its session was ended');
  });

  it('forgives nothing to another device, however early it comes', async () => {
    const { refresh_token: token, access_token: access } = await somebody();
    await refresh(token);

    const answer = await refresh(token, FIREFOX);

    expect(await codeOf(answer)).toEqual([401, 'INVALID_REFRESH_TOKEN']);
    expect(await me(access)).toBe(401);
  });

  it('leaves the other sessions of the same person alone', async () => {
    const { refresh_token: token, access_token: access, username } = await somebody();
    const other = await signIn(username);
    await refresh(token);
    await forgetGrace(claimsOf(access).sid);

    await refresh(token);

    expect([await me(access), await me(other.access_token)]).toEqual([401, 200]);
  });

  it('refuses a token after 7 days without use, and any after 30 days', async () => {
    const idle = await somebody();
    const old = await somebody();
    await app.database.query(
      `UPDATE refresh_tokens SET issued_at = now() - interval '7 days', expires_at = now() - interval '1 s' WHERE session_id = $1`,
      [claimsOf(idle.access_token).sid],
    );
    await app.database.query(
      `UPDATE sessions SET created_at = now() - interval '31 days', expires_at = now() - interval '1 s' WHERE id = $1`,
      [claimsOf(old.access_token).sid],
    );

    expect(await codeOf(await refresh(idle.refresh_token))).toEqual([401, 'INVALID_REFRESH_TOKEN']);
    expect(await codeOf(await refresh(old.refresh_token))).toEqual([401, 'INVALID_REFRESH_TOKEN']);
    await eventually('the access token is over too', async () => (await me(old.access_token)) === 401);
  });

  it('never gives anything that outlives the session', async () => {
    const { refresh_token: token, access_token: access } = await somebody();
    await app.database.query(`UPDATE sessions SET expires_at = now() + interval '1 hour' WHERE id = $1`, [
      claimsOf(access).sid,
    ]);

    const after = await jsonOf<Tokens>(await refresh(token));

    expect(after.expires_in).toBeGreaterThan(3000);
    expect(after.expires_in).toBeLessThanOrEqual(3600);
    expect(after.refresh_expires_in).toBeLessThanOrEqual(3600);
    expect(claimsOf(after.access_token).exp - claimsOf(after.access_token).iat).toBe(after.expires_in);
  });

  it.each<[string, (tokens: Tokens) => string]>([
    ['one that never was', () => 'x'.repeat(43)],
    ['one cut short', ({ refresh_token: token }) => token.slice(0, -1)],
    ['one with a space', ({ refresh_token: token }) => `${token} `],
    ['one in another spelling', ({ refresh_token: token }) => `${token}=`],
    ['an access token', ({ access_token: token }) => token],
    ['the hash that the database has', ({ refresh_token: token }) => createHash('sha256').update(token).digest('hex')],
  ])('refuses %s in the same words', async (_, make) => {
    const tokens = await somebody();

    const response = await refresh(make(tokens));

    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="forecourt"']);
    expect(await jsonOf(response)).toMatchObject({
      error_code: 'INVALID_REFRESH_TOKEN',
      detail: 'The refresh token is invalid, has expired or was used before; sign in again',
    });
    expect((await refresh(tokens.refresh_token)).status).toBe(200);
  });

  it('asks for a token with 422, refuses another type with 415 and further fields with 422', async () => {
    const answers = await Promise.all([
      send('POST', '/auth/refresh'),
      sendJson(app, 'POST', '/api/v1/auth/refresh', { refresh_token: 1 }),
      sendJson(app, 'POST', '/api/v1/auth/refresh', { refresh_token: 'x', role: 'admin' }),
      app.request('/api/v1/auth/refresh', { method: 'POST', body: 'x', headers: { 'Content-Type': 'text/plain' } }),
      app.request('/api/v1/auth/refresh'),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([422, 422, 422, 415, 405]);
  });

  it('refuses a disabled account', async () => {
    const { refresh_token: token, id } = await somebody();
    await sendJson(app, 'PATCH', `/api/v1/users/${id}`, { is_active: false }, admin);

    expect((await refresh(token)).status).toBe(401);
  });
});

describe('the end of a session', () => {
  it('POST /auth/logout ends this one at once, and no other', async () => {
    const { access_token: token, refresh_token: refreshToken, username, id } = await somebody();
    const other = await signIn(username);
    expect(await me(token)).toBe(200);

    expect((await send('POST', '/auth/logout', token)).status).toBe(204);

    expect([await me(token), await me(other.access_token), (await refresh(refreshToken)).status]).toEqual([
      401, 200, 401,
    ]);
    expect(await auditOf(claimsOf(token).sid)).toEqual([
      { action: 'session.ended', actor_kind: 'user', details: { reason: 'signed_out', user_id: id } },
    ]);
  });

  it('POST /auth/logout-everywhere ends all of them at once, and nobody else’s', async () => {
    const { access_token: token, username, id } = await somebody();
    const [other, stranger] = [await signIn(username), await somebody()];
    expect([await me(token), await me(other.access_token)]).toEqual([200, 200]);

    expect((await send('POST', '/auth/logout-everywhere', token)).status).toBe(204);

    expect([await me(token), await me(other.access_token), await me(stranger.access_token)]).toEqual([401, 401, 200]);
    expect((await refresh(other.refresh_token)).status).toBe(401);
    expect(await auditOf(id)).toEqual([
      {
        action: 'session.all_ended',
        actor_kind: 'user',
        details: { reason: 'signed_out_everywhere', sessions: 3 },
      },
    ]);
    expect(await me((await signIn(username)).access_token)).toBe(200);
  });

  it('by the service in somebody’s transaction happens exactly when that commits', async () => {
    const { access_token: token, id } = await somebody();
    const [transactions, sessions] = [app.app.get(Transactions), app.app.get(SessionsService)];
    const endAll = (fails: boolean): Promise<void> =>
      transactions.run(async (tx) => {
        await sessions.endAllOf(tx, { kind: 'system', name: 'test' }, id, 'role_changed');
        if (fails) throw new Error('rolled back');
      });

    await expect(endAll(true)).rejects.toThrow('rolled back');
    expect(await me(token)).toBe(200);

    await endAll(false);
    expect(await me(token)).toBe(401);
  });

  it('is final: an account that is enabled again must sign in again', async () => {
    const { access_token: token, refresh_token: refreshToken, id } = await somebody();
    await sendJson(app, 'PATCH', `/api/v1/users/${id}`, { is_active: false }, admin);
    await sendJson(app, 'PATCH', `/api/v1/users/${id}`, { is_active: true }, admin);

    expect([await me(token), (await refresh(refreshToken)).status]).toEqual([401, 401]);
  });

  it.each([
    ['ended', `UPDATE sessions SET ended_at = now(), end_reason = 'ended_by_admin' WHERE id = $1`],
    ['deleted', `DELETE FROM sessions WHERE id = $1`],
    ['moved to another epoch', `UPDATE sessions SET epoch = epoch + 1 WHERE id = $1`],
  ])('past the application counts as well, because the database announces it: %s', async (_, statement) => {
    const { access_token: token } = await somebody();
    const { sid } = claimsOf(token);
    expect(await me(token)).toBe(200);
    const forget = jest.spyOn(app.app.get(KnownSessions), 'forget');

    await app.database.query(statement, [sid]);

    await eventually('the announcement', async () => forget.mock.calls.some(([id]) => id === sid));
    forget.mockRestore();
    expect(await me(token)).toBe(401);
  });

  it('is not missed while the connection that listens is lost, which comes back', async () => {
    const announcements = app.app.get(Announcements);
    const { access_token: token } = await somebody();
    expect(await me(token)).toBe(200);

    const forget = jest.spyOn(app.app.get(KnownSessions), 'forget');
    const killed = await app.database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN forecourt%'`,
    );
    await eventually('the loss is noticed', async () => forget.mock.calls.some(([id]) => id === undefined));
    forget.mockRestore();
    await app.database.query(`UPDATE sessions SET ended_at = now(), end_reason = 'ended_by_admin' WHERE id = $1`, [
      claimsOf(token).sid,
    ]);

    expect(killed).toHaveLength(1);
    expect(await me(token)).toBe(401);
    await eventually('it listens again', async () => announcements.isListening);
  });

  it('is known to every process within a second, by the announcement of the database', async () => {
    const settings = await someSettings({
      DATABASE_URL: app.database.url,
      SECRET_KEY,
      ADMIN_PASSWORD: ADMIN.password,
      ROLE: 'http',
    });
    const other = await startProgram(settings);
    const { access_token: token, refresh_token: refreshToken, username } = await somebody();
    const there = async (bearing: string): Promise<number> =>
      (await other.request('/api/v1/auth/me', { headers: bearer(bearing) })).status;
    expect([await there(token), await me(token)]).toEqual([200, 200]);

    await send('POST', '/auth/logout', token);
    await eventually('the other process refuses it', async () => (await there(token)) === 401);

    // and the other way round, while the token is known here
    const again = await signIn(username);
    expect([await me(again.access_token), await there(again.access_token)]).toEqual([200, 200]);
    await other.request('/api/v1/auth/logout-everywhere', { method: 'POST', headers: bearer(again.access_token) });
    expect(await there(again.access_token)).toBe(401);
    await eventually('this process refuses it', async () => (await me(again.access_token)) === 401);

    const refused = await other.request('/api/v1/auth/refresh', {
      method: 'POST',
      body: new URLSearchParams({ refresh_token: refreshToken }),
    });
    expect(refused.status).toBe(401);
  });

  it('16 refreshes of one token at two processes still rotate once', async () => {
    const settings = await someSettings({
      DATABASE_URL: app.database.url,
      SECRET_KEY,
      ADMIN_PASSWORD: ADMIN.password,
      ROLE: 'http',
    });
    const other = await startProgram(settings);
    const { refresh_token: token } = await somebody();

    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        index % 2 === 0
          ? refresh(token)
          : other.request('/api/v1/auth/refresh', {
              method: 'POST',
              body: new URLSearchParams({ refresh_token: token }),
              headers: { 'User-Agent': 'node' },
            }),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual(Array<number>(16).fill(200));
    const tokens = await Promise.all(answers.map((answer) => jsonOf<Tokens>(answer)));
    expect(new Set(tokens.map((each) => each.refresh_token)).size).toBe(1);
  });
});

describe('a request with a token', () => {
  it('asks the database at most once per second for its session, not once per request', async () => {
    const { access_token: token } = await somebody();
    const load = jest.spyOn(app.app.get(SessionsService)['sessions'], 'findById');

    const started = performance.now();
    for (let request = 0; request < 40; request += 1) expect(await me(token)).toBe(200);
    const seconds = (performance.now() - started) / 1000;

    const asked = load.mock.calls.length;
    load.mockRestore();
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(Math.floor(seconds) + 1);
  });

  it('from before there were sessions is good until all sessions of its user end', async () => {
    const { access_token: token, id } = await somebody();
    const { JwtService } = await import('@nestjs/jwt');
    const now = Math.floor(Date.now() / 1000);
    const older = new JwtService({}).sign(
      { sub: id, username: 'x', type: 'access', iat: now, exp: now + 600 },
      { secret: SECRET_KEY, issuer: 'forecourt', audience: 'forecourt-api', algorithm: 'HS256' },
    );
    expect(await me(older)).toBe(200);
    const listed = await jsonOf<{ items: { is_current: boolean }[] }>(await get(app, '/api/v1/auth/sessions', older));
    expect(listed.items.map((each) => each.is_current)).toEqual([false, false]);

    expect((await send('POST', '/auth/logout', older)).status).toBe(204);

    expect([await me(older), await me(token)]).toEqual([401, 401]);
  });
});

describe('GET /api/v1/auth/sessions', () => {
  it('lists the caller’s live sessions, the latest first, and marks the current one', async () => {
    const { username } = await anAttorney(app, admin);
    await app.database.query(`DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE username = $1)`, [
      username,
    ]);
    const first = await signIn(username);
    const ended = await signIn(username);
    await send('POST', '/auth/logout', ended.access_token);
    const idle = await signIn(username);
    await app.database.query(`UPDATE sessions SET last_used_at = now() - interval '8 days' WHERE id = $1`, [
      claimsOf(idle.access_token).sid,
    ]);
    const latest = await signIn(username, FIREFOX);

    const response = await get(app, '/api/v1/auth/sessions', first.access_token);

    expect(response.status).toBe(200);
    const common = {
      ip: expect.stringContaining('127.0.0.1'),
      created_at: expect.stringMatching(/Z$/),
      last_used_at: expect.stringMatching(/Z$/),
      expires_at: expect.stringMatching(/Z$/),
      methods: ['password'],
    };
    expect(await jsonOf(response)).toEqual({
      items: [
        { id: claimsOf(latest.access_token).sid, device: 'Firefox on Linux', is_current: false, ...common },
        { id: claimsOf(first.access_token).sid, device: 'Node.js', is_current: true, ...common },
      ],
      total: 2,
      page: 1,
      size: 50,
      pages: 1,
    });
    const second = await jsonOf<{ items: { id: string }[] }>(
      await get(app, '/api/v1/auth/sessions?size=1&page=2', first.access_token),
    );
    expect(second.items.map(({ id }) => id)).toEqual([claimsOf(first.access_token).sid]);
  });
});

describe('DELETE /api/v1/auth/sessions/{id}', () => {
  it('ends one of the caller’s sessions', async () => {
    const { username, access_token: token } = await somebody();
    const lost = await signIn(username);

    const response = await send('DELETE', `/auth/sessions/${claimsOf(lost.access_token).sid}`, token);

    expect(response.status).toBe(204);
    expect([await me(lost.access_token), await me(token)]).toEqual([401, 200]);
    expect(await rowOf(claimsOf(lost.access_token).sid)).toMatchObject({ end_reason: 'ended_by_user' });
  });

  it('answers 404 for another’s, none and one that is over; 422 for what is no id; and changes nothing', async () => {
    const [mine, other] = [await somebody(), await somebody()];
    const { sid } = claimsOf(other.access_token);

    const answers = [
      await send('DELETE', `/auth/sessions/${sid}`, mine.access_token),
      await send('DELETE', `/auth/sessions/${sid}`, admin),
      await send('DELETE', `/auth/sessions/${randomUUID()}`, mine.access_token),
    ];
    expect(await Promise.all(answers.map(codeOf))).toEqual(Array<unknown>(3).fill([404, 'SESSION_NOT_FOUND']));
    expect((await send('DELETE', '/auth/sessions/abc', mine.access_token)).status).toBe(422);
    expect(await me(other.access_token)).toBe(200);

    await send('POST', '/auth/logout', other.access_token);
    const { access_token: again } = await signIn(other.username);
    expect((await send('DELETE', `/auth/sessions/${sid}`, again)).status).toBe(404);
  });
});

describe('GET and DELETE /api/v1/admin/users/{id}/sessions', () => {
  it('let an admin see and end anybody’s', async () => {
    const { id, access_token: token, refresh_token: refreshToken } = await somebody(FIREFOX);
    const path = `/admin/users/${id}/sessions`;

    const listed = await jsonOf<{ items: { id: string; is_current: boolean }[] }>(await send('GET', path, admin));
    expect(listed.items[0]).toMatchObject({
      id: claimsOf(token).sid,
      device: 'Firefox on Linux',
      is_current: false,
    });

    expect((await send('DELETE', path, admin)).status).toBe(204);
    expect([await me(token), (await refresh(refreshToken)).status, await me(admin)]).toEqual([401, 401, 200]);
    expect(await jsonOf(await send('GET', path, admin))).toMatchObject({ items: [], total: 0 });
    expect(await auditOf(id)).toEqual([
      { action: 'session.all_ended', actor_kind: 'user', details: { reason: 'ended_by_admin', sessions: 2 } },
    ]);
  });

  it('refuse an attorney with 403 and an unknown user with 404', async () => {
    const [mine, other] = [await somebody(), await somebody()];

    for (const method of ['GET', 'DELETE']) {
      expect((await send(method, `/admin/users/${other.id}/sessions`, mine.access_token)).status).toBe(403);
      expect((await send(method, `/admin/users/${mine.id}/sessions`, mine.access_token)).status).toBe(403);
      expect(await codeOf(await send(method, `/admin/users/${randomUUID()}/sessions`, admin))).toEqual([
        404,
        'USER_NOT_FOUND',
      ]);
    }
    expect(await me(other.access_token)).toBe(200);
  });
});

describe('with cookies', () => {
  const COOKIE = /^forecourt_refresh=([\w-]{43}); Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/;
  const signInWithCookie = (username: string, headers: Record<string, string> = { Origin: PAGE }): Promise<Response> =>
    app.request('/api/v1/auth/login', {
      method: 'POST',
      body: new URLSearchParams({ username, password: PASSWORD, cookies: 'true' }),
      headers,
    });
  const withCookie = (token: string, headers: Record<string, string> = { Origin: PAGE }): Promise<Response> =>
    send('POST', '/auth/refresh', undefined, { Cookie: `other=1; forecourt_refresh=${token}`, ...headers });
  const cookieOf = (response: Response): string => COOKIE.exec(response.headers.get('set-cookie') ?? '')?.[1] ?? 'none';

  it('the refresh token is in the cookie and not in the answer', async () => {
    const { username } = await somebody();

    const response = await signInWithCookie(username);

    expect(response.headers.get('set-cookie')).toMatch(COOKIE);
    expect(await jsonOf(response)).toEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 86_400,
      refresh_expires_in: 604_800,
    });
    const json = await app.request('/api/v1/auth/login', {
      method: 'POST',
      body: JSON.stringify({ username, password: PASSWORD, cookies: true }),
      headers: { 'Content-Type': 'application/json', 'Sec-Fetch-Site': 'same-origin' },
    });
    expect(json.headers.get('set-cookie')).toMatch(COOKIE);
  });

  it('it is exchanged for the next one, and nothing is in the body', async () => {
    const { username } = await somebody();
    const token = cookieOf(await signInWithCookie(username));

    const response = await withCookie(token);

    expect(response.status).toBe(200);
    expect(cookieOf(response)).not.toBe(token);
    const body = await jsonOf<Tokens>(response);
    expect(body).not.toHaveProperty('refresh_token');
    expect(await me(body.access_token)).toBe(200);
    expect((await withCookie(cookieOf(response))).status).toBe(200);
  });

  it.each<[string, Record<string, string>]>([
    ['a page elsewhere', { Origin: 'https://evil.example' }],
    [
      'a page elsewhere that is of the same site',
      { Origin: 'http://other.localhost:3000', 'Sec-Fetch-Site': 'same-site' },
    ],
    ['a page elsewhere, whatever it claims', { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' }],
    ['a sandboxed page', { Origin: 'null' }],
    ['another port', { Origin: 'http://localhost:3001' }],
    ['another scheme', { Origin: 'https://localhost:3000' }],
    ['a longer name', { Origin: 'http://localhost:3000.evil.example' }],
    ['a link elsewhere', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a page of the same site', { 'Sec-Fetch-Site': 'same-site' }],
    ['the address bar', { 'Sec-Fetch-Site': 'none' }],
    ['nobody who says where from', {}],
  ])('a request from %s is refused with 403, and nothing is rotated', async (_, headers) => {
    const { username } = await somebody();
    const token = cookieOf(await signInWithCookie(username));

    const [refused, refusedSignIn] = [await withCookie(token, headers), await signInWithCookie(username, headers)];

    expect(await codeOf(refused)).toEqual([403, 'CROSS_SITE_REQUEST']);
    expect(await codeOf(refusedSignIn)).toEqual([403, 'CROSS_SITE_REQUEST']);
    expect([refused.headers.get('set-cookie'), refusedSignIn.headers.get('set-cookie')]).toEqual([null, null]);
    const [used] = await app.database.query(`SELECT used_at FROM refresh_tokens WHERE hash = $1`, [
      createHash('sha256').update(token).digest(),
    ]);
    expect(used).toEqual({ used_at: null });
  });

  it('GET does not exchange it, and the cookie alone opens nothing else', async () => {
    const { username } = await somebody();
    const headers = { Cookie: `forecourt_refresh=${cookieOf(await signInWithCookie(username))}`, Origin: PAGE };

    const answers = await Promise.all(
      [
        ['GET', '/auth/refresh'],
        ['GET', '/auth/me'],
        ['GET', '/auth/sessions'],
        ['POST', '/auth/logout'],
        ['POST', '/auth/logout-everywhere'],
      ].map(([method = '', path = '']) => send(method, path, undefined, headers)),
    );

    expect(answers.map(({ status }) => status)).toEqual([405, 401, 401, 401, 401]);
  });

  it('a token of the cookie is none in the body, nor the other way round', async () => {
    const { username, refresh_token: inBody } = await somebody();
    const inCookie = cookieOf(await signInWithCookie(username));

    expect((await refresh(inCookie)).status).toBe(401);
    expect((await withCookie(inBody)).status).toBe(401);

    expect((await withCookie(inCookie)).status).toBe(200);
    expect((await refresh(inBody)).status).toBe(200);
  });

  it('16 tabs at once keep the one cookie', async () => {
    const { username } = await somebody();
    const token = cookieOf(await signInWithCookie(username));

    const answers = await Promise.all(Array.from({ length: 16 }, () => withCookie(token)));

    expect(answers.map(({ status }) => status)).toEqual(Array<number>(16).fill(200));
    expect(new Set(answers.map(cookieOf)).size).toBe(1);
    expect((await withCookie(cookieOf(answers[0]!))).status).toBe(200);
  });

  it('a refused token is taken out of the browser, and so is one that is signed out', async () => {
    const GONE = 'forecourt_refresh=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict';
    const { username } = await somebody();
    const signedIn = await signInWithCookie(username);
    const { access_token: token } = await jsonOf<Tokens>(signedIn);
    const cookie = cookieOf(signedIn);

    const out = await send('POST', '/auth/logout', token, { Cookie: `forecourt_refresh=${cookie}` });
    const refused = await withCookie(cookie);

    expect([out.status, out.headers.get('set-cookie')]).toEqual([204, GONE]);
    expect([refused.status, refused.headers.get('set-cookie')]).toEqual([401, GONE]);
  });

  it('a new sign-in in the same browser ends the session of its cookie', async () => {
    const { username } = await somebody();
    const first = await signInWithCookie(username);
    const { access_token: token } = await jsonOf<Tokens>(first);

    const second = await signInWithCookie(username, { Origin: PAGE, Cookie: `forecourt_refresh=${cookieOf(first)}` });

    expect(cookieOf(second)).not.toBe(cookieOf(first));
    expect(await me(token)).toBe(401);
    expect(await rowOf(claimsOf(token).sid)).toMatchObject({ end_reason: 'signed_in_again' });
  });

  it('pages of an allowed origin may send cookies to these routes and to no other', async () => {
    const preflight = async (path: string): Promise<string | null> =>
      (
        await app.request(path, {
          method: 'OPTIONS',
          headers: { Origin: PAGE, 'Access-Control-Request-Method': 'POST' },
        })
      ).headers.get('access-control-allow-credentials');

    const paths = ['login', 'refresh', 'logout', 'logout-everywhere', 'register'].map((name) => `/api/v1/auth/${name}`);
    expect(await Promise.all([...paths, '/api/v1/leads'].map(preflight))).toEqual([
      'true',
      'true',
      'true',
      'true',
      null,
      null,
    ]);
  });

  it.each(['maybe', 1, null, ['true']])('cookies: %j is refused with 422', async (cookies) => {
    const response = await sendJson(app, 'POST', '/api/v1/auth/login', { username: 'x', password: 'x', cookies });

    expect(response.status).toBe(422);
  });
});

describe('the sweep', () => {
  it('removes sessions that were over for 30 days and tokens used so long ago, and nothing else', async () => {
    const [ended, expired, alive] = [await somebody(), await somebody(), await somebody()];
    const sids = [ended, expired, alive].map((each) => claimsOf(each.access_token).sid);
    await refresh(alive.refresh_token);
    const recent = await somebody();
    await send('POST', '/auth/logout', recent.access_token);
    await app.database.query(
      `UPDATE sessions SET ended_at = now() - interval '31 days', end_reason = 'signed_out' WHERE id = $1`,
      [sids[0]],
    );
    await app.database.query(
      `UPDATE sessions SET created_at = now() - interval '90 days', expires_at = now() - interval '31 days' WHERE id = $1`,
      [sids[1]],
    );
    await app.database.query(
      `UPDATE refresh_tokens SET used_at = now() - interval '31 days' WHERE session_id = $1 AND used_at IS NOT NULL`,
      [sids[2]],
    );

    await app.app.get(SessionSweep).run();
    await app.app.get(SessionSweep).run();

    expect(await Promise.all(sids.map(rowOf))).toEqual([
      undefined,
      undefined,
      expect.objectContaining({ id: sids[2] }),
    ]);
    expect(await rowOf(claimsOf(recent.access_token).sid)).toBeDefined();
    const tokens = await app.database.query(
      'SELECT session_id, used_at FROM refresh_tokens WHERE session_id = ANY($1)',
      [sids],
    );
    expect(tokens).toEqual([{ session_id: sids[2], used_at: null }]);
    expect(await me(alive.access_token)).toBe(200);
  });

  it('comes round by itself', async () => {
    const status = await jsonOf<{ scheduled: { name: string }[] }>(await send('GET', '/admin/jobs', admin));

    expect(status.scheduled.map(({ name }) => name)).toContain('auth.forget_sessions');
  });
});
