import { randomUUID } from 'node:crypto';
import { type Account, anAccount, digestOfTables, PASSWORD } from './support/accounts.js';
import { startApp, type TestApp } from './support/app.js';
import { aLead, bearer, jsonOf, sendJson, tokenOf } from './support/leads.js';
import { routesOf } from './support/routes.js';

type Caller = 'public' | 'client' | 'attorney' | 'admin' | 'superadmin';
const CALLERS: readonly Caller[] = ['public', 'client', 'attorney', 'admin', 'superadmin'];

const EVERYBODY = CALLERS;
const SIGNED_IN = CALLERS.slice(1);
const ATTORNEYS = CALLERS.slice(2);
const ADMINS = CALLERS.slice(3);
const SUPERADMINS = CALLERS.slice(4);

/** Who may call each route. Whoever adds a line, or changes one, says who gets in. */
const WHO: Readonly<Record<string, readonly Caller[]>> = {
  'DELETE /api/v1/admin/api-keys/:api_key_id': ADMINS,
  'DELETE /api/v1/admin/invitations/:invitation_id': ADMINS,
  'DELETE /api/v1/admin/jobs/buried/:job_id': ADMINS,
  'DELETE /api/v1/admin/mail/suppressions/:suppression_id': ADMINS,
  'DELETE /api/v1/admin/privacy/holds/:hold_id': ADMINS,
  'DELETE /api/v1/admin/users/:user_id/factors': ADMINS,
  'DELETE /api/v1/admin/users/:user_id/sessions': ADMINS,
  'DELETE /api/v1/auth/api-keys/:api_key_id': SIGNED_IN,
  'DELETE /api/v1/auth/identities/:identity_id': SIGNED_IN,
  'DELETE /api/v1/auth/sessions/:session_id': SIGNED_IN,
  'DELETE /api/v1/leads/:lead_id': ADMINS,
  'GET /.well-known/jwks.json': EVERYBODY,
  'GET /api/v1/admin/api-keys': ADMINS,
  'GET /api/v1/admin/audit-entries': ADMINS,
  'GET /api/v1/admin/audit-entries/export': ADMINS,
  'GET /api/v1/admin/invitations': ADMINS,
  'GET /api/v1/admin/jobs': ADMINS,
  'GET /api/v1/admin/jobs/buried': ADMINS,
  'GET /api/v1/admin/mail/dns': ADMINS,
  'GET /api/v1/admin/mail/messages': ADMINS,
  'GET /api/v1/admin/mail/messages/:message_id': ADMINS,
  'GET /api/v1/admin/mail/messages/:message_id/preview': ADMINS,
  'GET /api/v1/admin/mail/status': ADMINS,
  'GET /api/v1/admin/mail/suppressions': ADMINS,
  'GET /api/v1/admin/privacy/erasures': ADMINS,
  'GET /api/v1/admin/privacy/erasures/:erasure_id': ADMINS,
  'GET /api/v1/admin/privacy/holds': ADMINS,
  'GET /api/v1/admin/privacy/retention': ADMINS,
  'GET /api/v1/admin/users': ADMINS,
  'GET /api/v1/admin/users/:user_id': ADMINS,
  'GET /api/v1/admin/users/:user_id/sessions': ADMINS,
  'GET /api/v1/auth/factors': SIGNED_IN,
  'GET /api/v1/auth/api-keys': SIGNED_IN,
  'GET /api/v1/auth/identities': SIGNED_IN,
  'GET /api/v1/auth/me': SIGNED_IN,
  'GET /api/v1/auth/openid/:provider/callback': EVERYBODY,
  'GET /api/v1/auth/providers': EVERYBODY,
  'GET /api/v1/auth/sessions': SIGNED_IN,
  'GET /api/v1/files/:file_id': ADMINS,
  'GET /api/v1/files/:file_id/quarantined': ADMINS,
  'GET /api/v1/leads': ATTORNEYS,
  'GET /api/v1/leads/:lead_id': ATTORNEYS,
  'GET /api/v1/leads/:lead_id/history': ATTORNEYS,
  'GET /api/v1/leads/:lead_id/resume': ATTORNEYS,
  'GET /api/v1/users': ADMINS,
  'GET /dev/mail': EVERYBODY,
  'GET /dev/mail/:id': EVERYBODY,
  'GET /dev/mail/:id/html': EVERYBODY,
  'GET /dev/mail/:id/source': EVERYBODY,
  'GET /dev/mail/:id/text': EVERYBODY,
  'GET /health': EVERYBODY,
  'GET /health/live': EVERYBODY,
  'GET /health/ready': EVERYBODY,
  'PATCH /api/v1/admin/users/:user_id': ADMINS,
  'PATCH /api/v1/leads/:lead_id': ATTORNEYS,
  'PATCH /api/v1/users/:user_id': ADMINS,
  'POST /api/v1/admin/invitations': ADMINS,
  'POST /api/v1/admin/invitations/:invitation_id/resend': ADMINS,
  'POST /api/v1/admin/jobs/buried/:job_id/retry': ADMINS,
  'POST /api/v1/admin/mail/messages/:message_id/cancel': ADMINS,
  'POST /api/v1/admin/mail/messages/:message_id/resend': ADMINS,
  'POST /api/v1/admin/mail/test': ADMINS,
  'POST /api/v1/admin/privacy/erasures': SUPERADMINS,
  'POST /api/v1/admin/privacy/export': ADMINS,
  'POST /api/v1/admin/privacy/find': ADMINS,
  'POST /api/v1/admin/privacy/holds': ADMINS,
  'POST /api/v1/admin/users': ADMINS,
  'POST /api/v1/admin/users/:user_id/unlock': ADMINS,
  'POST /api/v1/auth/email': SIGNED_IN,
  'POST /api/v1/auth/email/confirm': EVERYBODY,
  'POST /api/v1/auth/email/verification': EVERYBODY,
  'POST /api/v1/auth/email/verify': EVERYBODY,
  'POST /api/v1/auth/factors/:factor_id/remove': SIGNED_IN,
  'POST /api/v1/auth/factors/passkeys': SIGNED_IN,
  'POST /api/v1/auth/factors/passkeys/options': SIGNED_IN,
  'POST /api/v1/auth/factors/recovery-codes': SIGNED_IN,
  'POST /api/v1/auth/factors/totp': SIGNED_IN,
  'POST /api/v1/auth/factors/totp/:factor_id/confirm': SIGNED_IN,
  'POST /api/v1/auth/api-keys': SIGNED_IN,
  'POST /api/v1/auth/api-keys/:api_key_id/rotate': SIGNED_IN,
  'POST /api/v1/auth/identities': SIGNED_IN,
  'POST /api/v1/auth/identities/:provider': SIGNED_IN,
  'POST /api/v1/auth/invitations/accept': EVERYBODY,
  'POST /api/v1/auth/login': EVERYBODY,
  'POST /api/v1/auth/login/verify': EVERYBODY,
  'POST /api/v1/auth/logout': SIGNED_IN,
  'POST /api/v1/auth/logout-everywhere': SIGNED_IN,
  'POST /api/v1/auth/magic-link': EVERYBODY,
  'POST /api/v1/auth/magic-link/verify': EVERYBODY,
  'POST /api/v1/auth/passkeys/options': EVERYBODY,
  'POST /api/v1/auth/passkeys/verify': EVERYBODY,
  'POST /api/v1/auth/openid/:provider': EVERYBODY,
  'POST /api/v1/auth/openid/exchange': EVERYBODY,
  'POST /api/v1/auth/password': SIGNED_IN,
  'POST /api/v1/auth/password/forgot': EVERYBODY,
  'POST /api/v1/auth/password/reset': EVERYBODY,
  'POST /api/v1/auth/refresh': EVERYBODY,
  'POST /api/v1/auth/register': ADMINS,
  'POST /api/v1/leads': EVERYBODY,
};

