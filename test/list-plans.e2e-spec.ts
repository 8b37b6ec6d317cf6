import pg from 'pg';
import { Database } from '../src/database/database.js';
import { startApp, type TestApp } from './support/app.js';
import { get, tokenOf } from './support/leads.js';

const ROWS = 50_000;

/** A node of what EXPLAIN (FORMAT JSON) says. */
interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
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
    'ANALYZE',
  ])
    await client.query(text);
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

/** What finds the rows of the page: everything below LIMIT, each node with its table. */
async function pageNodes(path: string, table: string): Promise<string[]> {
  const paged = (await statementsOf(path, table)).filter(({ text }) => /\bLIMIT \$/.test(text));
  expect(paged).toHaveLength(1);
  const [{ text, values }] = paged as [{ text: string; values: unknown[] }];
  const { rows } = await client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(`EXPLAIN (FORMAT JSON) ${text}`, values);
  const limit = below(rows[0]!['QUERY PLAN'][0]!.Plan).find((plan) => plan['Node Type'] === 'Limit');
  return below(limit!)
    .slice(1)
    .map((plan) => `${plan['Node Type']}${plan['Relation Name'] === undefined ? '' : ` ${plan['Relation Name']}`}`);
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
