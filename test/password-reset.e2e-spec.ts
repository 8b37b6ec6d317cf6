import { randomUUID } from 'node:crypto';
import { SeldomEntries } from '../src/audit/seldom-entries.js';
import { MailedLinks } from '../src/auth/links/mailed-links.js';
import { Clock } from '../src/common/clock.js';
import { anAccount, PASSWORD, recordsOf, statusOfLogin } from './support/accounts.js';
import { eventually, startApp, type TestApp } from './support/app.js';
import { anEnrolled, challengeOf, verify } from './support/factors.js';
import { bearer, get, jsonOf, sendJson, tokenOf } from './support/leads.js';
import { expectDiscreet, expectNothingLeftToDo } from './support/mail.js';
import { everythingStored, headersOf, mailsTo, mailTo, tokenIn } from './support/mailed-links.js';
import { totpCode } from './support/totp.js';

const NEW_PASSWORD = 'herons sleep at dawn';
const INVALID = { error_code: 'INVALID_LINK', detail: 'The link is not valid any more: ask for a new one' };

let app: TestApp;
let superadmin: string;
beforeAll(async () => {
  app = await startApp({ DEBUG: 'true', LOCKOUT_FAILURES: '3' });
  superadmin = await tokenOf(app);
});
afterAll(() => app.close());
afterEach(() => jest.restoreAllMocks());

const forgot = (email: string, headers: Record<string, string> = {}): Promise<Response> =>
  app.request('/api/v1/auth/password/forgot', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ email }),
  });
const reset = (token: string, password = NEW_PASSWORD): Promise<Response> =>
  sendJson(app, 'POST', '/api/v1/auth/password/reset', { token, new_password: password });
const answerOf = async (response: Response): Promise<unknown> => {
  const { error_code, detail } = await jsonOf(response);
  return { error_code, detail };
};
const resetLinkTo = async (email: string, count = 1): Promise<string> => {
  expect((await forgot(email)).status).toBe(202);
  return tokenIn(await mailTo(app, email, 'password_reset', count));
};

