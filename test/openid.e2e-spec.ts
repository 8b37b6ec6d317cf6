import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { anAccount, PASSWORD } from './support/accounts.js';
import { startApp, type TestApp } from './support/app.js';
import { get, jsonOf, tokenOf } from './support/leads.js';
import {
  Browser,
  DASHBOARD_URL,
  PUBLIC_URL,
  type RealProvider,
  settingsFor,
  startOpenidProvider,
  type Told,
} from './support/openid.js';

let app: TestApp;
let provider: RealProvider;
let superadmin: string;

beforeAll(async () => {
  provider = await startOpenidProvider();
  app = await startApp(
    settingsFor(provider.issuer, { OIDC_OKTA_PROVISION: 'domain', OIDC_OKTA_ALLOWED_DOMAINS: 'practice.test' }),
  );
  superadmin = await tokenOf(app);
});
afterAll(async () => {
  await app.close();
  await provider.stop();
});

/** Somebody new whom the provider knows. */
async function aPerson(claims: object = {}, told: Told = {}): Promise<{ login: string; email: string }> {
  const login = `p${randomUUID().slice(0, 8)}`;
  const person = { email: `${login}@practice.test`, email_verified: true, preferred_username: login, ...claims };
  await provider.tell({ ...told, accounts: { [login]: person } });
  return { login, email: person.email };
}

async function countOf(table: string): Promise<number> {
  const [row] = await app.database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  return row!.count;
}

/** With headers that fetch does not let anybody set. */
function sendAs(
  headers: Record<string, string>,
  method: string,
  path: string,
  more: Record<string, string>,
): Promise<{ status: number; location: string; body: string }> {
  return new Promise((resolve, reject) => {
    request(`${app.url}${path}`, { method, headers: { ...headers, ...more } }, (response) => {
      void text(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '', body });
      }, reject);
    })
      .on('error', reject)
      .end();
  });
}

const signedInAs = async (token: string): Promise<Record<string, unknown>> =>
  jsonOf(await get(app, '/api/v1/auth/me', token));

describe('GET /api/v1/auth/providers', () => {
  it('tells everybody whom they can sign in with, and nothing of the settings', async () => {
    const response = await get(app, '/api/v1/auth/providers');

    expect(await response.json()).toEqual({ items: [{ id: 'okta', label: 'The office' }] });
  });
});

describe('POST /api/v1/auth/openid/:provider', () => {
  it('sends the browser to the provider with state, nonce and PKCE, and gives it a cookie that no script reads', async () => {
    const browser = new Browser(app);
    const response = await browser.post('/api/v1/auth/openid/okta', { return_to: '/leads' });
    const url = new URL((await jsonOf<{ authorization_url: string }>(response)).authorization_url);

    expect(url.origin).toBe(provider.issuer);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'forecourt',
      response_type: 'code',
      redirect_uri: `${PUBLIC_URL}/api/v1/auth/openid/okta/callback`,
      scope: 'openid email profile',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    expect(response.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-forecourt_openid=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ]);
    expect(response.headers.get('access-control-allow-credentials')).toBe('true');
  });

  it('is 404 for a provider that is not in the settings', async () => {
    const response = await new Browser(app).post('/api/v1/auth/openid/google', {});

    expect([response.status, (await jsonOf(response))['error_code']]).toEqual([404, 'OPENID_PROVIDER_NOT_FOUND']);
  });

  it.each([undefined, 'https://evil.test', 'null'])('is not answered to a page of %s', async (origin) => {
    const response = await app.request('/api/v1/auth/openid/okta', {
      method: 'POST',
      headers: origin === undefined ? {} : { Origin: origin },
    });

    expect([response.status, (await jsonOf(response))['error_code']]).toEqual([403, 'CROSS_SITE_REQUEST']);
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  it.each([
    '//evil.test',
    '\\\\evil.test',
    '/\\evil.test',
    'https:evil.test',
    '/%2f%2fevil.test',
    '/leads/../..',
    '/x',
  ])('leads nobody on to %s', async (returnTo) => {
    const response = await new Browser(app).post('/api/v1/auth/openid/okta', { return_to: returnTo });

    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ field_errors: { return_to: [expect.any(String)] } });
  });
});

