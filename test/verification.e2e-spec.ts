import { randomUUID } from 'node:crypto';
import { SeldomEntries } from '../src/audit/seldom-entries.js';
import { Clock } from '../src/common/clock.js';
import { anAccount, PASSWORD, recordsOf } from './support/accounts.js';
import { startApp, type TestApp } from './support/app.js';
import { jsonOf, login, sendJson, tokenOf } from './support/leads.js';
import { expectDiscreet, expectNothingLeftToDo } from './support/mail.js';
import { everythingStored, headersOf, mailsTo, mailTo, tokenIn } from './support/mailed-links.js';

const INVALID = { error_code: 'INVALID_LINK', detail: 'The link is not valid any more: ask for a new one' };

interface Registered {
  readonly id: string;
  readonly username: string;
  readonly email: string;
}

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ REGISTRATION_MODE: 'open', DEBUG: 'true' });
});
afterAll(() => app.close());
afterEach(() => jest.restoreAllMocks());

async function register(): Promise<Registered> {
  const username = `u-${randomUUID().slice(0, 8)}`;
  const account = { username, email: `${username}@practice.test`, password: PASSWORD };
  const response = await sendJson(app, 'POST', '/api/v1/auth/register', account);
  expect(response.status).toBe(201);
  return jsonOf<Registered & Record<string, unknown>>(response);
}
const verify = (token: string): Promise<Response> => sendJson(app, 'POST', '/api/v1/auth/email/verify', { token });
const ask = (email: string): Promise<Response> => sendJson(app, 'POST', '/api/v1/auth/email/verification', { email });
const answerOf = async (response: Response): Promise<unknown> => {
  const { error_code, detail } = await jsonOf(response);
  return { error_code, detail };
};
const signIn = async (name: string, password = PASSWORD): Promise<[number, unknown]> => {
  const response = await login(app, name, password);
  return [response.status, (await jsonOf(response))['error_code']];
};
const linkTo = async (email: string, count = 1): Promise<string> =>
  tokenIn(await mailTo(app, email, 'email_verification', count));

describe('whoever registers without an admin', () => {
  it('is mailed a link for 24 hours, and may sign in when it was used', async () => {
    const { id, username, email } = await register();

    const token = await linkTo(email);

    expect(await signIn(username)).toEqual([403, 'EMAIL_NOT_VERIFIED']);
    expect((await mailTo(app, email, 'email_verification')).text).toContain(
      `http://localhost:3000/verify-email#token=${token}`,
    );
    const [row] = await app.database.query(
      `SELECT extract(epoch FROM expires_at - created_at)::int AS seconds FROM mailed_links WHERE user_id = $1`,
      [id],
    );
    expect(row).toEqual({ seconds: 24 * 3600 });
    const response = await verify(token);
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect((await signIn(username))[0]).toBe(200);
    expect((await recordsOf(app, id)).map(({ action }) => action)).toEqual([
      'user.created',
      'auth.link_sent',
      'user.email_verified',
    ]);
  });

  it('hears that the address is not verified only with the right password', async () => {
    const { username } = await register();

    expect(await signIn(username, 'wrong')).toEqual([401, 'INVALID_CREDENTIALS']);
    expect(await signIn(`${username}-x`)).toEqual([401, 'INVALID_CREDENTIALS']);
    expect(await signIn(username)).toEqual([403, 'EMAIL_NOT_VERIFIED']);
    const [row] = await app.database.query(
      'SELECT count(*)::int AS sessions FROM sessions JOIN users ON users.id = user_id WHERE username = $1',
      [username],
    );
    expect(row).toEqual({ sessions: 0 });
  });

  it('is verified by a new password as well, whose link went to the same address', async () => {
    const { username, email } = await register();
    await sendJson(app, 'POST', '/api/v1/auth/password/forgot', { email });
    const token = tokenIn(await mailTo(app, email, 'password_reset'));

    const body = { token, new_password: 'herons sleep at dawn' };
    expect((await sendJson(app, 'POST', '/api/v1/auth/password/reset', body)).status).toBe(204);

    expect((await signIn(username, 'herons sleep at dawn'))[0]).toBe(200);
  });
});

