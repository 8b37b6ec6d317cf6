import { type IncomingHttpHeaders, request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { startApp, type TestApp } from './support/app.js';
import { aLead, bearer, get, sendJson, tokenOf } from './support/leads.js';

let app: TestApp;
let token: string;

beforeAll(async () => {
  app = await startApp({ DOCS_ENABLED: 'true' });
  token = await tokenOf(app);
  for (let lead = 0; lead < 6; lead += 1) await aLead(app);
});
afterAll(() => app.close());

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

/** As it comes over the line, which `fetch` does not show. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(`${app.url}${path}`, { method, headers: { ...bearer(token), ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, bytes: Buffer.concat(chunks) });
      });
    });
    asked.on('error', reject).end();
  });
}

const GZIP = { 'Accept-Encoding': 'gzip' };

describe('a large answer', () => {
  it.each([
    ['gzip', 'gzip', gunzipSync],
    ['br', 'br', brotliDecompressSync],
    ['gzip;q=0.5, br', 'br', brotliDecompressSync],
  ] as const)('to who takes %s is sent as %s', async (accepted, encoding, unpacked) => {
    const [plain, packed] = [await ask('/api/v1/leads'), await ask('/api/v1/leads', { 'Accept-Encoding': accepted })];

    expect(plain.bytes.length).toBeGreaterThan(1024);
    expect(packed.headers['content-encoding']).toBe(encoding);
    expect(packed.headers.vary).toMatch(/Accept-Encoding/);
    expect(packed.bytes.length).toBeLessThan(plain.bytes.length);
    expect(unpacked(packed.bytes).toString()).toBe(plain.bytes.toString());
    expect(packed.headers.etag).toBe(plain.headers.etag);
  });

  it.each<[string, Record<string, string>]>([
    ['says nothing', {}],
    ['takes it as it is', { 'Accept-Encoding': 'identity' }],
    ['takes nothing else', { 'Accept-Encoding': 'gzip;q=0, br;q=0' }],
  ])('to who %s is sent as it is', async (_, headers) => {
    expect((await ask('/api/v1/leads', headers)).headers['content-encoding']).toBeUndefined();
  });

  it('of documentation, and of the record as a stream, is compressed too', async () => {
    for (const path of [
      '/redoc/redoc.standalone.js',
      '/openapi.json',
      '/api/v1/admin/audit-entries/export?format=ndjson',
    ]) {
      const { status, headers, bytes } = await ask(path, GZIP);

      expect([path, status, headers['content-encoding']]).toEqual([path, 200, 'gzip']);
      expect(gunzipSync(bytes).length).toBeGreaterThan(bytes.length);
    }
  });
});

describe('is never compressed:', () => {
  it('what is small', async () => {
    const { headers } = await ask(`/api/v1/leads/${await aLead(app)}/history`, GZIP);
    expect([headers['content-encoding'], Number(headers['content-length']) < 1024]).toEqual([undefined, true]);
  });

  it('an answer that may hold a secret, however large', async () => {
    for (let session = 0; session < 6; session += 1) await tokenOf(app);
    for (const path of ['/api/v1/auth/sessions', '/api/v1/AUTH/sessions?page=1']) {
      const { status, headers, bytes } = await ask(path, GZIP);
      expect([status, headers['content-encoding'], bytes.length > 1024]).toEqual([200, undefined, true]);
    }
  });

  it('a stored file, which its ETag names byte by byte', async () => {
    const { status, headers } = await ask(`/api/v1/leads/${await aLead(app)}/resume`, GZIP);
    expect([status, headers['content-encoding'], headers.etag?.startsWith('"')]).toEqual([200, undefined, true]);
  });
});

describe('an answer with an ETag', () => {
  it('is not sent again while nothing is new, and is once something is', async () => {
    const lead = await aLead(app);
    for (const path of ['/api/v1/leads', `/api/v1/leads/${lead}`, `/api/v1/leads/${lead}/history`]) {
      const first = await get(app, path, token);
      const known = { 'If-None-Match': first.headers.get('etag') ?? '' };
      expect(known['If-None-Match']).toMatch(/^W\/"[\w-]{22}"$/);
      expect(await first.text()).not.toBe('');

      const second = await ask(path, { ...known, ...GZIP });
      expect([second.status, second.bytes.length, second.headers['cache-control']]).toEqual([304, 0, 'no-store']);

      for (const status of ['REACHED_OUT', 'PENDING'])
        expect((await sendJson(app, 'PATCH', `/api/v1/leads/${lead}`, { status }, token)).status).toBe(200);
      const third = await ask(path, known);
      expect([path, third.status]).toEqual([path, 200]);
      expect(third.headers.etag).not.toBe(first.headers.get('etag'));
    }
  });

  it('is only for who may read it, whatever they know of it', async () => {
    const known = (await get(app, '/api/v1/leads', token)).headers.get('etag') ?? '';

    const answer = await app.request('/api/v1/leads', { headers: { 'If-None-Match': known } });

    expect(answer.status).toBe(401);
    expect(answer.headers.get('etag')).toBeNull();
  });

  it.each([
    ['for anything', '*'],
    ['cut off', 'W/"'],
    ['of quotes', '"'.repeat(100)],
    ['of 10,000 commas', ','.repeat(10_000)],
  ])('bears an If-None-Match %s', async (_, hostile) => {
    expect([200, 304]).toContain((await ask('/api/v1/leads', { 'If-None-Match': hostile })).status);
  });

  it('may be kept by anybody where it is about nobody: the public keys', async () => {
    const { headers } = await ask('/.well-known/jwks.json');
    expect((await ask('/.well-known/jwks.json', { 'If-None-Match': headers.etag ?? '' })).status).toBe(304);
    expect(headers['cache-control']).toBe('public, max-age=300');
  });
});
