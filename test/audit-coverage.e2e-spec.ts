import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SeldomEntries } from '../src/audit/seldom-entries.js';
import { type LinkPurpose, MailedLinks } from '../src/auth/links/mailed-links.js';
import { Transactions } from '../src/database/transactions.js';
import { MailRepository } from '../src/mail/mail.repository.js';
import { MailSecrets } from '../src/mail/mail-secrets.js';
import { UsersService } from '../src/users/users.service.js';
import { type Account, anAccount, PASSWORD } from './support/accounts.js';
import { aKey } from './support/api-keys.js';
import { startApp, type TestApp } from './support/app.js';
import { anEnrolled, challengeOf } from './support/factors.js';
import { aLead, bearer, formOf, get, jsonOf, login, sendJson, tokenOf } from './support/leads.js';
import { routesOf } from './support/routes.js';
import { totpCode } from './support/totp.js';

interface Call {
  readonly path: string;
  readonly body?: object | URLSearchParams | FormData;
  /** Nobody's unless given. */
  readonly token?: string;
}

let app: TestApp;
let superadmin: string;
let superadminId: string;

beforeAll(async () => {
  // without background work, which would deliver what is to be cancelled
  app = await startApp({ ROLE: 'http' });
  superadmin = await tokenOf(app);
  superadminId = (await jsonOf<{ id: string }>(await get(app, '/api/v1/auth/me', superadmin))).id;
});
afterAll(() => app.close());

const somebody = (role = 'attorney'): Promise<Account> => anAccount(app, superadmin, role);
const newAccount = (): { username: string; email: string; password: string } => {
  const username = `c-${randomUUID().slice(0, 8)}`;
  return { username, email: `${username}@practice.test`, password: PASSWORD };
};

async function anInvitation(): Promise<{ id: string; token: string }> {
  const body = { email: newAccount().email, role: 'client' };
  const { id } = await jsonOf<{ id: string }>(
    await sendJson(app, 'POST', '/api/v1/admin/invitations', body, superadmin),
  );
  const { rows } = await app.app.get(MailRepository).listPage({ page: 1, size: 1, recipient: body.email });
  const { accept_url: url } = await app.app.get(MailSecrets).open(rows[0]!);
  return { id, token: url!.replace(/.*token=/, '') };
}

/** The token of a link to somebody, as the job makes it. */
async function aLinkFor(purpose: LinkPurpose, role = 'attorney'): Promise<string> {
  const { id } = await somebody(role);
  const user = await app.app.get(UsersService).get(id);
  const email = purpose === 'change_email' ? newAccount().email : user.email;
  const link = { id: randomUUID(), purpose, user, email };
  const issued = await app.app.get(Transactions).run((tx) => app.app.get(MailedLinks).issue(tx, link));
  return issued!.token;
}

async function anIdentity(): Promise<{ id: string; token: string }> {
  const { id: userId, token } = await somebody();
  const [row] = await app.database.query<{ id: string }>(
    `INSERT INTO user_identities (id, user_id, provider, issuer, subject, created_at)
     VALUES (gen_random_uuid(), $1, 'okta', 'https://id.test', gen_random_uuid(), now()) RETURNING id`,
    [userId],
  );
  return { id: row!.id, token };
}

async function aBuriedJob(): Promise<string> {
  await aLead(app);
  const [job] = await app.database.query<{ id: string }>(
    `UPDATE graphile_worker._private_jobs SET attempts = max_attempts, last_error = 'planted'
     WHERE id = (SELECT max(id) FROM graphile_worker._private_jobs) RETURNING id`,
  );
  return job!.id;
}

async function aWaitingMail(): Promise<string> {
  const lead = await aLead(app);
  const [message] = await app.database.query<{ id: string }>('SELECT id FROM mail_messages WHERE about_id = $1', [
    lead,
  ]);
  return message!.id;
}

async function aCancelledMail(): Promise<string> {
  const id = await aWaitingMail();
  await app.request(`/api/v1/admin/mail/messages/${id}/cancel`, { method: 'POST', headers: bearer(superadmin) });
  return id;
}