describe('POST /api/v1/auth/password/forgot', () => {
  it('mails a link of 256 random bits to a page of ours, of which a hash alone is kept, for an hour', async () => {
    const { id, email, username } = await anAccount(app, superadmin, 'attorney');

    expect((await forgot(email.toUpperCase())).status).toBe(202);

    const mail = await mailTo(app, email, 'password_reset');
    const token = tokenIn(mail);
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(mail.text).toContain(`http://localhost:3000/reset-password#token=${token}`);
    expect(mail.html).toContain(token);
    expect(mail.text).toContain(username);
    const [row] = await app.database.query(
      `SELECT extract(epoch FROM expires_at - created_at)::int AS seconds,
         token_hash = sha256(convert_to($2, 'UTF8')) AS hashed FROM mailed_links WHERE user_id = $1`,
      [id, token],
    );
    expect(row).toEqual({ seconds: 3600, hashed: true });
    expect((await recordsOf(app, id)).map(({ action }) => action)).toEqual(['user.created', 'auth.link_sent']);
  });

  it('answers alike, and does the same work, whether the address is known, unknown or of a disabled account', async () => {
    const known = await anAccount(app, superadmin, 'attorney');
    const disabled = await anAccount(app, superadmin, 'attorney');
    await sendJson(app, 'PATCH', `/api/v1/admin/users/${disabled.id}`, { is_active: false }, superadmin);
    const unknown = `nobody-${randomUUID()}@practice.test`;
    const emails = [known.email, unknown, disabled.email];
    await app.app.get(SeldomEntries).writeAll();
    const statements: string[][] = [];
    const answers = [];
    for (const email of emails) {
      const before = app.log.length;
      const response = await forgot(email);
      answers.push({ status: response.status, headers: headersOf(response), body: await response.text() });
      const { 'x-request-id': requestId } = Object.fromEntries(response.headers);
      // the job that it owes has its id as well, and runs when it likes
      const lines = app.log
        .slice(before)
        .filter((line) => line['request_id'] === requestId && line['job_id'] === undefined);
      statements.push(lines.map(({ message }) => String(message)));
    }

    expect(answers).toEqual(Array(3).fill(answers[0]));
    expect(answers[0]).toMatchObject({
      status: 202,
      body: JSON.stringify({ detail: 'Check your email: if a link can be sent to this address, it is on its way' }),
    });
    expect(statements).toEqual(Array(3).fill(statements[0]));
    await expectNothingLeftToDo(app);
    await mailTo(app, known.email, 'password_reset');
    expect(await mailsTo(app, unknown)).toEqual([]);
    expect((await mailsTo(app, disabled.email)).map(({ template }) => template)).not.toContain('password_reset');
  });

  it('looks nothing up: a request owes one job, in which the address is sealed, and one entry of the record', async () => {
    const { email } = await anAccount(app, superadmin, 'attorney');
    await app.close();
    app = await startApp({ ROLE: 'http', DEBUG: 'true' });
    superadmin = await tokenOf(app);
    for (const address of [email, `nobody-${randomUUID()}@practice.test`, 'admin@forecourt.test']) {
      await app.database.query('DELETE FROM graphile_worker._private_jobs');
      await forgot(address);
      const jobs = await app.database.query<{ task_identifier: string; payload: Record<string, unknown> }>(
        `SELECT task_identifier, payload FROM graphile_worker.jobs JOIN graphile_worker._private_jobs USING (id)`,
      );
      expect(jobs).toEqual([
        {
          task_identifier: 'auth.mail_link',
          payload: {
            _cause: { request_id: expect.any(String) },
            request_id: expect.any(String),
            purpose: 'reset_password',
            email: expect.stringMatching(/^[0-9a-f]{8}\.[\w-]+$/),
            locale: 'en',
          },
        },
      ]);
    }
    await app.close();
    app = await startApp({ DEBUG: 'true', LOCKOUT_FAILURES: '3' });
    superadmin = await tokenOf(app);
  });

  it('makes its link of the settings alone, whatever Host, Origin or forwarded headers say', async () => {
    const { email } = await anAccount(app, superadmin, 'attorney');

    await forgot(email, {
      Origin: 'https://evil.test',
      Referer: 'https://evil.test/',
      Forwarded: 'host=evil.test;proto=https',
      'X-Forwarded-Host': 'evil.test',
      'X-Forwarded-Proto': 'https',
      'X-Original-Host': 'evil.test',
    });

    const { text, html } = await mailTo(app, email, 'password_reset');
    expect(text + html).not.toContain('evil.test');
    expect(text).toContain('http://localhost:3000/reset-password#token=');
  });

  it('speaks the language of the request', async () => {
    const { email } = await anAccount(app, superadmin, 'attorney');

    await forgot(email, { 'Accept-Language': 'de-AT, en;q=0.5' });

    expect((await mailTo(app, email, 'password_reset')).subject).toBe('Neues Passwort setzen');
  });

  it('mails at most five links an hour, and the latest alone works', async () => {
    const { email } = await anAccount(app, superadmin, 'attorney');
    for (let count = 1; count <= 5; count += 1) await resetLinkTo(email, count);
    await Promise.all(Array.from({ length: 8 }, () => forgot(email)));
    await expectNothingLeftToDo(app);

    const mails = (await mailsTo(app, email)).filter(({ template }) => template === 'password_reset');
    expect(mails).toHaveLength(5);
    const statuses = [];
    for (const mail of mails) statuses.push((await reset(tokenIn(mail))).status);
    expect(statuses).toEqual([403, 403, 403, 403, 204]);

    const now = Date.now();
    jest.spyOn(Clock.prototype, 'now').mockImplementation(() => new Date(now + 61 * 60_000));
    await resetLinkTo(email, 6);
  });

  it('forgets links a month after they expired', async () => {
    const { id, email } = await anAccount(app, superadmin, 'attorney');
    await resetLinkTo(email);
    await resetLinkTo(email, 2);
    const left = async (days: number): Promise<number> => {
      const clock = jest
        .spyOn(Clock.prototype, 'now')
        .mockImplementation(() => new Date(Date.now() + days * 86_400_000));
      await app.app.get(MailedLinks).sweep();
      clock.mockRestore();
      return (await app.database.query('SELECT FROM mailed_links WHERE user_id = $1', [id])).length;
    };

    expect([await left(29), await left(31)]).toEqual([2, 0]);
  });

  it('is limited per caller as signing in is', async () => {
    await app.close();
    app = await startApp({ RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_LOGIN: '4', ROLE: 'http' });
    const statuses = [];
    for (let count = 0; count < 6; count += 1) statuses.push((await forgot(`someone-${count}@practice.test`)).status);
    statuses.push((await reset('x')).status);

    expect(statuses).toEqual([202, 202, 202, 202, 429, 429, 429]);
    await app.close();
    app = await startApp({ DEBUG: 'true', LOCKOUT_FAILURES: '3' });
    superadmin = await tokenOf(app);
  });

  it.each([[{}], [{ email: 'nonsense' }], [{ email: ['a@b.test'] }], [{ email: 'a@b.test', host: 'evil.test' }]])(
    'refuses %j with 422',
    async (body) => {
      expect((await sendJson(app, 'POST', '/api/v1/auth/password/forgot', body)).status).toBe(422);
    },
  );
});

