import pg from 'pg';
import { Database } from '../src/database/database.js';
import { eventually, startApp, type TestApp } from './support/app.js';
import { get, jsonOf, tokenOf } from './support/leads.js';

const ROWS = 50_000;
const PAGE = 51;

/** A node of what EXPLAIN (FORMAT JSON) says. */
interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

let app: TestApp;
let client: pg.Client;
let admin: string;

beforeAll(async () => {
  app = await startApp({ ROLE: 'http' });
  admin = await tokenOf(app);
  client = new pg.Client({ connectionString: app.database.url });
  await client.connect();
  const series = `generate_series(1, ${ROWS}) AS n`;
  const time = `timestamptz '2023-01-01' + n * interval '30 minutes'`;
  for (const text of [
    // counting one by one in one transaction takes minutes, and so does proving each reference
    'SET session_replication_role = replica',
    `INSERT INTO files (id, storage_key, original_name, media_type, size_bytes, sha256, created_at)
     SELECT gen_random_uuid(), n, 'cv.pdf', 'application/pdf', 1, repeat('0', 64), ${time} FROM ${series}`,
    `INSERT INTO leads (id, first_name, last_name, email, resume_path, status, created_at, updated_at, reached_out_at)
     SELECT gen_random_uuid(), 'First' || n % 500, 'Last' || n % 9000, n || '@example.com', n,
       (CASE WHEN n % 10 = 0 THEN 'PENDING' ELSE 'REACHED_OUT' END)::lead_status, ${time}, ${time},
       CASE WHEN n % 10 > 0 THEN ${time} END FROM ${series}`,
    `INSERT INTO users (id, username, email, hashed_password, role, created_at)
     SELECT gen_random_uuid(), 'user' || n, n || '@users.example', 'x', 'client', ${time} FROM ${series}`,
    `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, state, created_at, sent_at)
     SELECT gen_random_uuid(), 'lead-confirmation', n || '@example.com', '{}', 'lead', gen_random_uuid(),
       (CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'sent' END)::mail_state, ${time}, CASE WHEN n % 100 > 0 THEN ${time} END
     FROM ${series}`,
    `INSERT INTO mail_suppressions (id, address, reason, since)
     SELECT gen_random_uuid(), n || '@gone.example', 'hard_bounce', ${time} FROM ${series}`,
    `INSERT INTO audit_entries (id, at, actor_kind, actor_id, actor_name, ip, request_id, action, target_kind, target_id, outcome)
     SELECT gen_random_uuid(), ${time}, 'user', md5((n % 300)::text)::uuid, 'user' || n % 300, '10.0.0.' || n % 250,
       gen_random_uuid(), (ARRAY['lead.viewed', 'lead.status_changed', 'auth.signed_in'])[1 + n % 3], 'lead', gen_random_uuid(), 'done'
     FROM ${series}`,
    `UPDATE lead_totals AS t SET total =
       CASE slot WHEN 0 THEN (SELECT count(*) FROM leads WHERE leads.status = t.status) ELSE 0 END`,
    'RESET session_replication_role',
  ])
    await client.query(text);
  // an index alone suffices where the map of visibility says so, which what else is under way can prevent
  await eventually('the map says so', async () => {
    await client.query('VACUUM (ANALYZE)');
    const { rows } = await client.query(
      `SELECT FROM pg_class WHERE oid = 'leads'::regclass AND relallvisible = relpages`,
    );
    return rows.length === 1;
  });
}, 900_000);
afterAll(async () => {
  await client.end();
  await app.close();
});

/** The statements about a table that a request sends, as they are sent. */
async function statementsOf(path: string, table: string): Promise<{ text: string; values: unknown[] }[]> {
  const { pool } = app.app.get(Database);
  const query = jest.spyOn(pool, 'query');
  try {
    expect((await get(app, path, admin)).status).toBe(200);
    return (query.mock.calls as unknown as [{ text: string; values: unknown[] }][])
      .map(([sent]) => sent)
      .filter(({ text }) => typeof text === 'string' && new RegExp(`FROM ${table}\\b`).test(text));
  } finally {
    query.mockRestore();
  }
}

const below = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(below)];

/** The plan of the one statement that reads the page. */
async function planOf(path: string, table: string, options = ''): Promise<Plan> {
  const paged = (await statementsOf(path, table)).filter(({ text }) => /\bLIMIT \S/.test(text));
  expect(paged).toHaveLength(1);
  const [{ text, values }] = paged as [{ text: string; values: unknown[] }];
  const explain = `EXPLAIN (FORMAT JSON${options}) ${text}`;
  const { rows } = await client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(explain, values);
  return rows[0]!['QUERY PLAN'][0]!.Plan;
}

/** What finds the rows of the page: everything below LIMIT, each node with its table. */
async function pageNodes(path: string, table: string): Promise<string[]> {
  const limit = below(await planOf(path, table)).find((plan) => plan['Node Type'] === 'Limit');
  return below(limit!)
    .slice(1)
    .map((plan) => `${plan['Node Type']}${plan['Relation Name'] === undefined ? '' : ` ${plan['Relation Name']}`}`);
}

