import { SeldomEntries } from '../src/audit/seldom-entries.js';
import { ApiKeyCare } from '../src/auth/api-keys/api-key-care.js';
import { ApiKeysRepository } from '../src/auth/api-keys/api-keys.repository.js';
import { makeApiKey } from '../src/auth/api-keys/api-key-form.js';
import { Clock } from '../src/common/clock.js';
import { type Account, anAccount, PASSWORD, recordsOf } from './support/accounts.js';
import { aKey, askForKey, type IssuedKey, withKey } from './support/api-keys.js';
import { ADMIN, eventually, SECRET_KEY, startApp, type TestApp } from './support/app.js';
import { aLead, bearer, get, jsonOf, sendJson, tokenOf } from './support/leads.js';
import { someSettings, startProgram } from './support/program.js';
import { routesOf } from './support/routes.js';

const KEYS = '/api/v1/auth/api-keys';
const LEADS = '/api/v1/leads';
const DAY_MS = 86_400_000;

let app: TestApp;
let superadmin: string;
let attorney: Account;

beforeAll(async () => {
  app = await startApp({ ROLE: 'http' });
  superadmin = await tokenOf(app);
});
// nobody has more than 20 keys
beforeEach(async () => {
  attorney = await anAccount(app, superadmin, 'attorney');
});
afterAll(() => app.close());
afterEach(() => {
  jest.restoreAllMocks();
});

const call = (path: string, headers: Record<string, string>, init: RequestInit = {}): Promise<Response> =>
  app.request(path, { ...init, headers: { ...headers, ...(init.headers as Record<string, string> | undefined) } });
const leads = (key: string): Promise<Response> => call(LEADS, withKey(key));
const statusOf = async (key: string): Promise<number> => (await leads(key)).status;

const revoke = async (id: string, token: string): Promise<number> =>
  (await call(`${KEYS}/${id}`, bearer(token), { method: 'DELETE' })).status;
const rotate = (id: string, token: string, body: object = {}): Promise<Response> =>
  sendJson(app, 'POST', `${KEYS}/${id}/rotate`, body, token);

/** Everything that happens from now on happens so much later. */
function later(ms: number): void {
  const real = Date.now.bind(Date);
  jest.spyOn(app.app.get(Clock), 'now').mockImplementation(() => new Date(real() + ms));
}

/** What was done to a key, oldest first. */
const storyOf = async (id: string): ReturnType<typeof recordsOf> =>
  (await recordsOf(app, id)).filter(({ action }) => action.startsWith('api_key.'));

const errorOf = async (response: Response): Promise<[number, unknown, string | null, unknown]> => {
  const { detail, error_code: code } = await jsonOf(response);
  return [response.status, code, response.headers.get('www-authenticate'), detail];
};

const REFUSED = [
  401,
  'INVALID_API_KEY',
  'Bearer realm="forecourt", error="invalid_token"',
  'The API key is not valid: it may be mistyped, expired, revoked or not meant for this address',
];

