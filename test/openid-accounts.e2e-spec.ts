import { randomUUID } from 'node:crypto';
import type { Client } from '../src/auth/sessions/client.js';
import { type SignInMethod, SignIns } from '../src/auth/sign-ins.js';
import { Transactions } from '../src/database/transactions.js';
import { UsersService } from '../src/users/users.service.js';
import { anAccount, PASSWORD, recordsOf, statusOfLogin } from './support/accounts.js';
import { ADMIN, startApp, type TestApp } from './support/app.js';
import { bearer, get, jsonOf, sendJson, tokenOf } from './support/leads.js';
import { Browser, type RealProvider, settingsFor, startOpenidProvider } from './support/openid.js';
import { freePort } from './support/ports.js';

let app: TestApp;
let provider: RealProvider;
let superadmin: string;

beforeAll(async () => {
  provider = await startOpenidProvider();
});
afterAll(() => provider.stop());

function startWith(settings: Record<string, string>): void {
  beforeAll(async () => {
    app = await startApp(settingsFor(provider.issuer, settings));
    superadmin = await tokenOf(app);
  });
  afterAll(() => app.close());
}

async function aPerson(claims: object = {}): Promise<string> {
  const login = `p${randomUUID().slice(0, 8)}`;
  await knownAs(login, claims);
  return login;
}

const knownAs = (login: string, claims: object): Promise<void> =>
  provider.tell({ accounts: { [login]: { email: `${login}@practice.test`, email_verified: true, ...claims } } });

/** Makes the identity of an account, as if it had been linked before. */
const linked = (userId: string, subject: string): Promise<unknown> =>
  app.database.query(
    `INSERT INTO user_identities (id, user_id, provider, issuer, subject, created_at)
     VALUES (gen_random_uuid(), $1, 'okta', $2, $3, now())`,
    [userId, provider.issuer, subject],
  );

const roleOf = async (id: string): Promise<string | undefined> =>
  (await app.database.query<{ role: string }>('SELECT role FROM users WHERE id = $1', [id]))[0]?.role;

const unlink = (token: string, id: string): Promise<Response> =>
  app.request(`/api/v1/auth/identities/${id}`, { method: 'DELETE', headers: bearer(token) });

const identitiesOf = async (token: string): Promise<{ id: string; provider: string; email: string }[]> =>
  (
    await jsonOf<{ items: { id: string; provider: string; email: string }[] }>(
      await get(app, '/api/v1/auth/identities', token),
    )
  ).items;

const codeOf = async (response: Response): Promise<[number, unknown]> => [
  response.status,
  (await jsonOf(response))['error_code'],
];

const mailsAbout = (email: string): Promise<{ template: string; data: object }[]> =>
  app.database.query('SELECT template, data FROM mail_messages WHERE recipient = $1 ORDER BY created_at', [email]);

