import { readdir, readlink } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { eventually, startApp, type TestApp } from './support/app.js';
import { makePdf } from './support/documents.mjs';
import { submit } from './support/leads.js';

const WITHIN_MS = 8000;

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

interface Form {
  /** The media type with its parameters. */
  readonly type?: string;
  /** Further headers, in place of the body's length. */
  readonly headers?: readonly string[];
  readonly body: string | Buffer;
  /** What happens to the connection when everything is sent. */
  readonly then?: 'wait' | 'end' | 'destroy';
  /** Bytes that are sent one by one, one a second. */
  readonly slowly?: string;
}

const MULTIPART = 'multipart/form-data; boundary=b';
const field = (name: string, value: string): string =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const fileHead = (name = 'resume', fileName = 'a.pdf'): string =>
  `--b\r\nContent-Disposition: form-data; name="${name}"; filename="${fileName}"\r\nContent-Type: application/pdf\r\n\r\n`;
const FIELDS = field('first_name', 'Ada') + field('last_name', 'Lovelace') + field('email', 'ada@example.com');
const FILE = `${fileHead()}${makePdf().toString('latin1')}\r\n`;
const END = '--b--\r\n';
const WHOLE = Buffer.from(FIELDS + FILE + END, 'latin1');

/** What the server says to a form that no browser would send, until it closes the connection or is done. */
async function send({ type = MULTIPART, headers, body, then = 'wait', slowly = '' }: Form): Promise<string> {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(app.url).port) });
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  const over = new Promise<void>((resolve) => {
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve();
    });
  });
  const lines = [
    'POST /api/v1/leads HTTP/1.1',
    'Host: x',
    'Connection: close',
    `Content-Type: ${type}`,
    ...(headers ?? [`Content-Length: ${bytes.length}`]),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  socket.write(bytes);
  const timer = drip(socket, slowly);
  if (then === 'end') socket.end();
  if (then === 'destroy') setTimeout(() => socket.destroy(), 300);
  await over;
  clearInterval(timer);
  return answer;
}

function drip(socket: Socket, text: string): NodeJS.Timeout {
  let at = 0;
  return setInterval(() => {
    if (at < text.length && socket.writable) socket.write(text.charAt(at++));
  }, 1000);
}

