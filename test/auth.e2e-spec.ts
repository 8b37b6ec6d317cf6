import { JwtService } from '@nestjs/jwt';
import { createHash, createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { ADMIN, eventually, SECRET_KEY, startApp, type TestApp } from './support/app.js';
import { aLead, anAttorney, bearer, get, jsonOf, login, sendJson, tokenOf } from './support/leads.js';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const PREVIOUS_KEY = 'the-key-before-0123456789-abcdefghijklmnop';
const PASSWORD = 'a fine password';

let app: TestApp;
let admin: string;
beforeAll(async () => {
  app = await startApp({ SECRET_KEY_PREVIOUS: PREVIOUS_KEY, ROLE: 'http' });
  admin = await tokenOf(app);
});
afterAll(() => app.close());

const claimsOf = (token: string, part = 1): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[part]!, 'base64url').toString()) as Record<string, unknown>;
const kidOf = (secret: string): string => createHash('sha256').update(`kid:${secret}`).digest('hex').slice(0, 12);
const me = (token: string): Promise<Response> => get(app, '/api/v1/auth/me', token);

describe('POST /api/v1/auth/login', () => {
  it('answers a form with exactly the documented fields, and no cookie', async () => {
    const response = await login(app, ADMIN.username, ADMIN.password);

    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(await jsonOf(response)).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      token_type: 'bearer',
      expires_in: 86_400,
      refresh_token: expect.stringMatching(/^[\w-]{43}$/),
      refresh_expires_in: 7 * 86_400,
    });
  });

  it('signs a token whose lifetime is expires_in, for the API alone', async () => {
    const { access_token: token, expires_in: lifetime } = await jsonOf<{ access_token: string; expires_in: number }>(
      await login(app, ADMIN.username, ADMIN.password),
    );

    const claims = claimsOf(token) as { exp: number; iat: number };
    expect(claimsOf(token, 0)).toEqual({ alg: 'HS256', typ: 'at+jwt', kid: kidOf(SECRET_KEY) });
    expect(claims).toEqual({
      sub: expect.stringMatching(UUID_V4),
      username: 'admin',
      email: 'admin@forecourt.test',
      role: 'superadmin',
      type: 'access',
      sid: expect.stringMatching(UUID_V4),
      jti: expect.stringMatching(UUID_V4),
      iat: expect.any(Number),
      exp: expect.any(Number),
      iss: 'forecourt',
      aud: 'forecourt-api',
      amr: ['pwd'],
    });
    expect(claims.exp - claims.iat).toBe(lifetime);
  });

  it('takes JSON as well, the e-mail address for the name, and any case of either', async () => {
    const statuses = await Promise.all(
      ['admin', 'ADMIN', ' admin ', 'admin@forecourt.test', 'Admin@Forecourt.TEST'].map(
        async (username) =>
          (await sendJson(app, 'POST', '/api/v1/auth/login', { username, password: ADMIN.password })).status,
      ),
    );

    expect(statuses).toEqual([200, 200, 200, 200, 200]);
  });

  it('takes what an OAuth2 client sends beside', async () => {
    const body = new URLSearchParams({
      grant_type: 'password',
      username: ADMIN.username,
      password: ADMIN.password,
      scope: '',
      client_id: 'x',
      client_secret: 'y',
    });

    expect((await app.request('/api/v1/auth/login', { method: 'POST', body })).status).toBe(200);
  });

  it.each([
    ['a wrong password', ADMIN.username, 'wrong'],
    ['an unknown name', 'nobody', ADMIN.password],
    ['an unknown address', 'nobody@example.com', ADMIN.password],
    ['the right password in another case', ADMIN.username, ADMIN.password.toUpperCase()],
    ['the right password with a space', ADMIN.username, `${ADMIN.password} `],
    ['an injection', "' OR 1=1--", "' OR 1=1--"],
    ['a password of 1,000 bytes', ADMIN.username, 'x'.repeat(1000)],
  ])('answers %s with 401 in the same words', async (_, username, password) => {
    const response = await login(app, username, password);

    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="forecourt"');
    expect(await jsonOf(response)).toEqual({
      detail: 'Incorrect username or password',
      error_code: 'INVALID_CREDENTIALS',
      timestamp: expect.any(String),
      request_id: expect.stringMatching(UUID_V4),
    });
  });

  it('does not let a password in that agrees only in its first 72 bytes', async () => {
    const password = 'p'.repeat(72);
    await sendJson(
      app,
      'POST',
      '/api/v1/auth/register',
      { username: 'long', email: 'long@practice.test', password },
      admin,
    );

    expect((await login(app, 'long', password)).status).toBe(200);
    expect((await login(app, 'long', `${password}x`)).status).toBe(401);
  });

  it.each([
    ['no password', { username: 'admin' }, ['password']],
    ['no name', { password: 'x' }, ['username']],
    ['neither', {}, ['username', 'password']],
    ['an empty password', { username: 'admin', password: '' }, ['password']],
    ['a number for a name', { username: 1, password: 'x' }, ['username']],
    ['a list for a password', { username: 'admin', password: ['x'] }, ['password']],
    ['a further field', { username: 'admin', password: 'x', role: 'admin' }, ['role']],
  ])('answers %s with 422 under its name', async (_, body, fields) => {
    const response = await sendJson(app, 'POST', '/api/v1/auth/login', body);

    expect(response.status).toBe(422);
    expect(Object.keys((await jsonOf<{ field_errors: object }>(response)).field_errors)).toEqual(fields);
  });

  it('answers broken JSON with 422, another media type with 415, nothing at all with 422', async () => {
    const broken = await sendJson(app, 'POST', '/api/v1/auth/login', '{');
    const text = await app.request('/api/v1/auth/login', {
      method: 'POST',
      body: 'x',
      headers: { 'Content-Type': 'text/plain' },
    });
    const nothing = await app.request('/api/v1/auth/login', { method: 'POST' });

    expect([broken.status, text.status, nothing.status]).toEqual([422, 415, 422]);
  });

  it('never writes a password or token into the log', async () => {
    const secret = `planted-${randomUUID()}`;
    await login(app, ADMIN.username, secret);
    await sendJson(app, 'POST', '/api/v1/auth/register', { username: 'x', email: 'x', password: secret }, admin);
    await me(admin);

    const log = JSON.stringify(app.log);
    expect(log).not.toContain(secret);
    expect(log).not.toContain(admin);
    expect(log).not.toContain(SECRET_KEY);
  });
});