describe('POST /api/v1/auth/api-keys', () => {
  it('makes a key, shows it this once, and keeps its hash alone', async () => {
    const response = await askForKey(app, attorney.token, {
      name: '  Nightly export ',
      scopes: ['leads:read', 'leads:change', 'leads:read'],
      allowed_addresses: ['127.0.0.0/8', '::1'],
      expires_in_days: 7,
    });

    const body = await jsonOf<IssuedKey & { created_at: string; expires_at: string }>(response);
    expect(response.status).toBe(201);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      id: expect.any(String),
      name: 'Nightly export',
      prefix: body.key.slice(0, 12),
      state: 'active',
      scopes: ['leads:change', 'leads:read'],
      allowed_addresses: ['127.0.0.0/8', '::1'],
      created_at: expect.any(String),
      rotated_at: null,
      expires_at: expect.any(String),
      previous_valid_until: null,
      last_used_at: null,
      last_used_ip: null,
      revoked_at: null,
      key: expect.stringMatching(/^fck_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}$/),
    });
    expect(Date.parse(body.expires_at) - Date.parse(body.created_at)).toBeGreaterThan(7 * DAY_MS - 10_000);
    expect(Date.parse(body.expires_at) - Date.parse(body.created_at)).toBeLessThanOrEqual(7 * DAY_MS);
    const rows = await app.database.query(`SELECT t::text AS all FROM api_keys AS t WHERE id = $1`, [body.id]);
    expect(JSON.stringify(rows)).not.toContain(body.key.slice(13));
    expect(JSON.stringify(await jsonOf(await get(app, KEYS, attorney.token)))).not.toContain(body.key.slice(13));
  });

  it('is on record, and told the owner by mail', async () => {
    const made = await aKey(app, attorney.token);

    expect(await recordsOf(app, made.id)).toEqual([
      {
        action: 'api_key.created',
        actor_name: attorney.username,
        details: {
          user_id: attorney.id,
          prefix: made.prefix,
          scopes: ['leads:read'],
          allowed_addresses: [],
          expires_at: expect.any(String),
        },
      },
    ]);
    const mails = await app.database.query(
      `SELECT template, recipient, data FROM mail_messages WHERE data ->> 'key_prefix' = $1`,
      [made.prefix],
    );
    expect(mails).toEqual([
      {
        template: 'api_key_created',
        recipient: attorney.email,
        data: expect.objectContaining({ key_name: 'Export', key_prefix: made.prefix, scopes: 'leads:read' }),
      },
    ]);
  });

  it.each([
    ['no name', { name: '' }, 'name'],
    ['no scopes', { scopes: [] }, 'scopes'],
    ['a scope that there is not', { scopes: ['leads:read', 'everything'] }, 'scopes'],
    ['a scope that is no text', { scopes: [['leads:read']] }, 'scopes'],
    ['one’s own account', { scopes: ['self'] }, 'scopes'],
    ['changes of accounts', { scopes: ['users:change'] }, 'scopes'],
    ['what the owner may not', { scopes: ['leads:read', 'audit:read'] }, 'scopes'],
    ['an address that is none', { allowed_addresses: ['localhost'] }, 'allowed_addresses'],
    ['an address that is no text', { allowed_addresses: [1] }, 'allowed_addresses'],
    ['21 addresses', { allowed_addresses: Array<string>(21).fill('192.0.2.1') }, 'allowed_addresses'],
    ['no day', { expires_in_days: 0 }, 'expires_in_days'],
    ['a day more than the longest', { expires_in_days: 366 }, 'expires_in_days'],
    ['no end', { never_expires: true }, 'never_expires'],
    ['a field more', { user_id: 'x' }, 'user_id'],
    ['another role', { role: 'superadmin' }, 'role'],
  ])('answers 422 to %s', async (_, body, field) => {
    const response = await askForKey(app, attorney.token, body);

    expect([response.status, Object.keys((await jsonOf<{ field_errors: object }>(response)).field_errors)]).toEqual([
      422,
      [field],
    ]);
  });

  it('needs the password, or a sign-in of the last ten minutes', async () => {
    const owner = await anAccount(app, superadmin, 'attorney');
    later(11 * 60_000);

    expect(await errorOf(await askForKey(app, owner.token))).toEqual([
      403,
      'REAUTHENTICATION_REQUIRED',
      null,
      expect.any(String),
    ]);
    expect((await askForKey(app, owner.token, { current_password: 'wrong' })).status).toBe(403);
    expect((await askForKey(app, owner.token, { current_password: PASSWORD })).status).toBe(201);
  });

  it('lets 20 work at a time, however many are asked for at once', async () => {
    const owner = await anAccount(app, superadmin, 'attorney');
    for (let made = 0; made < 16; made += 1) await aKey(app, owner.token);

    const answers = await Promise.all(Array.from({ length: 16 }, () => askForKey(app, owner.token)));

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(4);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(12);
    const [row] = await app.database.query('SELECT count(*)::int AS keys FROM api_keys WHERE user_id = $1', [owner.id]);
    expect(row).toEqual({ keys: 20 });
    const { items } = await jsonOf<{ items: IssuedKey[] }>(await get(app, KEYS, owner.token));
    expect(await revoke(items[0]!.id, owner.token)).toBe(204);
    expect((await askForKey(app, owner.token)).status).toBe(201);
    expect((await askForKey(app, owner.token)).status).toBe(409);
  });
});