describe('a first arrival', () => {
  it('makes an attorney of somebody of an allowed domain, who has tokens and no password', async () => {
    const { login, email } = await aPerson();
    const browser = new Browser(app);

    const { code, ...rest } = await browser.travel(login, { return_to: '/leads/42' });
    const response = await browser.exchange(code);
    const tokens = await jsonOf<{ access_token: string; refresh_token: string }>(response);

    expect(rest).toEqual({ return_to: '/leads/42' });
    expect(response.status).toBe(200);
    expect(tokens.refresh_token).toEqual(expect.any(String));
    expect(await signedInAs(tokens.access_token)).toMatchObject({ username: login, email });
    const rows = await app.database.query(
      `SELECT role, hashed_password, issuer, subject, i.email FROM users u JOIN user_identities i ON i.user_id = u.id
       WHERE u.email = $1`,
      [email],
    );
    expect(rows).toEqual([{ role: 'attorney', hashed_password: '!', issuer: provider.issuer, subject: login, email }]);
  });

  it('is the same account the next time, whatever address and name the provider has then', async () => {
    const { login } = await aPerson();
    const first = new Browser(app);
    const one = await jsonOf<{ access_token: string }>(await first.exchange((await first.travel(login))['code']));
    const changed = { email: `new-${login}@practice.test`, email_verified: true, preferred_username: 'other' };
    await provider.tell({ accounts: { [login]: changed } });

    const second = new Browser(app);
    const other = await jsonOf<{ access_token: string }>(await second.exchange((await second.travel(login))['code']));

    const [before, after] = [await signedInAs(one.access_token), await signedInAs(other.access_token)];
    expect(after).toEqual(before);
  });

  it('can keep its refresh token in a cookie', async () => {
    const { login } = await aPerson();
    const browser = new Browser(app);
    const { code } = await browser.travel(login);

    const response = await browser.exchange(code, { cookies: true });

    expect(await jsonOf(response)).not.toHaveProperty('refresh_token');
    expect(response.headers.getSetCookie().join()).toMatch(/__Host-forecourt_refresh=[\w-]+.*SameSite=Strict/);
  });

  it.each<[string, object, string]>([
    ['an address that is not verified', { email_verified: false }, 'IDENTITY_DOMAIN_REFUSED'],
    ['an address of another domain', { email: 'eve@evil.test' }, 'IDENTITY_DOMAIN_REFUSED'],
    ['an address of a domain that ends alike', { email: 'eve@not-practice.test' }, 'IDENTITY_DOMAIN_REFUSED'],
    ['no address', { email: undefined }, 'IDENTITY_DOMAIN_REFUSED'],
  ])('is refused with %s, and makes nothing', async (_, claims, error) => {
    const { login } = await aPerson(claims);
    const before = await countOf('users');

    expect(await new Browser(app).travel(login)).toEqual({ error, provider: 'okta' });
    expect([await countOf('users')]).toEqual([before]);
  });

  it('never takes over an account with the same address', async () => {
    const victim = await anAccount(app, superadmin, 'attorney');
    const { login } = await aPerson({ email: victim.email });

    expect(await new Browser(app).travel(login)).toEqual({ error: 'IDENTITY_ACCOUNT_EXISTS', provider: 'okta' });
    expect(
      await app.database.query('SELECT id FROM user_identities WHERE user_id = $1 OR subject = $2', [victim.id, login]),
    ).toEqual([]);
  });

  it('gets another user name when somebody has theirs', async () => {
    const other = await anAccount(app, superadmin, 'attorney');
    const { login } = await aPerson({ preferred_username: other.username });
    const browser = new Browser(app);

    const tokens = await jsonOf<{ access_token: string }>(
      await browser.exchange((await browser.travel(login))['code']),
    );

    expect((await signedInAs(tokens.access_token))['username']).toMatch(new RegExp(`^${other.username}-\\d{6}$`));
  });
});

