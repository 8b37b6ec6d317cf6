import { randomUUID } from 'node:crypto';
import { Clock } from '../src/common/clock.js';
import { type Account, anAccount, PASSWORD, recordsOf, statusOfLogin } from './support/accounts.js';
import { eventually, startApp, type TestApp } from './support/app.js';
import { bearer, get, jsonOf, sendJson, tokenOf } from './support/leads.js';
import { mailsTo, tokenIn } from './support/mailed-links.js';
import { writtenMails } from './support/mail.js';

const USERS = '/api/v1/admin/users';
const INVITATIONS = '/api/v1/admin/invitations';

let app: TestApp;
let superadmin: string;
let admin: Account;
let attorney: Account;
let aheadMs = 0;

beforeAll(async () => {
  app = await startApp();
  jest.spyOn(app.app.get(Clock), 'now').mockImplementation(() => new Date(Date.now() + aheadMs));
  superadmin = await tokenOf(app);
  admin = await anAccount(app, superadmin, 'admin');
  attorney = await anAccount(app, superadmin, 'attorney');
});
afterAll(() => app.close());
afterEach(() => {
  aheadMs = 0;
});

const person = (): { username: string; email: string } => {
  const username = `p-${randomUUID().slice(0, 8)}`;
  return { username, email: `${username}@practice.test` };
};
const create = (body: object, token = superadmin): Promise<Response> => sendJson(app, 'POST', USERS, body, token);
const change = (id: string, body: object, token = superadmin): Promise<Response> =>
  sendJson(app, 'PATCH', `${USERS}/${id}`, body, token);
const me = async (token: string): Promise<number> => (await get(app, '/api/v1/auth/me', token)).status;
const codeOf = async (response: Response): Promise<[number, unknown]> => [
  response.status,
  (await jsonOf(response))['error_code'],
];
const idOf = async (username: string): Promise<string> => {
  const [row] = await app.database.query<{ id: string }>('SELECT id FROM users WHERE username = $1', [username]);
  return row!.id;
};
const roleOf = async (id: string): Promise<unknown> => {
  const [row] = await app.database.query('SELECT role, is_active FROM users WHERE id = $1', [id]);
  return row;
};

describe('the first account of an installation', () => {
  it('is a superadmin', async () => {
    expect(await roleOf(await idOf('admin'))).toEqual({ role: 'superadmin', is_active: true });
  });
});

describe('GET /api/v1/admin/users', () => {
  const found = async (query: string): Promise<string[]> => {
    const { items } = await jsonOf<{ items: Account[] }>(await get(app, `${USERS}?${query}`, admin.token));
    return items.map(({ username }) => username);
  };

  it('answers whole accounts, paged, without any hash', async () => {
    const response = await get(app, `${USERS}?size=2`, admin.token);

    const body = await jsonOf<{ items: object[]; total: number }>(response);
    expect([response.status, body.items.length, body.total >= 3]).toEqual([200, 2, true]);
    expect(Object.keys(body.items[0]!).sort()).toEqual(
      ['created_at', 'email', 'email_verified_at', 'id', 'is_active', 'locked_until', 'role', 'username'].sort(),
    );
    expect(JSON.stringify(body)).not.toContain('$2');
  });

  it('searches parts of names and addresses without regard to case, and takes % and _ for what they are', async () => {
    const someone = await anAccount(app, superadmin, 'client');

    expect(await found(`search=${someone.username.slice(2).toUpperCase()}`)).toEqual([someone.username]);
    expect(await found(`search=${someone.email}`)).toEqual([someone.username]);
    expect(await found('search=%25')).toEqual([]);
    expect(await found('search=a_min')).toEqual([]);
  });

  it('filters by role and by whether they are active', async () => {
    const someone = await anAccount(app, superadmin, 'client');
    await change(someone.id, { is_active: false });

    expect(await found('role=superadmin')).toEqual(['admin']);
    expect(await found('role=client&is_active=false')).toContain(someone.username);
    expect(await found('role=client&is_active=true')).not.toContain(someone.username);
  });

  it.each(['role=boss', 'is_active=maybe', 'size=101', 'search=', 'unknown=1'])(
    'refuses %s with 422',
    async (query) => {
      expect((await get(app, `${USERS}?${query}`, admin.token)).status).toBe(422);
    },
  );
});