async function aSuppression(): Promise<string> {
  const [row] = await app.database.query<{ id: string }>(
    `INSERT INTO mail_suppressions (address, reason, since) VALUES ($1, 'planted', now()) RETURNING id`,
    [newAccount().email],
  );
  return row!.id;
}

async function aHold(): Promise<string> {
  const body = { email: newAccount().email, reason: 'x' };
  return (await jsonOf<{ id: string }>(await sendJson(app, 'POST', '/api/v1/admin/privacy/holds', body, superadmin)))
    .id;
}

const as = (path: string, body?: object): Call => ({
  path: `/api/v1${path}`,
  token: superadmin,
  ...(body === undefined ? {} : { body }),
});

const by = (path: string, body: object): Call => ({ path: `/api/v1${path}`, body });

/** A call of each route that changes something, which succeeds. Whoever adds a route adds how to call it. */
const CALLS: Readonly<Record<string, () => Promise<Call> | Call>> = {
  'DELETE /api/v1/admin/api-keys/:api_key_id': async () =>
    as(`/admin/api-keys/${(await aKey(app, (await somebody()).token)).id}`),
  'DELETE /api/v1/admin/invitations/:invitation_id': async () => as(`/admin/invitations/${(await anInvitation()).id}`),
  'DELETE /api/v1/admin/jobs/buried/:job_id': async () => as(`/admin/jobs/buried/${await aBuriedJob()}`),
  'DELETE /api/v1/admin/mail/suppressions/:suppression_id': async () =>
    as(`/admin/mail/suppressions/${await aSuppression()}`),
  'DELETE /api/v1/admin/privacy/holds/:hold_id': async () => as(`/admin/privacy/holds/${await aHold()}`),
  'DELETE /api/v1/admin/users/:user_id/factors': async () =>
    as(`/admin/users/${(await anEnrolled(app, superadmin)).id}/factors`),
  'DELETE /api/v1/admin/users/:user_id/sessions': async () => as(`/admin/users/${(await somebody()).id}/sessions`),
  'DELETE /api/v1/auth/api-keys/:api_key_id': async () => as(`/auth/api-keys/${(await aKey(app, superadmin)).id}`),
  'DELETE /api/v1/auth/identities/:identity_id': async () => {
    const { id, token } = await anIdentity();
    return { path: `/api/v1/auth/identities/${id}`, token };
  },
  'DELETE /api/v1/auth/sessions/:session_id': async () => {
    await tokenOf(app);
    const { items } = await jsonOf<{ items: { id: string; is_current: boolean }[] }>(
      await get(app, '/api/v1/auth/sessions', superadmin),
    );
    return as(`/auth/sessions/${items.find((each) => !each.is_current)!.id}`);
  },
  'DELETE /api/v1/leads/:lead_id': async () => as(`/leads/${await aLead(app)}`),
  'PATCH /api/v1/admin/users/:user_id': async () => as(`/admin/users/${(await somebody()).id}`, { role: 'client' }),
  'PATCH /api/v1/leads/:lead_id': async () => as(`/leads/${await aLead(app)}`, { status: 'REACHED_OUT' }),
  'PATCH /api/v1/users/:user_id': async () => as(`/users/${(await somebody()).id}`, { is_active: false }),
  'POST /api/v1/admin/invitations': () => as('/admin/invitations', { email: newAccount().email, role: 'client' }),
  'POST /api/v1/admin/invitations/:invitation_id/resend': async () =>
    as(`/admin/invitations/${(await anInvitation()).id}/resend`),
  'POST /api/v1/admin/jobs/buried/:job_id/retry': async () => as(`/admin/jobs/buried/${await aBuriedJob()}/retry`),
  'POST /api/v1/admin/mail/messages/:message_id/cancel': async () =>
    as(`/admin/mail/messages/${await aWaitingMail()}/cancel`),
  'POST /api/v1/admin/mail/messages/:message_id/resend': async () =>
    as(`/admin/mail/messages/${await aCancelledMail()}/resend`),
  'POST /api/v1/admin/mail/test': () => as('/admin/mail/test', { to: newAccount().email }),
  'POST /api/v1/admin/privacy/erasures': async () => {
    const { email } = newAccount();
    await aLead(app, { email });
    return as('/admin/privacy/erasures', { email, reason: 'request' });
  },
  'POST /api/v1/admin/privacy/export': () => as('/admin/privacy/export', { email: newAccount().email }),
  'POST /api/v1/admin/privacy/find': () => as('/admin/privacy/find', { email: newAccount().email }),
  'POST /api/v1/admin/privacy/holds': () => as('/admin/privacy/holds', { email: newAccount().email, reason: 'x' }),
  'POST /api/v1/admin/users': () => as('/admin/users', { ...newAccount(), role: 'client' }),
  'POST /api/v1/admin/users/:user_id/unlock': async () => as(`/admin/users/${(await somebody()).id}/unlock`),
  'POST /api/v1/auth/api-keys': () => as('/auth/api-keys', { name: 'x', scopes: ['leads:read'] }),
  'POST /api/v1/auth/api-keys/:api_key_id/rotate': async () =>
    as(`/auth/api-keys/${(await aKey(app, superadmin)).id}/rotate`, {}),
  'POST /api/v1/auth/email': async () => ({
    path: '/api/v1/auth/email',
    token: (await somebody()).token,
    body: { new_email: newAccount().email, password: PASSWORD },
  }),
  'POST /api/v1/auth/email/confirm': async () => by('/auth/email/confirm', { token: await aLinkFor('change_email') }),
  'POST /api/v1/auth/email/verification': () => by('/auth/email/verification', { email: newAccount().email }),
  'POST /api/v1/auth/email/verify': async () => by('/auth/email/verify', { token: await aLinkFor('verify_email') }),
  'POST /api/v1/auth/factors/:factor_id/remove': async () => {
    const { factorId, token, secret } = await anEnrolled(app, superadmin);
    const body = { current_password: PASSWORD, code: totpCode(secret) };
    return { path: `/api/v1/auth/factors/${factorId}/remove`, token, body };
  },
  'POST /api/v1/auth/factors/recovery-codes': async () => {
    const { token, secret } = await anEnrolled(app, superadmin);
    const body = { current_password: PASSWORD, code: totpCode(secret) };
    return { path: '/api/v1/auth/factors/recovery-codes', token, body };
  },
  'POST /api/v1/auth/factors/totp': async () => ({
    path: '/api/v1/auth/factors/totp',
    token: (await somebody()).token,
    body: { current_password: PASSWORD },
  }),
  'POST /api/v1/auth/factors/totp/:factor_id/confirm': async () => {
    const { token } = await somebody();
    const body = { current_password: PASSWORD };
    const { id, secret } = await jsonOf<{ id: string; secret: string }>(
      await sendJson(app, 'POST', '/api/v1/auth/factors/totp', body, token),
    );
    return { path: `/api/v1/auth/factors/totp/${id}/confirm`, token, body: { code: totpCode(secret) } };
  },
  'POST /api/v1/auth/invitations/accept': async () => {
    const { username } = newAccount();
    const { token } = await anInvitation();
    return { path: '/api/v1/auth/invitations/accept', body: { token, username, password: PASSWORD } };
  },
  'POST /api/v1/auth/login': async () => {
    const { username } = await somebody();
    return { path: '/api/v1/auth/login', body: new URLSearchParams({ username, password: PASSWORD }) };
  },
  'POST /api/v1/auth/login/verify': async () => {
    const { username, secret } = await anEnrolled(app, superadmin);
    const token = await challengeOf(app, username);
    return by('/auth/login/verify', { challenge_token: token, method: 'totp', code: totpCode(secret) });
  },
  'POST /api/v1/auth/magic-link': () => by('/auth/magic-link', { email: newAccount().email }),
  'POST /api/v1/auth/magic-link/verify': async () =>
    by('/auth/magic-link/verify', { token: await aLinkFor('sign_in', 'client') }),
  'POST /api/v1/auth/passkeys/options': () => by('/auth/passkeys/options', {}),
  'POST /api/v1/auth/password/forgot': () => by('/auth/password/forgot', { email: newAccount().email }),
  'POST /api/v1/auth/password/reset': async () =>
    by('/auth/password/reset', { token: await aLinkFor('reset_password'), new_password: 'herons sleep at dawn' }),
  'POST /api/v1/auth/logout': async () => ({ path: '/api/v1/auth/logout', token: (await somebody()).token }),
  'POST /api/v1/auth/logout-everywhere': async () => ({
    path: '/api/v1/auth/logout-everywhere',
    token: (await somebody()).token,
  }),
  'POST /api/v1/auth/password': async () => ({
    path: '/api/v1/auth/password',
    token: (await somebody()).token,
    body: { current_password: PASSWORD, new_password: 'herons sleep at dawn' },
  }),
  'POST /api/v1/auth/refresh': async () => {
    const { username } = await somebody();
    const { refresh_token: token } = await jsonOf<{ refresh_token: string }>(await login(app, username, PASSWORD));
    return { path: '/api/v1/auth/refresh', body: { refresh_token: token } };
  },
  'POST /api/v1/auth/register': () => as('/auth/register', newAccount()),
  'POST /api/v1/leads': () => ({ path: '/api/v1/leads', body: formOf() }),
};