describe('an attacker', () => {
  it('cannot sign a victim in to their own account: a state is of no use in another browser', async () => {
    const { login } = await aPerson();
    const attacker = new Browser(app);
    const callback = await attacker.visit(await attacker.begin(), login);

    const victim = new Browser(app);
    await victim.begin();
    expect(await victim.arrive(callback)).toEqual({ error: 'OPENID_STATE_INVALID', provider: 'okta' });
    expect(await new Browser(app).arrive(callback)).toEqual({ error: 'OPENID_STATE_INVALID', provider: 'okta' });
    // and the one whose it is still can
    expect(await attacker.arrive(callback)).toHaveProperty('code');
  });

  it('cannot replay an answer of the provider, not even in the same browser', async () => {
    const { login } = await aPerson();
    const browser = new Browser(app);
    const callback = await browser.visit(await browser.begin(), login);

    const answers = await Promise.all(Array.from({ length: 8 }, () => browser.arrive(callback)));
    answers.push(await browser.arrive(callback));

    expect(answers.filter(({ code }) => code !== undefined)).toHaveLength(1);
    expect(answers.filter(({ error }) => error === 'OPENID_STATE_INVALID')).toHaveLength(8);
  });

  it('cannot use a code twice: of sixteen at once one gets tokens', async () => {
    const { login } = await aPerson();
    const browser = new Browser(app);
    const { code } = await browser.travel(login);
    const before = await countOf('sessions');

    const statuses = await Promise.all(Array.from({ length: 16 }, async () => (await browser.exchange(code)).status));

    expect(statuses.sort()).toEqual([200, ...Array<number>(15).fill(403)]);
    expect(await countOf('sessions')).toBe(before + 1);
    expect((await browser.exchange(code)).status).toBe(403);
  });

  it('cannot use a code in another browser, without its cookie, or that was never handed out', async () => {
    const { login } = await aPerson();
    const browser = new Browser(app);
    const { code } = await browser.travel(login);
    const other = new Browser(app);
    await other.begin();

    const answers = [await other.exchange(code), await new Browser(app).exchange(code), await browser.exchange('x')];

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect((await jsonOf(answers[0]!))['error_code']).toBe('OPENID_CODE_INVALID');
    expect((await browser.exchange(code)).status).toBe(200);
  });

  it('cannot use a page of their own: the exchange wants one of ours', async () => {
    const { login } = await aPerson();
    const browser = new Browser(app);
    const { code } = await browser.travel(login);

    const response = await browser.post('/api/v1/auth/openid/exchange', { code }, undefined, {
      Origin: 'https://evil.test',
    });

    expect([response.status, (await jsonOf(response))['error_code']]).toEqual([403, 'CROSS_SITE_REQUEST']);
  });

  it('cannot come late: neither with an answer nor with a code', async () => {
    const { login } = await aPerson();
    const browser = new Browser(app);
    const late = await browser.visit(await browser.begin(), login);
    await app.database.query(
      `UPDATE openid_flows SET created_at = now() - interval '11 minutes', expires_at = now() - interval '1 minute'
       WHERE returned_at IS NULL`,
    );
    const { code } = await browser.travel(login);
    await app.database.query(
      `UPDATE openid_flows SET code_expires_at = now() - interval '1 s' WHERE code_hash IS NOT NULL AND redeemed_at IS NULL`,
    );

    expect(await browser.arrive(late)).toMatchObject({ error: 'OPENID_STATE_INVALID' });
    expect((await browser.exchange(code)).status).toBe(403);
  });

  it.each([
    'another key',
    'no signature',
    'the client secret as key',
    'another nonce',
    'no nonce',
    'another issuer',
    'another audience',
    'a time long past',
  ])('is not believed with an ID token that has %s', async (lie) => {
    const { login } = await aPerson({}, { lie });
    const before = await countOf('users');

    expect(await new Browser(app).travel(login)).toEqual({ error: 'OPENID_ANSWER_INVALID', provider: 'okta' });
    expect(await countOf('users')).toBe(before);
  });

  it.each<[string, (url: URL) => void]>([
    [
      'the answer of another issuer (mix-up, RFC 9207)',
      (url) => {
        url.searchParams.set('iss', 'https://evil.test');
      },
    ],
    [
      'an answer without its issuer',
      (url) => {
        url.searchParams.delete('iss');
      },
    ],
    [
      'a code of somebody else',
      (url) => {
        url.searchParams.set('code', 'stolen');
      },
    ],
    [
      'two codes',
      (url) => {
        url.searchParams.append('code', 'stolen');
      },
    ],
    [
      'no code',
      (url) => {
        url.searchParams.delete('code');
      },
    ],
  ])('gets nothing for %s', async (_, change) => {
    const { login } = await aPerson();
    const browser = new Browser(app);
    const callback = await browser.visit(await browser.begin(), login);
    change(callback);

    expect(await browser.arrive(callback)).toEqual({ error: 'OPENID_ANSWER_INVALID', provider: 'okta' });
  });

  it('cannot inject a code that was got in another flow: its PKCE verifier is another', async () => {
    const { login } = await aPerson();
    const attacker = new Browser(app);
    const stolen = (await attacker.visit(await attacker.begin(), login)).searchParams.get('code')!;
    const browser = new Browser(app);
    const callback = await browser.visit(await browser.begin(), login);
    callback.searchParams.set('code', stolen);

    expect(await browser.arrive(callback)).toEqual({ error: 'OPENID_ANSWER_INVALID', provider: 'okta' });
  });

  it('cannot lead anybody elsewhere by the name of the host', async () => {
    const { login } = await aPerson();
    const foreign = { Host: 'evil.test', 'X-Forwarded-Host': 'evil.test', Forwarded: 'host=evil.test' };
    const begun = await sendAs(foreign, 'POST', '/api/v1/auth/openid/okta', { Origin: DASHBOARD_URL });
    const browser = new Browser(app);
    const callback = await browser.visit(await browser.begin(), login);
    const cookie = browser.here.header;

    const returned = await sendAs(foreign, 'GET', `${callback.pathname}${callback.search}`, cookie);

    expect([begun.status, begun.body]).toEqual([200, expect.not.stringContaining('evil')]);
    expect(returned).toMatchObject({
      status: 303,
      location: expect.stringMatching(/^https:\/\/app\.practice\.test\//),
    });
    expect(returned.location).toContain('#code=');
  });

  it('gets no words of theirs into our page: an error of the provider is one of our codes', async () => {
    const browser = new Browser(app);
    const url = await browser.begin();
    const state = url.searchParams.get('state')!;
    const callback = new URL(`${PUBLIC_URL}/api/v1/auth/openid/okta/callback`);
    callback.search = new URLSearchParams({
      state,
      iss: provider.issuer,
      error: 'access_denied',
      error_description: 'call 0800-EVIL',
    }).toString();

    expect(await browser.arrive(callback)).toEqual({ error: 'OPENID_CANCELLED', provider: 'okta' });
  });

  it('cannot fix a session: each sign-in begins a new one, and that of the cookie is over', async () => {
    const { login } = await aPerson();
    const browser = new Browser(app);
    const first = await browser.exchange((await browser.travel(login))['code'], { cookies: true });
    const { access_token: before } = await jsonOf<{ access_token: string }>(first);

    const second = await browser.exchange((await browser.travel(login))['code'], { cookies: true });
    const { access_token: after } = await jsonOf<{ access_token: string }>(second);

    expect((await get(app, '/api/v1/auth/me', before)).status).toBe(401);
    expect((await get(app, '/api/v1/auth/me', after)).status).toBe(200);
  });

  it('does not come back in once their account is disabled, not even with a code from before', async () => {
    const { login, email } = await aPerson();
    const browser = new Browser(app);
    const { code } = await browser.travel(login);
    await app.database.query('UPDATE users SET is_active = false WHERE email = $1', [email]);

    expect((await browser.exchange(code)).status).toBe(403);
    expect(await browser.travel(login)).toEqual({ error: 'IDENTITY_ACCOUNT_DISABLED', provider: 'okta' });
  });

  it('cannot sign in with a password to an account that has none', async () => {
    const { login } = await aPerson();
    const browser = new Browser(app);
    await browser.exchange((await browser.travel(login))['code']);

    for (const password of ['', '!', 'null', PASSWORD]) {
      const response = await app.request('/api/v1/auth/login', {
        method: 'POST',
        body: new URLSearchParams({ username: login, password }),
      });
      expect([401, 422]).toContain(response.status);
    }
  });
});

describe('the record', () => {
  it('has arrivals, sign-ins and refusals with their provider, and no secret is in it, in the log or readable in the database', async () => {
    const { login } = await aPerson();
    const browser = new Browser(app);
    const url = await browser.begin();
    const callback = await browser.visit(url, login);
    const { code } = await browser.arrive(callback);
    const tokens = await jsonOf<{ access_token: string; refresh_token: string }>(await browser.exchange(code));
    await browser.arrive(callback);

    const { id } = await signedInAs(tokens.access_token);
    const actions = await app.database.query<{ action: string; details: Record<string, unknown> }>(
      `SELECT action, details FROM audit_entries WHERE target_id = $1 OR (action = 'auth.openid_refused') ORDER BY at`,
      [id],
    );
    const own = actions.map(({ action, details }) => [action, details['provider'] ?? details['method'] ?? null]);
    expect(own).toEqual(
      expect.arrayContaining([
        ['user.created', null],
        ['identity.provisioned', 'okta'],
        ['auth.signed_in', 'openid'],
        ['identity.used', 'okta'],
        ['auth.openid_refused', 'okta'],
      ]),
    );
    const everything = JSON.stringify([
      app.log,
      await app.database.query('SELECT * FROM audit_entries'),
      await app.database.query(
        `SELECT f.*, encode(state_hash, 'escape') AS a, encode(code_hash, 'escape') AS b FROM openid_flows f`,
      ),
      await app.database.query('SELECT * FROM graphile_worker._private_jobs'),
    ]);
    const secrets = [
      'planted-client-secret',
      url.searchParams.get('state'),
      url.searchParams.get('nonce'),
      callback.searchParams.get('code'),
      code,
      browser.here.header.Cookie.split('=')[1],
      tokens.access_token,
      tokens.refresh_token,
    ];
    expect(secrets.filter((secret) => secret === undefined || secret === null || everything.includes(secret))).toEqual(
      [],
    );
    expect(everything).toContain(login);
  });
});