describe('POST /api/v1/admin/users', () => {
  it('makes an account of any role for a superadmin, who can sign in, and is on record', async () => {
    for (const role of ['client', 'attorney', 'admin', 'superadmin']) {
      const someone = person();
      const response = await create({ ...someone, role, password: PASSWORD });

      const body = await jsonOf<{ id: string }>(response);
      expect([response.status, body]).toEqual([
        201,
        {
          id: body.id,
          ...someone,
          role,
          is_active: true,
          created_at: expect.any(String),
          locked_until: null,
          email_verified_at: expect.stringMatching(/Z$/),
        },
      ]);
      expect(await statusOfLogin(app, someone.username)).toBe(200);
      expect(await recordsOf(app, body.id)).toEqual([
        { action: 'user.created', actor_name: 'admin', details: { role } },
      ]);
      if (role === 'superadmin') await change(body.id, { is_active: false });
    }
  });

  it('lets an admin make clients and attorneys, and no admins', async () => {
    const statuses: number[] = [];
    for (const role of ['client', 'attorney', 'admin', 'superadmin'])
      statuses.push((await create({ ...person(), role, password: PASSWORD }, admin.token)).status);

    expect(statuses).toEqual([201, 201, 403, 403]);
  });

  it('lets an admin end the sessions of attorneys, and of no superadmin', async () => {
    const someone = await anAccount(app, superadmin, 'attorney');
    const other = await anAccount(app, superadmin, 'superadmin');
    const end = async ({ id }: Account): Promise<number> =>
      (await app.request(`${USERS}/${id}/sessions`, { method: 'DELETE', headers: bearer(admin.token) })).status;

    expect([await end(someone), await end(other)]).toEqual([204, 403]);
    expect((await get(app, '/api/v1/auth/me', someone.token)).status).toBe(401);
    expect((await get(app, '/api/v1/auth/me', other.token)).status).toBe(200);
    await change(other.id, { is_active: false });
  });

  it.each([
    ['no role', { role: undefined }, ['role']],
    ['an unknown role', { role: 'boss' }, ['role']],
    ['a common password', { password: 'password1' }, ['password']],
    ['a short password', { password: 'short' }, ['password']],
    ['a password of 73 bytes', { password: 'x'.repeat(73) }, ['password']],
    ['an id', { id: randomUUID() }, ['id']],
    ['is_active', { is_active: false }, ['is_active']],
    ['an address that is none', { email: 'nope' }, ['email']],
  ])('refuses %s with 422 under its name', async (_, wrong, fields) => {
    const response = await create({ ...person(), role: 'client', password: PASSWORD, ...wrong });

    expect(response.status).toBe(422);
    expect(Object.keys((await jsonOf<{ field_errors: object }>(response)).field_errors)).toEqual(fields);
  });

  it('refuses a password made of the name that it is for', async () => {
    const response = await create({
      username: 'marguerite',
      email: 'm@practice.test',
      role: 'client',
      password: 'M4rguer1te!',
    });

    expect([response.status, (await jsonOf<{ field_errors: object }>(response)).field_errors]).toEqual([
      422,
      { password: [expect.stringMatching(/^Is made of your name/)] },
    ]);
  });

  it('refuses a name or address that exists', async () => {
    const body = { ...person(), role: 'client', password: PASSWORD };

    expect(await codeOf(await create({ ...body, username: attorney.username }))).toEqual([409, 'USERNAME_DUPLICATE']);
    expect(await codeOf(await create({ ...body, email: attorney.email }))).toEqual([409, 'USER_EMAIL_DUPLICATE']);
  });
});