/** Routes that need a provider or an authenticator: the suite that has one, and the entry that it finds. */
const ELSEWHERE: Readonly<Record<string, readonly [string, string]>> = {
  'POST /api/v1/auth/factors/passkeys': ['passkeys', 'factor.added'],
  'POST /api/v1/auth/factors/passkeys/options': ['passkeys', 'factor.added'],
  'POST /api/v1/auth/identities': ['openid-accounts', 'identity.linked'],
  'POST /api/v1/auth/identities/:provider': ['openid-accounts', 'identity.linked'],
  'POST /api/v1/auth/openid/:provider': ['openid', 'identity.used'],
  'POST /api/v1/auth/openid/exchange': ['openid', 'identity.used'],
  'POST /api/v1/auth/passkeys/verify': ['passkeys', 'auth.signed_in'],
};

/** What is not on record, and why. */
const EXCEPT: Readonly<Record<string, string>> = {
  'POST /api/v1/auth/factors/totp': 'a secret is none before it is confirmed, which is on record',
  'POST /api/v1/auth/refresh': 'goes on with a session whose beginning is on record, as is a token that comes again',
  'POST /api/v1/auth/passkeys/options': 'only asks the browser a question',
  'POST /api/v1/leads': 'the lead is the record of what a prospect did: its story begins with the submission',
};