/** How many rows of the table, or entries of its indexes, are looked at for the page. */
async function lookedAt(path: string, table: string): Promise<number> {
  const scans = below(await planOf(path, table, ', ANALYZE')).filter((plan) => plan['Relation Name'] === table);
  const each = (plan: Plan): number => (plan['Actual Rows'] ?? 0) + (plan['Rows Removed by Filter'] ?? 0);
  return scans.reduce((sum, plan) => sum + each(plan) * (plan['Actual Loops'] ?? 0), 0);
}

const SORTS = ['created_at', 'updated_at', 'reached_out_at', 'first_name', 'last_name', 'email', 'status'];

describe(`a page of a list over ${ROWS} rows`, () => {
  it.each([
    ...SORTS.flatMap((sort) => [
      [`/api/v1/leads?sort_by=${sort}&sort_order=desc`, 'leads'],
      [`/api/v1/leads?sort_by=${sort}&sort_order=asc&page=3`, 'leads'],
    ]),
    ['/api/v1/leads?status=PENDING', 'leads'],
    ['/api/v1/admin/users', 'users'],
    ['/api/v1/admin/mail/messages', 'mail_messages'],
    ['/api/v1/admin/mail/messages?state=failed', 'mail_messages'],
    ['/api/v1/admin/mail/messages?recipient=77@example.com', 'mail_messages'],
    ['/api/v1/admin/mail/suppressions', 'mail_suppressions'],
    ['/api/v1/admin/audit-entries', 'audit_entries'],
    ['/api/v1/admin/audit-entries?action=lead.viewed', 'audit_entries'],
    ['/api/v1/admin/audit-entries?actor=user7', 'audit_entries'],
    ['/api/v1/admin/audit-entries?ip=10.0.0.7', 'audit_entries'],
  ])('of %s is found by an index', async (path, table) => {
    const nodes = await pageNodes(path, table);

    expect(nodes.filter((node) => /Scan/.test(node))).not.toEqual([]);
    expect(nodes).not.toContain(`Seq Scan ${table}`);
  });

  it.each<[string, number]>([
    ...SORTS.flatMap((sort): [string, number][] => [
      [`sort_by=${sort}&sort_order=desc&page=900`, 5200],
      [`sort_by=${sort}&sort_order=asc&page=1000`, 110],
      [`sort_by=${sort}&sort_order=asc&page=1001`, 0],
    ]),
    ['status=PENDING&page=90', 700],
    ['status=PENDING&page=90&sort_by=last_name&sort_order=asc', 700],
    ['status=PENDING&page=90&sort_by=email&sort_order=desc', 700],
  ])('of leads behind many (%s) comes from the index alone and from the nearer end', async (query, most) => {
    const path = `/api/v1/leads?${query}`;
    const walks = below(await planOf(path, 'leads', ', ANALYZE'))
      .filter((plan) => plan['Relation Name'] === 'leads' && plan['Actual Loops']! > 0 && plan['Actual Rows']! > PAGE)
      .map((plan) => plan['Node Type']);

    // the unique index of addresses holds no ids
    const expected = query.startsWith('sort_by=email') ? 'Index Scan' : 'Index Only Scan';
    expect(walks.filter((node) => node !== expected)).toEqual([]);
    expect(await lookedAt(path, 'leads')).toBeLessThanOrEqual(most);
  });

  it.each(
    SORTS.flatMap((sort) =>
      ['asc', 'desc'].flatMap((order) =>
        ['', '&status=PENDING', '&status=REACHED_OUT'].map((status) => [
          `sort_by=${sort}&sort_order=${order}${status}`,
        ]),
      ),
    ),
  )('of leads behind a cursor in the middle (%s) is found without a look at those before', async (query) => {
    const { pages } = await jsonOf<{ pages: number }>(await get(app, `/api/v1/leads?${query}`, admin));
    const middle = await get(app, `/api/v1/leads?${query}&page=${Math.ceil(pages / 2)}`, admin);
    const { next_cursor: cursor } = await jsonOf<{ next_cursor: string }>(middle);

    // one page and one more row, of both parts of an order with gaps
    expect(await lookedAt(`/api/v1/leads?${query}&cursor=${cursor}`, 'leads')).toBeLessThanOrEqual(110);
  });

  it.each(
    SORTS.flatMap((sort) =>
      ['asc', 'desc'].flatMap((order) => ['PENDING', 'REACHED_OUT'].map((status) => [status, sort, order])),
    ),
  )('of leads %s by %s %s passes over the others at once', async (status, sort, order) => {
    const path = `/api/v1/leads?status=${status}&sort_by=${sort}&sort_order=${order}`;

    // nine in ten are REACHED_OUT: among all of them they are found as fast
    expect(await lookedAt(path, 'leads')).toBeLessThanOrEqual(65);
  });

  it('is counted without a look at the rows, where leads are', async () => {
    const [statement] = await statementsOf('/api/v1/leads', 'leads');

    expect(statement?.text).toContain('FROM lead_totals');
  });

  it('would be found out without its index', async () => {
    await client.query('BEGIN');
    await client.query('DROP INDEX idx_lead_last_name');
    const text = 'EXPLAIN (FORMAT JSON) SELECT * FROM leads AS t ORDER BY t.last_name DESC, t.id DESC LIMIT 20';
    const { rows } = await client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(text);
    await client.query('ROLLBACK');

    expect(below(rows[0]!['QUERY PLAN'][0]!.Plan).map((plan) => plan['Node Type'])).toContain('Seq Scan');
  });
});