describe('a request with a key', () => {
  it('does what the key is for, in the name of its owner and on record with the key', async () => {
    const made = await aKey(app, attorney.token, { scopes: ['leads:read', 'leads:change'] });
    const lead = await aLead(app);

    expect(await statusOf(made.key)).toBe(200);
    expect((await get(app, LEADS, made.key)).status).toBe(200);
    const changed = await sendJson(app, 'PATCH', `${LEADS}/${lead}`, { status: 'REACHED_OUT' }, made.key);

    expect(changed.status).toBe(200);
    const [entry] = await app.database.query(
      `SELECT actor_kind, actor_id, actor_name, details FROM audit_entries WHERE action = 'lead.status_changed' AND target_id = $1`,
      [lead],
    );
    expect(entry).toEqual({
      actor_kind: 'user',
      actor_id: attorney.id,
      actor_name: attorney.username,
      details: { from: 'PENDING', to: 'REACHED_OUT', api_key_id: made.id },
    });
    const found = await get(app, `/api/v1/admin/audit-entries?api_key_id=${made.id}&action=lead.`, superadmin);
    const { items } = await jsonOf<{ items: { target_id: string }[] }>(found);
    // the newest first: the lead was changed after the list was seen
    expect(items.map((each) => each.target_id)).toEqual([lead, null]);
  });

  it('takes the key in both headers when it is the same, and refuses two that differ', async () => {
    const [one, other] = [await aKey(app, attorney.token), await aKey(app, attorney.token)];

    expect((await call(LEADS, { ...withKey(one.key), ...bearer(one.key) })).status).toBe(200);
    for (const headers of [
      { ...withKey(one.key), ...bearer(other.key) },
      { ...withKey(one.key), ...bearer(attorney.token) },
      { ...withKey(one.key), Authorization: 'Basic YWRtaW46YWRtaW4=' },
      { ...withKey(one.key), Authorization: '' },
      { ...withKey(`${one.key}, ${one.key}`) },
      { ...withKey(''), ...bearer(attorney.token) },
    ])
      expect(await errorOf(await call(LEADS, headers))).toEqual(REFUSED);
  });

  it('is never read from the address or from a cookie', async () => {
    const { key } = await aKey(app, attorney.token);

    for (const name of ['api_key', 'key', 'access_token', 'X-API-Key', 'apikey'])
      expect((await app.request(`${LEADS}?${name}=${key}`)).status).toBe(401);
    expect((await call(LEADS, { Cookie: `X-API-Key=${key}; api_key=${key}` })).status).toBe(401);
  });

  it('may not do what the key is not for, whatever its owner may and whatever the request says; on record', async () => {
    const { key, id } = await aKey(app, superadmin, { scopes: ['leads:read'] });
    const lead = await aLead(app);

    for (const headers of [
      withKey(key),
      { ...withKey(key), 'X-Scopes': 'leads:change', 'X-Role': 'superadmin', 'X-User': 'admin' },
    ]) {
      const init = {
        method: 'PATCH',
        body: '{"status":"REACHED_OUT"}',
        headers: { 'Content-Type': 'application/json' },
      };
      expect((await call(`${LEADS}/${lead}`, headers, init)).status).toBe(403);
      expect((await call('/api/v1/admin/audit-entries?scopes=audit:read', headers)).status).toBe(403);
    }

    const refused = await app.database.query(
      `SELECT details FROM audit_entries WHERE action = 'auth.access_refused' AND details ->> 'api_key_id' = $1 ORDER BY at`,
      [id],
    );
    expect(refused).toEqual([
      { details: { permission: 'leads:change', api_key_id: id } },
      { details: { permission: 'audit:read', api_key_id: id } },
    ]);
  });

  it('can do nothing but what the scopes are for, on any route, even with all of them', async () => {
    const scopes = [
      'audit:read',
      'files:inspect',
      'jobs:operate',
      'leads:change',
      'leads:read',
      'profile:read',
      'users:read',
    ];
    const { key, id } = await aKey(app, superadmin, { scopes });
    const open = routesOf(app.app).filter(({ access }) => access !== 'public' && !scopes.includes(String(access)));
    expect(open.length).toBeGreaterThan(20);

    for (const { method, path } of open) {
      const address = path.replace(/:\w+/g, id);
      const response = await call(address, withKey(key), { method });
      expect([path, response.status, (await jsonOf(response))['error_code']]).toEqual([path, 403, 'FORBIDDEN']);
    }
  });

  it('can do no more than its owner may at that moment: demoted, and the scope is gone at once', async () => {
    const owner = await anAccount(app, superadmin, 'admin');
    const { key } = await aKey(app, owner.token, { scopes: ['leads:read', 'users:read'] });
    const users = async (): Promise<number> => (await call('/api/v1/admin/users', withKey(key))).status;
    expect([await users(), await statusOf(key)]).toEqual([200, 200]);
    const setRole = (role: string): Promise<Response> =>
      sendJson(app, 'PATCH', `/api/v1/admin/users/${owner.id}`, { role }, superadmin);

    await setRole('attorney');
    expect([await users(), await statusOf(key)]).toEqual([403, 200]);
    await setRole('client');
    expect([await users(), await statusOf(key)]).toEqual([403, 403]);
  });

  it('notes its use once a minute, with the address', async () => {
    const note = jest.spyOn(app.app.get(ApiKeysRepository), 'noteUse');
    const { key, id } = await aKey(app, attorney.token);
    await Promise.all(Array.from({ length: 16 }, () => leads(key)));
    await leads(key);
    expect(note.mock.calls.filter(([each]) => each === id)).toHaveLength(1);

    later(61_000);
    await leads(key);

    expect(note.mock.calls.filter(([each]) => each === id)).toHaveLength(2);
    const [row] = await app.database.query<{ last_used_at: Date }>(
      'SELECT last_used_at, last_used_ip FROM api_keys WHERE id = $1',
      [id],
    );
    expect(row).toMatchObject({ last_used_ip: '127.0.0.1' });
    expect(row!.last_used_at.getTime()).toBeGreaterThan(Date.now() + 30_000);
  });

  it('asks the database at most once per second for its key, not once per request', async () => {
    const { key } = await aKey(app, attorney.token);
    const load = jest.spyOn(app.app.get(ApiKeysRepository), 'findByPublicId');
    const started = performance.now();

    for (let request = 0; request < 40; request += 1) await leads(key);

    const seconds = (performance.now() - started) / 1000;
    expect(load.mock.calls.length).toBeGreaterThan(0);
    expect(load.mock.calls.length).toBeLessThanOrEqual(Math.floor(seconds) + 1);
  });
});