/** Whose calls have no user: who they are shows in what they are about. */
const ANONYMOUS = [
  'POST /api/v1/auth/email/confirm',
  'POST /api/v1/auth/email/verification',
  'POST /api/v1/auth/email/verify',
  'POST /api/v1/auth/invitations/accept',
  'POST /api/v1/auth/magic-link',
  'POST /api/v1/auth/password/forgot',
  'POST /api/v1/auth/password/reset',
];

async function make(method: string, { path, body, token }: Call): Promise<Response> {
  const isJson = body !== undefined && !(body instanceof URLSearchParams) && !(body instanceof FormData);
  return app.request(path, {
    method,
    headers: {
      ...(token === undefined ? {} : bearer(token)),
      ...(isJson ? { 'Content-Type': 'application/json' } : {}),
    },
    ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
  });
}

it('every route that changes something stands in the table, and no other', () => {
  const changing = routesOf(app.app).filter(({ method }) => method !== 'GET');

  expect(changing.map(({ name }) => name).sort()).toEqual([...Object.keys(CALLS), ...Object.keys(ELSEWHERE)].sort());
});

it.each(Object.keys(CALLS))('%s leaves an entry that says who, from where and in which request', async (name) => {
  const call = await CALLS[name]!();

  const response = await make(name.split(' ')[0]!, call);

  const answer = await response.text();
  expect([response.status < 300, answer]).toEqual([true, answer]);
  const entries = await app.database.query<{ actor_kind: string; actor_id: string | null; ip: string | null }>(
    'SELECT actor_kind, actor_id, ip FROM audit_entries WHERE request_id = $1',
    [response.headers.get('x-request-id')],
  );
  expect(entries.length > 0).toBe(EXCEPT[name] === undefined);
  for (const { actor_kind: kind, actor_id: id, ip } of entries) {
    expect([kind, ip]).toEqual([ANONYMOUS.includes(name) ? 'anonymous' : 'user', '127.0.0.1']);
    if (call.token === superadmin) expect(id).toBe(superadminId);
    else if (kind === 'user') expect(id).toEqual(expect.any(String));
  }
});

