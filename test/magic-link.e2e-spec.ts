import { randomUUID } from 'node:crypto';
import { SeldomEntries } from '../src/audit/seldom-entries.js';
import { Clock } from '../src/common/clock.js';
import { anAccount, PASSWORD, recordsOf, statusOfLogin } from './support/accounts.js';
import { startApp, type TestApp } from './support/app.js';
import { anEnrolled, type Asked, verify } from './support/factors.js';
import { get, jsonOf, sendJson, tokenOf } from './support/leads.js';
import { expectDiscreet, expectNothingLeftToDo } from './support/mail.js';
import { everythingStored, headersOf, mailsTo, mailTo, tokenIn } from './support/mailed-links.js';
import { totpCode } from './support/totp.js';

const PATH = '/api/v1/auth/magic-link';
const INVALID = { error_code: 'INVALID_LINK', detail: 'The link is not valid any more: ask for a new one' };

let app: TestApp;
let superadmin: string;

async function restart(settings: Record<string, string>): Promise<void> {
  await app.close();
  app = await startApp({ DEBUG: 'true', ...settings });
  superadmin = await tokenOf(app);
}

beforeAll(async () => {
  app = await startApp({ DEBUG: 'true' });
  superadmin = await tokenOf(app);
});
afterAll(() => app.close());
afterEach(() => jest.restoreAllMocks());

const ask = (email: string): Promise<Response> => sendJson(app, 'POST', PATH, { email });
const signIn = (token: string, body: object = {}): Promise<Response> =>
  sendJson(app, 'POST', `${PATH}/verify`, { token, ...body });
const answerOf = async (response: Response): Promise<unknown> => {
  const { error_code, detail } = await jsonOf(response);
  return { error_code, detail };
};
const linkTo = async (email: string, count = 1): Promise<string> => {
  expect((await ask(email)).status).toBe(202);
  return tokenIn(await mailTo(app, email, 'magic_link', count));
};
const anEmail = (): string => `client-${randomUUID()}@example.com`;