describe('a key is refused, in the same words,', () => {
  it.each([
    ['a token in its place', () => attorney.token],
    ['nobody’s key', () => makeApiKey().text],
    ['10,000 characters', () => `fck_${'a'.repeat(9_996)}`],
    ['a beginning alone', () => 'fck_'],
    ['a statement', () => "fck_' OR 1=1; --"],
  ])('when it is %s', async (_, make) => {
    expect(await errorOf(await leads(make()))).toEqual(REFUSED);
  });

  it('when it is another secret with the public id of one that works', async () => {
    const { prefix } = await aKey(app, attorney.token);

    expect(await errorOf(await leads(makeApiKey(prefix.slice(4)).text))).toEqual(REFUSED);
  });

  it('when it has expired, to the millisecond', async () => {
    const { key } = await aKey(app, attorney.token, { expires_in_days: 1 });
    later(DAY_MS - 60_000);
    expect(await statusOf(key)).toBe(200);
    later(DAY_MS);
    expect(await errorOf(await leads(key))).toEqual(REFUSED);
  });

  it('when it was revoked by its owner, who is asked no password for that', async () => {
    const { key, id } = await aKey(app, attorney.token);
    expect(await statusOf(key)).toBe(200);
    later(DAY_MS / 2);

    expect(await revoke(id, attorney.token)).toBe(204);

    expect(await errorOf(await leads(key))).toEqual(REFUSED);
    expect(await revoke(id, attorney.token)).toBe(409);
    expect((await storyOf(id)).map(({ action }) => action)).toEqual(['api_key.created', 'api_key.revoked']);
  });

  it('when it comes from another address than those allowed, whatever X-Forwarded-For says', async () => {
    const { key } = await aKey(app, attorney.token, { allowed_addresses: ['203.0.113.7', '2001:db8::/48'] });

    expect(await errorOf(await leads(key))).toEqual(REFUSED);
    for (const name of ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'CF-Connecting-IP', 'True-Client-IP'])
      expect(await errorOf(await call(LEADS, { ...withKey(key), [name]: '203.0.113.7' }))).toEqual(REFUSED);
    const here = await aKey(app, attorney.token, { allowed_addresses: ['127.0.0.1'] });
    expect(await statusOf(here.key)).toBe(200);
  });

  it('when its owner is disabled, and for good: being enabled again does not bring it back', async () => {
    const owner = await anAccount(app, superadmin, 'attorney');
    const { key } = await aKey(app, owner.token);
    const setActive = (isActive: boolean): Promise<Response> =>
      sendJson(app, 'PATCH', `/api/v1/admin/users/${owner.id}`, { is_active: isActive }, superadmin);

    await setActive(false);
    expect(await errorOf(await leads(key))).toEqual(REFUSED);
    await setActive(true);
    expect(await errorOf(await leads(key))).toEqual(REFUSED);
    const records = await recordsOf(app, owner.id);
    expect(records.find(({ action }) => action === 'api_key.all_revoked')?.details).toEqual({
      reason: 'disabled',
      api_keys: 1,
    });
  });

  it('when its owner was disabled past the application', async () => {
    const owner = await anAccount(app, superadmin, 'attorney');
    const { key } = await aKey(app, owner.token);

    await app.database.query('UPDATE users SET is_active = false WHERE id = $1', [owner.id]);

    await eventually('it is refused', async () => (await statusOf(key)) === 401);
  });

  it('as a refresh token, and gives none', async () => {
    const { key } = await aKey(app, attorney.token);

    const refreshed = await sendJson(app, 'POST', '/api/v1/auth/refresh', { refresh_token: key });
    const withHeader = await call('/api/v1/auth/refresh', withKey(key), { method: 'POST' });

    expect([refreshed.status, (await jsonOf(refreshed))['error_code']]).toEqual([401, 'INVALID_REFRESH_TOKEN']);
    expect(withHeader.status).toBe(422);
  });

  it('and the record says why, seldom', async () => {
    await app.app.get(SeldomEntries).writeAll();
    const { id, prefix } = await aKey(app, attorney.token);
    for (let attempt = 0; attempt < 5; attempt += 1) await leads(makeApiKey(prefix.slice(4)).text);
    await app.app.get(SeldomEntries).writeAll();

    const entries = await app.database.query(
      `SELECT actor_kind, target_id, outcome, details FROM audit_entries WHERE action = 'auth.api_key_refused' AND target_id = $1 ORDER BY at`,
      [id],
    );
    expect(entries).toEqual([
      {
        actor_kind: 'anonymous',
        target_id: id,
        outcome: 'refused',
        details: { reason: 'secret', user_id: attorney.id },
      },
      {
        actor_kind: 'anonymous',
        target_id: id,
        outcome: 'refused',
        details: { reason: 'secret', user_id: attorney.id, again: 4, since: expect.any(String) },
      },
    ]);
  });
});

