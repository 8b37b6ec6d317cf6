import { createHash, randomBytes } from 'node:crypto';
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { startApp, type TestApp } from './support/app.js';
import { makeDoc, makePdf, MEDIA } from './support/documents.mjs';
import { aLead, anAttorney, bearer, get, jsonOf, tokenOf } from './support/leads.js';

const NOBODY = '00000000-0000-4000-8000-000000000000';

let app: TestApp;
let token: string;

const addressOf = (id: string): string => `/api/v1/leads/${id}/resume`;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function download(id: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
  return app.request(addressOf(id), { method, headers: { ...bearer(token), ...headers } });
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

/** A new lead with this résumé, and where its stored bytes lie. */
async function aStoredResume(bytes: Buffer): Promise<{ id: string; path: string }> {
  const id = await aLead(app, { file: { bytes } });
  const { resume_path: key } = await jsonOf<{ resume_path: string }>(await get(app, `/api/v1/leads/${id}`, token));
  return { id, path: app.pathOf(key) };
}

interface Entry {
  readonly actor_kind: string;
  readonly actor_name: string | null;
  readonly ip: string;
  readonly request_id: string;
  readonly outcome: string;
  readonly details: Record<string, unknown>;
}

const entriesAbout = (id: string): Promise<Entry[]> =>
  app.database.query<Entry>(
    `SELECT actor_kind, actor_name, ip, request_id, outcome, details FROM audit_entries
     WHERE action = 'lead.resume_downloaded' AND target_kind = 'lead' AND target_id = $1 ORDER BY at, id`,
    [id],
  );

/** A PDF of this size whose padding is random, so that no place of it looks like another. */
function aPdf(size: number): Buffer {
  const pdf = makePdf(size);
  const [from, to] = [pdf.indexOf('xxxx'), pdf.lastIndexOf('xxxx')];
  if (from > 0) Buffer.from(randomBytes(to - from).toString('base64url')).copy(pdf, from, 0, to - from);
  return pdf;
}

const SIZES = [1_000, 65_536, 65_537, 1_048_576, 1_048_577, 3_000_001];

describe.each([
  ['encrypted', 'true'],
  ['as they came', 'false'],
])('files stored %s', (_, encryption) => {
  beforeAll(async () => {
    app = await startApp({ FILE_ENCRYPTION: encryption, RATE_LIMIT_ENABLED: 'false' });
    token = await tokenOf(app);
  });
  afterAll(() => app.close());

  it.each(SIZES)('come back byte for byte, %i bytes', async (size) => {
    const bytes = aPdf(size);
    const { id } = await aStoredResume(bytes);

    const response = await download(id);

    expect(response.status).toBe(200);
    expect((await bytesOf(response)).equals(bytes)).toBe(true);
    expect(response.headers.get('content-length')).toBe(String(size));
    expect(response.headers.get('etag')).toBe(`"${sha256(bytes)}"`);
    expect(response.headers.get('accept-ranges')).toBe('bytes');
  });

  const WHOLE = aPdf(3_000_001);
  it.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-65535', 0, 65_535],
    ['bytes=65535-65536', 65_535, 65_536],
    ['bytes=1000000-2000000', 1_000_000, 2_000_000],
    ['bytes=-1', 3_000_000, 3_000_000],
    ['bytes=-70000', 2_930_001, 3_000_000],
    ['bytes=2999999-', 2_999_999, 3_000_000],
    ['bytes=2999999-9999999', 2_999_999, 3_000_000],
  ])('are given in parts: %s', async (range, start, end) => {
    const { id } = await aStoredResume(WHOLE);

    const response = await download(id, { Range: range });

    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end}/3000001`);
    expect((await bytesOf(response)).equals(WHOLE.subarray(start, end + 1))).toBe(true);
  });

  it('are refused with 416 for a part that they do not have', async () => {
    const { id } = await aStoredResume(aPdf(1000));

    const response = await download(id, { Range: 'bytes=1000-' });

    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */1000');
    expect(await response.json()).toMatchObject({ error_code: 'RANGE_NOT_SATISFIABLE' });
  });

  it.each(['bytes=0-1,5-6', 'bytes=a-b', 'lines=1-2', 'bytes=5-1'])('come whole for the range %s', async (range) => {
    const bytes = aPdf(1000);
    const { id } = await aStoredResume(bytes);

    const response = await download(id, { Range: range });

    expect([200, 416]).toContain(response.status);
    if (response.status === 200) expect((await bytesOf(response)).equals(bytes)).toBe(true);
  });

  it('come in part with If-Range of their ETag, whole with another', async () => {
    const bytes = aPdf(1000);
    const { id } = await aStoredResume(bytes);
    const headers = { Range: 'bytes=0-9' };

    const same = await download(id, { ...headers, 'If-Range': `"${sha256(bytes)}"` });
    const other = await download(id, { ...headers, 'If-Range': '"another"' });

    expect([same.status, other.status]).toEqual([206, 200]);
  });

  it('are not sent again to whoever has them', async () => {
    const bytes = aPdf(1000);
    const { id } = await aStoredResume(bytes);

    const response = await download(id, { 'If-None-Match': `"${sha256(bytes)}"`, 'Cache-Control': 'max-age=0' });

    expect([response.status, (await bytesOf(response)).length]).toEqual([304, 0]);
  });

  it('are described by HEAD without a byte', async () => {
    const { id } = await aStoredResume(aPdf(1000));

    const response = await download(id, {}, 'HEAD');

    expect([response.status, response.headers.get('content-length')]).toEqual([200, '1000']);
    expect((await bytesOf(response)).length).toBe(0);
  });

  it.each(SIZES)('are answered with 500 and not one byte when a bit of %i bytes was flipped', async (size) => {
    const { id, path } = await aStoredResume(aPdf(size));
    const stored = await readFile(path);
    stored[stored.length - 20]! ^= 1;
    await writeFile(path, stored);

    // of one cause operators hear once an hour
    await app.database.query('DELETE FROM alerts');

    const response = await download(id);

    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ error_code: 'FILE_INTEGRITY_FAILED' });
    const [file] = await app.database.query<{ id: string }>('SELECT id FROM files WHERE owner_id = $1', [id]);
    expect(await app.database.query(`SELECT cause, details->>'file_id' AS file FROM alerts`)).toEqual([
      { cause: 'file.integrity_failed', file: file?.id },
    ]);
    expect((await download(id, { Range: 'bytes=0-9' })).status).toBe(500);
  });

  it.each([1, 16, 17, 70_000])('are answered with 500 when the last %i bytes are missing', async (missing) => {
    const { id, path } = await aStoredResume(aPdf(200_000));
    await truncate(path, (await readFile(path)).length - missing);

    const response = await download(id);

    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ error_code: 'FILE_INTEGRITY_FAILED' });
  });

  it('can be read by 16 at once', async () => {
    const bytes = aPdf(3_000_001);
    const { id } = await aStoredResume(bytes);

    const all = await Promise.all(Array.from({ length: 16 }, async () => sha256(await bytesOf(await download(id)))));

    expect(new Set(all)).toEqual(new Set([sha256(bytes)]));
  });
});

describe('a download', () => {
  beforeAll(async () => {
    app = await startApp();
    token = await tokenOf(app);
  });
  afterAll(() => app.close());

  it('is shown inline on demand, under a policy that lets it do nothing, if it is a PDF', async () => {
    const { id } = await aStoredResume(aPdf(1000));

    const response = await app.request(`${addressOf(id)}?disposition=inline`, { headers: bearer(token) });

    expect(response.status).toBe(200);
    expect(response.headers.get('content-disposition')).toBe('inline; filename="Ada_Lovelace_resume.pdf"');
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none';.*\bsandbox$/);
  });

  it('of anything but a PDF is refused inline, as is any other disposition', async () => {
    const doc = await aLead(app, { file: { bytes: makeDoc(), name: 'cv.doc', type: MEDIA.doc } });
    const { id: pdf } = await aStoredResume(aPdf(1000));
    const answers = await Promise.all(
      [`${addressOf(doc)}?disposition=inline`, `${addressOf(pdf)}?disposition=elsewhere`].map((path) =>
        app.request(path, { headers: bearer(token) }),
      ),
    );

    for (const answer of answers) {
      expect(answer.status).toBe(422);
      expect(await answer.json()).toMatchObject({ field_errors: { disposition: [expect.any(String)] } });
    }
  });

  it('is on record with who, from where and in which request', async () => {
    const { id } = await aStoredResume(aPdf(1000));
    const attorney = await anAttorney(app, token);

    const response = await app.request(addressOf(id), { headers: bearer(attorney.token) });

    expect(await entriesAbout(id)).toEqual([
      {
        actor_kind: 'user',
        actor_name: attorney.username,
        ip: expect.stringMatching(/127\.0\.0\.1$/),
        request_id: response.headers.get('x-request-id'),
        outcome: 'done',
        details: { file_id: expect.any(String) },
      },
    ]);
  });

  it('that is refused is on record as well, with the reason', async () => {
    const { id, path } = await aStoredResume(aPdf(1000));
    await writeFile(path, 'something else');

    const answers = [
      await app.request(addressOf(id)),
      await app.request(addressOf(id), { headers: bearer('a.b.c') }),
      await download(id),
      await download(NOBODY),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 500, 404]);
    const refusals = (await entriesAbout(id)).map(({ actor_kind, outcome, details }) => [actor_kind, outcome, details]);
    expect(refusals).toEqual([
      ['anonymous', 'refused', { error_code: 'NOT_AUTHENTICATED' }],
      ['anonymous', 'refused', { error_code: 'INVALID_TOKEN' }],
      ['user', 'refused', { error_code: 'FILE_INTEGRITY_FAILED' }],
    ]);
    expect(await entriesAbout(NOBODY)).toMatchObject([
      { outcome: 'refused', details: { error_code: 'LEAD_NOT_FOUND' } },
    ]);
  });

  it('that cannot be put on record does not happen', async () => {
    const { id } = await aStoredResume(aPdf(1000));
    await app.database.query('ALTER TABLE audit_entries RENAME TO audit_entries_away');
    try {
      const response = await download(id);

      expect(response.status).toBe(500);
      expect(await response.json()).toMatchObject({ error_code: 'INTERNAL_ERROR' });
    } finally {
      await app.database.query('ALTER TABLE audit_entries_away RENAME TO audit_entries');
    }
  });

  it.each(SIZES)('of %i bytes that were encrypted before there were seals are checked all the same', async (size) => {
    const bytes = aPdf(size);
    const { id, path } = await aStoredResume(bytes);
    await app.database.query('UPDATE files SET seal = NULL WHERE owner_id = $1', [id]);
    expect(sha256(await bytesOf(await download(id)))).toBe(sha256(bytes));
    const stored = await readFile(path);
    stored[stored.length - 20]! ^= 1;
    await writeFile(path, stored);

    const response = await download(id);

    expect([response.status, await response.json()]).toMatchObject([500, { error_code: 'FILE_INTEGRITY_FAILED' }]);
  });

  it('of a file that is not what was sealed is refused, though each chunk is genuine', async () => {
    const { id } = await aStoredResume(aPdf(200_000));
    await app.database.query(`UPDATE files SET seal = decode(repeat('00', 16), 'hex') WHERE owner_id = $1`, [id]);

    expect((await download(id)).status).toBe(500);
  });

  it('of a file whose key was destroyed is refused, and its bytes say nothing', async () => {
    const bytes = makePdf(1000);
    const { id, path } = await aStoredResume(bytes);
    await app.database.query('UPDATE files SET wrapped_key = NULL WHERE owner_id = $1', [id]);

    const response = await download(id);

    expect([response.status, await response.json()]).toMatchObject([500, { error_code: 'FILE_KEY_MISSING' }]);
    expect((await readFile(path)).includes('%PDF')).toBe(false);
  });

  it('of another file’s bytes is refused: a data key belongs to one file', async () => {
    const [one, other] = [await aStoredResume(aPdf(1000)), await aStoredResume(aPdf(1000))];
    await app.database.query(
      `UPDATE files AS f SET wrapped_key = o.wrapped_key FROM files AS o WHERE f.owner_id = $1 AND o.owner_id = $2`,
      [one.id, other.id],
    );

    expect((await download(one.id)).status).toBe(500);
  });
});

describe('the record', () => {
  beforeAll(async () => {
    app = await startApp();
    token = await tokenOf(app);
    await download((await aStoredResume(aPdf(1000))).id);
  });
  afterAll(() => app.close());

  it.each([`UPDATE audit_entries SET outcome = 'refused'`, 'DELETE FROM audit_entries', 'TRUNCATE audit_entries'])(
    'can only be added to: %s is refused by the database',
    async (statement) => {
      await expect(app.database.query(statement)).rejects.toThrow('audit entries are only ever added');

      const kept = `SELECT FROM audit_entries WHERE outcome = 'done' AND action = 'lead.resume_downloaded'`;
      expect(await app.database.query(kept)).toHaveLength(1);
    },
  );
});

describe('keys for files', () => {
  const key = (): string => randomBytes(32).toString('base64');

  it('that were replaced still open older files, and new ones open with the new key', async () => {
    const [old, next] = [`2025:${key()}`, `2026:${key()}`];
    app = await startApp({ FILE_ENCRYPTION_KEYS: `${next},${old}` });
    try {
      token = await tokenOf(app);
      const { id } = await aStoredResume(aPdf(1000));

      expect((await download(id)).status).toBe(200);
      expect(await app.database.query('SELECT DISTINCT key_id FROM files')).toEqual([{ key_id: '2026' }]);
    } finally {
      await app.close();
    }
  });

  it('are made once where none are given, for their owner alone', async () => {
    app = await startApp();
    try {
      const made = await readFile(`${app.dataDir}/file-encryption-key`, 'utf8');

      expect(Buffer.from(made, 'base64')).toHaveLength(32);
      expect((await stat(`${app.dataDir}/file-encryption-key`)).mode & 0o777).toBe(0o600);
    } finally {
      await app.close();
    }
  });
});