describe('linking', () => {
  startWith({});

  const MINE = { current_password: PASSWORD };

  it('lets somebody sign in with a provider as well, lists it and puts it on record', async () => {
    const account = await anAccount(app, superadmin, 'attorney');
    const login = await aPerson({ email: 'elsewhere@home.test', email_verified: false });
    const browser = new Browser(app);

    const url = await browser.beginLinking(account.token, { ...MINE, return_to: '/account' });
    const { link_code: code, ...rest } = await browser.arrive(await browser.visit(url, login));
    const response = await browser.post('/api/v1/auth/identities', { code }, account.token);

    expect(rest).toEqual({ return_to: '/account' });
    expect(response.status).toBe(201);
    expect(await identitiesOf(account.token)).toEqual([
      expect.objectContaining({ provider: 'okta', email: 'elsewhere@home.test', last_used_at: null }),
    ]);
    const { code: signIn } = await browser.travel(login);
    const { access_token: token } = await jsonOf<{ access_token: string }>(await browser.exchange(signIn));
    expect((await jsonOf(await get(app, '/api/v1/auth/me', token)))['id']).toBe(account.id);
    expect((await recordsOf(app, account.id)).map(({ action }) => action)).toEqual([
      'user.created',
      'identity.linked',
      'identity.used',
    ]);
    expect(await mailsAbout(account.email)).toEqual([
      { template: 'identity_linked', data: expect.objectContaining({ provider: 'okta' }) },
    ]);
  });

  it.each([{}, { current_password: 'wrong' }])(
    'takes the password, so that a stolen token is not enough: %j',
    async (body) => {
      const account = await anAccount(app, superadmin, 'attorney');

      const response = await new Browser(app).post('/api/v1/auth/identities/okta', body, account.token);

      expect(await codeOf(response)).toEqual([403, 'WRONG_PASSWORD']);
    },
  );

  it('is 409 for an identity of somebody else, which stays theirs', async () => {
    const [owner, thief] = [await anAccount(app, superadmin, 'client'), await anAccount(app, superadmin, 'client')];
    const login = await aPerson();
    await linked(owner.id, login);
    const browser = new Browser(app);
    const { link_code: code } = await browser.arrive(
      await browser.visit(await browser.beginLinking(thief.token, MINE), login),
    );

    expect(await codeOf(await browser.post('/api/v1/auth/identities', { code }, thief.token))).toEqual([
      409,
      'IDENTITY_TAKEN',
    ]);
    expect(await identitiesOf(thief.token)).toEqual([]);
    expect(await identitiesOf(owner.token)).toHaveLength(1);
  });

  it('takes the session that began it: neither somebody else nor another session of the same user will do', async () => {
    const [victim, attacker] = [await anAccount(app, superadmin, 'client'), await anAccount(app, superadmin, 'client')];
    const other = await tokenOf(app, attacker.username, PASSWORD);
    const browser = new Browser(app);

    for (const token of [victim.token, other]) {
      const url = await browser.beginLinking(attacker.token, MINE);
      const { link_code: code } = await browser.arrive(await browser.visit(url, await aPerson()));
      expect(await codeOf(await browser.post('/api/v1/auth/identities', { code }, token))).toEqual([
        403,
        'OPENID_CODE_INVALID',
      ]);
    }
    expect([...(await identitiesOf(victim.token)), ...(await identitiesOf(attacker.token))]).toEqual([]);
  });

  it('gives no tokens: the code of a link is none of a sign-in, nor the other way round', async () => {
    const account = await anAccount(app, superadmin, 'client');
    const login = await aPerson();
    const browser = new Browser(app);
    const url = await browser.beginLinking(account.token, MINE);
    const { link_code: linkCode } = await browser.arrive(await browser.visit(url, login));
    await linked(account.id, login);
    const { code } = await browser.travel(login);

    expect((await browser.exchange(linkCode)).status).toBe(403);
    expect((await browser.post('/api/v1/auth/identities', { code }, account.token)).status).toBe(403);
  });

  it('of sixteen at once with the same code happens once', async () => {
    const account = await anAccount(app, superadmin, 'client');
    const browser = new Browser(app);
    const url = await browser.beginLinking(account.token, MINE);
    const { link_code: code } = await browser.arrive(await browser.visit(url, await aPerson()));

    const statuses = await Promise.all(
      Array.from(
        { length: 16 },
        async () => (await browser.post('/api/v1/auth/identities', { code }, account.token)).status,
      ),
    );

    expect(statuses.sort()).toEqual([201, ...Array<number>(15).fill(403)]);
  });

  it('can be undone by its owner alone, and then lets nobody in, not even with a code from before', async () => {
    const [owner, other] = [await anAccount(app, superadmin, 'client'), await anAccount(app, superadmin, 'client')];
    const login = await aPerson();
    await linked(owner.id, login);
    const [identity] = await identitiesOf(owner.token);
    const browser = new Browser(app);
    const { code } = await browser.travel(login);

    expect(await codeOf(await unlink(other.token, identity!.id))).toEqual([404, 'IDENTITY_NOT_FOUND']);
    expect((await unlink(owner.token, identity!.id)).status).toBe(204);
    expect((await browser.exchange(code)).status).toBe(403);
    expect(await browser.travel(login)).toMatchObject({ error: 'IDENTITY_UNKNOWN' });
    expect((await recordsOf(app, owner.id)).map(({ action }) => action)).toContain('identity.unlinked');
    expect((await mailsAbout(owner.email)).map(({ template }) => template)).toEqual(['identity_unlinked']);
  });

  it('cannot be undone where it is the only way in, not even by two requests at once', async () => {
    const account = await anAccount(app, superadmin, 'client');
    await linked(account.id, await aPerson());
    await linked(account.id, await aPerson());
    await app.database.query("UPDATE users SET hashed_password = '!' WHERE id = $1", [account.id]);
    const identities = await identitiesOf(account.token);

    const statuses = await Promise.all(identities.map(async ({ id }) => (await unlink(account.token, id)).status));

    expect(statuses.sort()).toEqual([204, 409]);
    expect(await identitiesOf(account.token)).toHaveLength(1);
  });

  it('is what a stranger cannot do without: nobody gets an account by arriving', async () => {
    expect(await new Browser(app).travel(await aPerson())).toEqual({ error: 'IDENTITY_UNKNOWN', provider: 'okta' });
  });
});