describe('POST /api/v1/auth/api-keys/:api_key_id/rotate', () => {
  it('gives another secret, with which the one before it works no more', async () => {
    const before = await aKey(app, attorney.token, { expires_in_days: 2 });
    expect(await statusOf(before.key)).toBe(200);

    const response = await rotate(before.id, attorney.token);
    const after = await jsonOf<IssuedKey & { expires_at: string }>(response);

    expect(response.status).toBe(200);
    expect(after).toMatchObject({
      id: before.id,
      prefix: before.prefix,
      scopes: ['leads:read'],
      previous_valid_until: null,
    });
    expect(after.key).not.toBe(before.key);
    expect([await statusOf(before.key), await statusOf(after.key)]).toEqual([401, 200]);
    expect(Date.parse(after.expires_at)).toBeGreaterThan(Date.now() + 80 * DAY_MS);
    expect((await storyOf(before.id)).map(({ action }) => action)).toEqual(['api_key.created', 'api_key.rotated']);
  });

  it('leaves the one before it for as long as was asked, never longer than it was to be', async () => {
    const before = await aKey(app, attorney.token, { expires_in_days: 1 });
    const after = await jsonOf<IssuedKey>(await rotate(before.id, attorney.token, { overlap_minutes: 60 }));
    expect([await statusOf(before.key), await statusOf(after.key)]).toEqual([200, 200]);
    later(61 * 60_000);
    expect([await statusOf(before.key), await statusOf(after.key)]).toEqual([401, 200]);

    jest.restoreAllMocks();
    const short = await aKey(app, attorney.token, { expires_in_days: 1 });
    later(DAY_MS - 30 * 60_000);
    const body = { overlap_minutes: 60, current_password: PASSWORD };
    expect((await rotate(short.id, attorney.token, body)).status).toBe(200);
    expect(await statusOf(short.key)).toBe(200);
    later(DAY_MS + 60_000);
    expect(await statusOf(short.key)).toBe(401);
  });

  it('ends the one before the last as well', async () => {
    const first = await aKey(app, attorney.token);
    const second = await jsonOf<IssuedKey>(await rotate(first.id, attorney.token, { overlap_minutes: 60 }));
    const third = await jsonOf<IssuedKey>(await rotate(first.id, attorney.token, { overlap_minutes: 60 }));

    expect([await statusOf(first.key), await statusOf(second.key), await statusOf(third.key)]).toEqual([401, 200, 200]);
    expect(await revoke(first.id, attorney.token)).toBe(204);
    expect([await statusOf(second.key), await statusOf(third.key)]).toEqual([401, 401]);
  });

  it('is asked for a password like the making of one, and refuses what is over, too long, or another’s', async () => {
    const made = await aKey(app, attorney.token);
    const other = await anAccount(app, superadmin, 'attorney');

    expect((await rotate(made.id, other.token)).status).toBe(404);
    expect((await rotate(made.id, attorney.token, { overlap_minutes: 1441 })).status).toBe(422);
    expect((await rotate(made.id, attorney.token, { scopes: ['audit:read'] })).status).toBe(422);
    await revoke(made.id, attorney.token);
    expect((await rotate(made.id, attorney.token)).status).toBe(409);
    later(11 * 60_000);
    expect((await rotate(made.id, attorney.token)).status).toBe(403);
  });
});