describe('POST /api/v1/auth/register', () => {
  const register = (body: unknown, token: string | undefined = admin): Promise<Response> =>
    sendJson(app, 'POST', '/api/v1/auth/register', body, token);
  const person = (name = `u${randomUUID().slice(0, 8)}`): { username: string; email: string; password: string } => ({
    username: name,
    email: `${name}@practice.test`,
    password: PASSWORD,
  });

  it('makes an attorney who can sign in', async () => {
    const response = await register({ username: 'Grace.H', email: 'Grace@Practice.test', password: PASSWORD });

    expect(response.status).toBe(201);
    expect(await jsonOf(response)).toEqual({
      id: expect.stringMatching(UUID_V4),
      username: 'Grace.H',
      email: 'grace@practice.test',
      is_active: true,
      created_at: expect.stringMatching(/Z$/),
    });
    const token = await tokenOf(app, 'grace.h', PASSWORD);
    expect((await get(app, '/api/v1/leads', token)).status).toBe(200);
    expect((await get(app, '/api/v1/users', token)).status).toBe(403);
  });

  it('stores a bcrypt hash with a salt of its own and never the password', async () => {
    const [one, other] = [person(), person()];
    await register(one);
    await register(other);

    const rows = await app.database.query<{ hashed_password: string }>(
      'SELECT hashed_password FROM users WHERE username = ANY($1)',
      [[one.username, other.username]],
    );

    const hashes = rows.map(({ hashed_password: hash }) => hash);
    expect(hashes).toEqual([
      expect.stringMatching(/^\$2[aby]\$04\$.{53}$/),
      expect.stringMatching(/^\$2[aby]\$04\$.{53}$/),
    ]);
    expect(new Set(hashes).size).toBe(2);
  });

  it.each([
    ['a name of 2 characters', { username: 'ab' }, 'username'],
    ['a name of 51 characters', { username: 'a'.repeat(51) }, 'username'],
    ['a name with an @', { username: 'a@b.c' }, 'username'],
    ['a name with a space inside', { username: 'a b' }, 'username'],
    ['no address', { email: undefined }, 'email'],
    ['a malformed address', { email: 'nope' }, 'email'],
    ['a password of 7 characters', { password: '1234567' }, 'password'],
    ['a password of 73 bytes', { password: 'x'.repeat(73) }, 'password'],
    ['a password of 40 characters and 80 bytes', { password: 'é'.repeat(40) }, 'password'],
    ['no password', { password: undefined }, 'password'],
    ['a number for a password', { password: 12345678 }, 'password'],
    ['a role', { role: 'admin' }, 'role'],
    ['an is_active', { is_active: false }, 'is_active'],
    ['an id', { id: randomUUID() }, 'id'],
  ])('refuses %s with 400 under its name', async (_, change, field) => {
    const body = { ...person(), ...change };

    const response = await register(body);

    expect(response.status).toBe(400);
    expect(Object.keys((await jsonOf<{ field_errors: object }>(response)).field_errors)).toEqual([field]);
    expect(await app.database.query('SELECT 1 FROM users WHERE email = $1', [body.email])).toEqual([]);
  });

  it.each([
    ['names of 3 and 50 characters', ['abc', 'z'.repeat(50)], PASSWORD],
    ['a password of 8 characters', ['eight'], 'pelican7'],
    ['a password of 72 bytes', ['seventytwo'], 'é'.repeat(36)],
  ])('accepts %s', async (_, names, password) => {
    for (const name of names) expect((await register({ ...person(name), password })).status).toBe(201);
  });

  it('answers broken JSON and a list with 400', async () => {
    expect([(await register('{')).status, (await register([])).status]).toEqual([400, 400]);
  });

  it('refuses a name or address that exists with 409, whatever its case', async () => {
    const someone = person();
    await register(someone);

    const sameName = await register({ ...person(), username: someone.username.toUpperCase() });
    const sameEmail = await register({ ...person(), email: someone.email.toUpperCase() });

    expect([sameName.status, await jsonOf(sameName)]).toEqual([
      409,
      expect.objectContaining({
        error_code: 'USERNAME_DUPLICATE',
        field_errors: { username: ['Username already exists'] },
      }),
    ]);
    expect([sameEmail.status, await jsonOf(sameEmail)]).toEqual([
      409,
      expect.objectContaining({
        error_code: 'USER_EMAIL_DUPLICATE',
        field_errors: { email: ['Email already exists'] },
      }),
    ]);
  });

  it('of 16 equal registrations at once lets one through', async () => {
    const someone = person();

    const statuses = await Promise.all(Array.from({ length: 16 }, async () => (await register(someone)).status));

    expect(statuses.sort()).toEqual([201, ...Array<number>(15).fill(409)]);
  });

  it('is closed to strangers and attorneys, who change nothing', async () => {
    const attorney = await anAttorney(app, admin);
    const someone = person();

    const statuses = [
      (await sendJson(app, 'POST', '/api/v1/auth/register', someone)).status,
      (await register(someone, attorney.token)).status,
    ];

    expect(statuses).toEqual([401, 403]);
    expect(await app.database.query('SELECT 1 FROM users WHERE username = $1', [someone.username])).toEqual([]);
  });
});

