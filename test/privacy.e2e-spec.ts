import { createHmac, randomUUID } from 'node:crypto';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Entry, fromBuffer } from 'yauzl';
import { AuditCheck } from '../src/audit/audit-check.js';
import { PROJECT_ROOT } from '../src/config/project-root.js';
import { FileTexts } from '../src/files/text/file-texts.js';
import { ErasuresService } from '../src/privacy/erasures.service.js';
import { RetentionRuns } from '../src/privacy/retention-runs.js';
import { PASSWORD } from './support/accounts.js';
import { eventually, SECRET_KEY, startApp, type TestApp } from './support/app.js';
import { MEDIA } from './support/documents.mjs';
import { aLead, anAttorney, bearer, get, jsonOf, sendJson, submit, tokenOf } from './support/leads.js';

let app: TestApp;
let superadmin: string;

async function start(settings: Record<string, string> = {}): Promise<void> {
  app = await startApp(settings);
  superadmin = await tokenOf(app);
}
afterEach(() => app.close());

const post = (path: string, body: object, token = superadmin): Promise<Response> =>
  sendJson(app, 'POST', `/api/v1/admin/privacy/${path}`, body, token);
const find = async (email: string): Promise<Record<string, { kind: string; data: Record<string, unknown> }[]>> =>
  (
    await jsonOf<{ records: Record<string, { kind: string; data: Record<string, unknown> }[]> }>(
      await post('find', { email }),
    )
  ).records;
const erase = (email: string): Promise<Response> => post('erasures', { email, reason: 'request' });
const hold = async (email: string): Promise<string> =>
  (await jsonOf<{ id: string }>(await post('holds', { email, reason: 'Case 12 O 345/26' }))).id;

interface Tombstone {
  readonly id: string;
  readonly person: string;
  readonly reason: string;
  readonly counts: Record<string, number>;
  readonly completed_at: string | null;
}

/** The tombstone once nothing is left to remove. */
const completed = (id: string): Promise<Tombstone> =>
  eventually('the erasure is complete', async () => {
    const erasure = await jsonOf<Tombstone>(await get(app, `/api/v1/admin/privacy/erasures/${id}`, superadmin));
    return erasure.completed_at === null ? undefined : erasure;
  });

const resume = (): Promise<Buffer> => readFile(join(PROJECT_ROOT, 'test', 'support', 'documents', 'resume.docx'));

/** What is planted, and must be nowhere afterwards. */
const PERSON = { first_name: 'Wilhelmina', last_name: 'Featherstonehaugh', email: 'mina.feather@planted.test' };
const PLANTED = /wilhelmina|featherstonehaugh|mina\.feather|mina-account|plantedfile/i;

async function aPerson(): Promise<string> {
  const file = { bytes: await resume(), name: 'Plantedfile Mina.docx', type: MEDIA.docx };
  const id = await aLead(app, { ...PERSON, file });
  await app.app.get(FileTexts).extractOwed();
  return id;
}

/** An account of a client of that address, as it is after they signed in. */
async function anAccountOf(email: string): Promise<{ id: string; token: string }> {
  const body = { username: 'mina-account', email, password: PASSWORD, role: 'client' };
  const made = await sendJson(app, 'POST', '/api/v1/admin/users', body, superadmin);
  return { id: (await jsonOf<{ id: string }>(made)).id, token: await tokenOf(app, 'mina-account', PASSWORD) };
}

