import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually, startApp, type TestApp } from './support/app.js';
import { makeDoc, makeDocx, makeOle, makePdf, makeZip, MEDIA } from './support/documents.mjs';
import { aLead, anAttorney, anEmail, bearer, formOf, get, jsonOf, sendJson, submit, tokenOf } from './support/leads.js';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ISO_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const NOBODY = '00000000-0000-4000-8000-000000000000';
const LIMIT = 5_242_880;

interface ErrorBody {
  detail: string;
  error_code: string;
  timestamp: string;
  request_id: string;
  field_errors?: Record<string, string[]>;
}

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startApp();
  token = await tokenOf(app);
});
afterAll(() => app.close());

const errorOf = async (response: Response): Promise<[number, ErrorBody]> => [
  response.status,
  await jsonOf<ErrorBody>(response),
];
const idle = (): Promise<unknown> =>
  eventually('no job is left', async () => {
    const [row] = await app.database.query<{ jobs: number }>(
      'SELECT count(*)::int AS jobs FROM graphile_worker.jobs WHERE key IS NULL',
    );
    return row!.jobs === 0;
  });
const countOf = async (table: string): Promise<number> => {
  const [row] = await app.database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
  return row!.n;
};

describe('POST /api/v1/leads', () => {
  it('answers 201 with exactly the documented fields', async () => {
    const response = await submit(app, { first_name: '  Ada ', last_name: 'Lovelace', email: ' Ada.L@Example.COM ' });

    const body = await jsonOf(response);
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(body).toEqual({
      id: expect.stringMatching(UUID_V4),
      first_name: 'Ada',
      last_name: 'Lovelace',
      email: 'ada.l@example.com',
      status: 'PENDING',
      created_at: expect.stringMatching(ISO_UTC),
      message: 'Lead submitted successfully. Confirmation email sent.',
    });
  });

  it.each([
    ['a PDF', 'resume.pdf', MEDIA.pdf],
    ['a DOC', 'resume.doc', MEDIA.doc],
    ['a DOCX', 'resume.docx', MEDIA.docx],
  ])('takes %s as an office program writes it, and gives it back byte for byte', async (_, name, type) => {
    const bytes = await readFile(join(import.meta.dirname, 'support/documents', name));
    const id = await aLead(app, { file: { bytes, name, type } });

    const download = await get(app, `/api/v1/leads/${id}/resume`, token);

    expect(download.status).toBe(200);
    expect(download.headers.get('content-type')).toBe(type);
    expect(download.headers.get('content-disposition')).toBe(`attachment; filename="Ada_Lovelace_${name}"`);
    expect(download.headers.get('content-length')).toBe(String(bytes.length));
    expect(Buffer.from(await download.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it.each([
    ['first_name', 1],
    ['first_name', 100],
    ['last_name', 1],
    ['last_name', 100],
  ])('accepts %s of %d characters', async (field, length) => {
    expect((await submit(app, { [field]: 'x'.repeat(length) })).status).toBe(201);
  });

  it('counts characters, not bytes or UTF-16 units', async () => {
    expect((await submit(app, { first_name: '😀'.repeat(100), last_name: 'é'.repeat(100) })).status).toBe(201);
  });

  it('takes names of any script as they are', async () => {
    const id = await aLead(app, { first_name: '王', last_name: "O'Connor-Müller" });

    expect(await jsonOf(await get(app, `/api/v1/leads/${id}`, token))).toMatchObject({
      first_name: '王',
      last_name: "O'Connor-Müller",
    });
  });

  it('cannot be made to start anywhere but PENDING', async () => {
    const response = await submit(app, { extra: { status: 'REACHED_OUT', id: NOBODY, reached_out_at: '2020-01-01' } });

    expect(response.status).toBe(201);
    expect(await jsonOf(response)).toMatchObject({ status: 'PENDING', id: expect.not.stringMatching(NOBODY) });
  });

  it('ignores fields named like parts of every object', async () => {
    expect((await submit(app, { extra: { ['__proto__']: 'x', constructor: 'y', toString: 'z' } })).status).toBe(201);
  });

  it('needs neither a token nor a cookie, and a bad token does not matter', async () => {
    const response = await app.request('/api/v1/leads', { method: 'POST', body: formOf(), headers: bearer('garbage') });

    expect(response.status).toBe(201);
  });

  describe('refuses with 413', () => {
    it('accepts exactly 5 242 880 bytes', async () => {
      expect((await submit(app, { file: { bytes: makePdf(LIMIT) } })).status).toBe(201);
    });

    it('one byte more, naming the limit', async () => {
      const [status, body] = await errorOf(await submit(app, { file: { bytes: makePdf(LIMIT + 1) } }));

      expect(status).toBe(413);
      expect(body).toMatchObject({ error_code: 'FILE_TOO_LARGE', field_errors: { resume: ['File size exceeds 5MB'] } });
    });

    it('a body that says it is far too large, before reading it', async () => {
      const [status] = await errorOf(await submit(app, { file: { bytes: Buffer.alloc(8 * 1024 * 1024) } }));

      expect(status).toBe(413);
    });

    it('a file that is too large and of a wrong type', async () => {
      const [status] = await errorOf(
        await submit(app, {
          file: { bytes: Buffer.alloc(LIMIT + 1), name: 'a.exe', type: 'application/octet-stream' },
        }),
      );

      expect(status).toBe(413);
    });
  });

  describe('refuses with 415', () => {
    const pdf = makePdf();
    it.each([
      ['a text file', { bytes: Buffer.from('hello'), name: 'a.txt', type: 'text/plain' }],
      ['a PDF declared as text', { bytes: pdf, name: 'a.pdf', type: 'text/plain' }],
      ['a PDF declared as a DOC', { bytes: pdf, name: 'a.pdf', type: MEDIA.doc }],
      ['a PDF named .exe', { bytes: pdf, name: 'a.exe', type: MEDIA.pdf }],
      ['a PDF without an extension', { bytes: pdf, name: 'resume', type: MEDIA.pdf }],
      ['a program named .pdf', { bytes: Buffer.from('MZ\x90\x00this is a program'), name: 'a.pdf', type: MEDIA.pdf }],
      ['a picture named .pdf', { bytes: Buffer.from('89504e470d0a1a0a', 'hex'), name: 'a.pdf', type: MEDIA.pdf }],
      ['a single byte named .pdf', { bytes: Buffer.from('%'), name: 'a.pdf', type: MEDIA.pdf }],
      [
        'a PDF header after the first KiB',
        { bytes: Buffer.concat([Buffer.alloc(1025), pdf]), name: 'a.pdf', type: MEDIA.pdf },
      ],
      ['a spreadsheet of the same container as a DOC', { bytes: makeOle('Workbook'), name: 'a.doc', type: MEDIA.doc }],
      ['a DOCX named .doc', { bytes: makeDocx(), name: 'a.doc', type: MEDIA.doc }],
      ['a DOC named .docx', { bytes: makeDoc(), name: 'a.docx', type: MEDIA.docx }],
      [
        'a zip that is no document',
        { bytes: makeZip([{ name: 'a.txt', content: 'a' }]), name: 'a.docx', type: MEDIA.docx },
      ],
      [
        'a spreadsheet of the same container as a DOCX',
        {
          bytes: makeZip([
            { name: '[Content_Types].xml', content: 'x' },
            { name: 'xl/workbook.xml', content: 'x' },
          ]),
          name: 'a.docx',
          type: MEDIA.docx,
        },
      ],
      ['a truncated DOCX', { bytes: makeDocx().subarray(0, 200), name: 'a.docx', type: MEDIA.docx }],
      [
        'a DOC that is only a signature',
        { bytes: Buffer.from('d0cf11e0a1b11ae1', 'hex'), name: 'a.doc', type: MEDIA.doc },
      ],
    ])('%s', async (_, file) => {
      const [status, body] = await errorOf(await submit(app, { file }));

      expect(status).toBe(415);
      expect(body).toMatchObject({
        error_code: 'FILE_TYPE_NOT_ALLOWED',
        field_errors: { resume: [expect.any(String)] },
      });
    });

    it('a wrong type before wrong fields', async () => {
      const [status] = await errorOf(
        await submit(app, { email: 'nope', file: { bytes: pdf, name: 'a.exe', type: MEDIA.pdf } }),
      );

      expect(status).toBe(415);
    });

    it.each([
      ['application/json', '{"first_name":"Ada"}'],
      ['application/x-www-form-urlencoded', 'first_name=Ada'],
      ['text/plain', 'Ada'],
      ['application/json', '{broken'],
    ])('a body of type %s', async (type, body) => {
      const [status, error] = await errorOf(
        await app.request('/api/v1/leads', { method: 'POST', body, headers: { 'Content-Type': type } }),
      );

      expect(status).toBe(415);
      expect(error.error_code).toBe('UNSUPPORTED_MEDIA_TYPE');
    });
  });

  describe('refuses with 400', () => {
    it('all wrong fields at once, by name', async () => {
      const [status, body] = await errorOf(
        await submit(app, { first_name: '', last_name: 'x'.repeat(101), email: 'not-an-email', file: null }),
      );

      expect(status).toBe(400);
      expect(body).toEqual({
        detail: 'Some fields are missing or invalid',
        error_code: 'VALIDATION_ERROR',
        timestamp: expect.stringMatching(ISO_UTC),
        request_id: expect.stringMatching(UUID_V4),
        field_errors: {
          first_name: ['Must have 1 to 100 characters'],
          last_name: ['Must have 1 to 100 characters'],
          email: ['Must be a valid e-mail address'],
          resume: ['This field is required'],
        },
      });
    });

    it('an empty form', async () => {
      const [status, body] = await errorOf(
        await app.request('/api/v1/leads', { method: 'POST', body: new FormData() }),
      );

      expect(status).toBe(400);
      expect(Object.keys(body.field_errors ?? {})).toEqual(['first_name', 'last_name', 'email', 'resume']);
    });

    it('no body at all', async () => {
      const [status, body] = await errorOf(await app.request('/api/v1/leads', { method: 'POST' }));

      expect(status).toBe(400);
      expect(Object.keys(body.field_errors ?? {})).toEqual(['first_name', 'last_name', 'email', 'resume']);
    });

    it('an empty file', async () => {
      const [status, body] = await errorOf(await submit(app, { file: { bytes: Buffer.alloc(0) } }));

      expect([status, body.field_errors]).toEqual([400, { resume: ['The file is empty'] }]);
    });

    it('a file under another name', async () => {
      const [status, body] = await errorOf(await submit(app, { file: { bytes: makePdf(), field: 'cv' } }));

      expect([status, body.error_code]).toEqual([400, 'FILE_UPLOAD_FAILED']);
    });

    it('a second file', async () => {
      const form = formOf();
      form.append('resume', new Blob([new Uint8Array(makePdf())], { type: MEDIA.pdf }), 'second.pdf');
      const [status, body] = await errorOf(await app.request('/api/v1/leads', { method: 'POST', body: form }));

      expect([status, body.error_code]).toEqual([400, 'FILE_UPLOAD_FAILED']);
    });

    it('a text where the file should be', async () => {
      const [status, body] = await errorOf(await submit(app, { file: null, extra: { resume: 'I am not a file' } }));

      expect([status, body.field_errors]).toEqual([400, { resume: ['This field is required'] }]);
    });

    it.each([
      ['first_name', 'A\u0000da'],
      ['first_name', 'A\r\nda'],
      ['last_name', 'Love\u202Elace'],
      ['last_name', '   '],
      ['email', `${'a'.repeat(65)}@example.com`],
      ['email', `a@${`${'b'.repeat(60)}.`.repeat(4)}example.com`],
      ['email', 'a@b@example.com'],
      ['email', '"a b"@example.com'],
      ['email', 'a(comment)@example.com'],
      ['email', 'a@example.com\r\nBcc: b@example.com'],
      ['email', 'a@localhost'],
    ])('%s = %j', async (field, value) => {
      // a browser would escape line breaks in field values away; a hostile client does not
      const [status, body] = await errorOf(await submit(app, { [field]: value }));

      expect(status).toBe(400);
      expect(Object.keys(body.field_errors ?? {})).toEqual([field]);
    });

    it.each([
      ['a nested field name', { 'resume[path]': '/etc/passwd' }],
      ['too many fields', Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`field${index}`, 'x']))],
      ['a field name that is too long', { ['x'.repeat(200)]: 'x' }],
      ['a field value that is too long', { note: 'x'.repeat(70_000) }],
    ])('a form with %s', async (_, extra) => {
      expect((await errorOf(await submit(app, { extra })))[0]).toBe(400);
    });

    it.each([
      ['without a boundary', 'multipart/form-data', 'x'],
      [
        'that ends in the middle',
        'multipart/form-data; boundary=b',
        '--b\r\nContent-Disposition: form-data; name="first_name"\r\n\r\nAda',
      ],
      [
        'with a file that ends in the middle',
        'multipart/form-data; boundary=b',
        '--b\r\nContent-Disposition: form-data; name="resume"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.7',
      ],
      ['of noise', 'multipart/form-data; boundary=b', '\u0001\u0002\u0003'],
    ])('a multipart body %s', async (_, type, body) => {
      const [status, error] = await errorOf(
        await app.request('/api/v1/leads', { method: 'POST', body, headers: { 'Content-Type': type } }),
      );

      expect(status).toBe(400);
      expect(error.request_id).toMatch(UUID_V4);
    });
  });

  describe('refuses with 409', () => {
    it('an address that has a lead, whatever its case, spaces or status', async () => {
      const email = anEmail();
      const id = await aLead(app, { email });
      await sendJson(app, 'PATCH', `/api/v1/leads/${id}`, { status: 'REACHED_OUT' }, token);

      const [status, body] = await errorOf(await submit(app, { email: ` ${email.toUpperCase()} ` }));

      expect(status).toBe(409);
      expect(body).toEqual({
        detail: 'A lead with this email already exists',
        error_code: 'LEAD_EMAIL_DUPLICATE',
        timestamp: expect.stringMatching(ISO_UTC),
        request_id: expect.stringMatching(UUID_V4),
        field_errors: { email: ['Email already exists'] },
      });
    });
  });

  it('leaves neither row, file nor mail behind a refusal', async () => {
    await idle();
    const before = [
      await app.storedFiles(),
      await countOf('leads'),
      await countOf('files'),
      await countOf('mail_messages'),
    ];
    const email = anEmail();
    await aLead(app, { email });
    await idle();
    const after = [
      await app.storedFiles(),
      await countOf('leads'),
      await countOf('files'),
      await countOf('mail_messages'),
    ];

    await Promise.all([
      submit(app, { email }),
      submit(app, { email: 'nope' }),
      submit(app, { file: { bytes: makePdf(LIMIT + 1) } }),
      submit(app, { file: { bytes: Buffer.from('MZ'), name: 'a.pdf', type: MEDIA.pdf } }),
      submit(app, { file: { bytes: makePdf(), field: 'cv' } }),
    ]);

    expect((before[0] as string[]).length + 1).toBe((after[0] as string[]).length);
    await eventually('nothing is left', async () => (await app.storedFiles()).length === (after[0] as string[]).length);
    expect([
      await app.storedFiles(),
      await countOf('leads'),
      await countOf('files'),
      await countOf('mail_messages'),
    ]).toEqual(after);
  });

  it('leaves nothing behind a client that goes away in mid-upload', async () => {
    const before = await app.storedFiles();
    const { port } = new URL(app.url);
    const head =
      'POST /api/v1/leads HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 400000\r\n\r\n';
    const part =
      '--b\r\nContent-Disposition: form-data; name="resume"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.7\n';
    const socket = connect({ host: '127.0.0.1', port: Number(port) });
    socket.on('error', () => undefined);
    socket.write(head + part + 'x'.repeat(100_000));
    await eventually('the upload has begun', async () => (await app.storedFiles()).length > before.length);

    socket.destroy();

    await eventually('the temporary file is gone', async () => (await app.storedFiles()).length === before.length);
    expect(await app.storedFiles()).toEqual(before);
  });

  it('of 16 equal submissions at once takes one: one row, one file, two mails', async () => {
    await idle();
    const [files, leads, mails] = [await app.storedFiles(), await countOf('leads'), await countOf('mail_messages')];
    const email = anEmail();

    const statuses = await Promise.all(Array.from({ length: 16 }, async () => (await submit(app, { email })).status));

    expect(statuses.sort()).toEqual([201, ...Array<number>(15).fill(409)]);
    expect(await countOf('leads')).toBe(leads + 1);
    expect(await countOf('files')).toBe(leads + 1);
    expect(await countOf('mail_messages')).toBe(mails + 2);
    await eventually('the others’ files are gone', async () => (await app.storedFiles()).length === files.length + 1);
  });

  it('stores the file under a UUID v4, the cleaned name and the lower-case extension', async () => {
    const id = await aLead(app, { file: { bytes: makePdf(), name: '../../etc/Résumé (final)!.PDF' } });

    const { resume_path: path } = await jsonOf<{ resume_path: string }>(await get(app, `/api/v1/leads/${id}`, token));

    expect(path).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}_Resume_final\.pdf$/);
    expect(await app.storedFiles()).toContain(path);
  });

  it('remembers name, size and hash of what was sent', async () => {
    const bytes = makePdf(10_000);
    const id = await aLead(app, { file: { bytes, name: 'Résumé.pdf' } });

    const [file] = await app.database.query(
      'SELECT original_name, media_type, size_bytes, sha256 FROM files JOIN leads ON resume_path = storage_key WHERE leads.id = $1',
      [id],
    );

    expect(file).toEqual({
      original_name: 'Résumé.pdf',
      media_type: MEDIA.pdf,
      size_bytes: 10_000,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  });

  it('answers 500 in the envelope when the storage fails, and keeps nothing', async () => {
    const [leads, incoming] = [await countOf('leads'), join(app.uploadDir, '.incoming')];
    await rename(incoming, `${incoming}-away`);
    try {
      const [status, body] = await errorOf(await submit(app));

      expect([status, body.error_code]).toEqual([500, 'FILE_STORAGE_FAILED']);
      expect(JSON.stringify(body)).not.toContain(app.uploadDir);
      expect(await countOf('leads')).toBe(leads);
    } finally {
      await rename(`${incoming}-away`, incoming);
    }
  });

  it('writes the lead, its story, its mails and their jobs in one commit', async () => {
    await app.database.query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no mail today'; END $$`,
    );
    await app.database.query(
      'CREATE TRIGGER trg_refuse BEFORE INSERT ON mail_messages FOR EACH ROW EXECUTE FUNCTION refuse()',
    );
    const before = [await countOf('leads'), await countOf('files'), await countOf('lead_status_changes')];
    const stored = await app.storedFiles();
    try {
      const [status, body] = await errorOf(await submit(app));

      expect([status, body.error_code, body.detail]).toEqual([
        500,
        'INTERNAL_ERROR',
        expect.not.stringContaining('no mail today'),
      ]);
      expect([await countOf('leads'), await countOf('files'), await countOf('lead_status_changes')]).toEqual(before);
      expect(await app.storedFiles()).toEqual(stored);
    } finally {
      await app.database.query('DROP TRIGGER trg_refuse ON mail_messages');
      await app.database.query('DROP FUNCTION refuse');
    }
  });

  it.each([
    "' OR 1=1--",
    "'; DROP TABLE leads; --",
    '${7*7}',
    '{{7*7}}',
    '<script>alert(1)</script>',
    '%s%n',
    '\\',
    '../../x',
  ])('treats %j as a plain name', async (name) => {
    const id = await aLead(app, { first_name: name });

    expect(await jsonOf(await get(app, `/api/v1/leads/${id}`, token))).toMatchObject({ first_name: name });
  });
});