let app: TestApp;
let superadmin: string;
const accounts: Partial<Record<Caller, Account>> = {};
/** Things that a write would change if it were let through. */
let targets: Readonly<Record<string, string>>;

beforeAll(async () => {
  // without background work, which would write meanwhile
  app = await startApp({ ROLE: 'http' });
  superadmin = await tokenOf(app);
  for (const caller of SIGNED_IN) accounts[caller] = await anAccount(app, superadmin, caller);
  targets = await makeTargets();
});
afterAll(() => app.close());

async function makeTargets(): Promise<Record<string, string>> {
  const lead = await aLead(app);
  const [file] = await app.database.query<{ id: string }>('SELECT id FROM files LIMIT 1');
  const [job] = await app.database.query<{ id: string }>(
    `UPDATE graphile_worker._private_jobs SET attempts = max_attempts, last_error = 'planted'
     WHERE id = (SELECT min(id) FROM graphile_worker._private_jobs) RETURNING id`,
  );
  const [message] = await app.database.query<{ id: string }>('SELECT id FROM mail_messages LIMIT 1');
  const [suppression] = await app.database.query<{ id: string }>(
    `INSERT INTO mail_suppressions (address, reason, since) VALUES ('gone@example.com', 'planted', now()) RETURNING id`,
  );
  const invited = await sendJson(
    app,
    'POST',
    '/api/v1/admin/invitations',
    { email: 'invited@practice.test', role: 'client' },
    superadmin,
  );
  return {
    ':lead_id': lead,
    ':file_id': file!.id,
    ':job_id': job!.id,
    ':user_id': (await anAccount(app, superadmin, 'attorney')).id,
    ':invitation_id': (await jsonOf<{ id: string }>(invited)).id,
    ':message_id': message!.id,
    ':suppression_id': suppression!.id,
    ':hold_id': await aHold(),
    ':erasure_id': randomUUID(),
    ':session_id': randomUUID(),
    ':factor_id': randomUUID(),
    ':api_key_id': await aKeyOf(accounts.client!.token),
    ':identity_id': randomUUID(),
    ':provider': 'none',
    ':id': 'none',
  };
}