describe('POST /api/v1/auth/magic-link/verify', () => {
  it('signs a client in, once, on record', async () => {
    const { id, email, username } = await anAccount(app, superadmin, 'client');
    const token = await linkTo(email);

    const response = await signIn(token);

    const body = await jsonOf<{ access_token: string; refresh_token: string }>(response);
    expect([response.status, body]).toEqual([
      200,
      {
        access_token: expect.any(String),
        token_type: 'bearer',
        expires_in: 86400,
        refresh_token: expect.any(String),
        refresh_expires_in: 604800,
      },
    ]);
    expect(await jsonOf(await get(app, '/api/v1/auth/me', body.access_token))).toMatchObject({ username, email });
    expect((await mailTo(app, email, 'magic_link')).text).toContain(
      `http://localhost:3000/auth/magic-link#token=${token}`,
    );
    const [entry] = await app.database.query(
      `SELECT details ->> 'method' AS method, actor_name FROM audit_entries
       WHERE action = 'auth.signed_in' AND target_id = $1 ORDER BY at DESC LIMIT 1`,
      [id],
    );
    expect(entry).toEqual({ method: 'magic_link', actor_name: `client ${id.slice(0, 8)}` });
    expect(await answerOf(await signIn(token))).toEqual(INVALID);
  });

  it('is the first of two steps for a client with a second factor', async () => {
    const client = await anEnrolled(app, superadmin, 'client');

    const { status, ...answer } = await signIn(await linkTo(client.email)).then(async (response) => ({
      status: response.status,
      ...(await jsonOf<Partial<Asked & { access_token: string }>>(response)),
    }));

    expect([status, Object.keys(answer)]).toEqual([200, ['second_factor']]);
    expect(answer.second_factor?.methods).toEqual(['totp', 'recovery_code']);
    const challenge = answer.second_factor?.challenge_token ?? '';
    expect((await verify(app, challenge, '000000')).status).toBe(401);
    const { access_token: token } = await jsonOf<{ access_token: string }>(
      await verify(app, challenge, totpCode(client.secret)),
    );
    expect(await jsonOf(await get(app, '/api/v1/auth/sessions', token))).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ is_current: true, methods: ['magic_link', 'totp'] })]),
    });
  });

  it('gives the refresh token as a cookie to a page of ours that asks for it, and to no other', async () => {
    const { email } = await anAccount(app, superadmin, 'client');
    const token = await linkTo(email);
    const send = (origin: string): Promise<Response> =>
      app.request(`${PATH}/verify`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Origin: origin },
        body: JSON.stringify({ token, cookies: true }),
      });

    const foreign = await send('https://evil.test');
    const own = await send('http://localhost:3000');

    expect([foreign.status, (await jsonOf(foreign))['error_code']]).toEqual([403, 'CROSS_SITE_REQUEST']);
    expect(own.status).toBe(200);
    expect(own.headers.get('set-cookie')).toContain('HttpOnly');
    expect(own.headers.get('access-control-allow-credentials')).toBe('true');
    expect(await jsonOf(own)).not.toHaveProperty('refresh_token');
  });

  it('of 16 at once signs in one', async () => {
    const { id, email } = await anAccount(app, superadmin, 'client');
    const token = await linkTo(email);
    const count = async (): Promise<number> => {
      const rows = await app.database.query('SELECT FROM sessions WHERE user_id = $1', [id]);
      return rows.length;
    };
    const before = await count();

    const statuses = await Promise.all(Array.from({ length: 16 }, async () => (await signIn(token)).status));

    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 403)).toHaveLength(15);
    expect((await count()) - before).toBe(1);
  });

  it('does not answer to GET, with which scanners open every link', async () => {
    const { email } = await anAccount(app, superadmin, 'client');
    const token = await linkTo(email);

    const statuses = [];
    for (const method of ['GET', 'HEAD'])
      statuses.push((await app.request(`${PATH}/verify?token=${token}`, { method })).status);

    expect(statuses.filter((status) => status < 400)).toEqual([]);
    expect((await signIn(token)).status).toBe(200);
  });

  it('refuses a link that has expired after 15 minutes, was replaced, altered or is for something else', async () => {
    const { email } = await anAccount(app, superadmin, 'client');
    const replaced = await linkTo(email);
    const token = await linkTo(email, 2);
    await sendJson(app, 'POST', '/api/v1/auth/password/forgot', { email });
    const other = tokenIn(await mailTo(app, email, 'password_reset'));

    const answers = [];
    for (const each of [replaced, token.slice(1), `${token}A`, other, 'x'])
      answers.push(await answerOf(await signIn(each)));
    const now = Date.now();
    const clock = jest.spyOn(Clock.prototype, 'now').mockImplementation(() => new Date(now + 15 * 60_000 + 1000));
    answers.push(await answerOf(await signIn(token)));
    clock.mockRestore();

    expect(answers).toEqual(Array(6).fill(INVALID));
    expect((await signIn(token)).status).toBe(200);
  });

  it.each([
    ['disabled', { is_active: false }],
    ['made an attorney', { role: 'attorney' }],
  ])('refuses a client who was %s since the link was mailed', async (_, change) => {
    const { id, email } = await anAccount(app, superadmin, 'client');
    const token = await linkTo(email);
    await sendJson(app, 'PATCH', `/api/v1/admin/users/${id}`, change, superadmin);

    expect(await answerOf(await signIn(token))).toEqual(INVALID);
  });

  it('needs no password and asks no lock: somebody else’s guesses do not shut a client out', async () => {
    await restart({ LOCKOUT_FAILURES: '2' });
    const { email, username } = await anAccount(app, superadmin, 'client');
    for (let count = 0; count < 3; count += 1) await statusOfLogin(app, username, 'wrong');
    expect(await statusOfLogin(app, username)).toBe(401);

    expect((await signIn(await linkTo(email))).status).toBe(200);
    await restart({});
  });

  it('leaves the token in no log, record, mail row or job', async () => {
    const { email } = await anAccount(app, superadmin, 'client');
    const token = await linkTo(email);
    await signIn(`${token}x`);
    expect((await signIn(token)).status).toBe(200);
    await app.app.get(SeldomEntries).writeAll();

    expectDiscreet([app.log, await everythingStored(app)], token);
  });
});

describe('POST /api/v1/auth/magic-link', () => {
  it('answers alike for a client, a stranger, an attorney and an admin, and mails the client alone', async () => {
    const client = await anAccount(app, superadmin, 'client');
    const attorney = await anAccount(app, superadmin, 'attorney');
    const emails = [client.email, anEmail(), attorney.email, 'admin@forecourt.test'];

    const answers = [];
    for (const email of emails) {
      const response = await ask(email);
      answers.push({ status: response.status, headers: headersOf(response), body: await response.text() });
    }

    expect(answers).toEqual(Array(4).fill(answers[0]));
    expect(answers[0]!.body).toBe(
      JSON.stringify({ detail: 'Check your email: if a link can be sent to this address, it is on its way' }),
    );
    await mailTo(app, client.email, 'magic_link');
    await expectNothingLeftToDo(app);
    for (const email of emails.slice(1))
      expect((await mailsTo(app, email)).map(({ template }) => template)).not.toContain('magic_link');
  });

  it('mails at most five links an hour', async () => {
    const { email } = await anAccount(app, superadmin, 'client');
    await Promise.all(Array.from({ length: 12 }, () => ask(email)));
    await expectNothingLeftToDo(app);

    expect(await mailsTo(app, email)).toHaveLength(5);
    const open = await app.database.query(
      `SELECT FROM mailed_links WHERE email = $1 AND used_at IS NULL AND ended_at IS NULL`,
      [email],
    );
    expect(open).toHaveLength(1);
  });
});