describe('GET /api/v1/leads/{lead_id}', () => {
  it('tells what is worth knowing of the résumé before it is opened, and when it was deleted', async () => {
    const scripted = Buffer.from(
      makePdf().toString('latin1').replace('/Type/Catalog', '/Type/Catalog/OpenAction<</S/JavaScript/JS(1)>>'),
      'latin1',
    );
    const id = await aLead(app, { file: { bytes: scripted } });
    const seen = async (): Promise<unknown> => (await jsonOf(await get(app, `/api/v1/leads/${id}`, token)))['resume'];
    expect(await seen()).toMatchObject({ findings: expect.arrayContaining(['scripts']) });

    await app.database.query('UPDATE files SET deleted_at = now() WHERE owner_id = $1', [id]);

    expect(await seen()).toBeNull();
  });

  it('answers the documented fields, with the relative key of the résumé', async () => {
    const id = await aLead(app, { first_name: 'Grace', last_name: 'Hopper' });

    const body = await jsonOf<Record<string, string>>(await get(app, `/api/v1/leads/${id}`, token));

    expect(body).toEqual({
      id,
      first_name: 'Grace',
      last_name: 'Hopper',
      email: expect.stringMatching(/@example\.com$/),
      resume_path: expect.stringMatching(/^[0-9a-f-]{36}_resume\.pdf$/),
      resume: {
        original_name: 'resume.pdf',
        media_type: 'application/pdf',
        size_bytes: makePdf().length,
        findings: [],
        scan_state: 'unscanned',
      },
      consent: null,
      mails: ['attorney@practice.test', body['email']].map((recipient): unknown =>
        expect.objectContaining({ recipient, summary: expect.any(String) }),
      ),
      status: 'PENDING',
      created_at: expect.stringMatching(ISO_UTC),
      updated_at: body['created_at'],
      reached_out_at: null,
    });
  });

  it('finds it by an id in capitals', async () => {
    const id = await aLead(app);

    expect((await get(app, `/api/v1/leads/${id.toUpperCase()}`, token)).status).toBe(200);
  });

  it('answers 404 for an unknown id', async () => {
    const [status, body] = await errorOf(await get(app, `/api/v1/leads/${NOBODY}`, token));

    expect([status, body.error_code, body.detail]).toEqual([404, 'LEAD_NOT_FOUND', 'Lead not found']);
  });

  it.each(['abc', '123', `${NOBODY}0`, "' OR 1=1--", '%00', '..%2f..%2fetc'])(
    'answers 422 for the malformed id %j',
    async (id) => {
      const [status, body] = await errorOf(
        await get(app, `/api/v1/leads/${encodeURIComponent(decodeURIComponent(id))}`, token),
      );

      expect([status, body.field_errors]).toEqual([422, { lead_id: ['Must be a UUID'] }]);
    },
  );
});