/** Every row of every table, jobs included, as text by table. */
async function everyRow(): Promise<Record<string, string>> {
  const tables = await app.database.query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_schema IN ('public', 'graphile_worker') AND table_type = 'BASE TABLE'`,
  );
  const rows: Record<string, string> = {};
  for (const { name } of tables)
    rows[name] = (
      await app.database.query<{ text: string }>(
        `SELECT coalesce(string_agg(t::text, E'\\n'), '') AS text FROM ${name} AS t`,
      )
    )[0]!.text;
  return rows;
}

/** Names and contents of all files under the data folder. */
async function everyFile(): Promise<string> {
  const entries = await readdir(app.dataDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const contents = await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')));
  return [...files.map(({ name }) => name), ...contents].join('\n');
}

async function tablesThatTell(pattern: RegExp): Promise<string[]> {
  return Object.entries(await everyRow())
    .filter(([, text]) => pattern.test(text))
    .map(([name]) => name.replace('public.', ''))
    .sort();
}

describe('find', () => {
  it('gives everything that each module knows of an address', async () => {
    await start({ ROLE: 'http' });
    const lead = await aPerson();
    await sendJson(app, 'PATCH', `/api/v1/leads/${lead}`, { status: 'REACHED_OUT' }, superadmin);
    const account = await anAccountOf(PERSON.email);
    await hold(PERSON.email);

    const records = await find(PERSON.email.toUpperCase());

    const kinds = Object.fromEntries(
      Object.entries(records).map(([name, found]) => [name, found.map(({ kind }) => kind).sort()]),
    );
    expect(kinds).toEqual({
      holds: ['legal_hold'],
      leads: ['lead', 'lead_status_change', 'lead_status_change'],
      files: ['file'],
      mail: ['mail', 'mail'],
      users: ['account'],
      auth: ['session'],
    });
    expect(records['leads']?.[0]?.data).toMatchObject({ id: lead, ...PERSON, status: 'REACHED_OUT' });
    expect(records['files']?.[0]?.data).toMatchObject({
      original_name: 'Plantedfile Mina.docx',
      text: expect.stringMatching(/\w{4,}/),
    });
    expect(records['users']?.[0]?.data).toMatchObject({ id: account.id, username: 'mina-account' });
  });

  it('shows no hash, key or secret, and not whom else the practice told', async () => {
    await start({ ROLE: 'http' });
    await aPerson();
    await anAccountOf(PERSON.email);

    const text = JSON.stringify(await find(PERSON.email));

    expect(text).not.toMatch(/hashed_password|\$2[aby]\$|wrapped_key|token_hash|attorney@practice\.test/);
  });

  it('of an address that nobody knows is nothing, and of one that looks like SQL as well', async () => {
    await start({ ROLE: 'http' });
    await aPerson();

    expect(await find('nobody@planted.test')).toEqual({});
    expect(await find("x'or'1'='1@planted.test")).toEqual({});
  });

  it('is on record by what stands for the person, without the address', async () => {
    await start({ ROLE: 'http' });

    await find(PERSON.email);

    const entries = await app.database.query(
      `SELECT actor_name, target_kind, details FROM audit_entries WHERE action = 'person.found'`,
    );
    const person = createHmac('sha256', `forecourt persons\0${SECRET_KEY}`).update(PERSON.email).digest('hex');
    expect(entries).toEqual([{ actor_name: 'admin', target_kind: 'person', details: { person } }]);
  });
});

describe('export', () => {
  interface Archive {
    readonly names: string[];
    readonly contents: Map<string, Buffer>;
  }

  function unpack(bytes: Buffer): Promise<Archive> {
    return new Promise((resolve, reject) => {
      fromBuffer(bytes, { lazyEntries: true }, (error, zip) => {
        if (error !== null) {
          reject(error);
          return;
        }
        const contents = new Map<string, Buffer>();
        zip.on('entry', (entry: Entry) => {
          zip.openReadStream(entry, (failure, stream) => {
            if (failure !== null) {
              reject(failure);
              return;
            }
            const chunks: Buffer[] = [];
            stream.on('data', (chunk: Buffer) => chunks.push(chunk));
            stream.on('end', () => {
              contents.set(entry.fileName, Buffer.concat(chunks));
              zip.readEntry();
            });
          });
        });
        zip.on('error', reject);
        zip.on('end', () => {
          resolve({ names: [...contents.keys()], contents });
        });
        zip.readEntry();
      });
    });
  }

  it('is one ZIP with everything as JSON and the files byte for byte', async () => {
    await start({ ROLE: 'http' });
    const lead = await aPerson();

    const answer = await post('export', { email: PERSON.email });

    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('content-disposition')]).toEqual([
      200,
      'application/zip',
      'attachment; filename="person.zip"',
    ]);
    expect(answer.headers.get('cache-control')).toMatch(/no-store/);
    const { names, contents } = await unpack(Buffer.from(await answer.arrayBuffer()));
    const json = JSON.parse(contents.get('person.json')!.toString()) as {
      email: string;
      records: { leads: { data: object }[]; files: { data: { name_in_export: string } }[] };
      files_left_out: unknown[];
    };
    expect(json).toMatchObject({ email: PERSON.email, is_held: false, files_left_out: [] });
    expect(json.records.leads[0]?.data).toMatchObject({ id: lead, ...PERSON });
    const file = `files/${json.records.files[0]!.data.name_in_export}`;
    expect(names).toEqual(['person.json', file]);
    expect(contents.get(file)!.equals(await resume())).toBe(true);
  });

  it('names a file that cannot be read, and has everything else', async () => {
    await start({ ROLE: 'http' });
    await aPerson();
    const [key = ''] = await app.storedFiles();
    await chmod(app.pathOf(key), 0o600);
    await writeFile(app.pathOf(key), 'damaged');

    const answer = await post('export', { email: PERSON.email });

    const { names, contents } = await unpack(Buffer.from(await answer.arrayBuffer()));
    expect(names).toEqual(['person.json']);
    expect(JSON.parse(contents.get('person.json')!.toString())).toMatchObject({
      files_left_out: [{ name: expect.stringMatching(/\.docx$/), error_code: 'FILE_INTEGRITY_FAILED' }],
    });
  });

  it('is on record before a byte of it leaves, and not at all when it cannot be recorded', async () => {
    await start({ ROLE: 'http' });
    await aPerson();
    await app.database.query(`ALTER TABLE audit_entries ADD CONSTRAINT planted CHECK (action <> 'person.exported')`);

    const answer = await post('export', { email: PERSON.email });

    expect([answer.status, answer.headers.get('content-type')]).toEqual([500, expect.stringContaining('json')]);
  });
});

describe('an erasure', () => {
  it('leaves nothing of the person in any table, file, letter or log, but what stands for them', async () => {
    await start();
    const lead = await aPerson();
    await anAccountOf(PERSON.email);
    await sendJson(app, 'PATCH', `/api/v1/leads/${lead}`, { status: 'REACHED_OUT' }, superadmin);
    await post('find', { email: PERSON.email });
    await (await post('export', { email: PERSON.email })).arrayBuffer();
    await app.request('/api/v1/auth/password/forgot', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: PERSON.email }),
    });
    await app.database.query(
      `INSERT INTO mail_suppressions (address, reason, since) VALUES ($1::text, '550 no ' || $1::text, now())`,
      [PERSON.email],
    );
    const words = (await app.database.query<{ text: string }>('SELECT text FROM file_texts'))[0]!.text
      .split(/\s+/)
      .filter((word) => /^[a-z]{9,}$/i.test(word));
    await eventually('both mails about the lead are written', async () => {
      const names = await readdir(join(app.dataDir, 'mail')).catch(() => []);
      return names.filter((name) => name.endsWith('.eml')).length >= 2;
    });
    expect(await tablesThatTell(PLANTED)).toEqual(
      expect.arrayContaining(['files', 'leads', 'mail_messages', 'mail_suppressions', 'users']),
    );
    expect(await everyFile()).toMatch(PLANTED);

    const answer = await erase(PERSON.email);

    expect(answer.status).toBe(200);
    const tombstone = await completed((await jsonOf<Tombstone>(answer)).id);
    await app.database.query(
      `UPDATE graphile_worker._private_jobs SET run_at = now() WHERE task_id IN
         (SELECT id FROM graphile_worker._private_tasks WHERE identifier = 'mail.forget_letters')`,
    );
    await eventually('the letters are gone', async () => !PLANTED.test(await everyFile()));
    expect(tombstone).toMatchObject({
      person: createHmac('sha256', `forecourt persons\0${SECRET_KEY}`).update(PERSON.email).digest('hex'),
      reason: 'request',
      counts: { leads: 1, files: 1, users: 1 },
    });
    expect(await tablesThatTell(PLANTED)).toEqual([]);
    expect(words.length).toBeGreaterThan(0);
    expect(await tablesThatTell(new RegExp(words.join('|'), 'i'))).toEqual([]);
    expect(await app.storedFiles()).toEqual([]);
    expect(JSON.stringify(app.log)).not.toMatch(PLANTED);
    expect(await find(PERSON.email)).toEqual({});
  });

  it('leaves the record whole: every entry is where it was, with the id of the lead, and the chain holds', async () => {
    await start({ ROLE: 'http' });
    const lead = await aPerson();
    await get(app, `/api/v1/leads/${lead}`, superadmin);
    const before = await app.database.query<{ id: string }>('SELECT id FROM audit_entries ORDER BY at, id');

    await erase(PERSON.email);

    const check = await eventually('every entry is in the chain', async () => {
      const found = await app.app.get(AuditCheck).run();
      return found.unlinked === 0 ? found : undefined;
    });
    expect(check.defect).toBeUndefined();
    const after = await app.database.query<{ id: string; target_id: string | null }>(
      'SELECT id, target_id FROM audit_entries ORDER BY at, id',
    );
    expect(after.map(({ id }) => id)).toEqual(expect.arrayContaining(before.map(({ id }) => id)));
    expect(after.some(({ target_id: id }) => id === lead)).toBe(true);
  });

  it('signs the person out at once: their token is nobody’s', async () => {
    await start({ ROLE: 'http' });
    const { token } = await anAccountOf(PERSON.email);
    expect((await get(app, '/api/v1/auth/me', token)).status).toBe(200);

    await erase(PERSON.email);

    await eventually('the token is refused', async () => (await get(app, '/api/v1/auth/me', token)).status === 401);
    expect(
      (
        await app.request('/api/v1/auth/login', {
          method: 'POST',
          body: new URLSearchParams({ username: 'mina-account', password: PASSWORD }),
        })
      ).status,
    ).toBe(401);
  });

  it('leaves others as they are, and the totals right', async () => {
    await start({ ROLE: 'http' });
    await aPerson();
    const other = await aLead(app);

    await erase(PERSON.email);

    expect((await get(app, `/api/v1/leads/${other}/resume`, superadmin)).status).toBe(200);
    const page = await jsonOf<{ total: number }>(await get(app, '/api/v1/leads', superadmin));
    expect(page.total).toBe(1);
    const mails = await app.database.query('SELECT DISTINCT about_id FROM mail_messages');
    expect(mails).toEqual([{ about_id: other }]);
  });

  it('destroys the key of the file with the rows, before its bytes are removed', async () => {
    await start({ ROLE: 'http' });
    await aPerson();

    await erase(PERSON.email);

    const rows = await app.database.query(
      'SELECT wrapped_key, original_name, deleted_at IS NOT NULL AS deleted FROM files',
    );
    expect(rows).toEqual([{ wrapped_key: null, original_name: 'erased', deleted: true }]);
    expect(await app.storedFiles()).toHaveLength(1);
  });

  it('goes on where its job died, line by line, and is complete in the end', async () => {
    await start({ ROLE: 'http' });
    await aPerson();
    const { id } = await jsonOf<Tombstone>(await erase(PERSON.email));
    const service = app.app.get(ErasuresService);
    const refuse = async (action: string): Promise<void> => {
      await app.database.query(
        `ALTER TABLE audit_entries ADD CONSTRAINT planted CHECK (action <> '${action}') NOT VALID`,
      );
      await expect(service.complete({}, id)).rejects.toThrow();
      await app.database.query('ALTER TABLE audit_entries DROP CONSTRAINT planted');
    };
    // the bytes are gone, the row is there
    await refuse('file.purged');
    expect([await app.storedFiles(), await app.database.query('SELECT count(*)::int AS n FROM files')]).toEqual([
      [],
      [{ n: 1 }],
    ]);
    // the row is gone, the erasure is not complete
    await refuse('person.erasure_completed');
    expect(await app.database.query('SELECT completed_at FROM erasures')).toEqual([{ completed_at: null }]);

    await service.complete({}, id);
    await service.complete({}, id);

    expect((await completed(id)).id).toBe(id);
    const entries = await app.database.query(`SELECT id FROM audit_entries WHERE action = 'person.erasure_completed'`);
    expect(entries).toHaveLength(1);
    expect(await app.database.query('SELECT remains FROM erasures')).toEqual([{ remains: {} }]);
  });

  it('that fails at its last line has changed nothing', async () => {
    await start({ ROLE: 'http' });
    const lead = await aPerson();
    const account = await anAccountOf(PERSON.email);
    await app.database.query(`ALTER TABLE audit_entries ADD CONSTRAINT planted CHECK (action <> 'person.erased')`);

    expect((await erase(PERSON.email)).status).toBe(500);

    expect((await get(app, `/api/v1/leads/${lead}/resume`, superadmin)).status).toBe(200);
    expect((await get(app, '/api/v1/auth/me', account.token)).status).toBe(200);
    expect(await app.database.query('SELECT id FROM erasures')).toEqual([]);
  });

  it('of sixteen at once is one, and all of them get the same tombstone; so does who asks later', async () => {
    await start({ ROLE: 'http' });
    await aPerson();

    const answers = await Promise.all(Array.from({ length: 16 }, () => erase(PERSON.email)));
    const later = await erase(PERSON.email);

    expect([...answers, later].map(({ status }) => status)).toEqual(Array(17).fill(200));
    const ids = await Promise.all([...answers, later].map(async (each) => (await jsonOf<Tombstone>(each)).id));
    expect(new Set(ids).size).toBe(1);
    const entries = await app.database.query(`SELECT id FROM audit_entries WHERE action = 'person.erased'`);
    expect(entries).toHaveLength(1);
  });

  it('and submissions of the same address at once end in a lead that is whole, or in none', async () => {
    await start({ ROLE: 'http' });
    await aPerson();

    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? erase(PERSON.email) : submit(app, PERSON))),
    );

    for (const { status } of answers) expect([200, 201, 409]).toContain(status);
    const [state] = await app.database.query<{ leads: number; files: number; mails: number }>(
      `SELECT (SELECT count(*)::int FROM leads) AS leads, (SELECT count(*)::int FROM files WHERE deleted_at IS NULL) AS files,
         (SELECT count(*)::int FROM mail_messages) AS mails`,
    );
    const { leads = 0 } = state ?? {};
    expect(state).toEqual({ leads, files: leads, mails: 2 * leads });
  });

  it('frees the address: whoever was forgotten may ask for help again, and is forgotten again', async () => {
    await start({ ROLE: 'http' });
    await aPerson();
    const first = await jsonOf<Tombstone>(await erase(PERSON.email));

    expect((await submit(app, PERSON)).status).toBe(201);
    const second = await jsonOf<Tombstone>(await erase(PERSON.email));

    expect(second.id).not.toBe(first.id);
    expect(second.person).toBe(first.person);
    const { erasures } = await jsonOf<{ erasures: Tombstone[] }>(await post('find', { email: PERSON.email }));
    expect(erasures.map(({ id }) => id)).toEqual([second.id, first.id]);
  });

  it('of somebody who works here is refused, whatever their role, and changes nothing', async () => {
    await start({ ROLE: 'http' });
    const { username, token } = await anAttorney(app, superadmin);

    const answers = [await erase(`${username}@practice.test`), await erase('admin@forecourt.test')];

    for (const answer of answers)
      expect([answer.status, await answer.json()]).toEqual([
        409,
        expect.objectContaining({ error_code: 'PERSON_IS_STAFF' }),
      ]);
    expect((await get(app, '/api/v1/leads', token)).status).toBe(200);
  });

  it('of somebody who is not known answers 404, and of what is no address or no reason 422', async () => {
    await start({ ROLE: 'http' });

    const answers = await Promise.all([
      erase('nobody@planted.test'),
      post('erasures', { email: 'nonsense', reason: 'request' }),
      post('erasures', { email: PERSON.email, reason: 'because Ada asked' }),
      post('erasures', { email: PERSON.email, reason: 'request', more: 1 }),
      post('erasures', { email: [PERSON.email], reason: 'request' }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([404, 422, 422, 422, 422]);
  });
});

describe('retention', () => {
  it('by default keeps leads and mails for ever', async () => {
    await start({ ROLE: 'http' });
    const lead = await aPerson();
    await sendJson(app, 'PATCH', `/api/v1/leads/${lead}`, { status: 'REACHED_OUT' }, superadmin);
    const age = `now() - interval '90 years'`;
    await app.database.query(`UPDATE leads SET created_at = ${age}, updated_at = ${age}`);
    await app.database.query(`UPDATE mail_messages SET created_at = ${age}, state = 'sent', sent_at = ${age}`);

    const { items } = await jsonOf<{ items: { rule: string; days: number | null; due: number }[] }>(
      await get(app, '/api/v1/admin/privacy/retention', superadmin),
    );
    await app.app.get(RetentionRuns).run(new AbortController().signal);

    expect(items.filter(({ days }) => days === null).map(({ rule, due }) => [rule, due])).toEqual(
      expect.arrayContaining([
        ['leads', 0],
        ['mail', 0],
      ]),
    );
    expect((await find(PERSON.email))['mail']).toHaveLength(2);
  });
});

describe('a legal hold', () => {
  const codeOf = async (answer: Response): Promise<unknown> => (await jsonOf(answer))['error_code'];

  it('keeps everything of a person, whoever deletes, until it is lifted', async () => {
    await start({ ROLE: 'http' });
    const lead = await aPerson();
    const id = await hold(PERSON.email);
    const remove = (): Promise<Response> =>
      app.request(`/api/v1/leads/${lead}`, { method: 'DELETE', headers: bearer(superadmin) });

    const refused = [await erase(PERSON.email), await remove()];
    expect(refused.map(({ status }) => status)).toEqual([409, 409]);
    expect(await Promise.all(refused.map(codeOf))).toEqual(['LEGAL_HOLD', 'LEGAL_HOLD']);
    expect((await get(app, `/api/v1/leads/${lead}/resume`, superadmin)).status).toBe(200);

    const lifted = await app.request(`/api/v1/admin/privacy/holds/${id}`, {
      method: 'DELETE',
      headers: bearer(superadmin),
    });
    expect(lifted.status).toBe(204);
    expect((await erase(PERSON.email)).status).toBe(200);
    // the hold named the person as well
    expect(await app.database.query('SELECT id FROM legal_holds')).toEqual([]);
  });

  it('is there once, however many place it, and is lifted once', async () => {
    await start({ ROLE: 'http' });

    const placed = await Promise.all(
      Array.from({ length: 16 }, () => post('holds', { email: PERSON.email, reason: 'x' })),
    );
    expect(placed.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(15).fill(409)]);
    const { items } = await jsonOf<{ items: { id: string; email: string }[] }>(
      await get(app, '/api/v1/admin/privacy/holds', superadmin),
    );
    expect(items).toMatchObject([{ email: PERSON.email, reason: 'x', placed_by: 'admin', lifted_at: null }]);
    const path = `/api/v1/admin/privacy/holds/${items[0]!.id}`;
    const lifts = await Promise.all(
      Array.from({ length: 16 }, () => app.request(path, { method: 'DELETE', headers: bearer(superadmin) })),
    );
    expect(lifts.map(({ status }) => status).sort()).toEqual([204, ...Array<number>(15).fill(404)]);
  });

  it('and an erasure at once: either the person is held and whole, or forgotten', async () => {
    await start({ ROLE: 'http' });
    for (let round = 0; round < 4; round += 1) {
      const email = `round-${round}@planted.test`;
      const lead = await aLead(app, { email });

      const [held, erased] = await Promise.all([post('holds', { email, reason: 'x' }), erase(email)]);

      expect(held.status).toBe(201);
      const isThere = (await get(app, `/api/v1/leads/${lead}`, superadmin)).status === 200;
      expect([erased.status, isThere]).toEqual(erased.status === 409 ? [409, true] : [200, false]);
    }
  });

  it('that nobody has is not lifted', async () => {
    await start({ ROLE: 'http' });

    const answer = await app.request(`/api/v1/admin/privacy/holds/${randomUUID()}`, {
      method: 'DELETE',
      headers: bearer(superadmin),
    });

    expect([answer.status, await codeOf(answer)]).toEqual([404, 'HOLD_NOT_FOUND']);
  });
});
