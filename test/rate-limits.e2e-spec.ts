import { aKey, withKey } from './support/api-keys.js';
import { startApp, type TestApp } from './support/app.js';
import { aLead, bearer, formOf, jsonOf, login, submit, tokenOf } from './support/leads.js';

describe('rate limits', () => {
  let app: TestApp;
  afterEach(() => app.close());
  const limited = (settings: Record<string, string> = {}): Promise<TestApp> =>
    startApp({ RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_LOGIN: '3', RATE_LIMIT_SUBMIT: '2', ROLE: 'http', ...settings });
  const from = (address: string): Promise<Response> =>
    app.request('/api/v1/leads', { method: 'POST', body: formOf(), headers: { 'X-Forwarded-For': address } });

  it('tell on each answer what is left, and refuse sign-ins with 429 and when to come back', async () => {
    app = await limited();

    const answers = [];
    for (let round = 0; round < 4; round += 1) answers.push(await login(app, 'admin', 'wrong'));

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 429]);
    expect(answers[0]!.headers.get('ratelimit-policy')).toBe('"login";q=3;w=60');
    expect(answers[0]!.headers.get('ratelimit')).toMatch(/^"login";r=2;t=(6[01]|5\d)$/);
    const last = answers[3]!;
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(await jsonOf(last)).toMatchObject({
      error_code: 'RATE_LIMITED',
      detail: 'Too many requests; try again later',
    });
  });

  it('count submissions apart from sign-ins, and leave other routes alone', async () => {
    app = await limited();

    expect([(await submit(app)).status, (await submit(app)).status, (await submit(app)).status]).toEqual([
      201, 201, 429,
    ]);
    expect((await login(app, 'admin', 'wrong')).status).toBe(401);
    expect((await app.request('/health/live')).headers.get('ratelimit')).toBeNull();
  });

  it('let exactly the limit through when many come at once', async () => {
    app = await limited();

    const statuses = await Promise.all(
      Array.from({ length: 16 }, async () => (await login(app, 'admin', 'wrong')).status),
    );

    expect(statuses.sort()).toEqual([401, 401, 401, ...Array<number>(13).fill(429)]);
  });

  it('are not lifted by forged forwarding headers', async () => {
    app = await limited();

    const statuses = [];
    for (let round = 0; round < 3; round += 1) statuses.push((await from(`203.0.113.${round}`)).status);

    expect(statuses).toEqual([201, 201, 429]);
  });

  it('believe the proxy that TRUST_PROXY names, but not what its client claims', async () => {
    app = await limited({ TRUST_PROXY: 'loopback' });

    const statuses = [];
    for (const address of ['203.0.113.1', '203.0.113.1', '203.0.113.1', '203.0.113.2', '198.51.100.9, 203.0.113.1'])
      statuses.push((await from(address)).status);

    // the last one claims another origin, but the proxy itself saw 203.0.113.1
    expect(statuses).toEqual([201, 201, 429, 201, 429]);
  });

  it('count one subscriber’s IPv6 network as one', async () => {
    app = await limited({ TRUST_PROXY: 'loopback' });

    const statuses = [];
    for (const address of [
      '2001:db8:1:2::1',
      '2001:db8:1:2:ffff::2',
      '2001:0db8:1:2:3:4:5:6',
      '2001:db8:1:3::1',
      '::ffff:203.0.113.7',
    ])
      statuses.push((await from(address)).status);

    expect(statuses).toEqual([201, 201, 429, 201, 201]);
  });

  it('count each API key by itself, downloads included, and leave its owner theirs', async () => {
    app = await limited({ RATE_LIMIT_KEY: '3', RATE_LIMIT_READ: '2' });
    const token = await tokenOf(app);
    const [one, other] = [await aKey(app, token), await aKey(app, token)];
    const lead = await aLead(app);
    const read = (path: string, headers: Record<string, string>): Promise<Response> =>
      app.request(`/api/v1/leads${path}`, { headers });

    const answers = [];
    for (const path of ['', `/${lead}`, `/${lead}/resume`, '']) answers.push(await read(path, withKey(one.key)));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers[0]!.headers.get('ratelimit-policy')).toBe('"address";q=6000;w=60, "key";q=3;w=60');
    expect(answers[0]!.headers.get('ratelimit')).toMatch(/, "key";r=2;t=\d+$/);
    expect(Number(answers[3]!.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await read('', withKey(other.key))).status).toBe(200);
    const own = [];
    for (let round = 0; round < 3; round += 1) own.push((await read('', bearer(token))).status);
    expect(own).toEqual([200, 200, 429]);
  });

  it('are off with RATE_LIMIT_ENABLED=false', async () => {
    app = await limited({ RATE_LIMIT_ENABLED: 'false' });

    const answers = await Promise.all(Array.from({ length: 6 }, () => login(app, 'admin', 'wrong')));

    expect(answers.map(({ status }) => status)).toEqual(Array<number>(6).fill(401));
    expect(answers[0]!.headers.get('ratelimit')).toBeNull();
  });
});
