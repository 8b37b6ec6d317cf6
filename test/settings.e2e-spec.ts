import { startApp, type TestApp } from './support/app.js';
import { makePdf } from './support/documents.mjs';
import { anEmail, formOf, get, jsonOf, login, sendJson, submit, tokenOf } from './support/leads.js';

describe('a setting', () => {
  let app: TestApp;
  afterEach(() => app.close());

  it('REGISTRATION_MODE=open lets a stranger register, who is an attorney and nothing more', async () => {
    app = await startApp({ REGISTRATION_MODE: 'open', ALLOW_UNVERIFIED_SIGN_IN: 'true', ROLE: 'http' });

    const response = await sendJson(app, 'POST', '/api/v1/auth/register', {
      username: 'eve',
      email: 'eve@example.com',
      password: 'a fine password',
    });

    expect(response.status).toBe(201);
    const token = await tokenOf(app, 'eve', 'a fine password');
    expect([(await get(app, '/api/v1/leads', token)).status, (await get(app, '/api/v1/users', token)).status]).toEqual([
      200, 403,
    ]);
  });

  it('REPEATED_SUBMISSION=neutral tells nobody whose address is known: 201 alike, and nothing stored or mailed', async () => {
    app = await startApp({ REPEATED_SUBMISSION: 'neutral', ROLE: 'http' });
    const email = anEmail();
    const kept = async (): Promise<unknown[]> =>
      app.database.query(
        `SELECT (SELECT count(*) FROM leads) AS leads, (SELECT count(*) FROM files) AS files,
           (SELECT count(*) FROM mail_messages) AS mails, (SELECT count(*) FROM lead_status_changes) AS changes`,
      );
    const first = await submit(app, { email });
    const before = await kept();

    const repeated = await submit(app, { email: email.toUpperCase() });

    expect([first.status, repeated.status]).toEqual([201, 201]);
    const [one, other] = [await jsonOf(first), await jsonOf(repeated)];
    expect(Object.keys(other)).toEqual(Object.keys(one));
    expect(other['id']).not.toBe(one['id']);
    expect(other['email']).toBe(one['email']);
    const names = (response: Response): string[] => [...response.headers.keys()].sort();
    expect(names(repeated)).toEqual(names(first));
    expect(await kept()).toEqual(before);
    expect(await app.storedFiles()).toHaveLength(1);
  });

  it('PASSWORD_REQUIRE_COMPLEXITY names every kind of character that is missing', async () => {
    app = await startApp({ PASSWORD_REQUIRE_COMPLEXITY: 'true', ROLE: 'http' });
    const admin = await tokenOf(app);
    const register = (password: string): Promise<Response> =>
      sendJson(app, 'POST', '/api/v1/auth/register', { username: 'ada', email: 'ada@example.com', password }, admin);

    const weak = await register('aaaaaaaa');
    const strong = await register('Aaaaaa1!');

    expect([weak.status, (await jsonOf(weak))['field_errors']]).toEqual([
      400,
      { password: ['Must contain an upper-case letter', 'Must contain a digit', 'Must contain a special character'] },
    ]);
    expect(strong.status).toBe(201);
  });

  it('ACCESS_TOKEN_EXPIRE_MINUTES sets the lifetime, BCRYPT_ROUNDS the cost, ALGORITHM the signature', async () => {
    app = await startApp({ ACCESS_TOKEN_EXPIRE_MINUTES: '15', BCRYPT_ROUNDS: '5', ALGORITHM: 'HS512', ROLE: 'http' });

    const { access_token: token, expires_in: lifetime } = await jsonOf<{ access_token: string; expires_in: number }>(
      await login(app, 'admin', 'a good admin password'),
    );

    expect(lifetime).toBe(900);
    expect(JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString())).toMatchObject({ alg: 'HS512' });
    expect((await get(app, '/api/v1/auth/me', token)).status).toBe(200);
    const [row] = await app.database.query<{ hash: string }>('SELECT hashed_password AS hash FROM users');
    expect(row!.hash).toMatch(/^\$2[aby]\$05\$/);
  });

  it('PUBLIC_URL with TLS makes the cookie of refresh tokens __Host- and Secure, and the days set its life', async () => {
    app = await startApp({
      PUBLIC_URL: 'https://intake.practice.test/forecourt',
      REFRESH_TOKEN_EXPIRE_DAYS: '2',
      SESSION_EXPIRE_DAYS: '3',
      ROLE: 'http',
    });
    const body = new URLSearchParams({ username: 'admin', password: 'a good admin password', cookies: 'true' });
    const Origin = 'https://intake.practice.test';

    const signedIn = await app.request('/api/v1/auth/login', { method: 'POST', body, headers: { Origin } });

    const cookie = signedIn.headers.get('set-cookie')!;
    expect(cookie).toMatch(
      /^__Host-forecourt_refresh=[\w-]{43}; Path=\/; Max-Age=172800; HttpOnly; Secure; SameSite=Strict$/,
    );
    const refresh = (Cookie: string): Promise<Response> =>
      app.request('/api/v1/auth/refresh', { method: 'POST', headers: { Origin, Cookie } });
    const pair = cookie.split(';')[0]!;
    // a cookie that a neighbour of the domain could have set counts for nothing
    expect((await refresh(pair.replace('__Host-', ''))).status).toBe(422);
    expect((await refresh(pair)).status).toBe(200);
    const [days] = await app.database.query(
      `SELECT extract(day FROM expires_at - created_at)::int AS days FROM sessions`,
    );
    expect(days).toEqual({ days: 3 });
  });

  it('MAX_FILE_SIZE moves the limit', async () => {
    app = await startApp({ MAX_FILE_SIZE: '1000', ROLE: 'http' });
    const send = (size: number): Promise<Response> =>
      app.request('/api/v1/leads', { method: 'POST', body: formOf({ file: { bytes: makePdf(size) } }) });

    const [fits, exceeds] = [await send(1000), await send(1001)];

    expect(fits.status).toBe(201);
    expect([exceeds.status, (await jsonOf(exceeds))['field_errors']]).toEqual([
      413,
      { resume: ['File size exceeds 1000 bytes'] },
    ]);
  });
});