/** The files of the upload folder that this process holds open. */
async function openUploads(): Promise<string[]> {
  const handles = await readdir('/proc/self/fd');
  const targets = await Promise.all(handles.map((each) => readlink(`/proc/self/fd/${each}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(app.uploadDir));
}

const chunked = (body: string): string => `${Buffer.byteLength(body, 'latin1').toString(16)}\r\n${body}\r\n`;
const manyFields = (count: number): string =>
  Array.from({ length: count }, (_, index) => field(`field${index}`, 'x')).join('');

describe('POST /api/v1/leads', () => {
  it.each<[string, number | 'closed', string, Form]>([
    ['without a boundary', 400, 'FILE_UPLOAD_FAILED', { type: 'multipart/form-data', body: FIELDS + FILE + END }],
    ['with an empty boundary', 400, 'VALIDATION_ERROR', { type: 'multipart/form-data; boundary=', body: FIELDS + END }],
    ['whose boundary is never seen', 400, 'FILE_UPLOAD_FAILED', { body: 'x'.repeat(1_000_000) }],
    ['of 5 MB whose boundary is never seen', 400, 'FILE_UPLOAD_FAILED', { body: Buffer.alloc(5_000_000) }],
    ['without its last boundary', 400, 'FILE_UPLOAD_FAILED', { body: FIELDS + FILE }],
    ['cut off in a field', 400, 'FILE_UPLOAD_FAILED', { body: FIELDS.slice(0, -30) }],
    ['cut off in the header of a part', 400, 'FILE_UPLOAD_FAILED', { body: FIELDS + FILE.slice(0, 40) }],
    ['cut off in its file', 400, 'FILE_UPLOAD_FAILED', { body: FIELDS + FILE.slice(0, -100) }],
    [
      'whose part has no name',
      400,
      'MALFORMED_REQUEST',
      { body: `--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n${FILE}${END}` },
    ],
    ['whose part has no disposition', 400, 'VALIDATION_ERROR', { body: `--b\r\nX: y\r\n\r\nx\r\n${END}` }],
    ['with nested field names', 400, 'MALFORMED_REQUEST', { body: field('a[b][c]', 'x') + FIELDS + FILE + END }],
    ['with a thousand brackets', 400, 'MALFORMED_REQUEST', { body: field(`a${'[b]'.repeat(1000)}`, 'x') + END }],
    [
      'with a nested __proto__',
      400,
      'MALFORMED_REQUEST',
      { body: field('__proto__[isAdmin]', 'x') + FIELDS + FILE + END },
    ],
    ['with 10,000 fields', 400, 'MALFORMED_REQUEST', { body: manyFields(10_000) + END }],
    ['with 10,000 empty parts', 400, 'FILE_UPLOAD_FAILED', { body: `${'--b\r\n\r\n\r\n'.repeat(10_000)}${END}` }],
    [
      'with a field of 3 MB',
      400,
      'VALIDATION_ERROR',
      { body: field('first_name', 'x'.repeat(3_000_000)) + FILE + END },
    ],
    ['with a field name of 100 KB', 400, 'FILE_UPLOAD_FAILED', { body: field('x'.repeat(100_000), 'x') + FILE + END }],
    [
      'with a part header of 1 MB',
      400,
      'FILE_UPLOAD_FAILED',
      { body: `--b\r\nX-Big: ${'x'.repeat(1_000_000)}\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n${END}` },
    ],
    [
      'with 10,000 headers in a part',
      400,
      'FILE_UPLOAD_FAILED',
      { body: `--b\r\n${'X: y\r\n'.repeat(10_000)}Content-Disposition: form-data; name="a"\r\n\r\nx\r\n${END}` },
    ],
    ['in bytes that are no UTF-8', 400, 'VALIDATION_ERROR', { body: field('first_name', '\xff\xfe\xc3') + END }],
    [
      'in a character set that nobody knows',
      400,
      'VALIDATION_ERROR',
      {
        body: `--b\r\nContent-Disposition: form-data; name="first_name"\r\nContent-Type: text/plain; charset=nothing\r\n\r\nx\r\n${FILE}${END}`,
      },
    ],
    ['with a NUL in a field', 400, 'VALIDATION_ERROR', { body: field('first_name', 'A\0da') + FILE + END }],
    ['with a NUL in a field name', 400, 'FILE_UPLOAD_FAILED', { body: field('first\0name', 'Ada') + END }],
    [
      'with a NUL in the name of its file',
      400,
      'FILE_UPLOAD_FAILED',
      { body: `${FIELDS}${fileHead('resume', 'a.pdf\0')}%PDF-\r\n${END}` },
    ],
    ['with two files', 400, 'FILE_UPLOAD_FAILED', { body: FIELDS + FILE + FILE + END }],
    [
      'with its file under another field',
      400,
      'FILE_UPLOAD_FAILED',
      { body: `${FIELDS}${fileHead('cv')}%PDF-\r\n${END}` },
    ],
    [
      'that is cut off by its sender',
      'closed',
      '',
      { headers: ['Content-Length: 900000'], body: FIELDS + FILE, then: 'destroy' },
    ],
    [
      'whose file is cut off by its sender',
      'closed',
      '',
      { headers: ['Content-Length: 900000'], body: FIELDS + fileHead() + 'x'.repeat(200_000), then: 'destroy' },
    ],
    [
      'whose sender says no more in its file',
      'closed',
      '',
      { headers: ['Content-Length: 900000'], body: FIELDS + FILE.slice(0, -50), then: 'end' },
    ],
    [
      'that promises more than it has',
      408,
      'REQUEST_TIMEOUT',
      { headers: ['Content-Length: 900000'], body: FIELDS + FILE + END },
    ],
    [
      'that promises more than it has, and is refused already',
      408,
      'REQUEST_TIMEOUT',
      { headers: ['Content-Length: 900000'], body: field('a[b]', 'x') },
    ],
    ['at one byte a second', 408, 'REQUEST_TIMEOUT', { headers: ['Content-Length: 900000'], body: '', slowly: FIELDS }],
    [
      'whose file comes at one byte a second',
      408,
      'REQUEST_TIMEOUT',
      { headers: ['Content-Length: 900000'], body: FIELDS + fileHead(), slowly: '%PDF-1.7 and so on' },
    ],
    [
      'of chunks at one byte a second',
      408,
      'REQUEST_TIMEOUT',
      { headers: ['Transfer-Encoding: chunked'], body: chunked(FIELDS), slowly: '5\r\nxxxxx\r\n' },
    ],
    [
      'of chunks that are noise',
      400,
      'MALFORMED_REQUEST',
      { headers: ['Transfer-Encoding: chunked'], body: 'ZZ\r\nnoise\r\n' },
    ],
    [
      'whose second chunk is noise',
      400,
      'MALFORMED_REQUEST',
      { headers: ['Transfer-Encoding: chunked'], body: `${chunked(FIELDS + fileHead())}-1\r\n` },
    ],
    [
      'of chunks without end',
      413,
      'FILE_TOO_LARGE',
      { headers: ['Transfer-Encoding: chunked'], body: chunked('x'.repeat(65_536)).repeat(96) },
    ],
    [
      'of chunks without end, in its file',
      413,
      'FILE_TOO_LARGE',
      {
        headers: ['Transfer-Encoding: chunked'],
        body: chunked(FIELDS + fileHead()) + chunked('x'.repeat(65_536)).repeat(96),
      },
    ],
    [
      'in another transfer encoding',
      400,
      'MALFORMED_REQUEST',
      { headers: ['Transfer-Encoding: gzip, identity'], body: FIELDS },
    ],
  ])(
    'answers a form %s with %s %s in time, goes on serving and keeps nothing',
    async (_, status, code, form) => {
      const before = await app.storedFiles();
      const start = performance.now();

      const answer = await send(form);

      expect(performance.now() - start).toBeLessThan(WITHIN_MS);
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      if (status === 'closed') expect(answer).toMatch(/^(?:HTTP\/1\.1 4\d\d |$)/);
      else {
        expect([head.slice(0, 12), (JSON.parse(body) as { error_code: string }).error_code]).toEqual([
          `HTTP/1.1 ${status}`,
          code,
        ]);
        expect(JSON.parse(body)).toMatchObject({
          detail: expect.any(String),
          timestamp: expect.any(String),
          request_id: expect.any(String),
        });
      }
      await eventually('nothing is left', async () => (await app.storedFiles()).length === before.length);
      await eventually('nothing is open', async () => (await openUploads()).length === 0);
      expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
      expect((await submit(app)).status).toBe(201);
    },
    20_000,
  );

  it.each<[string, Buffer]>([
    ['gzip', gzipSync(WHOLE)],
    ['GZIP', gzipSync(WHOLE)],
    ['deflate', deflateSync(WHOLE)],
    ['br', brotliCompressSync(WHOLE)],
    ['gzip, gzip', gzipSync(gzipSync(WHOLE))],
    ['identity, gzip', gzipSync(WHOLE)],
    ['gzip', Buffer.alloc(5_000_000)],
    ['x-nobody-knows', WHOLE],
  ])(
    'answers a form that is packed as %s with 415, says what it takes instead, and keeps nothing',
    async (coding, body) => {
      const before = await app.storedFiles();

      const answer = await send({ body, headers: [`Content-Length: ${body.length}`, `Content-Encoding: ${coding}`] });

      const [head = '', envelope = ''] = answer.split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1\.1 415 /);
      expect(head).toMatch(/^accept-encoding: identity\r?$/im);
      expect(JSON.parse(envelope)).toEqual({
        detail: 'Send the form without packing it',
        error_code: 'UNSUPPORTED_MEDIA_TYPE',
        timestamp: expect.any(String),
        request_id: expect.any(String),
      });
      expect(await app.storedFiles()).toEqual(before);
      expect((await submit(app)).status).toBe(201);
    },
  );

  it.each([
    ['identity', 'plain@example.com'],
    ['IDENTITY', 'capital@example.com'],
    ['', 'empty@example.com'],
  ])('takes a form that says it is packed as %j, which is not at all', async (coding, email) => {
    const body = WHOLE.toString('latin1').replace('ada@example.com', email);

    const answer = await send({ body, headers: [`Content-Length: ${body.length}`, `Content-Encoding: ${coding}`] });

    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
  });

  it('takes the same form when it is whole', async () => {
    expect(await send({ body: FIELDS + FILE + END })).toMatch(/^HTTP\/1\.1 201 /);
  });

  it('takes a form that comes slowly but steadily', async () => {
    const body = `${FIELDS.replace('ada@', 'slow@')}${fileHead()}${makePdf(1500).toString('latin1')}\r\n${END}`;
    const pieces = body.match(/[^]{1,200}/g) ?? [];
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(app.url).port) });
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.write(
      `POST /api/v1/leads HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${MULTIPART}\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    for (const piece of pieces) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      socket.write(Buffer.from(piece, 'latin1'));
    }

    await eventually('the answer is there', async () => answer !== '');
    expect(pieces.length).toBeGreaterThan(6);
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
  });
});