describe('keys of others', () => {
  it('are neither listed nor revoked by anybody but their owner and admins', async () => {
    const made = await aKey(app, attorney.token);
    const other = await anAccount(app, superadmin, 'attorney');

    expect(await jsonOf(await get(app, KEYS, other.token))).toMatchObject({ items: [], total: 0 });
    expect(await revoke(made.id, other.token)).toBe(404);
    expect(await statusOf(made.key)).toBe(200);
  });

  it('are listed and revoked by admins, those of admins and superadmins by superadmins alone', async () => {
    const admin = await anAccount(app, superadmin, 'admin');
    const owner = await anAccount(app, superadmin, 'attorney');
    const [plain, high] = [await aKey(app, owner.token), await aKey(app, superadmin)];
    const end = async (id: string, token: string): Promise<number> =>
      (await call(`/api/v1/admin/api-keys/${id}`, bearer(token), { method: 'DELETE' })).status;

    const listed = await jsonOf<{ items: { id: string; user_id: string }[] }>(
      await get(app, `/api/v1/admin/api-keys?user_id=${owner.id}`, admin.token),
    );
    expect(listed.items.map(({ id, user_id: of }) => [id, of])).toEqual([[plain.id, owner.id]]);
    expect(await end(high.id, admin.token)).toBe(403);
    expect(await statusOf(high.key)).toBe(200);
    expect(await end(plain.id, admin.token)).toBe(204);
    expect(await statusOf(plain.key)).toBe(401);
    expect(await end(high.id, superadmin)).toBe(204);
    expect(await statusOf(high.key)).toBe(401);
    const records = await storyOf(plain.id);
    expect(records.at(-1)).toMatchObject({
      action: 'api_key.revoked',
      actor_name: admin.username,
      details: { reason: 'revoked_by_admin' },
    });
  });
});