describe('with MAGIC_LINK=off', () => {
  it('neither route does anything, not even with a link from before', async () => {
    const { email } = await anAccount(app, superadmin, 'client');
    await linkTo(email);
    await restart({ MAGIC_LINK: 'off' });

    const answers = [await ask(email), await signIn('x')];

    expect(answers.map(({ status }) => status)).toEqual([403, 403]);
    for (const answer of answers) expect((await jsonOf(answer))['error_code']).toBe('MAGIC_LINKS_OFF');
    expect(
      await app.database.query(`SELECT FROM graphile_worker.jobs WHERE task_identifier = 'auth.mail_link'`),
    ).toEqual([]);
  });
});

describe('with MAGIC_LINK=open', () => {
  beforeAll(() => restart({ MAGIC_LINK: 'open' }));

  it('the first link makes a client’s account without a password, the next signs in to the same', async () => {
    const email = anEmail();
    const first = await signIn(await linkTo(email));
    const second = await signIn(await linkTo(email, 2));

    const me = await Promise.all(
      [first, second].map(async (response) => {
        const { access_token: token } = await jsonOf<{ access_token: string }>(response);
        return jsonOf<{ id: string; username: string }>(await get(app, '/api/v1/auth/me', token));
      }),
    );
    expect(me[0]).toEqual({
      id: expect.any(String),
      username: expect.stringMatching(/^client-/),
      email,
      is_active: true,
    });
    expect(me[1]).toEqual(me[0]);
    const [user] = await app.database.query(
      'SELECT role, hashed_password, email_verified_at IS NOT NULL AS verified FROM users WHERE id = $1',
      [me[0]!.id],
    );
    expect(user).toEqual({ role: 'client', hashed_password: '!', verified: true });
    expect((await recordsOf(app, me[0]!.id)).map(({ action }) => action)).toEqual(['user.created', 'auth.link_sent']);
    for (const password of ['!', '', ' ', PASSWORD]) expect(await statusOfLogin(app, email, password)).not.toBe(200);
  });

  it('makes one account when its link is used 16 times at once, and none when it is only asked for', async () => {
    const [used, asked] = [anEmail(), anEmail()];
    const token = await linkTo(used);
    await linkTo(asked);

    const statuses = await Promise.all(Array.from({ length: 16 }, async () => (await signIn(token)).status));

    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    const rows = await app.database.query<{ email: string }>('SELECT email FROM users WHERE email = ANY($1)', [
      [used, asked],
    ]);
    expect(rows).toEqual([{ email: used }]);
  });

  it('never opens an account that somebody made of the address meanwhile', async () => {
    const email = anEmail();
    const token = await linkTo(email);
    const account = { username: `late-${randomUUID().slice(0, 8)}`, email, password: PASSWORD, role: 'attorney' };
    expect((await sendJson(app, 'POST', '/api/v1/admin/users', account, superadmin)).status).toBe(201);

    expect(await answerOf(await signIn(token))).toEqual(INVALID);
  });

  it('does not let staff in by link', async () => {
    const { email } = await anAccount(app, superadmin, 'attorney');
    await ask(email);
    await expectNothingLeftToDo(app);

    expect(await mailsTo(app, email)).toEqual([]);
  });
});

describe('with MAGIC_LINK_SAME_BROWSER', () => {
  beforeAll(() => restart({ MAGIC_LINK_SAME_BROWSER: 'true' }));

  it('a link works only with what the browser that asked was answered, and is not used up without', async () => {
    const { email } = await anAccount(app, superadmin, 'client');
    const nonceOf = async (address: string): Promise<string> =>
      (await jsonOf<{ browser_nonce: string }>(await ask(address))).browser_nonce;
    const nonce = await nonceOf(email);
    const token = tokenIn(await mailTo(app, email, 'magic_link'));
    const foreign = await nonceOf(anEmail());

    const refused = [await signIn(token), await signIn(token, { browser_nonce: foreign })];

    expect(Buffer.from(nonce, 'base64url')).toHaveLength(32);
    expect(await Promise.all(refused.map(answerOf))).toEqual([INVALID, INVALID]);
    expect((await signIn(token, { browser_nonce: nonce })).status).toBe(200);
    expectDiscreet([app.log, await everythingStored(app)], nonce);
  });
});