it.each(Object.entries(ELSEWHERE))('%s leaves one as well, which its own suite finds', (_, [suite, action]) => {
  expect(readFileSync(`test/${suite}.e2e-spec.ts`, 'utf8')).toContain(`'${action}'`);
});

it('that an admin lists mails, and reads one, is on record', async () => {
  const mailId = await app.database
    .query<{ id: string }>('SELECT id FROM mail_messages WHERE about_id = $1 LIMIT 1', [await aLead(app)])
    .then(([row]) => row?.id ?? '');
  const admin = await somebody('admin');
  const mails = '/api/v1/admin/mail/messages';

  for (const path of [mails, `${mails}/${mailId}`, `${mails}/${mailId}/preview?format=text`])
    expect((await get(app, path, admin.token)).status).toBe(200);
  expect((await get(app, `${mails}/${randomUUID()}`, admin.token)).status).toBe(404);

  const entries = await app.database.query(
    `SELECT action, target_id FROM audit_entries WHERE actor_id = $1 AND action LIKE 'mail.%' ORDER BY at, action`,
    [admin.id],
  );
  expect(entries).toEqual([
    { action: 'mail.listed', target_id: null },
    { action: 'mail.viewed', target_id: mailId },
  ]);
});

it('that an admin looks for accounts, and at one, is on record', async () => {
  const [admin, other] = [await somebody('admin'), await somebody()];
  const users = '/api/v1/admin/users';

  for (const path of ['/api/v1/users', `${users}?search=a`, `${users}/${other.id}`])
    expect((await get(app, path, admin.token)).status).toBe(200);
  expect((await get(app, `${users}/${randomUUID()}`, admin.token)).status).toBe(404);

  const entries = await app.database.query(
    `SELECT action, target_id FROM audit_entries
     WHERE actor_id = $1 AND action IN ('user.listed', 'user.viewed') ORDER BY at, action`,
    [admin.id],
  );
  expect(entries).toEqual([
    { action: 'user.listed', target_id: null },
    { action: 'user.viewed', target_id: other.id },
  ]);
});

describe('what is seen of a lead', () => {
  const viewsOf = (actor: string): Promise<Record<string, unknown>[]> =>
    app.database.query(
      `SELECT action, target_id, details FROM audit_entries
       WHERE actor_id = $1 AND action IN ('lead.viewed', 'lead.listed') ORDER BY at, action`,
      [actor],
    );

  it('is on record for each viewer and lead, and how often within the minute', async () => {
    const [viewer, other] = [await somebody(), await somebody()];
    const lead = await aLead(app);
    for (let view = 0; view < 3; view += 1)
      expect((await get(app, `/api/v1/leads/${lead}`, viewer.token)).status).toBe(200);
    await get(app, `/api/v1/leads/${lead}`, other.token);

    expect(await viewsOf(viewer.id)).toEqual([{ action: 'lead.viewed', target_id: lead, details: {} }]);
    expect(await viewsOf(other.id)).toHaveLength(1);
    await app.app.get(SeldomEntries).writeAll();
    expect((await viewsOf(viewer.id)).at(-1)).toEqual({
      action: 'lead.viewed',
      target_id: lead,
      details: { again: 2, since: expect.any(String) },
    });
  });

  it('is not on record for a lead that is not there', async () => {
    const viewer = await somebody();

    expect((await get(app, `/api/v1/leads/${randomUUID()}`, viewer.token)).status).toBe(404);

    expect(await viewsOf(viewer.id)).toEqual([]);
  });

  it('and that leads were listed is on record', async () => {
    const viewer = await somebody();

    await get(app, '/api/v1/leads?page=1', viewer.token);
    await get(app, '/api/v1/leads?page=2', viewer.token);

    expect(await viewsOf(viewer.id)).toEqual([{ action: 'lead.listed', target_id: null, details: {} }]);
  });
});