describe('a change of the password', () => {
  it('by its owner leaves the keys of programs alone', async () => {
    const owner = await anAccount(app, superadmin, 'attorney');
    const { key } = await aKey(app, owner.token);
    const body = { current_password: PASSWORD, new_password: 'herons sleep at dawn' };

    expect((await sendJson(app, 'POST', '/api/v1/auth/password', body, owner.token)).status).toBe(204);

    expect(await statusOf(key)).toBe(200);
  });
});

describe('the care for keys', () => {
  const care = (): Promise<void> => app.app.get(ApiKeyCare).run();
  const told = async (prefix: string): Promise<object[]> =>
    app.database.query(
      `SELECT recipient, data ->> 'key_name' AS key FROM mail_messages
       WHERE template = 'api_key_expires' AND data ->> 'key_prefix' = $1`,
      [prefix],
    );

  it('tells the owner once that a key expires, a week before, and again when its next secret does', async () => {
    const made = await aKey(app, attorney.token, { expires_in_days: 30 });
    const mail = { recipient: attorney.email, key: 'Export' };
    later(23 * DAY_MS - 60_000);
    await care();
    expect(await told(made.prefix)).toEqual([]);

    later(23 * DAY_MS + 60_000);
    await Promise.all([care(), care()]);
    await care();
    expect(await told(made.prefix)).toEqual([mail]);

    const body = { expires_in_days: 30, current_password: PASSWORD };
    expect((await rotate(made.id, attorney.token, body)).status).toBe(200);
    await care();
    expect(await told(made.prefix)).toEqual([mail]);
    later(46 * DAY_MS + 120_000);
    await care();
    expect(await told(made.prefix)).toEqual([mail, mail]);
  });

  it('says nothing of keys that were made for a week at most, were revoked, or are of somebody who is out', async () => {
    const gone = await anAccount(app, superadmin, 'attorney');
    const week = await aKey(app, attorney.token, { expires_in_days: 7 });
    const revoked = await aKey(app, attorney.token, { expires_in_days: 10 });
    const ofGone = await aKey(app, gone.token, { expires_in_days: 10 });
    await revoke(revoked.id, attorney.token);
    await app.database.query('UPDATE users SET is_active = false WHERE id = $1', [gone.id]);

    await care();
    later(4 * DAY_MS);
    await care();

    for (const { prefix } of [week, revoked, ofGone]) expect(await told(prefix)).toEqual([]);
  });

  it('removes keys 90 days after they ended, and no others', async () => {
    const [short, long] = [
      await aKey(app, attorney.token, { expires_in_days: 1 }),
      await aKey(app, attorney.token, { expires_in_days: 2 }),
    ];
    later(91 * DAY_MS + 60_000);

    await care();

    const left = await app.database.query('SELECT id FROM api_keys WHERE id = ANY($1)', [[short.id, long.id]]);
    expect(left).toEqual([{ id: long.id }]);
  });
});