describe('PATCH /api/v1/admin/users/{id}', () => {
  it('disables an account, whose token is refused at once, and enables it; both on record', async () => {
    const someone = await anAccount(app, superadmin, 'attorney');
    expect(await me(someone.token)).toBe(200);

    const response = await change(someone.id, { is_active: false }, admin.token);

    expect([response.status, await jsonOf(response)]).toEqual([200, expect.objectContaining({ is_active: false })]);
    await eventually('the token is refused', async () => (await me(someone.token)) === 401);
    expect(await statusOfLogin(app, someone.username)).toBe(401);
    await change(someone.id, { is_active: false }, admin.token);
    await change(someone.id, { is_active: true }, admin.token);
    expect(await statusOfLogin(app, someone.username)).toBe(200);
    expect((await recordsOf(app, someone.id)).map(({ action }) => action)).toEqual([
      'user.created',
      'user.disabled',
      'user.enabled',
    ]);
  });

  it('changes a role, which takes effect at once on tokens that are there, and is on record', async () => {
    const someone = await anAccount(app, superadmin, 'admin');
    expect((await get(app, USERS, someone.token)).status).toBe(200);

    expect((await change(someone.id, { role: 'client' })).status).toBe(200);

    await eventually('the right is gone', async () => (await get(app, USERS, someone.token)).status !== 200);
    expect((await recordsOf(app, someone.id)).at(-1)).toEqual({
      action: 'user.role_changed',
      actor_name: 'admin',
      details: { from: 'admin', to: 'client' },
    });
    const [row] = await app.database.query('SELECT session_epoch FROM users WHERE id = $1', [someone.id]);
    expect(row).toEqual({ session_epoch: 1 });
  });

  it.each([
    ['promote an attorney', () => attorney.id, { role: 'admin' }],
    ['promote themselves', () => admin.id, { role: 'superadmin' }],
    ['demote themselves', () => admin.id, { role: 'attorney' }],
    ['disable themselves', () => admin.id, { is_active: false }],
    ['disable the superadmin', () => idOf('admin'), { is_active: false }],
    ['demote the superadmin', () => idOf('admin'), { role: 'client' }],
  ])('does not let an admin %s', async (_, whom, body) => {
    const id = await whom();
    const before = await roleOf(id);

    expect(await codeOf(await change(id, body, admin.token))).toEqual([403, 'FORBIDDEN']);
    expect(
      await codeOf(await sendJson(app, 'PATCH', `/api/v1/users/${id}`, { is_active: false }, attorney.token)),
    ).toEqual([403, 'FORBIDDEN']);
    expect(await roleOf(id)).toEqual(before);
  });

  it('nor by the older route', async () => {
    const other = await anAccount(app, superadmin, 'admin');

    const response = await sendJson(app, 'PATCH', `/api/v1/users/${other.id}`, { is_active: false }, admin.token);

    expect(await codeOf(response)).toEqual([403, 'FORBIDDEN']);
    expect(await roleOf(other.id)).toEqual({ role: 'admin', is_active: true });
  });

  it('keeps the last active superadmin', async () => {
    const id = await idOf('admin');

    for (const body of [{ is_active: false }, { role: 'admin' }, { role: 'client', is_active: true }])
      expect(await codeOf(await change(id, body))).toEqual([409, 'LAST_ADMIN']);
    expect(await roleOf(id)).toEqual({ role: 'superadmin', is_active: true });
  });

  it('of two superadmins who disable or demote each other at once leaves one, ten times over', async () => {
    const first = await idOf('admin');
    for (let round = 0; round < 10; round += 1) {
      const second = await anAccount(app, superadmin, 'superadmin');
      const body = round % 2 === 0 ? { is_active: false } : { role: 'attorney' };

      const answers = await Promise.all([change(second.id, body, superadmin), change(first, body, second.token)]);

      const [won, lost] = answers.map(({ status }) => status).sort();
      expect([won, [401, 403, 409].includes(lost!)]).toEqual([200, true]);
      const left = await app.database.query<{ id: string }>(
        `SELECT id FROM users WHERE role = 'superadmin' AND is_active`,
      );
      expect(left).toHaveLength(1);
      await app.database.query(`UPDATE users SET role = 'superadmin', is_active = true WHERE id = $1`, [first]);
      await app.database.query(`DELETE FROM users WHERE id = $1`, [second.id]);
      await eventually('the first is back', async () => {
        // whoever lost lost the sessions, too
        superadmin = await tokenOf(app);
        return (await get(app, USERS, superadmin)).status === 200;
      });
    }
  });

  it('answers an unknown account with 404 and what is malformed with 422', async () => {
    const statuses = [
      (await change(randomUUID(), { role: 'client' })).status,
      (await change('abc', { role: 'client' })).status,
      (await change(attorney.id, { role: 'boss' })).status,
      (await change(attorney.id, { is_active: 'no' })).status,
      (await change(attorney.id, { email: 'x@y.test' })).status,
      (await change(attorney.id, { role: null })).status,
    ];

    expect(statuses).toEqual([404, 422, 422, 422, 422, 422]);
    expect((await get(app, `${USERS}/${randomUUID()}`, superadmin)).status).toBe(404);
  });
});

