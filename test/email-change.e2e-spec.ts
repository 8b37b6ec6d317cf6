import { randomUUID } from 'node:crypto';
import { SeldomEntries } from '../src/audit/seldom-entries.js';
import { Clock } from '../src/common/clock.js';
import { anAccount, PASSWORD, recordsOf, statusOfLogin } from './support/accounts.js';
import { startApp, type TestApp } from './support/app.js';
import { get, jsonOf, sendJson, tokenOf } from './support/leads.js';
import { expectDiscreet, expectNothingLeftToDo } from './support/mail.js';
import { everythingStored, headersOf, mailsTo, mailTo, tokenIn } from './support/mailed-links.js';

const INVALID = { error_code: 'INVALID_LINK', detail: 'The link is not valid any more: ask for a new one' };

let app: TestApp;
let superadmin: string;
beforeAll(async () => {
  app = await startApp({ DEBUG: 'true' });
  superadmin = await tokenOf(app);
});
afterAll(() => app.close());
afterEach(() => jest.restoreAllMocks());

const anAddress = (): string => `new-${randomUUID()}@example.com`;
const ask = (token: string, email: string, password = PASSWORD): Promise<Response> =>
  sendJson(app, 'POST', '/api/v1/auth/email', { new_email: email, password }, token);
const confirm = (token: string): Promise<Response> => sendJson(app, 'POST', '/api/v1/auth/email/confirm', { token });
const answerOf = async (response: Response): Promise<unknown> => {
  const { error_code, detail } = await jsonOf(response);
  return { error_code, detail };
};
const linkTo = async (token: string, email: string): Promise<string> => {
  expect((await ask(token, email)).status).toBe(202);
  return tokenIn(await mailTo(app, email, 'email_change'));
};
const emailOf = async (id: string): Promise<string> => {
  const [row] = await app.database.query<{ email: string }>('SELECT email FROM users WHERE id = $1', [id]);
  return row!.email;
};

describe('an account on legal hold', () => {
  it('stays on hold under its new address', async () => {
    const { id, email, token } = await anAccount(app, superadmin, 'client');
    const privacy = (path: string, body: object): Promise<Response> =>
      sendJson(app, 'POST', `/api/v1/admin/privacy/${path}`, body, superadmin);
    expect((await privacy('holds', { email, reason: 'a dispute' })).status).toBe(201);
    const next = anAddress();

    expect((await confirm(await linkTo(token, next))).status).toBe(204);

    expect(await emailOf(id)).toBe(next);
    for (const address of [email, next])
      expect((await privacy('erasures', { email: address, reason: 'request' })).status).toBe(409);
    expect(
      await app.database.query('SELECT reason, lifted_at FROM legal_holds WHERE email = ANY ($1)', [[email, next]]),
    ).toEqual(Array(2).fill({ reason: 'a dispute', lifted_at: null }));
  });
});

describe('POST /api/v1/auth/email', () => {
  it('mails a link to the new address and a notice to the old one, and changes nothing yet', async () => {
    const { id, email, token } = await anAccount(app, superadmin, 'attorney');
    const next = anAddress();

    expect((await ask(token, next.toUpperCase())).status).toBe(202);
    const link = tokenIn(await mailTo(app, next, 'email_change'));

    expect(await emailOf(id)).toBe(email);
    expect((await mailTo(app, next, 'email_change')).text).toContain(
      `http://localhost:3000/confirm-email#token=${link}`,
    );
    const notice = await mailTo(app, email, 'email_change_notice');
    expect(notice.text).toContain('n***@example.com');
    expect(notice.text + notice.html).not.toContain(next);
    expect(notice.text + notice.html).not.toContain(link);
    expect((await recordsOf(app, id)).map(({ action }) => action)).toEqual([
      'user.created',
      'user.email_change_requested',
      'auth.link_sent',
    ]);
  });

  it('asks for the password, a wrong one of which counts like one at a sign-in', async () => {
    await app.close();
    app = await startApp({ DEBUG: 'true', LOCKOUT_FAILURES: '2' });
    superadmin = await tokenOf(app);
    const { username, token } = await anAccount(app, superadmin, 'attorney');

    for (let count = 0; count < 3; count += 1) {
      const response = await ask(token, anAddress(), 'wrong');
      expect([response.status, await jsonOf(response)]).toMatchObject([
        403,
        { error_code: 'WRONG_PASSWORD', field_errors: { password: ['Is not your password'] } },
      ]);
    }

    expect(await statusOfLogin(app, username)).toBe(401);
    expect(await app.database.query(`SELECT FROM mailed_links`)).toEqual([]);
    await app.close();
    app = await startApp({ DEBUG: 'true' });
    superadmin = await tokenOf(app);
  });

  it('answers alike for an address that is free and one that is taken, whose holder alone hears of it', async () => {
    const { id, email, token } = await anAccount(app, superadmin, 'attorney');
    const holder = await anAccount(app, superadmin, 'client');
    const free = anAddress();

    const answers = [];
    for (const address of [free, holder.email]) {
      const response = await ask(token, address);
      answers.push({ status: response.status, headers: headersOf(response), body: await response.text() });
    }

    expect(answers[1]).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ status: 202 });
    const taken = await mailTo(app, holder.email, 'email_taken');
    expect(taken.text + taken.html).not.toContain('#token=');
    expect(taken.text).not.toContain(email);
    // nor does the owner's own mailbox tell the two apart
    await mailTo(app, email, 'email_change_notice', 2);
    expect((await mailsTo(app, email)).map(({ template }) => template)).toEqual(Array(2).fill('email_change_notice'));
    expect((await mailsTo(app, holder.email)).map(({ template }) => template)).toEqual(['email_taken']);
    expect(await emailOf(id)).toBe(email);
  });

  it('troubles other people with five mails an hour at most', async () => {
    const { token } = await anAccount(app, superadmin, 'attorney');
    const holder = await anAccount(app, superadmin, 'client');
    await Promise.all(Array.from({ length: 12 }, () => ask(token, holder.email)));
    await expectNothingLeftToDo(app);

    expect(await mailsTo(app, holder.email)).toHaveLength(5);
  });
});

