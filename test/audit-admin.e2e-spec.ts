import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import pg from 'pg';
import { Database } from '../src/database/database.js';
import { eventually, startApp, type TestApp } from './support/app.js';
import { aLead, anAttorney, get, jsonOf, login, sendJson, tokenOf } from './support/leads.js';

const PATH = '/api/v1/admin/audit-entries';
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

interface Item {
  readonly action: string;
  readonly at: string;
  readonly number: string | null;
  readonly request_id: string;
  readonly actor_id: string | null;
  readonly [name: string]: unknown;
}
interface Page {
  readonly items: Item[];
  readonly total: number;
  readonly pages: number;
}

let app: TestApp;
let token: string;
let attorney: { id: string; token: string; username: string };
let lead: string;
beforeAll(async () => {
  app = await startApp({ ROLE: 'http' });
  token = await tokenOf(app);
  attorney = await anAttorney(app, token, 'Ada');
  await login(app, 'admin', 'wrong');
  lead = await aLead(app);
  await sendJson(app, 'PATCH', `/api/v1/leads/${lead}`, { status: 'REACHED_OUT' }, attorney.token);
  await get(app, `/api/v1/leads/${lead}/resume`, attorney.token);
  await allLinked();
});
afterAll(() => app.close());

const allLinked = (): Promise<unknown> =>
  eventually('all entries are linked', async () => {
    const [row] = await app.database.query('SELECT FROM audit_entries WHERE number IS NULL');
    return row === undefined;
  });

async function list(query: Record<string, string> = {}): Promise<Page> {
  const response = await get(app, `${PATH}?${new URLSearchParams(query).toString()}`, token);
  if (response.status !== 200) throw new Error(await response.text());
  return jsonOf<Page>(response);
}
const actionsOf = async (query: Record<string, string>): Promise<string[]> =>
  (await list(query)).items.map(({ action }) => action);