it('accounts that an admin or an invitation made are verified', async () => {
  const superadmin = await tokenOf(app);
  const made = await anAccount(app, superadmin, 'attorney');
  const username = `r-${randomUUID().slice(0, 8)}`;
  const account = { username, email: `${username}@practice.test`, password: PASSWORD };
  expect((await sendJson(app, 'POST', '/api/v1/auth/register', account, superadmin)).status).toBe(201);
  const invited = { email: `i-${username}@practice.test`, role: 'attorney', username: `i-${username}` };
  await sendJson(app, 'POST', '/api/v1/admin/invitations', invited, superadmin);
  const token = tokenIn(await mailTo(app, invited.email, 'invitation'));
  await sendJson(app, 'POST', '/api/v1/auth/invitations/accept', { token, password: PASSWORD });

  for (const name of [made.username, username, invited.username]) expect((await signIn(name))[0]).toBe(200);
});

describe('POST /api/v1/auth/email/verification', () => {
  it('answers alike whether the address is unverified, verified or unknown, and mails the first alone', async () => {
    const { email } = await register();
    await linkTo(email);
    const unknown = `nobody-${randomUUID()}@practice.test`;

    const answers = [];
    for (const address of [email, 'admin@forecourt.test', unknown]) {
      const response = await ask(address);
      answers.push({ status: response.status, headers: headersOf(response), body: await response.text() });
    }

    expect(answers).toEqual(Array(3).fill(answers[0]));
    expect(answers[0]).toMatchObject({ status: 202 });
    await linkTo(email, 2);
    await expectNothingLeftToDo(app);
    expect([...(await mailsTo(app, unknown)), ...(await mailsTo(app, 'admin@forecourt.test'))]).toEqual([]);
  });

  it('mails five an hour, the one of the registration among them, and the latest alone works', async () => {
    const { email } = await register();
    await linkTo(email);
    await Promise.all(Array.from({ length: 9 }, () => ask(email)));
    await expectNothingLeftToDo(app);

    const mails = await mailsTo(app, email);
    expect(mails).toHaveLength(5);
    const statuses = await Promise.all(mails.map(async (mail) => (await verify(tokenIn(mail))).status));
    expect(statuses.sort()).toEqual([204, 403, 403, 403, 403]);
  });
});

describe('POST /api/v1/auth/email/verify', () => {
  it('of 16 at once succeeds once', async () => {
    const { email } = await register();
    const token = await linkTo(email);

    const statuses = await Promise.all(Array.from({ length: 16 }, async () => (await verify(token)).status));

    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.filter((status) => status === 403)).toHaveLength(15);
  });

  it('refuses a link that has expired, was altered or is for something else, in the same words; GET uses none up', async () => {
    const { email } = await register();
    const token = await linkTo(email);
    await sendJson(app, 'POST', '/api/v1/auth/password/forgot', { email });
    const other = tokenIn(await mailTo(app, email, 'password_reset'));

    const answers = [];
    for (const each of [other, `${token}A`, token.slice(1), 'x']) answers.push(await answerOf(await verify(each)));
    const now = Date.now();
    const clock = jest.spyOn(Clock.prototype, 'now').mockImplementation(() => new Date(now + 24 * 3_600_000 + 1000));
    answers.push(await answerOf(await verify(token)));
    clock.mockRestore();
    for (const method of ['GET', 'HEAD'])
      expect((await app.request(`/api/v1/auth/email/verify?token=${token}`, { method })).status).toBeGreaterThan(399);

    expect(answers).toEqual(Array(5).fill(INVALID));
    expect((await verify(token)).status).toBe(204);
    expect(await answerOf(await verify(token))).toEqual(INVALID);
  });

  it('leaves the token in no log, record, mail row or job', async () => {
    const { email } = await register();
    const token = await linkTo(email);
    await verify(`${token}x`);
    expect((await verify(token)).status).toBe(204);
    await app.app.get(SeldomEntries).writeAll();

    expectDiscreet([app.log, await everythingStored(app)], token);
  });
});

describe('ALLOW_UNVERIFIED_SIGN_IN', () => {
  it('lets them in', async () => {
    await app.close();
    app = await startApp({ REGISTRATION_MODE: 'open', ALLOW_UNVERIFIED_SIGN_IN: 'true' });

    const { username } = await register();

    expect((await signIn(username))[0]).toBe(200);
  });
});