async function aHold(): Promise<string> {
  const body = { email: 'held@practice.test', reason: 'x' };
  const answer = await sendJson(app, 'POST', '/api/v1/admin/privacy/holds', body, superadmin);
  return (await jsonOf<{ id: string }>(answer)).id;
}

async function aKeyOf(token: string): Promise<string> {
  const answer = await sendJson(app, 'POST', '/api/v1/auth/api-keys', { name: 'x', scopes: ['profile:read'] }, token);
  return (await jsonOf<{ id: string }>(answer)).id;
}

/** A body that would be taken. */
function bodyOf(route: string): object | undefined {
  const username = `w-${randomUUID().slice(0, 8)}`;
  const account = { username, email: `${username}@practice.test`, password: PASSWORD };
  const bodies: Record<string, object> = {
    'PATCH /api/v1/admin/users/:user_id': { role: 'client' },
    'PATCH /api/v1/leads/:lead_id': { status: 'REACHED_OUT' },
    'PATCH /api/v1/users/:user_id': { is_active: false },
    'POST /api/v1/admin/invitations': { email: account.email, role: 'attorney' },
    'POST /api/v1/admin/mail/test': { to: account.email },
    'POST /api/v1/admin/privacy/erasures': { email: 'invited@practice.test', reason: 'request' },
    'POST /api/v1/admin/privacy/export': { email: account.email },
    'POST /api/v1/admin/privacy/find': { email: account.email },
    'POST /api/v1/admin/privacy/holds': { email: account.email, reason: 'x' },
    'POST /api/v1/admin/users': { ...account, role: 'attorney' },
    'POST /api/v1/auth/email': { new_email: account.email, password: 'wrong' },
    'POST /api/v1/auth/email/confirm': { token: 'x' },
    'POST /api/v1/auth/email/verification': { email: account.email },
    'POST /api/v1/auth/email/verify': { token: 'x' },
    'POST /api/v1/auth/magic-link': { email: account.email },
    'POST /api/v1/auth/magic-link/verify': { token: 'x' },
    'POST /api/v1/auth/password/forgot': { email: account.email },
    'POST /api/v1/auth/password/reset': { token: 'x', new_password: PASSWORD },
    // the right password, so that it is decided by who asks
    'POST /api/v1/auth/factors/totp': { current_password: PASSWORD },
    'POST /api/v1/auth/factors/totp/:factor_id/confirm': { code: '000000' },
    'POST /api/v1/auth/factors/passkeys/options': { current_password: PASSWORD },
    'POST /api/v1/auth/factors/recovery-codes': { current_password: PASSWORD },
    'POST /api/v1/auth/factors/:factor_id/remove': { current_password: PASSWORD },
    'POST /api/v1/auth/api-keys': { name: 'x', scopes: ['profile:read'] },
    'POST /api/v1/auth/identities': { code: 'x' },
    'POST /api/v1/auth/identities/:provider': {},
    'POST /api/v1/auth/openid/:provider': {},
    'POST /api/v1/auth/openid/exchange': { code: 'x' },
    'POST /api/v1/auth/invitations/accept': { token: 'x', username, password: PASSWORD },
    'POST /api/v1/auth/refresh': { refresh_token: 'x' },
    'POST /api/v1/auth/login': { username: 'nobody', password: 'x' },
    // a wrong one, or whoever calls would not be themselves any more
    'POST /api/v1/auth/password': { current_password: 'wrong', new_password: 'herons sleep at dawn' },
    'POST /api/v1/auth/register': account,
  };
  return bodies[route];
}

