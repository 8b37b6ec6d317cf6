import { rename } from 'node:fs/promises';
import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { eventually, startApp, type TestApp } from './support/app.js';
import { get, jsonOf, sendJson, tokenOf } from './support/leads.js';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SEVEN = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-xss-protection': '0',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'content-security-policy': "default-src 'self'; frame-ancestors 'none'",
  'referrer-policy': 'strict-origin-when-cross-origin',
  'permissions-policy': 'geolocation=(), microphone=(), camera=()',
};

let app: TestApp;
let admin: string;
beforeAll(async () => {
  app = await startApp();
  admin = await tokenOf(app);
});
afterAll(() => app.close());

/** What the server says to bytes that no HTTP client would send. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(app.url).port) });
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('close', () => {
      resolve(answer);
    });
    socket.on('error', reject);
    socket.write(bytes);
  });
}

describe('every answer', () => {
  it.each([
    ['GET', '/api/v1/leads', 200],
    ['GET', '/health/live', 200],
    ['GET', '/api/v1/leads/abc', 422],
    ['GET', '/nothing/here', 404],
    ['DELETE', '/api/v1/leads', 405],
    ['GET', '/api/v1/leads/%ZZ', 400],
    ['POST', '/api/v1/leads', 400],
  ])(
    'to %s %s has the seven headers, a request id, no-store and no signature of the framework',
    async (method, path, status) => {
      const response = await app.request(path, { method, headers: { Authorization: `Bearer ${admin}` } });

      expect(response.status).toBe(status);
      expect(Object.fromEntries(response.headers)).toMatchObject(SEVEN);
      expect(response.headers.get('x-request-id')).toMatch(UUID_V4);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('x-powered-by')).toBeNull();
      expect(response.headers.get('server')).toBeNull();
    },
  );

  it('that is an error is the envelope, whose request id is the header’s and the log’s', async () => {
    const response = await app.request('/nothing/here');

    const body = await jsonOf(response);
    expect(body).toEqual({
      detail: 'There is nothing at this address',
      error_code: 'ROUTE_NOT_FOUND',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      request_id: response.headers.get('x-request-id'),
    });
    await eventually('the line is there', async () =>
      app.log.some((line) => line['request_id'] === body['request_id'] && line['status'] === 404),
    );
  });

  it('keeps a proxy’s request id when it is a UUID and no other', async () => {
    const id = 'b6f1c4de-5f0e-4c55-8b6a-1f2e3d4c5b6a';

    const kept = await app.request('/health/live', { headers: { 'X-Request-ID': id } });
    const refused = await app.request('/health/live', { headers: { 'X-Request-ID': 'x"; DROP' } });

    expect(kept.headers.get('x-request-id')).toBe(id);
    expect(refused.headers.get('x-request-id')).toMatch(UUID_V4);
  });
});

describe('an address', () => {
  it.each([
    ['PUT', '/api/v1/leads', 'GET, HEAD, POST'],
    ['PUT', '/api/v1/leads/6f9619ff-8b86-4d01-b42d-00cf4fc964ff', 'DELETE, GET, HEAD, PATCH'],
    ['GET', '/api/v1/auth/login', 'POST'],
    ['POST', '/health/live', 'GET, HEAD'],
  ])('that does not know %s %s answers 405 with Allow: %s', async (method, path, allow) => {
    const response = await app.request(path, { method });

    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
    expect(await jsonOf(response)).toMatchObject({ error_code: 'METHOD_NOT_ALLOWED' });
  });

  it.each([
    '/',
    '/leads',
    '/api/leads',
    '/api/v2/leads',
    '/auth/login',
    '/uploads',
    '/.env',
    '/api/v1/../../etc/passwd',
    '/api/v1/leads/x/y/z',
  ])('%s is 404 as JSON', async (path) => {
    const response = await app.request(path);

    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'application/json; charset=utf-8']);
  });
});

describe('bytes that are no proper request', () => {
  it.each([
    ['noise', 'NOISE\r\n\r\n', '400'],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost x\r\n\r\n', '400'],
    [
      'two content lengths',
      'POST /api/v1/leads HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      '400',
    ],
    [
      'a chunked body with a content length',
      'POST /api/v1/leads HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '400',
    ],
    ['a header of 20 KB', `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`, '431'],
  ])('%s: the envelope with %s and a closed connection', async (_, bytes, status) => {
    const answer = await raw(bytes);

    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toContain('X-Content-Type-Options: nosniff');
    expect(JSON.parse(body)).toMatchObject({
      error_code: 'MALFORMED_REQUEST',
      request_id: expect.stringMatching(UUID_V4),
    });
  });
});

describe('CORS', () => {
  const ask = (origin: string, method = 'OPTIONS'): Promise<Response> =>
    app.request('/api/v1/leads', {
      method,
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization',
      },
    });

  it('lets exactly the listed origin in', async () => {
    const { status, headers } = await ask('http://localhost:3000');

    expect([
      status,
      headers.get('access-control-allow-origin'),
      headers.get('access-control-allow-credentials'),
    ]).toEqual([204, 'http://localhost:3000', null]);
    expect(headers.get('access-control-allow-methods')).toBe('GET,HEAD,POST,PATCH,DELETE');
  });

  it.each([
    'http://localhost:3001',
    'https://localhost:3000',
    'http://localhost:3000.evil.example',
    'http://evil.example',
    'null',
  ])('gives %s nothing', async (origin) => {
    expect((await ask(origin)).headers.get('access-control-allow-origin')).not.toBe(origin);
    expect((await ask(origin, 'GET')).headers.get('access-control-allow-origin')).not.toBe(origin);
  });
});

describe('GET /health', () => {
  it('/live asks nobody', async () => {
    expect(await jsonOf(await app.request('/health/live'))).toEqual({ status: 'ok' });
  });

  it('/ready answers for database, migrations and storage', async () => {
    const response = await app.request('/health/ready');

    expect([response.status, await jsonOf(response)]).toEqual([
      200,
      {
        status: 'ok',
        checks: { database: 'ok', migrations: 'ok', storage: 'ok' },
        latency_ms: { database: expect.any(Number), migrations: expect.any(Number), storage: expect.any(Number) },
      },
    ]);
  });

  it('/ready answers 503 while files cannot be stored', async () => {
    await rename(`${app.uploadDir}/.incoming`, `${app.uploadDir}/.away`);
    // the answer before it serves for some seconds
    const response = await eventually('it is seen', async () => {
      const answer = await app.request('/health/ready');
      return answer.status === 503 && answer;
    });
    await rename(`${app.uploadDir}/.away`, `${app.uploadDir}/.incoming`);

    expect([response.status, await jsonOf(response)]).toEqual([
      503,
      expect.objectContaining({ error_code: 'SERVICE_UNAVAILABLE', detail: 'Not ready: storage' }),
    ]);
    await eventually('it is seen to be back', async () => (await app.request('/health/ready')).status === 200);
  });

  it('/ready answers 503 while a migration is missing', async () => {
    const [last] = await app.database.query<{ name: string; timestamp: string }>(
      'DELETE FROM migrations WHERE id = (SELECT max(id) FROM migrations) RETURNING name, timestamp',
    );
    const response = await eventually('it is seen', async () => {
      const answer = await app.request('/health/ready');
      return answer.status === 503 && answer;
    });
    await app.database.query('INSERT INTO migrations (name, timestamp) VALUES ($1, $2)', [last!.name, last!.timestamp]);

    expect([response.status, (await jsonOf(response))['detail']]).toEqual([503, 'Not ready: migrations']);
  });
});

describe('the documentation', () => {
  it('describes the API at /openapi.json', async () => {
    const body = await jsonOf<{ openapi: string; paths: Record<string, unknown> }>(await app.request('/openapi.json'));

    expect(body.openapi).toBe('3.1.0');
    expect(Object.keys(body.paths)).toContain('/api/v1/leads/{lead_id}/resume');
  });

  it.each([
    ['/docs', /swagger-ui/],
    ['/redoc', /redoc\.standalone\.js/],
  ])('%s is a page whose every asset comes from here', async (path, expected) => {
    const response = await app.request(path);

    const page = await response.text();
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^text\/html/),
    ]);
    expect(page).toMatch(expected);
    const assets = [...page.matchAll(/(?:src|href)="([^"]+)"/g)]
      .map((match) => match[1]!)
      .filter((asset) => !asset.startsWith('data:'));
    expect(assets.filter((asset) => /^(https?:)?\/\//.test(asset))).toEqual([]);
    for (const asset of assets) expect((await fetch(new URL(asset, response.url))).status).toBe(200);
    expect(response.headers.get('content-security-policy')).toContain("script-src 'self'");
  });
});

describe('the log', () => {
  it('has one line per request with id, route, status and duration, and never the address', async () => {
    const response = await get(app, '/api/v1/leads?status=PENDING&page=77', admin);

    const id = response.headers.get('x-request-id');
    const line = await eventually('the line', async () =>
      app.log.find((each) => each['request_id'] === id && each['logger'] === 'http'),
    );
    expect(line).toEqual({
      level: 'INFO',
      time: expect.stringMatching(/Z$/),
      logger: 'http',
      request_id: id,
      method: 'GET',
      route: '/api/v1/leads',
      status: 200,
      duration_ms: expect.any(Number),
      user_id: expect.stringMatching(UUID_V4),
      message: 'GET /api/v1/leads 200',
    });
    expect(JSON.stringify(app.log)).not.toContain('page=77');
  });

  it('has the stack of a defect under its request id, and the answer has none of it', async () => {
    await app.database.query('ALTER TABLE lead_totals RENAME TO lead_totals_away');
    const response = await get(app, '/api/v1/leads', admin);
    await app.database.query('ALTER TABLE lead_totals_away RENAME TO lead_totals');

    const body = await jsonOf<{ request_id: string }>(response);
    expect([response.status, body]).toEqual([500, expect.objectContaining({ error_code: 'INTERNAL_ERROR' })]);
    expect(JSON.stringify(body)).not.toMatch(/lead_totals|SELECT|relation|\.ts|\.js/);
    const line = await eventually('the line', async () =>
      app.log.find((each) => each['request_id'] === body.request_id && each['logger'] === 'errors'),
    );
    expect(line).toMatchObject({
      level: 'ERROR',
      err: { message: expect.stringContaining('lead_totals'), stack: expect.stringContaining('at ') },
    });
  });
});

describe('an unsupported body', () => {
  it.each([
    ['gzip that is none', { 'Content-Encoding': 'gzip' }, 400, null],
    ['an unknown encoding', { 'Content-Encoding': 'x-zip' }, 415, 'gzip, deflate, br'],
    ['an unknown character set', { 'Content-Type': 'application/json; charset=x-none' }, 415, null],
  ])('%s', async (_, headers, status, codings) => {
    const response = await app.request('/api/v1/auth/login', {
      method: 'POST',
      body: '{"username":"a","password":"b"}',
      headers: { 'Content-Type': 'application/json', ...headers },
    });

    expect([response.status, (await jsonOf(response))['request_id']]).toEqual([status, expect.stringMatching(UUID_V4)]);
    expect(response.headers.get('accept-encoding')).toBe(codings);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('a JSON body may be packed as %s, as the answer to an unknown encoding says', async (coding, pack) => {
    const response = await app.request('/api/v1/auth/login', {
      method: 'POST',
      body: pack('{"username":"a","password":"b"}'),
      headers: { 'Content-Type': 'application/json', 'Content-Encoding': coding },
    });

    expect([response.status, (await jsonOf(response))['error_code']]).toEqual([401, expect.any(String)]);
  });

  it('a JSON body of 100 KB and a little is 413', async () => {
    expect((await sendJson(app, 'POST', '/api/v1/auth/login', { username: 'x'.repeat(102_400) })).status).toBe(413);
  });
});