describe('those who are invited', () => {
  startWith({ OIDC_OKTA_PROVISION: 'invited' });

  const invite = (email: string): Promise<Response> =>
    sendJson(app, 'POST', '/api/v1/admin/invitations', { email, role: 'client' }, superadmin);

  it('get the account of their invitation by a verified address, once', async () => {
    const login = await aPerson();
    await invite(`${login}@practice.test`);
    const browser = new Browser(app);

    const { access_token: token } = await jsonOf<{ access_token: string }>(
      await browser.exchange((await browser.travel(login))['code']),
    );

    const { id } = await jsonOf<{ id: string }>(await get(app, '/api/v1/auth/me', token));
    expect(await roleOf(id)).toBe('client');
    expect(
      await app.database.query('SELECT accepted_at IS NOT NULL AS accepted FROM invitations WHERE email = $1', [
        `${login}@practice.test`,
      ]),
    ).toEqual([{ accepted: true }]);
    const again = await aPerson({ email: `${login}@practice.test` });
    expect(await new Browser(app).travel(again)).toMatchObject({ error: 'IDENTITY_UNKNOWN' });
  });

  it.each<[string, object, string]>([
    ['an address that is not verified', { email_verified: false }, 'IDENTITY_EMAIL_UNVERIFIED'],
    ['the invitation of somebody else', { email: 'other@practice.test' }, 'IDENTITY_UNKNOWN'],
  ])('are not those with %s', async (_, claims, error) => {
    const login = await aPerson(claims);
    await invite(`${login}@practice.test`);

    expect(await new Browser(app).travel(login)).toMatchObject({ error });
  });

  it('are not those whose invitation was revoked or is over', async () => {
    const login = await aPerson();
    const { id } = await jsonOf<{ id: string }>(await invite(`${login}@practice.test`));
    await app.database.query(
      `UPDATE invitations SET created_at = now() - interval '4 days', expires_at = now() - interval '1 day' WHERE id = $1`,
      [id],
    );
    expect(await new Browser(app).travel(login)).toMatchObject({ error: 'IDENTITY_UNKNOWN' });
    await sendJson(app, 'DELETE', `/api/v1/admin/invitations/${id}`, {}, superadmin);
    expect(await new Browser(app).travel(login)).toMatchObject({ error: 'IDENTITY_UNKNOWN' });
  });
});