describe('POST /api/v1/auth/password/reset', () => {
  it('sets the password, ends every session, signs nobody in, is on record, and a mail says so', async () => {
    const { id, email, username, token: signedIn } = await anAccount(app, superadmin, 'attorney');
    const token = await resetLinkTo(email);

    const response = await reset(token);

    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(response.headers.get('set-cookie')).toBeNull();
    expect((await get(app, '/api/v1/auth/me', signedIn)).status).toBe(401);
    expect(await statusOfLogin(app, username)).toBe(401);
    expect(await statusOfLogin(app, username, NEW_PASSWORD)).toBe(200);
    expect((await mailTo(app, email, 'password_changed')).text).toContain(username);
    expect((await recordsOf(app, id)).map(({ action }) => action)).toEqual([
      'user.created',
      'auth.link_sent',
      'user.password_changed',
    ]);
    expect(await answerOf(await reset(token, 'another one at noon'))).toEqual(INVALID);
  });

  it('forgives no guesses at a second factor', async () => {
    const { email, username, secret } = await anEnrolled(app, superadmin);
    for (let guess = 0; guess < 3; guess += 1)
      expect((await verify(app, await challengeOf(app, username), '000000')).status).toBe(401);
    expect(await statusOfLogin(app, username)).toBe(401);

    expect((await reset(await resetLinkTo(email))).status).toBe(204);

    expect(await statusOfLogin(app, username, NEW_PASSWORD)).toBe(401);
    await app.database.query('DELETE FROM sign_in_locks');
    const challenge = await challengeOf(app, username, NEW_PASSWORD);
    expect((await verify(app, challenge, totpCode(secret))).status).toBe(200);
  });

  it('opens an account that was locked for guessing: the guesses were at the password before', async () => {
    const { id, email, username } = await anAccount(app, superadmin, 'attorney');
    const token = await resetLinkTo(email);
    for (let count = 0; count < 4; count += 1) await statusOfLogin(app, username, 'wrong');
    expect(await statusOfLogin(app, username)).toBe(401);

    expect((await reset(token)).status).toBe(204);

    expect(await statusOfLogin(app, username, NEW_PASSWORD)).toBe(200);
    expect((await recordsOf(app, id)).map(({ action }) => action)).toContain('user.unlocked');
  });

  it('of 16 at once sets one password', async () => {
    const { email, username } = await anAccount(app, superadmin, 'attorney');
    const token = await resetLinkTo(email);
    const passwords = Array.from({ length: 16 }, (_, index) => `${NEW_PASSWORD} ${index}`);

    const statuses = await Promise.all(passwords.map(async (password) => (await reset(token, password)).status));

    const winners = passwords.filter((_, index) => statuses[index] === 204);
    expect([winners.length, statuses.filter((status) => status === 403 || status === 503).length]).toEqual([1, 15]);
    expect(await statusOfLogin(app, username, winners[0])).toBe(200);
  });

  it('checks the new password before it uses the link up', async () => {
    const { email, username } = await anAccount(app, superadmin, 'attorney');
    const token = await resetLinkTo(email);

    for (const password of ['short', 'password1', `${username} 1`, 'x'.repeat(73)]) {
      const response = await reset(token, password);
      expect([response.status, Object.keys((await jsonOf(response))['field_errors'] as object)]).toEqual([
        422,
        ['new_password'],
      ]);
    }

    expect((await reset(token)).status).toBe(204);
  });

  it('is not begun by GET or HEAD, with which scanners open every link', async () => {
    const { email } = await anAccount(app, superadmin, 'attorney');
    const token = await resetLinkTo(email);

    for (const method of ['GET', 'HEAD', 'OPTIONS'])
      await app.request(`/api/v1/auth/password/reset?token=${token}`, { method });

    expect((await reset(token)).status).toBe(204);
  });

  it('refuses a link that has expired, was replaced, altered or made up, in the same words', async () => {
    const { email } = await anAccount(app, superadmin, 'attorney');
    const replaced = await resetLinkTo(email);
    const token = await resetLinkTo(email, 2);
    const flipped = `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`;

    const answers = [];
    for (const each of [replaced, flipped, token.slice(0, -1), `${token}A`, token.toLowerCase(), 'x'])
      answers.push(await answerOf(await reset(each)));
    const now = Date.now();
    const clock = jest.spyOn(Clock.prototype, 'now').mockImplementation(() => new Date(now + 60 * 60_000 + 1000));
    answers.push(await answerOf(await reset(token)));
    clock.mockRestore();

    expect(answers).toEqual(Array(7).fill(INVALID));
    expect((await reset(token)).status).toBe(204);
  });

  it('refuses the link of another purpose', async () => {
    const client = await anAccount(app, superadmin, 'client');
    await sendJson(app, 'POST', '/api/v1/auth/magic-link', { email: client.email });
    const token = tokenIn(await mailTo(app, client.email, 'magic_link'));

    expect(await answerOf(await reset(token))).toEqual(INVALID);
    expect((await sendJson(app, 'POST', '/api/v1/auth/magic-link/verify', { token })).status).toBe(200);
  });

  it('is of its own account alone, whoever sends it', async () => {
    const [one, other] = [await anAccount(app, superadmin, 'attorney'), await anAccount(app, superadmin, 'attorney')];
    const token = await resetLinkTo(one.email);

    const response = await sendJson(
      app,
      'POST',
      '/api/v1/auth/password/reset',
      { token, new_password: NEW_PASSWORD },
      other.token,
    );

    expect(response.status).toBe(204);
    expect(await statusOfLogin(app, other.username)).toBe(200);
    expect(await statusOfLogin(app, one.username, NEW_PASSWORD)).toBe(200);
  });

  it.each([
    ['the account is disabled', { is_active: false }],
    ['its role has changed', { role: 'client' }],
  ])('refuses a link when, after it was mailed, %s', async (_, change) => {
    const { id, email } = await anAccount(app, superadmin, 'attorney');
    const token = await resetLinkTo(email);
    await sendJson(app, 'PATCH', `/api/v1/admin/users/${id}`, change, superadmin);

    expect(await answerOf(await reset(token))).toEqual(INVALID);
  });

  it('refuses a link that was mailed before the password was changed', async () => {
    const account = await anAccount(app, superadmin, 'attorney');
    const token = await resetLinkTo(account.email);
    const body = { current_password: PASSWORD, new_password: NEW_PASSWORD };
    expect((await sendJson(app, 'POST', '/api/v1/auth/password', body, account.token)).status).toBe(204);

    expect(await answerOf(await reset(token, 'another one at noon'))).toEqual(INVALID);
  });

  it('refuses a link to an address that is not the account’s any more', async () => {
    const { id, email } = await anAccount(app, superadmin, 'attorney');
    const token = await resetLinkTo(email);
    await app.database.query('UPDATE users SET email = $2 WHERE id = $1', [id, `moved-${id}@practice.test`]);

    expect(await answerOf(await reset(token))).toEqual(INVALID);
  });

  it('leaves the token and the passwords in no log, record, mail row or job', async () => {
    const { email, username } = await anAccount(app, superadmin, 'superadmin');
    const token = await resetLinkTo(email);
    await sendJson(app, 'POST', '/api/v1/auth/password/reset', { token, new_password: 'short' });
    await reset(`${token}x`);
    await app.request(`/api/v1/auth/password/reset?token=${token}`, { method: 'POST', headers: bearer(token) });
    expect((await reset(token, 'a planted password here')).status).toBe(204);
    await eventually('the change is told', async () => (await mailsTo(app, email)).length === 2);
    await app.app.get(SeldomEntries).writeAll();

    expectDiscreet([app.log, await everythingStored(app)], token, `${token}x`, 'a planted password here');
    expect(await statusOfLogin(app, username, 'a planted password here')).toBe(200);
  });
});