describe('POST /api/v1/auth/email/confirm', () => {
  it('changes the address, ends all sessions, is on record, and a mail to the old one says so', async () => {
    const { id, email, username, token } = await anAccount(app, superadmin, 'attorney');
    const next = anAddress();
    const link = await linkTo(token, next);

    const response = await confirm(link);

    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(await emailOf(id)).toBe(next);
    expect((await get(app, '/api/v1/auth/me', token)).status).toBe(401);
    expect([await statusOfLogin(app, next), await statusOfLogin(app, email)]).toEqual([200, 401]);
    const told = await mailTo(app, email, 'email_changed');
    expect(told.text).toContain(username);
    expect(told.text).toContain('n***@example.com');
    const records = await recordsOf(app, id);
    expect(records.find(({ action }) => action === 'user.email_changed')?.details).toEqual({
      from: expect.stringMatching(/^a\*\*\*@practice\.test$/),
      to: 'n***@example.com',
    });
    expect(await answerOf(await confirm(link))).toEqual(INVALID);
  });

  it('of 16 at once succeeds once', async () => {
    const { token } = await anAccount(app, superadmin, 'attorney');
    const link = await linkTo(token, anAddress());

    const statuses = await Promise.all(Array.from({ length: 16 }, async () => (await confirm(link)).status));

    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.filter((status) => status === 403)).toHaveLength(15);
  });

  it('gives an address that two asked for to whoever confirms first, and says no more to the other', async () => {
    const [one, other] = [await anAccount(app, superadmin, 'attorney'), await anAccount(app, superadmin, 'attorney')];
    const next = anAddress();
    const first = await linkTo(one.token, next);
    expect((await ask(other.token, next)).status).toBe(202);
    const second = tokenIn(await mailTo(app, next, 'email_change', 2));

    const answers = await Promise.all([confirm(first), confirm(second)]);

    expect(answers.map(({ status }) => status).sort()).toEqual([204, 403]);
    expect(await answerOf(answers.find(({ status }) => status === 403)!)).toEqual(INVALID);
    expect([await emailOf(one.id), await emailOf(other.id)].filter((email) => email === next)).toHaveLength(1);
  });

  it('is worth nothing after the owner, warned at the old address, has changed the password', async () => {
    const { id, email, token } = await anAccount(app, superadmin, 'attorney');
    const link = await linkTo(token, anAddress());
    const body = { current_password: PASSWORD, new_password: 'herons sleep at dawn' };
    expect((await sendJson(app, 'POST', '/api/v1/auth/password', body, token)).status).toBe(204);

    expect(await answerOf(await confirm(link))).toEqual(INVALID);
    expect(await emailOf(id)).toBe(email);
  });

  it('makes links to the old address worthless', async () => {
    const { email, token } = await anAccount(app, superadmin, 'attorney');
    const link = await linkTo(token, anAddress());
    await sendJson(app, 'POST', '/api/v1/auth/password/forgot', { email });
    const reset = tokenIn(await mailTo(app, email, 'password_reset'));
    expect((await confirm(link)).status).toBe(204);

    const body = { token: reset, new_password: 'herons sleep at dawn' };
    expect(await answerOf(await sendJson(app, 'POST', '/api/v1/auth/password/reset', body))).toEqual(INVALID);
  });

  it('refuses a link that has expired, was replaced, altered, is for something else or of a disabled account', async () => {
    const { id, email, token } = await anAccount(app, superadmin, 'attorney');
    const replaced = await linkTo(token, anAddress());
    const link = await linkTo(token, anAddress());
    await sendJson(app, 'POST', '/api/v1/auth/password/forgot', { email });
    const other = tokenIn(await mailTo(app, email, 'password_reset'));

    const answers = [];
    for (const each of [replaced, other, `${link}A`, 'x']) answers.push(await answerOf(await confirm(each)));
    const now = Date.now();
    const clock = jest.spyOn(Clock.prototype, 'now').mockImplementation(() => new Date(now + 24 * 3_600_000 + 1000));
    answers.push(await answerOf(await confirm(link)));
    clock.mockRestore();
    expect((await app.request(`/api/v1/auth/email/confirm?token=${link}`)).status).toBeGreaterThan(399);
    await sendJson(app, 'PATCH', `/api/v1/admin/users/${id}`, { is_active: false }, superadmin);
    answers.push(await answerOf(await confirm(link)));

    expect(answers).toEqual(Array(6).fill(INVALID));
    expect(await emailOf(id)).toBe(email);
  });

  it('leaves the token in no log, record, mail row or job', async () => {
    const { token } = await anAccount(app, superadmin, 'attorney');
    const link = await linkTo(token, anAddress());
    expect((await confirm(link)).status).toBe(204);
    await app.app.get(SeldomEntries).writeAll();

    expectDiscreet([app.log, await everythingStored(app)], link);
  });
});