describe('roles by claim', () => {
  startWith({
    OIDC_OKTA_PROVISION: 'domain',
    OIDC_OKTA_ALLOWED_DOMAINS: 'practice.test',
    OIDC_OKTA_ROLE_CLAIM: 'groups',
    OIDC_OKTA_ROLE_MAP: 'staff=attorney, partners=admin',
  });

  const arriveWith = async (login: string, groups: string[]): Promise<{ id: string; token: string }> => {
    await knownAs(login, { groups });
    const browser = new Browser(app);
    const { code, error } = await browser.travel(login);
    if (error !== undefined) throw new Error(error);
    const { access_token: token } = await jsonOf<{ access_token: string }>(await browser.exchange(code));
    return { token, id: (await jsonOf<{ id: string }>(await get(app, '/api/v1/auth/me', token))).id };
  };

  it('follow what the provider says at each sign-in, upwards and downwards, and end what the former role had begun', async () => {
    const login = await aPerson();
    const asAttorney = await arriveWith(login, ['staff']);
    expect(await roleOf(asAttorney.id)).toBe('attorney');

    const asAdmin = await arriveWith(login, ['staff', 'partners']);
    expect(await roleOf(asAdmin.id)).toBe('admin');
    expect((await get(app, '/api/v1/auth/me', asAttorney.token)).status).toBe(401);
    expect((await get(app, '/api/v1/users', asAdmin.token)).status).toBe(200);

    const again = await arriveWith(login, ['staff']);
    expect(await roleOf(again.id)).toBe('attorney');
    expect((await get(app, '/api/v1/users', again.token)).status).toBe(403);
    expect((await recordsOf(app, again.id)).filter(({ action }) => action === 'user.role_changed')).toEqual([
      {
        action: 'user.role_changed',
        actor_name: 'openid:okta',
        details: { from: 'attorney', to: 'admin' },
      },
      {
        action: 'user.role_changed',
        actor_name: 'openid:okta',
        details: { from: 'admin', to: 'attorney' },
      },
    ]);
  });

  it('let nobody in of whom the provider says none, known here or not', async () => {
    const login = await aPerson();
    await expect(arriveWith(login, ['visitors'])).rejects.toThrow('IDENTITY_ROLE_MISSING');
    await arriveWith(login, ['staff']);
    await expect(arriveWith(login, [])).rejects.toThrow('IDENTITY_ROLE_MISSING');
  });

  it('never take the last superadmin away', async () => {
    const { id } = await jsonOf<{ id: string }>(await get(app, '/api/v1/auth/me', superadmin));
    const login = await aPerson();
    await linked(id, login);

    const arrived = await arriveWith(login, ['staff']);

    expect(arrived.id).toBe(id);
    expect(await roleOf(id)).toBe('superadmin');
  });
});

const ANYBODY = { kind: 'anonymous', ip: '192.0.2.1', requestId: randomUUID() } as const;