describe('an invitation', () => {
  const invite = async (body: object = {}, token = superadmin): Promise<Response> =>
    sendJson(app, 'POST', INVITATIONS, { email: person().email, role: 'attorney', ...body }, token);
  const accept = (token: string, body: object = {}): Promise<Response> =>
    sendJson(app, 'POST', '/api/v1/auth/invitations/accept', { token, password: PASSWORD, ...body });
  const post = (path: string, token = superadmin): Promise<Response> =>
    app.request(path, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });

  /** The tokens that were mailed to somebody, oldest first. */
  const tokensOf = async (email: string, count = 1): Promise<string[]> => {
    const mails = await eventually('the mail is written', async () => {
      const found = (await mailsTo(app, email)).filter(({ template }) => template === 'invitation');
      return found.length === count && found;
    });
    return mails.map(tokenIn);
  };
  const invited = async (body: object = {}): Promise<{ id: string; email: string; token: string }> => {
    const response = await invite(body);
    expect(response.status).toBe(201);
    const { id, email } = await jsonOf<{ id: string; email: string }>(response);
    return { id, email, token: (await tokensOf(email))[0]! };
  };

  it('mails a link of 256 random bits, of which only a hash is kept beside the mail', async () => {
    const { id, email, token } = await invited({ username: 'suggested' });

    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    const mail = await eventually('the mail is written', async () =>
      (await writtenMails(app.dataDir)).find((each) => each.includes(`To: ${email}`)),
    );
    expect(mail).toContain('Subject: Your invitation to Forecourt Law');
    const [row] = await app.database.query(
      `SELECT t::text AS text, extract(epoch FROM expires_at - created_at)::int AS seconds,
         token_hash = sha256(convert_to($2, 'UTF8')) AS hashed FROM invitations AS t WHERE id = $1`,
      [id, token],
    );
    expect(row).toEqual({ text: expect.not.stringContaining(token), seconds: 72 * 3600, hashed: true });
    expect(JSON.stringify(app.log)).not.toContain(token);
    expect(JSON.stringify(await recordsOf(app, id))).not.toContain(token);
  });

  it('makes the account that it is for, once, with the name that was suggested or another', async () => {
    const [one, other] = [person(), person()];
    const first = await invited({ ...one, role: 'attorney' });
    const second = await invited({ ...other, role: 'client' });

    const accepted = await accept(first.token);
    const renamed = await accept(second.token, { username: `${other.username}-x` });

    expect([accepted.status, await jsonOf(accepted)]).toEqual([
      201,
      { id: expect.any(String), ...one, is_active: true, created_at: expect.any(String) },
    ]);
    expect(renamed.status).toBe(201);
    expect(await roleOf(await idOf(one.username))).toEqual({ role: 'attorney', is_active: true });
    expect(await roleOf(await idOf(`${other.username}-x`))).toEqual({ role: 'client', is_active: true });
    expect(await statusOfLogin(app, one.email)).toBe(200);
    expect(await codeOf(await accept(first.token, { username: 'another' }))).toEqual([403, 'INVALID_INVITATION']);
    expect((await recordsOf(app, first.id)).map(({ action }) => action)).toEqual([
      'invitation.sent',
      'invitation.accepted',
    ]);
  });

  it('that is accepted 16 times at once makes one account', async () => {
    const { token, email } = await invited();

    const statuses = await Promise.all(
      Array.from({ length: 16 }, async () => (await accept(token, { username: person().username })).status),
    );

    expect(statuses.sort()).toEqual([201, ...Array<number>(15).fill(403)]);
    expect(await app.database.query('SELECT FROM users WHERE email = $1', [email])).toHaveLength(1);
  });

  it('that is expired, revoked, accepted or made up is refused in the same words', async () => {
    const [expired, revoked, used] = [await invited(), await invited(), await invited()];
    await app.request(`${INVITATIONS}/${revoked.id}`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${superadmin}` },
    });
    expect((await accept(used.token, { username: person().username })).status).toBe(201);
    aheadMs = 72 * 3600_000 + 1000;

    const bodies: unknown[] = [];
    for (const token of [expired.token, revoked.token, used.token, 'x'.repeat(43), 'x', expired.token.toLowerCase()]) {
      const {
        timestamp: _,
        request_id: __,
        ...body
      } = await jsonOf(await accept(token, { username: person().username }));
      bodies.push(body);
    }

    expect(bodies).toEqual(
      Array(6).fill({ error_code: 'INVALID_INVITATION', detail: 'The invitation is not valid: ask for a new one' }),
    );
  });

  it('stays good when what was sent with it was wrong', async () => {
    const { token, email } = await invited();
    const fieldsOf = async (body: object): Promise<[number, string[]]> => {
      const response = await accept(token, body);
      return [response.status, Object.keys((await jsonOf<{ field_errors: object }>(response)).field_errors)];
    };

    expect(await fieldsOf({})).toEqual([422, ['username']]);
    expect(await fieldsOf({ username: 'x' })).toEqual([422, ['username']]);
    expect(await fieldsOf({ username: person().username, password: 'iloveyou' })).toEqual([422, ['password']]);
    expect(await fieldsOf({ username: person().username, password: `${email.split('@')[0]}!` })).toEqual([
      422,
      ['password'],
    ]);
    expect(await fieldsOf({ username: attorney.username })).toEqual([409, ['username']]);
    expect(await fieldsOf({ username: person().username, role: 'admin' })).toEqual([422, ['role']]);
    expect((await accept(token, { username: person().username })).status).toBe(201);
  });

  it('that is sent again has a new link, and the old one is worthless', async () => {
    const { id, email, token } = await invited();

    const response = await post(`${INVITATIONS}/${id}/resend`);

    const [, fresh] = await tokensOf(email, 2);
    expect([response.status, await jsonOf(response)]).toEqual([
      201,
      expect.objectContaining({ email, revoked_at: null }),
    ]);
    expect((await accept(token, { username: person().username })).status).toBe(403);
    expect((await accept(fresh!, { username: person().username })).status).toBe(201);
    expect(await codeOf(await post(`${INVITATIONS}/${id}/resend`))).toEqual([409, 'INVITATION_ENDED']);
    expect((await post(`${INVITATIONS}/${randomUUID()}/resend`)).status).toBe(404);
  });

  it('is worthless when whoever sent it was put out meanwhile', async () => {
    const inviter = await anAccount(app, superadmin, 'admin');
    const email = person().email;
    expect((await invite({ email }, inviter.token)).status).toBe(201);
    const [token] = await tokensOf(email);
    await change(inviter.id, { is_active: false });

    expect(await codeOf(await accept(token!, { username: person().username }))).toEqual([403, 'INVALID_INVITATION']);
    await change(inviter.id, { is_active: true });
    expect((await accept(token!, { username: person().username })).status).toBe(201);
  });

  it('is refused for an address that has an account or an open invitation, and for an admin to be', async () => {
    const { email } = await invited();

    expect(await codeOf(await invite({ email: email.toUpperCase() }))).toEqual([409, 'ALREADY_INVITED']);
    expect(await codeOf(await invite({ email: attorney.email }))).toEqual([409, 'USER_EMAIL_DUPLICATE']);
    for (const role of ['admin', 'superadmin', 'boss', undefined])
      expect(await codeOf(await invite({ role }))).toEqual([422, 'VALIDATION_ERROR']);
    expect(await codeOf(await invite({}, attorney.token))).toEqual([403, 'FORBIDDEN']);
  });

  it('of 16 to one address at once is sent once', async () => {
    const { email } = person();

    const statuses = await Promise.all(Array.from({ length: 16 }, async () => (await invite({ email })).status));

    expect(statuses.sort()).toEqual([201, ...Array<number>(15).fill(409)]);
    expect(await tokensOf(email)).toHaveLength(1);
  });

  it('is listed for admins, latest first, without its token', async () => {
    const { id } = await invited();

    const { items } = await jsonOf<{ items: Record<string, unknown>[] }>(
      await get(app, `${INVITATIONS}?size=1`, admin.token),
    );

    expect(items).toEqual([
      {
        id,
        email: expect.any(String),
        username: null,
        role: 'attorney',
        created_at: expect.any(String),
        expires_at: expect.any(String),
        accepted_at: null,
        revoked_at: null,
      },
    ]);
  });
});

describe('POST /api/v1/auth/password', () => {
  const changePassword = (token: string, body: object): Promise<Response> =>
    sendJson(app, 'POST', '/api/v1/auth/password', body, token);
  const next = 'herons sleep at dawn';

  it('changes the password, is on record, and a mail says so', async () => {
    const someone = await anAccount(app, superadmin, 'client');

    const response = await changePassword(someone.token, { current_password: PASSWORD, new_password: next });

    expect([response.status, await response.text()]).toEqual([204, '']);
    expect([await statusOfLogin(app, someone.username, next), await statusOfLogin(app, someone.username)]).toEqual([
      200, 401,
    ]);
    expect((await recordsOf(app, someone.id)).at(-1)).toEqual({
      action: 'user.password_changed',
      actor_name: `client ${someone.id.slice(0, 8)}`,
      details: {},
    });
    await eventually('the mail is written', async () =>
      (await writtenMails(app.dataDir)).some(
        (mail) => mail.includes(`To: ${someone.email}`) && mail.includes('Subject: Your password was changed'),
      ),
    );
    const [row] = await app.database.query('SELECT session_epoch FROM users WHERE id = $1', [someone.id]);
    expect(row).toEqual({ session_epoch: 1 });
    expect(JSON.stringify(app.log)).not.toContain(next);
  });

  it.each([
    ['a wrong current password', { current_password: 'wrong' }, 403, 'current_password'],
    ['no current password', { current_password: undefined }, 422, 'current_password'],
    ['a common one', { new_password: 'sunshine' }, 422, 'new_password'],
    ['one of 73 bytes', { new_password: 'x'.repeat(73) }, 422, 'new_password'],
    ['one of 7 characters', { new_password: 'pelican' }, 422, 'new_password'],
  ])('refuses %s and changes nothing', async (_, wrong, status, field) => {
    const someone = await anAccount(app, superadmin, 'client');

    const response = await changePassword(someone.token, { current_password: PASSWORD, new_password: next, ...wrong });

    expect(response.status).toBe(status);
    expect(Object.keys((await jsonOf<{ field_errors: object }>(response)).field_errors)).toEqual([field]);
    expect(await statusOfLogin(app, someone.username)).toBe(200);
  });

  it('of 16 different ones at once sets one', async () => {
    const someone = await anAccount(app, superadmin, 'client');
    const wanted = Array.from({ length: 16 }, (_, index) => `herons sleep at ${index + 1} o'clock`);

    const answers = await Promise.all(
      wanted.map((password) => changePassword(someone.token, { current_password: PASSWORD, new_password: password })),
    );

    const winners = wanted.filter((_, index) => answers[index]!.status === 204);
    expect(winners).toHaveLength(1);
    expect(await statusOfLogin(app, someone.username, winners[0])).toBe(200);
  });
});