describe('in another process', () => {
  it('a key that is revoked, rotated or past the application changed is refused within a second', async () => {
    const settings = await someSettings({
      DATABASE_URL: app.database.url,
      SECRET_KEY,
      ADMIN_PASSWORD: ADMIN.password,
      ROLE: 'http',
    });
    const other = await startProgram(settings);
    const there = async (key: string): Promise<number> =>
      (await other.request(LEADS, { headers: withKey(key) })).status;
    const [one, two, three] = [
      await aKey(app, attorney.token),
      await aKey(app, attorney.token),
      await aKey(app, attorney.token),
    ];
    for (const { key } of [one, two, three]) expect([await there(key), await statusOf(key)]).toEqual([200, 200]);

    await revoke(one.id, attorney.token);
    const rotated = await jsonOf<IssuedKey>(await rotate(two.id, attorney.token));
    await app.database.query(`UPDATE api_keys SET scopes = '{profile:read}' WHERE id = $1`, [three.id]);

    await eventually('the revoked one is refused', async () => (await there(one.key)) === 401);
    await eventually('the rotated one is refused', async () => (await there(two.key)) === 401);
    await eventually('the scope is gone', async () => (await there(three.key)) === 403);
    expect(await there(rotated.key)).toBe(200);
  });
});

it('no key stands in any line of the log, any entry of the record or any row of the database', async () => {
  const made = await aKey(app, attorney.token);
  const rotated = await jsonOf<IssuedKey>(await rotate(made.id, attorney.token, { overlap_minutes: 5 }));
  for (const key of [made.key, rotated.key, `${rotated.key.slice(0, -1)}!`])
    for (const { method, path } of routesOf(app.app).filter((each) => !each.path.startsWith('/dev'))) {
      const address = path.replace(/:\w+/g, made.id);
      if (address.endsWith(`/api-keys/${made.id}`) || address.includes('logout')) continue;
      for (const headers of [withKey(key), bearer(key)])
        await (await call(`${address}?api_key=${key}`, headers, { method })).arrayBuffer();
    }
  await app.app.get(SeldomEntries).writeAll();

  const tables = await app.database.query<{ name: string }>(
    `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.tables
     WHERE table_schema IN ('public', 'graphile_worker') AND table_type = 'BASE TABLE'`,
  );
  const rows: string[] = [];
  for (const { name } of tables)
    rows.push(
      ...(await app.database.query<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t`)).map(({ row }) => row),
    );
  const text = JSON.stringify([app.log, rows]);

  expect(text).toContain(made.prefix);
  const secrets = [made.key, rotated.key].flatMap((key) => [key, key.slice(13), key.slice(13, 40)]);
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
});

describe('behind a proxy that is trusted', () => {
  it('a key is for the addresses that the proxy saw, and not for what stands before them', async () => {
    await app.close();
    app = await startApp({ ROLE: 'http', TRUST_PROXY: 'loopback' });
    const owner = await anAccount(app, await tokenOf(app), 'attorney');
    const { key } = await aKey(app, owner.token, { allowed_addresses: ['203.0.113.0/24'] });
    const statusFrom = async (forwarded: string): Promise<number> =>
      (await app.request(LEADS, { headers: { ...withKey(key), 'X-Forwarded-For': forwarded } })).status;

    expect(await statusFrom('203.0.113.7')).toBe(200);
    expect(await statusFrom('198.51.100.7')).toBe(401);
    expect(await statusFrom('203.0.113.7, 198.51.100.7')).toBe(401);
  });
});
