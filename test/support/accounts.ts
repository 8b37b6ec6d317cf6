import { randomUUID } from 'node:crypto';
import type { TestApp } from './app.js';
import { jsonOf, login, sendJson, tokenOf } from './leads.js';

export const PASSWORD = 'pelicans walk at noon';

export interface Account {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  readonly role: string;
  readonly token: string;
}

/** A new account of a role, made by a superadmin, and its token. */
export async function anAccount(app: TestApp, superadmin: string, role: string): Promise<Account> {
  const username = `${role}-${randomUUID().slice(0, 8)}`;
  const account = { username, email: `${username}@practice.test`, role };
  const response = await sendJson(app, 'POST', '/api/v1/admin/users', { ...account, password: PASSWORD }, superadmin);
  if (response.status !== 201) throw new Error(`not made: ${await response.text()}`);
  const { id } = await jsonOf<{ id: string }>(response);
  return { id, ...account, token: await tokenOf(app, username, PASSWORD) };
}

/** A sign-in that comes from an address, through a proxy that is trusted. */
export function loginFrom(app: TestApp, ip: string, username: string, password: string): Promise<Response> {
  return app.request('/api/v1/auth/login', {
    method: 'POST',
    body: new URLSearchParams({ username, password }),
    headers: { 'X-Forwarded-For': ip },
  });
}

export async function statusOfLogin(app: TestApp, username: string, password = PASSWORD): Promise<number> {
  return (await login(app, username, password)).status;
}

/** What was put on record about something, oldest first. */
export function recordsOf(
  app: Pick<TestApp, 'database'>,
  targetId: string,
): Promise<{ action: string; actor_name: string | null; details: Record<string, unknown> }[]> {
  return app.database.query(
    `SELECT action, actor_name, details FROM audit_entries
     WHERE target_id = $1 AND action NOT IN ('auth.signed_in', 'auth.sign_in_refused', 'session.all_ended') ORDER BY at`,
    [targetId],
  );
}

/** A digest of every row of every table, the queue of jobs among them, save those named. */
export async function digestOfTables(
  app: Pick<TestApp, 'database'>,
  except: readonly string[] = [],
): Promise<Record<string, string>> {
  const tables = await app.database.query<{ name: string }>(
    `SELECT CASE table_schema WHEN 'public' THEN '' ELSE table_schema || '.' END || quote_ident(table_name) AS name
     FROM information_schema.tables
     WHERE table_schema IN ('public', 'graphile_worker') AND table_type = 'BASE TABLE' AND NOT table_name = ANY($1)
     ORDER BY 1`,
    [except],
  );
  const digests = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS name, md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS digest FROM ${name} AS t`,
  );
  const rows = await app.database.query<{ name: string; digest: string }>(digests.join(' UNION ALL '));
  return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
}