describe('a password', () => {
  it('is the same in composed and decomposed spelling, and one of before that was hashed as it came still opens', async () => {
    const someone = await anAccount(app, superadmin, 'client');
    const spelled = ['Müllers Kühe', 'Mu\u0308llers Ku\u0308he'] as const;
    await sendJson(
      app,
      'POST',
      '/api/v1/auth/password',
      { current_password: PASSWORD, new_password: spelled[1] },
      someone.token,
    );

    expect(await Promise.all(spelled.map((each) => statusOfLogin(app, someone.username, each)))).toEqual([200, 200]);
    const { hashSync } = await import('bcryptjs');
    await app.database.query('UPDATE users SET hashed_password = $2 WHERE id = $1', [
      someone.id,
      hashSync(spelled[1], 4),
    ]);
    expect(await statusOfLogin(app, someone.username, spelled[1])).toBe(200);
  });

  it('is hashed anew at a sign-in when the cost changed, and stays the same password', async () => {
    const someone = await anAccount(app, superadmin, 'client');
    const { hashSync } = await import('bcryptjs');
    const hash = async (): Promise<string> => {
      const [row] = await app.database.query<{ hash: string }>(
        'SELECT hashed_password AS hash FROM users WHERE id = $1',
        [someone.id],
      );
      return row!.hash;
    };
    await app.database.query('UPDATE users SET hashed_password = $2 WHERE id = $1', [
      someone.id,
      hashSync(PASSWORD, 5),
    ]);

    expect(await statusOfLogin(app, someone.username, 'a wrong guess')).toBe(401);
    expect(await hash()).toMatch(/^\$2b\$05\$/);
    expect(await Promise.all(Array.from({ length: 16 }, () => statusOfLogin(app, someone.username)))).toEqual(
      Array(16).fill(200),
    );

    await eventually('the hash is of today’s cost', async () => (await hash()).startsWith('$2b$04$'));
    expect(await statusOfLogin(app, someone.username)).toBe(200);
    const [row] = await app.database.query('SELECT session_epoch FROM users WHERE id = $1', [someone.id]);
    expect(row).toEqual({ session_epoch: 0 });
  });
});