describe('GET /api/v1/auth/me', () => {
  it('answers exactly id, username, email and is_active', async () => {
    const response = await me(admin);

    expect(response.status).toBe(200);
    expect(await jsonOf(response)).toEqual({
      id: expect.stringMatching(UUID_V4),
      username: 'admin',
      email: 'admin@forecourt.test',
      is_active: true,
    });
  });

  it('asks for a token', async () => {
    const response = await app.request('/api/v1/auth/me');

    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="forecourt"']);
    expect(await jsonOf(response)).toMatchObject({ error_code: 'NOT_AUTHENTICATED' });
  });
});

describe('an access token', () => {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const sign = (header: object, claims: object, secret = SECRET_KEY, hash = 'sha256'): string => {
    const body = `${encode(header)}.${encode(claims)}`;
    return `${body}.${createHmac(hash, secret).update(body).digest('base64url')}`;
  };
  const header = { alg: 'HS256', typ: 'at+jwt' };
  const good = (): Record<string, unknown> => claimsOf(admin);
  const now = Math.floor(Date.now() / 1000);

  it('made with the right key and claims would be let in (so the refusals below mean something)', async () => {
    expect((await me(sign(header, good()))).status).toBe(200);
    expect((await me(sign({ ...header, kid: kidOf(SECRET_KEY) }, good()))).status).toBe(200);
  });

  it('of the previous key is still let in, by its kid alone', async () => {
    expect((await me(sign({ ...header, kid: kidOf(PREVIOUS_KEY) }, good(), PREVIOUS_KEY))).status).toBe(200);
    expect((await me(sign(header, good(), PREVIOUS_KEY))).status).toBe(401);
  });

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  it.each<[string, () => string]>([
    ['that is no token', () => 'garbage'],
    ['with two parts', () => admin.split('.').slice(0, 2).join('.')],
    ['with four parts', () => `${admin}.x`],
    ['without a signature', () => `${admin.split('.').slice(0, 2).join('.')}.`],
    ['with another signature', () => `${admin.slice(0, -4)}AAAA`],
    [
      'with tampered claims',
      () => [admin.split('.')[0], encode({ ...good(), username: 'root' }), admin.split('.')[2]].join('.'),
    ],
    ['signed with another key', () => sign(header, good(), 'another key another key another key')],
    ['signed with an empty key', () => sign(header, good(), '')],
    ['of algorithm none', () => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(good())}.`],
    ['of algorithm None', () => `${encode({ alg: 'None', typ: 'JWT' })}.${encode(good())}.`],
    ['of algorithm HS384 with the right key', () => sign({ ...header, alg: 'HS384' }, good(), SECRET_KEY, 'sha384')],
    ['of algorithm HS512 with the right key', () => sign({ ...header, alg: 'HS512' }, good(), SECRET_KEY, 'sha512')],
    [
      'of algorithm RS256',
      () =>
        new JwtService({}).sign(good(), {
          privateKey: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
          algorithm: 'RS256',
        }),
    ],
    ['of an unknown kid', () => sign({ ...header, kid: 'nobody' }, good())],
    ['of a kid that is a path', () => sign({ ...header, kid: '../../dev/null' }, good(), '')],
    ['of a kid that is a list', () => sign({ ...header, kid: ['x'] }, good(), 'x')],
    ['that expired', () => sign(header, { ...good(), exp: now - 1 })],
    ['that is not valid yet', () => sign(header, { ...good(), nbf: now + 600 })],
    ['of another issuer', () => sign(header, { ...good(), iss: 'somebody' })],
    ['without an issuer', () => sign(header, { ...good(), iss: undefined })],
    ['for another audience', () => sign(header, { ...good(), aud: 'other-api' })],
    ['without an audience', () => sign(header, { ...good(), aud: undefined })],
    ['of type refresh', () => sign(header, { ...good(), type: 'refresh' })],
    ['without a type', () => sign(header, { ...good(), type: undefined })],
    ['of an unknown user', () => sign(header, { ...good(), sub: randomUUID() })],
    ['of a user id that is no UUID', () => sign(header, { ...good(), sub: "' OR 1=1--" })],
    ['of a user id that is a number', () => sign(header, { ...good(), sub: 1 })],
    ['without a user', () => sign(header, { ...good(), sub: undefined })],
    ['whose claims are a list', () => sign(header, [good()])],
    ['whose header is null', () => sign(null as unknown as object, good())],
  ])('%s is refused with 401', async (_, make) => {
    const response = await me(make());

    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="forecourt", error="invalid_token"');
    expect(await jsonOf(response)).toMatchObject({ error_code: 'INVALID_TOKEN' });
  });

  it.each(['Basic YWRtaW46eA==', 'Token x', 'Bearer', 'Bearer ', 'bearer'])(
    'under the header %j is none',
    async (authorization) => {
      const response = await app.request('/api/v1/auth/me', { headers: { Authorization: authorization } });

      expect([response.status, (await jsonOf(response))['error_code']]).toEqual([401, 'NOT_AUTHENTICATED']);
    },
  );

  it('counts only in the Authorization header: not in a cookie, the address or the body', async () => {
    const statuses = [
      (await app.request('/api/v1/auth/me', { headers: { Cookie: `access_token=${admin}; token=${admin}` } })).status,
      (await app.request(`/api/v1/auth/me?access_token=${admin}`)).status,
      (await app.request(`/api/v1/auth/me?auth_token=${admin}`)).status,
    ];

    expect(statuses).toEqual([401, 401, 401]);
  });
});

describe('a disabled account', () => {
  it('is refused at once, with its token and at sign-in, and let in again by a new sign-in alone', async () => {
    const attorney = await anAttorney(app, admin);
    expect((await me(attorney.token)).status).toBe(200);

    const disabled = await sendJson(app, 'PATCH', `/api/v1/users/${attorney.id}`, { is_active: false }, admin);

    expect([disabled.status, await jsonOf(disabled)]).toEqual([
      200,
      expect.objectContaining({ id: attorney.id, is_active: false, role: 'attorney' }),
    ]);
    expect((await me(attorney.token)).status).toBe(401);
    expect((await login(app, attorney.username, PASSWORD)).status).toBe(401);
    await sendJson(app, 'PATCH', `/api/v1/users/${attorney.id}`, { is_active: true }, admin);

    const anew = await tokenOf(app, attorney.username, PASSWORD);
    expect([(await me(anew)).status, (await me(attorney.token)).status]).toEqual([200, 401]);
  });

  it('is refused at once even when the change was made past the application', async () => {
    const attorney = await anAttorney(app, admin);
    expect((await me(attorney.token)).status).toBe(200);

    await app.database.query('UPDATE users SET is_active = false WHERE id = $1', [attorney.id]);

    await eventually('the token is refused', async () => (await me(attorney.token)).status === 401, 500);
  });

  it('and so is a deleted one, whose work stays on record', async () => {
    const attorney = await anAttorney(app, admin);
    const id = await aLead(app);
    await sendJson(app, 'PATCH', `/api/v1/leads/${id}`, { status: 'REACHED_OUT' }, attorney.token);

    await app.database.query('DELETE FROM users WHERE id = $1', [attorney.id]);

    await eventually('the token is refused', async () => (await me(attorney.token)).status === 401, 500);
    const { items } = await jsonOf<{ items: { changed_by: string }[] }>(
      await get(app, `/api/v1/leads/${id}/history`, admin),
    );
    expect(items.at(-1)).toMatchObject({ changed_by: attorney.username });
  });

  it('is never the last admin', async () => {
    const [row] = await app.database.query<{ id: string }>(`SELECT id FROM users WHERE username = 'admin'`);

    const response = await sendJson(app, 'PATCH', `/api/v1/users/${row!.id}`, { is_active: false }, admin);

    expect([response.status, (await jsonOf(response))['error_code']]).toEqual([409, 'LAST_ADMIN']);
    expect((await me(admin)).status).toBe(200);
  });
});

describe('GET and PATCH /api/v1/users', () => {
  it('lists accounts for admins, without any hash', async () => {
    const response = await get(app, '/api/v1/users?size=2&page=1', admin);

    const body = await jsonOf<{ items: object[]; total: number }>(response);
    expect(response.status).toBe(200);
    expect(body.total).toBeGreaterThan(2);
    expect(Object.keys(body.items[0]!).sort()).toEqual(['created_at', 'email', 'id', 'is_active', 'role', 'username']);
    expect(JSON.stringify(body)).not.toContain('$2');
  });

  it('answers an unknown user with 404, a malformed id and body with 422, an attorney with 403', async () => {
    const attorney = await anAttorney(app, admin);
    const change = (id: string, body: object, token: string): Promise<Response> =>
      sendJson(app, 'PATCH', `/api/v1/users/${id}`, body, token);

    const statuses = await Promise.all([
      change(randomUUID(), { is_active: false }, admin),
      change('abc', { is_active: false }, admin),
      change(attorney.id, { is_active: 'no' }, admin),
      change(attorney.id, {}, admin),
      change(attorney.id, { is_active: false }, attorney.token),
      get(app, '/api/v1/users', attorney.token),
      get(app, '/api/v1/users?size=101', admin),
    ]);

    expect(statuses.map(({ status }) => status)).toEqual([404, 422, 422, 422, 403, 403, 422]);
    expect((await me(attorney.token)).status).toBe(200);
  });
});

describe('every route that needs a token', () => {
  it.each([
    ['GET', '/api/v1/leads'],
    ['GET', `/api/v1/leads/${randomUUID()}`],
    ['GET', '/api/v1/leads/abc'],
    ['PATCH', `/api/v1/leads/${randomUUID()}`],
    ['GET', `/api/v1/leads/${randomUUID()}/resume`],
    ['GET', `/api/v1/leads/${randomUUID()}/history`],
    ['GET', `/api/v1/files/${randomUUID()}`],
    ['GET', '/api/v1/users'],
    ['PATCH', `/api/v1/users/${randomUUID()}`],
    ['POST', '/api/v1/auth/register'],
    ['GET', '/api/v1/auth/me'],
    ['POST', '/api/v1/auth/logout'],
    ['POST', '/api/v1/auth/logout-everywhere'],
    ['GET', '/api/v1/auth/sessions'],
    ['DELETE', `/api/v1/auth/sessions/${randomUUID()}`],
    ['GET', `/api/v1/admin/users/${randomUUID()}/sessions`],
    ['DELETE', `/api/v1/admin/users/${randomUUID()}/sessions`],
  ])('%s %s answers 401 before anything else', async (method, path) => {
    const body = method === 'GET' ? {} : { body: '{broken', headers: { 'Content-Type': 'application/json' } };

    const [without, forged] = await Promise.all([
      app.request(path, { method, ...body }),
      app.request(path, { method, ...body, headers: { ...bearer('x.y.z') } }),
    ]);

    expect([without.status, forged.status]).toEqual([401, 401]);
  });
});

describe('signing in takes as long for an unknown name', () => {
  it('by doing the same work', async () => {
    const time = async (name: string): Promise<number> => {
      const started = performance.now();
      for (let round = 0; round < 15; round += 1) await login(app, name, 'wrong password');
      return performance.now() - started;
    };
    await time('admin');

    const ratios: number[] = [];
    for (let round = 0; round < 3; round += 1) ratios.push((await time('admin')) / (await time('nobody')));

    // an answer without hashing would be several times faster; noise is far below that
    const median = ratios.sort((one, other) => one - other)[1]!;
    expect(median).toBeGreaterThan(0.4);
    expect(median).toBeLessThan(2.5);
  });
});
