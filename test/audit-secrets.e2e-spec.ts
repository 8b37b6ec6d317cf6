import { randomBytes, randomUUID } from 'node:crypto';
import { SeldomEntries } from '../src/audit/seldom-entries.js';
import { eventually, SECRET_KEY, startApp, type TestApp } from './support/app.js';
import { aLead, anAttorney, bearer, formOf, tokenOf } from './support/leads.js';
import { routesOf } from './support/routes.js';

const FILE_KEY = randomBytes(32).toString('base64');
const SMTP_PASSWORD = `smtp-${randomUUID()}`;
const WEBHOOK_SECRET = randomBytes(32).toString('base64');
const PLANTED = `planted-${randomUUID()}`;

let app: TestApp;
beforeAll(async () => {
  app = await startApp({
    DEBUG: 'true',
    FILE_ENCRYPTION_KEYS: `first:${FILE_KEY}`,
    // nobody listens there: what is said of a failed delivery is looked at as well
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: '9',
    SMTP_USERNAME: 'mailer',
    SMTP_PASSWORD,
    ALERT_WEBHOOK_URL: 'http://127.0.0.1:9/hook',
    ALERT_WEBHOOK_SECRET: WEBHOOK_SECRET,
  });
});
afterAll(() => app.close());

/** Everything that was logged, and every row of the record. */
async function everything(): Promise<string> {
  await app.app.get(SeldomEntries).writeAll();
  return JSON.stringify([app.log, await app.database.query('SELECT * FROM audit_entries')]);
}

it('no password, token or key is in any line of the log or any audit entry, whichever route is called however', async () => {
  const token = await tokenOf(app);
  const attorney = await anAttorney(app, token);
  const lead = await aLead(app);
  const [file] = await app.database.query<{ id: string; wrapped_key: Buffer }>('SELECT id, wrapped_key FROM files');
  const [user] = await app.database.query<{ hashed_password: string }>('SELECT hashed_password FROM users');
  const idOf = (name: string): string =>
    name === 'lead_id' ? lead : name === 'file_id' ? (file?.id ?? '') : name === 'user_id' ? attorney.id : '1';
  const authorizations = [undefined, token, attorney.token, PLANTED, `${token.slice(0, -2)}${PLANTED}`];
  const body = JSON.stringify({
    username: PLANTED,
    email: `${PLANTED}@example.com`,
    password: PLANTED,
    status: PLANTED,
    is_active: PLANTED,
    secret: PLANTED,
  });

  let calls = 0;
  for (const { method, path } of routesOf(app.app)) {
    const address = path.replace(/:(\w+)/g, (_, name: string) => idOf(name));
    for (const authorization of authorizations) {
      const headers = authorization === undefined ? {} : bearer(authorization);
      const isRead = method === 'GET';
      const answers = [
        await app.request(`${address}?password=${PLANTED}&access_token=${PLANTED}`, { method, headers }),
        await app.request(address, {
          method,
          headers: { ...headers, 'Content-Type': 'application/json', Cookie: `session=${PLANTED}` },
          ...(isRead ? {} : { body }),
        }),
        await app.request(address, {
          method,
          headers,
          ...(isRead ? {} : { body: formOf({ extra: { token: PLANTED } }) }),
        }),
      ];
      for (const answer of answers) await answer.arrayBuffer();
      calls += answers.length;
    }
  }
  const attempts: Record<string, string>[] = [
    { username: 'admin', password: PLANTED },
    { username: PLANTED, password: PLANTED },
    { username: `${PLANTED}@example.com`, password: PLANTED, client_secret: PLANTED },
  ];
  for (const credentials of attempts)
    await app.request('/api/v1/auth/login', { method: 'POST', body: new URLSearchParams(credentials) });
  await eventually('a delivery failed', async () =>
    app.log.some(({ message }) => /mail|deliver/i.test(String(message))),
  );

  const text = await everything();
  const secrets = [
    PLANTED,
    token,
    token.split('.')[2],
    attorney.token,
    'a fine password',
    'a good admin password',
    SECRET_KEY,
    FILE_KEY,
    SMTP_PASSWORD,
    Buffer.from(`\0mailer\0${SMTP_PASSWORD}`).toString('base64'),
    WEBHOOK_SECRET,
    user?.hashed_password,
    file?.wrapped_key.toString('base64'),
    file?.wrapped_key.toString('hex'),
  ];
  expect(calls).toBeGreaterThan(200);
  expect(text.length).toBeGreaterThan(50_000);
  expect(secrets.filter((secret) => secret === undefined || text.includes(secret))).toEqual([]);
});

it('and this test would find them', async () => {
  await app.request('/api/v1/auth/login', {
    method: 'POST',
    headers: { 'User-Agent': PLANTED },
    body: new URLSearchParams({ username: 'someone', password: 'x' }),
  });

  expect(await everything()).toContain(PLANTED);
});