const isFarewell = (route: string): boolean => route.includes('/auth/logout');

/** Of somebody who is not needed any more. */
async function aTokenToEnd(caller: Caller): Promise<string> {
  return (await anAccount(app, superadmin, caller)).token;
}

/** The one answer that is about nobody; every other is kept by no cache on the way. */
const KEPT = 'GET /.well-known/jwks.json';

async function call(route: string, caller: Caller): Promise<{ status: number; code: unknown }> {
  const [method = '', path = ''] = route.split(' ');
  const address = path.replace(/:\w+/g, (name) => targets[name] ?? name);
  const body = bodyOf(route);
  const token = isFarewell(route) && caller !== 'public' ? await aTokenToEnd(caller) : accounts[caller]?.token;
  const response = await app.request(address, {
    method,
    headers: {
      ...(token === undefined ? {} : bearer(token)),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.headers.get('cache-control')).toBe(route === KEPT ? 'public, max-age=300' : 'no-store');
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true && text !== '';
  return {
    status: response.status,
    code: isJson ? (JSON.parse(text) as { error_code?: unknown }).error_code : undefined,
  };
}

const CELLS = Object.entries(WHO).flatMap(([route, who]) =>
  CALLERS.map((caller) => [route, caller, who.includes(caller)] as const),
);
// what every caller is refused comes first, while everything is there that it could have changed
const REFUSED = CELLS.filter(([, , isAllowed]) => !isAllowed);
const ALLOWED = CELLS.filter(([, , isAllowed]) => isAllowed);

it('every route of the application stands in the table, and no other', () => {
  expect(
    routesOf(app.app)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(Object.keys(WHO).sort());
});

describe('is refused, and changes nothing', () => {
  // refused downloads are put on record
  const everything = (): Promise<Record<string, string>> => digestOfTables(app, ['audit_entries']);

  it.each(REFUSED)('%s for %s', async (route, caller) => {
    const before = await everything();

    const answer = await call(route, caller);

    expect(answer).toEqual(
      caller === 'public' ? { status: 401, code: 'NOT_AUTHENTICATED' } : { status: 403, code: 'FORBIDDEN' },
    );
    expect(await everything()).toEqual(before);
  });
});

describe('is let in', () => {
  it.each(ALLOWED)('%s for %s', async (route, caller) => {
    const { status, code } = await call(route, caller);

    expect(status).toBeLessThan(500);
    expect(['NOT_AUTHENTICATED', 'INVALID_TOKEN', 'FORBIDDEN']).not.toContain(code);
  });

  it('and what an admin is let do changes something (so the refusals above mean something)', async () => {
    const before = await digestOfTables(app);

    await call('POST /api/v1/admin/users', 'admin');

    const after = await digestOfTables(app);
    expect(Object.keys(after).filter((name) => after[name] !== before[name])).toEqual(['audit_entries', 'users']);
  });
});