describe('GET /api/v1/admin/audit-entries', () => {
  it('lists every entry, newest first, with its place in the chain', async () => {
    const { items, total } = await list();

    expect(items.map(({ action }) => action)).toEqual([
      'lead.resume_downloaded',
      'lead.status_changed',
      'auth.sign_in_refused',
      'auth.signed_in',
      'user.created',
      'auth.signed_in',
      'user.created',
    ]);
    expect(total).toBe(7);
    expect(items[1]).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      number: expect.stringMatching(/^[1-7]$/),
      at: expect.any(String),
      actor_kind: 'user',
      actor_id: attorney.id,
      actor_name: 'Ada',
      ip: '127.0.0.1',
      user_agent: 'node',
      request_id: expect.any(String),
      action: 'lead.status_changed',
      target_kind: 'lead',
      target_id: lead,
      outcome: 'done',
      details: { from: 'PENDING', to: 'REACHED_OUT' },
      previous_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('in pages', async () => {
    const [first, second, beyond] = await Promise.all([
      list({ size: '5' }),
      list({ size: '5', page: '2' }),
      list({ size: '5', page: '9' }),
    ]);

    expect([first.items.length, second.items.length, beyond.items.length]).toEqual([5, 2, 0]);
    expect([first.total, second.pages, beyond.total]).toEqual([7, 2, 7]);
  });

  it.each<[string, () => Record<string, string>, string[]]>([
    [
      'the id of an actor',
      () => ({ actor: attorney.id }),
      ['lead.resume_downloaded', 'lead.status_changed', 'auth.signed_in'],
    ],
    [
      'the name of an actor in any case',
      () => ({ actor: 'ADA', target_kind: 'lead' }),
      ['lead.resume_downloaded', 'lead.status_changed'],
    ],
    ['the name of a part of Forecourt', () => ({ actor: 'first-admin' }), ['user.created']],
    ['an action', () => ({ action: 'lead.status_changed' }), ['lead.status_changed']],
    [
      'the beginning of an action',
      () => ({ action: 'auth.' }),
      ['auth.sign_in_refused', 'auth.signed_in', 'auth.signed_in'],
    ],
    ['a beginning without its dot', () => ({ action: 'auth' }), []],
    [
      'a target',
      () => ({ target_kind: 'lead', target_id: lead.toUpperCase() }),
      ['lead.resume_downloaded', 'lead.status_changed'],
    ],
    ['an unknown target', () => ({ target_id: UNKNOWN }), []],
    ['an outcome', () => ({ outcome: 'refused' }), ['auth.sign_in_refused']],
    ['an address', () => ({ ip: '127.0.0.1', action: 'user.' }), ['user.created']],
    ['another address', () => ({ ip: '127.0.0.2' }), []],
    ['an injection', () => ({ actor: "' OR 1=1--" }), []],
  ])('filters by %s', async (_, query, expected) => {
    const page = await list(query());

    expect(page.items.map(({ action }) => action)).toEqual(expected);
    expect(page.total).toBe(expected.length);
  });

  it('filters by request and by time', async () => {
    const { items } = await list();
    const change = items[1]!;

    expect(await actionsOf({ request_id: change.request_id })).toEqual([change.action]);
    expect(await actionsOf({ from: change.at })).toEqual(items.slice(0, 2).map(({ action }) => action));
    expect(await actionsOf({ to: change.at })).toEqual(items.slice(2).map(({ action }) => action));
    expect(await actionsOf({ from: change.at.replace('Z', '+00:00'), to: change.at })).toEqual([]);
  });

  it.each([
    ['actor', ''],
    ['actor', 'x'.repeat(61)],
    ['action', 'Auth.'],
    ['action', '%'],
    ['action', 'a.b.c'],
    ['target_id', 'nonsense'],
    ['outcome', 'DONE'],
    ['request_id', '%00'],
    ['from', 'yesterday'],
    ['from', '2026-02-30'],
    ['to', '2026-13-01T00:00:00Z'],
    ['to', '2026-01-01T00:00:00'],
    ['size', '101'],
    ['sort_by', 'at'],
  ])('refuses %s=%j with 422 under its name', async (name, value) => {
    const response = await get(app, `${PATH}?${new URLSearchParams({ [name]: value }).toString()}`, token);

    expect(response.status).toBe(422);
    expect(Object.keys((await jsonOf<{ field_errors: object }>(response)).field_errors)).toEqual([name]);
  });

  it.each([
    `actor_id = '${UNKNOWN}'`,
    `lower(actor_name) = 'x'`,
    `action COLLATE "C" >= 'auth.' AND action COLLATE "C" < 'auth/'`,
    `ip = 'x'`,
    `request_id = '${UNKNOWN}'`,
    `target_kind = 'x' AND target_id = '${UNKNOWN}'`,
    `at >= now()`,
    'number IS NULL',
  ])('has an index for %s', async (condition) => {
    const client = new pg.Client({ connectionString: app.database.url });
    await client.connect();
    await client.query('SET enable_seqscan = off');
    const { rows } = await client.query(`EXPLAIN SELECT id FROM audit_entries WHERE ${condition}`);
    await client.end();

    expect(JSON.stringify(rows)).toMatch(/Index|Bitmap/);
    expect(JSON.stringify(rows)).not.toContain('Seq Scan');
  });
});

async function exported(query: Record<string, string>): Promise<[Headers, string]> {
  const response = await get(app, `${PATH}/export?${new URLSearchParams(query).toString()}`, token);
  expect(response.status).toBe(200);
  return [response.headers, await response.text()];
}

describe('GET /api/v1/admin/audit-entries/export', () => {
  it('gives all entries that match as CSV, and is on record itself', async () => {
    const [headers, text] = await exported({ action: 'lead.', to: '2999-01-01T00:00:00Z' });

    const lines = text.split('\r\n');
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(headers.get('content-disposition')).toBe('attachment; filename="audit-entries.csv"');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe(
      '"number","at","actor_kind","actor_id","actor_name","ip","user_agent","request_id","action","target_kind","target_id","outcome","details","id","previous_hash","hash"',
    );
    expect(lines[2]).toContain(
      `"lead.status_changed","lead","${lead}","done","{""to"":""REACHED_OUT"",""from"":""PENDING""}"`,
    );
    const [record] = (await list({ action: 'audit.exported' })).items;
    expect(record).toMatchObject({
      actor_name: 'admin',
      details: { format: 'csv', action: 'lead.', to: '2999-01-01T00:00:00.000Z' },
    });
  });

  it('gives one JSON object per line', async () => {
    const [headers, text] = await exported({ format: 'ndjson', action: 'lead.' });

    expect(headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    const items = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Item);
    expect(items).toEqual((await list({ action: 'lead.' })).items.map((item) => ({ ...item })));
  });

  it('makes nothing of what a spreadsheet would compute', async () => {
    for (const agent of ['=1+1', '+1', '-1', '@SUM(A1)', '"=1+1', "=cmd|' /C calc'!A0", 'plain, "quoted"'])
      await app.request('/api/v1/auth/login', {
        method: 'POST',
        headers: { 'User-Agent': agent },
        body: new URLSearchParams({ username: `nobody-${randomUUID()}`, password: 'x' }),
      });

    const [, text] = await exported({ action: 'auth.sign_in_refused' });

    for (const cell of [
      `"'=1+1"`,
      `"'+1"`,
      `"'-1"`,
      `"'@SUM(A1)"`,
      `"""=1+1"`,
      `"'=cmd|' /C calc'!A0"`,
      `"plain, ""quoted"""`,
    ])
      expect(text).toContain(`,${cell},`);
    expect(text).not.toMatch(/(^|,)"?[=+@-]/m);
  });

  it('of more entries than are read at once has each exactly once, and holds no connection while nobody reads', async () => {
    await app.database.query(
      `INSERT INTO audit_entries (id, at, actor_kind, action, target_kind, outcome, details)
       SELECT gen_random_uuid(), now() - make_interval(secs => n / 10), 'system', 'test.many', 'test', 'done',
         jsonb_build_object('n', n, 'text', repeat('x', 2000))
       FROM generate_series(1, 7003) AS n`,
    );
    const pool = app.app.get(Database).pool;
    const query = `${PATH}/export?format=ndjson&action=test.many`;

    const [, text] = await exported({ format: 'ndjson', action: 'test.many' });
    await allLinked();
    const slow = httpRequest(`${app.url}${query}`, { headers: { Authorization: `Bearer ${token}` } });
    slow.end();
    // nothing of the answer is read beyond what sockets hold
    const [answer] = (await once(slow, 'response')) as [IncomingMessage];
    // one listens for changes of users
    await eventually('no connection is lent', async () => pool.totalCount - pool.idleCount <= 1);
    const isWhole = answer.complete;
    slow.destroy();

    const items = text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { details: { n: number } }).details.n);
    expect(items.length).toBe(7003);
    expect(new Set(items).size).toBe(7003);
    expect(isWhole).toBe(false);
  });

  it('that cannot be put on record does not happen', async () => {
    await app.database.query(
      `ALTER TABLE audit_entries ADD CONSTRAINT ck_none CHECK (action <> 'audit.exported') NOT VALID`,
    );

    const response = await get(app, `${PATH}/export`, token);

    await app.database.query('ALTER TABLE audit_entries DROP CONSTRAINT ck_none');
    expect(response.status).toBe(500);
  });

  it.each([
    ['format', 'xlsx'],
    ['page', '1'],
    ['to', 'never'],
  ])('refuses %s=%j with 422 under its name', async (name, value) => {
    const response = await get(app, `${PATH}/export?${name}=${value}`, token);

    expect(response.status).toBe(422);
    expect(Object.keys((await jsonOf<{ field_errors: object }>(response)).field_errors)).toEqual([name]);
  });
});

it.each(['', '/export'])('%s is no business of attorneys or strangers', async (path) => {
  expect((await get(app, `${PATH}${path}`, attorney.token)).status).toBe(403);
  expect((await get(app, `${PATH}${path}`)).status).toBe(401);
});