describe('PATCH /api/v1/leads/{lead_id}', () => {
  const move = (id: string, body: unknown, as = token): Promise<Response> =>
    sendJson(app, 'PATCH', `/api/v1/leads/${id}`, body, as);

  it('marks a lead as reached out, when and by whom', async () => {
    const id = await aLead(app);
    const attorney = await anAttorney(app, token);
    const before = Date.now();

    const response = await move(id, { status: 'REACHED_OUT' }, attorney.token);

    const body = await jsonOf<Record<string, string>>(response);
    expect(response.status).toBe(200);
    expect(Object.keys(body).sort()).toEqual([
      'created_at',
      'email',
      'first_name',
      'id',
      'last_name',
      'reached_out_at',
      'status',
      'updated_at',
    ]);
    expect(body['status']).toBe('REACHED_OUT');
    expect(body['reached_out_at']).toBe(body['updated_at']);
    expect(Math.abs(Date.parse(body['reached_out_at']!) - before)).toBeLessThan(5000);
    const [row] = await app.database.query('SELECT reached_out_by_id FROM leads WHERE id = $1', [id]);
    expect(row).toEqual({ reached_out_by_id: attorney.id });
  });

  it('reverts, which clears when and by whom, keeps created_at and sends no mail', async () => {
    const id = await aLead(app);
    await idle();
    const mails = await countOf('mail_messages');
    const reached = await jsonOf<Record<string, string>>(await move(id, { status: 'REACHED_OUT' }));

    const reverted = await jsonOf<Record<string, string>>(await move(id, { status: 'PENDING' }));

    expect(reverted).toMatchObject({ status: 'PENDING', reached_out_at: null, created_at: reached['created_at'] });
    expect(Date.parse(reverted['updated_at']!)).toBeGreaterThanOrEqual(Date.parse(reached['updated_at']!));
    expect(await countOf('mail_messages')).toBe(mails);
    const [row] = await app.database.query('SELECT reached_out_by_id FROM leads WHERE id = $1', [id]);
    expect(row).toEqual({ reached_out_by_id: null });
  });

  it('tells the whole story of a lead: who, from, to, when', async () => {
    const id = await aLead(app);
    const attorney = await anAttorney(app, token);
    await move(id, { status: 'REACHED_OUT' }, attorney.token);
    await move(id, { status: 'PENDING' });

    const story = await jsonOf(await get(app, `/api/v1/leads/${id}/history`, token));

    expect(story).toEqual({
      items: [
        { from_status: null, to_status: 'PENDING', changed_by: 'public', changed_at: expect.stringMatching(ISO_UTC) },
        {
          from_status: 'PENDING',
          to_status: 'REACHED_OUT',
          changed_by: attorney.username,
          changed_at: expect.stringMatching(ISO_UTC),
        },
        {
          from_status: 'REACHED_OUT',
          to_status: 'PENDING',
          changed_by: 'admin',
          changed_at: expect.stringMatching(ISO_UTC),
        },
      ],
    });
  });

  it('answers 404 for the story of an unknown lead', async () => {
    expect((await get(app, `/api/v1/leads/${NOBODY}/history`, token)).status).toBe(404);
  });

  it.each(['PENDING', 'REACHED_OUT'])('refuses to stay %s with 400', async (status) => {
    const id = await aLead(app);
    if (status === 'REACHED_OUT') await move(id, { status });

    const [code, body] = await errorOf(await move(id, { status }));

    expect(code).toBe(400);
    expect(body).toMatchObject({
      error_code: 'LEAD_INVALID_STATUS_TRANSITION',
      detail: `Cannot transition from ${status} to ${status}`,
    });
  });

  it('of 16 equal changes at once lets one through', async () => {
    const id = await aLead(app);

    const statuses = await Promise.all(
      Array.from({ length: 16 }, async () => (await move(id, { status: 'REACHED_OUT' })).status),
    );

    expect(statuses.sort()).toEqual([200, ...Array<number>(15).fill(400)]);
    const [row] = await app.database.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM lead_status_changes WHERE lead_id = $1',
      [id],
    );
    expect(row!.n).toBe(2);
  });

  it('answers 404 for an unknown lead', async () => {
    expect((await errorOf(await move(NOBODY, { status: 'REACHED_OUT' })))[1].error_code).toBe('LEAD_NOT_FOUND');
  });

  it('answers 422 for a malformed id', async () => {
    expect((await move('abc', { status: 'REACHED_OUT' })).status).toBe(422);
  });

  it.each([
    ['nothing', {}],
    ['an unknown status', { status: 'DONE' }],
    ['a future status', { status: 'IN_REVIEW' }],
    ['another case', { status: 'reached_out' }],
    ['a number', { status: 1 }],
    ['null', { status: null }],
    ['a list', { status: ['REACHED_OUT'] }],
    ['an object', { status: { $ne: 'PENDING' } }],
    ['a list as the body', []],
    ['a text as the body', '"REACHED_OUT"'],
    ['broken JSON', '{"status":'],
    ['a further field', { status: 'REACHED_OUT', email: 'other@example.com' }],
    ['deep nesting', `{"status":${'['.repeat(50)}${']'.repeat(50)}}`],
    ['a long list', { status: Array.from({ length: 1001 }, () => 'x') }],
  ])('answers 422 for %s and changes nothing', async (_, body) => {
    const id = await aLead(app);

    const response = await move(id, body);

    expect(response.status).toBe(422);
    expect(await jsonOf(await get(app, `/api/v1/leads/${id}`, token))).toMatchObject({
      status: 'PENDING',
      email: expect.not.stringMatching('other@'),
    });
  });

  it('gives a member named __proto__ no effect', async () => {
    const id = await aLead(app);

    const response = await move(id, '{"status":"REACHED_OUT","__proto__":{"status":"PENDING","isAdmin":true}}');

    expect(await jsonOf(response)).toMatchObject({ status: 'REACHED_OUT' });
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it('answers 415 for a form and 413 for a huge body', async () => {
    const id = await aLead(app);
    const headers = bearer(token);

    const form = await app.request(`/api/v1/leads/${id}`, {
      method: 'PATCH',
      body: new URLSearchParams({ status: 'REACHED_OUT' }),
      headers,
    });
    const huge = await sendJson(app, 'PATCH', `/api/v1/leads/${id}`, { status: 'x'.repeat(200_000) }, token);

    expect([form.status, huge.status]).toEqual([415, 413]);
  });
});

describe('GET /api/v1/leads/{lead_id}/resume', () => {
  it('is never kept by a cache and never sniffed', async () => {
    const id = await aLead(app);

    const { headers } = await get(app, `/api/v1/leads/${id}/resume`, token);

    expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff']);
  });

  it('names the file after the lead, safely', async () => {
    const id = await aLead(app, { first_name: 'Zoë "Z"', last_name: 'O/Neil' });

    const { headers } = await get(app, `/api/v1/leads/${id}/resume`, token);

    expect(headers.get('content-disposition')).toBe(
      `attachment; filename="Zoe_Z_ONeil_resume.pdf"; filename*=UTF-8''Zo%C3%AB_Z_ONeil_resume.pdf`,
    );
  });

  it('cannot be made to write a header, even by a name that was put into the database', async () => {
    const id = await aLead(app);
    await app.database.query('UPDATE leads SET first_name = $2 WHERE id = $1', [id, 'A"\r\nX-Evil: y']);

    const response = await get(app, `/api/v1/leads/${id}/resume`, token);

    expect(response.status).toBe(200);
    expect(response.headers.get('x-evil')).toBeNull();
  });

  it('answers 404 when the bytes are gone', async () => {
    const id = await aLead(app);
    const { resume_path: path } = await jsonOf<{ resume_path: string }>(await get(app, `/api/v1/leads/${id}`, token));
    await rm(app.pathOf(path));

    const [status, body] = await errorOf(await get(app, `/api/v1/leads/${id}/resume`, token));

    expect([status, body.error_code]).toEqual([404, 'FILE_NOT_FOUND']);
  });

  it('answers 500 in the envelope when the bytes cannot be read', async () => {
    const id = await aLead(app);
    const { resume_path: path } = await jsonOf<{ resume_path: string }>(await get(app, `/api/v1/leads/${id}`, token));
    await rm(app.pathOf(path));
    await mkdir(app.pathOf(path));

    const [status, body] = await errorOf(await get(app, `/api/v1/leads/${id}/resume`, token));

    expect([status, body.error_code]).toEqual([500, 'FILE_READ_FAILED']);
  });

  it.each(['../../etc/passwd', '/etc/passwd', '.incoming', 'a\\b'])(
    'never leaves the upload folder, even for the stored path %j',
    async (path) => {
      const id = await aLead(app);
      await app.database.query(
        'UPDATE files SET storage_key = $2 WHERE storage_key = (SELECT resume_path FROM leads WHERE id = $1)',
        [id, path],
      );

      expect((await get(app, `/api/v1/leads/${id}/resume`, token)).status).toBe(404);
      await app.database.query(`UPDATE files SET storage_key = gen_random_uuid()::text WHERE storage_key = $1`, [path]);
    },
  );

  it('does not follow a link out of the folder', async () => {
    const id = await aLead(app);
    const { resume_path: path } = await jsonOf<{ resume_path: string }>(await get(app, `/api/v1/leads/${id}`, token));
    const outside = join(app.dataDir, 'outside.pdf');
    await writeFile(outside, 'secret');
    await rm(app.pathOf(path));
    await symlink(outside, app.pathOf(path));

    expect((await get(app, `/api/v1/leads/${id}/resume`, token)).status).toBe(500);
  });

  it('answers 404 for an unknown lead and 422 for a malformed id', async () => {
    expect((await get(app, `/api/v1/leads/${NOBODY}/resume`, token)).status).toBe(404);
    expect((await get(app, '/api/v1/leads/abc/resume', token)).status).toBe(422);
  });

  it('is served by no other address', async () => {
    const id = await aLead(app);
    const { resume_path: path } = await jsonOf<{ resume_path: string }>(await get(app, `/api/v1/leads/${id}`, token));

    const statuses = await Promise.all(
      [`/uploads/${path}`, `/${path}`, `/api/v1/uploads/${path}`, '/var/uploads'].map(
        async (each) => (await get(app, each)).status,
      ),
    );

    expect(statuses).toEqual([404, 404, 404, 404]);
  });
});

describe('GET /api/v1/files/{file_id}', () => {
  it('tells an admin what is known of a file, and an attorney nothing', async () => {
    const bytes = makePdf(5000);
    const id = await aLead(app, { file: { bytes, name: 'cv.pdf' } });
    const [file] = await app.database.query<{ id: string }>(
      'SELECT files.id FROM files JOIN leads ON resume_path = storage_key WHERE leads.id = $1',
      [id],
    );
    const attorney = await anAttorney(app, token);

    expect(await jsonOf(await get(app, `/api/v1/files/${file!.id}`, token))).toEqual({
      id: file!.id,
      original_name: 'cv.pdf',
      media_type: MEDIA.pdf,
      size_bytes: 5000,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      created_at: expect.stringMatching(ISO_UTC),
      owner_kind: 'lead',
      owner_id: id,
      storage: 'disk',
      encrypted: true,
      findings: [],
      scan_state: 'unscanned',
      scan_signature: null,
      scanned_at: null,
      text_state: 'owed',
      uploaded_by: 'public',
    });
    expect((await get(app, `/api/v1/files/${file!.id}`, attorney.token)).status).toBe(403);
    expect((await get(app, `/api/v1/files/${NOBODY}`, token)).status).toBe(404);
  });
});