describe('single sign-on that is required', () => {
  startWith({ OIDC_REQUIRED_FOR: 'attorney,superadmin', BREAK_GLASS_USERNAME: ADMIN.username.toUpperCase() });

  const make = async (role: string): Promise<{ id: string; username: string }> => {
    const username = `u-${randomUUID().slice(0, 8)}`;
    const account = { username, email: `${username}@practice.test`, role, password: PASSWORD };
    return {
      username,
      id: (await jsonOf<{ id: string }>(await sendJson(app, 'POST', '/api/v1/admin/users', account, superadmin))).id,
    };
  };
  const refusalOf = async (username: string, password: string): Promise<unknown> => {
    const body = new URLSearchParams({ username, password });
    const response = await app.request('/api/v1/auth/login', { method: 'POST', body });
    const { timestamp, request_id, ...said } = await jsonOf(response);
    return [response.status, said, typeof timestamp, typeof request_id];
  };

  it('refuses the right password of these roles in the very words of a wrong one, and takes it of others', async () => {
    for (const role of ['attorney', 'superadmin']) {
      const { username } = await make(role);
      expect(await refusalOf(username, PASSWORD)).toEqual(await refusalOf(username, 'wrong'));
      expect(await refusalOf(username, PASSWORD)).toEqual(await refusalOf('nobody-at-all', 'wrong'));
      expect(await statusOfLogin(app, username)).toBe(401);
    }
    expect(await statusOfLogin(app, (await make('admin')).username)).toBe(200);
    expect(await statusOfLogin(app, (await make('client')).username)).toBe(200);
  });

  it('lets them in by the provider, and does not let them unlink it', async () => {
    const { id } = await make('attorney');
    const login = await aPerson();
    await linked(id, login);
    const browser = new Browser(app);

    const { access_token: token } = await jsonOf<{ access_token: string }>(
      await browser.exchange((await browser.travel(login))['code']),
    );
    const [identity] = await identitiesOf(token);

    expect(await codeOf(await unlink(token, identity!.id))).toEqual([409, 'IDENTITY_LAST_WAY_IN']);
  });

  it('takes no passkey of these roles either, nor anything else past the provider, and a passkey of others', async () => {
    const [required, free] = [await make('attorney'), await make('admin')];
    const client: Client = { userAgent: 'x', transport: 'body' };
    const comesIn = async (id: string, method: SignInMethod): Promise<boolean> => {
      const user = await app.app.get(UsersService).get(id);
      return app.app
        .get(Transactions)
        .run(async (tx) => (await app.app.get(SignIns).complete(tx, ANYBODY, client, user, method)) !== null);
    };

    expect(await comesIn(required.id, 'passkey')).toBe(false);
    expect(await comesIn(required.id, 'openid')).toBe(true);
    expect(await comesIn(free.id, 'passkey')).toBe(true);
  });

  it('keeps the break-glass account as it is, whoever wants it otherwise', async () => {
    const { id } = await jsonOf<{ id: string }>(await get(app, '/api/v1/auth/me', superadmin));

    for (const body of [{ role: 'client' }, { is_active: false }])
      expect(await codeOf(await sendJson(app, 'PATCH', `/api/v1/admin/users/${id}`, body, superadmin))).toEqual([
        409,
        'BREAK_GLASS_STAYS',
      ]);
    expect(await roleOf(id)).toBe('superadmin');
  });

  it('lets the break-glass account in by its password, with an alert and on record', async () => {
    const { id } = await jsonOf<{ id: string }>(await get(app, '/api/v1/auth/me', superadmin));

    expect((await recordsOf(app, id)).map(({ action }) => action)).toContain('auth.break_glass_used');
    expect(await app.database.query(`SELECT details FROM alerts WHERE cause = 'auth.break_glass_used'`)).toEqual([
      { details: { user_id: id } },
    ]);
  });
});

describe('a start', () => {
  it.each([['nobody-at-all'], ['admin@forecourt.test ']])(
    'is refused when the break-glass account %j is none',
    async (username) => {
      const settings = { OIDC_REQUIRED_FOR: 'superadmin', BREAK_GLASS_USERNAME: username };

      await expect(startApp(settingsFor(provider.issuer, settings))).rejects.toThrow(
        'BREAK_GLASS_USERNAME must name an active superadmin with a password',
      );
    },
  );
});

describe('a provider that is away', () => {
  it('keeps nobody from starting, is 503 by its name, and is found when it comes back', async () => {
    const port = await freePort();
    app = await startApp(settingsFor(`http://127.0.0.1:${port}`));
    const browser = new Browser(app);

    const away = await browser.post('/api/v1/auth/openid/okta', {});
    const late = await startOpenidProvider('okta', port);
    const url = await browser.begin();

    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '10']);
    expect(await jsonOf(away)).toMatchObject({
      error_code: 'OPENID_PROVIDER_AWAY',
      detail: 'The office cannot be reached right now; try again shortly',
    });
    const login = `p${randomUUID().slice(0, 8)}`;
    await late.tell({ accounts: { [login]: {} }, tokenStatus: 502 });
    expect(await browser.arrive(await browser.visit(url, login))).toMatchObject({ error: 'OPENID_PROVIDER_AWAY' });
    const callback = await browser.visit(await browser.begin(), login);
    await late.stop();
    expect(await browser.arrive(callback)).toMatchObject({ error: 'OPENID_PROVIDER_AWAY' });
    expect(JSON.stringify(app.log)).not.toContain('planted words');
    await app.close();
  });
});
