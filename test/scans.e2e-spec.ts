import { FileScans } from '../src/files/scan/file-scans.js';
import { eventually, startApp, type TestApp } from './support/app.js';
import { type Clamd, EICAR, findClamd, startClamd } from './support/clamd.js';
import { cleanUp } from './support/clean-up.js';
import { makePdf } from './support/documents.mjs';
import { aLead, anAttorney, anEmail, get, jsonOf, submit, tokenOf } from './support/leads.js';
import { describeWith } from './support/real-servers.js';

const found = findClamd();
const isMissing = typeof found === 'string';

/** A PDF that a scanner finds fault with and a reader does not. */
const INFECTED = Buffer.concat([makePdf(), Buffer.from('\n%'), EICAR, Buffer.from('\n%%EOF\n')]);
const infected = { file: { bytes: INFECTED } };

let app: TestApp;
let clamd: Clamd;
let token: string;

async function start(policy: string): Promise<void> {
  if (isMissing) throw new Error(found);
  clamd = await startClamd(found);
  app = await startApp({ SCAN_POLICY: policy, CLAMAV_HOST: clamd.host, CLAMAV_PORT: String(clamd.port) });
  token = await tokenOf(app);
}

afterEach(async () => {
  await app.close();
  await cleanUp();
});

const countOf = async (table: string): Promise<number> => {
  const [row] = await app.database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  return row?.count ?? NaN;
};
const stateOf = async (owner: string): Promise<Record<string, unknown> | undefined> => {
  const [row] = await app.database.query(
    "SELECT scan_state, scan_signature, scan_engine LIKE 'ClamAV%' AS engine, scanned_at IS NOT NULL AS scanned FROM files WHERE owner_id = $1",
    [owner],
  );
  return row;
};
const infections = (): Promise<Record<string, unknown>[]> =>
  app.database.query(
    `SELECT actor_name, target_kind, details->>'signature' AS signature FROM audit_entries WHERE action = 'file.infected'`,
  );
const SIGNATURE = expect.stringMatching(/^Forecourt\.Eicar/);

describeWith(
  isMissing ? undefined : found,
  'clamd',
  isMissing ? found : '',
)('SCAN_POLICY', () => {
  it('async serves a file once it was found clean, and not before', async () => {
    await start('async');
    await clamd.kill();
    const id = await aLead(app);
    const address = `/api/v1/leads/${id}/resume`;

    const before = await get(app, address, token);
    expect([before.status, await jsonOf(before)]).toMatchObject([
      409,
      { error_code: 'FILE_NOT_READY', detail: expect.stringContaining('still being checked') },
    ]);
    expect(await stateOf(id)).toMatchObject({ scan_state: 'pending', scanned: false });
  });

  it('async serves a clean file, and never one with malware, which is on record', async () => {
    await start('async');
    const [clean, bad] = [await aLead(app), await aLead(app, infected)];

    await eventually(
      'the clean one is served',
      async () => (await get(app, `/api/v1/leads/${clean}/resume`, token)).ok,
    );
    await eventually('the other was scanned', async () => (await stateOf(bad))?.['scanned'] === true);

    expect(await stateOf(clean)).toEqual({ scan_state: 'clean', scan_signature: null, engine: true, scanned: true });
    expect(await stateOf(bad)).toEqual({
      scan_state: 'infected',
      scan_signature: SIGNATURE,
      engine: true,
      scanned: true,
    });
    const refused = await get(app, `/api/v1/leads/${bad}/resume`, token);
    expect([refused.status, await jsonOf(refused)]).toMatchObject([
      409,
      { error_code: 'FILE_NOT_READY', detail: expect.stringContaining('quarantine') },
    ]);
    expect(await infections()).toEqual([{ actor_name: 'files', target_kind: 'file', signature: SIGNATURE }]);
  });

  it('required takes a clean file, which is served at once', async () => {
    await start('required');

    const id = await aLead(app);

    expect((await get(app, `/api/v1/leads/${id}/resume`, token)).status).toBe(200);
    expect(await stateOf(id)).toMatchObject({ scan_state: 'clean' });
  });

  it('required refuses a file with malware, which stays in quarantine without a lead or a mail', async () => {
    await start('required');

    const response = await submit(app, infected);

    expect([response.status, await jsonOf(response)]).toMatchObject([422, { error_code: 'FILE_INFECTED' }]);
    const mails = "mail_messages WHERE template <> 'alert'";
    expect([await countOf('leads'), await countOf(mails)]).toEqual([0, 0]);
    expect(await app.database.query('SELECT owner_kind, owner_id, scan_state, key_id FROM files')).toEqual([
      { owner_kind: 'quarantine', owner_id: null, scan_state: 'infected', key_id: 'local' },
    ]);
    expect(await infections()).toHaveLength(1);
  });

  it('quarantine gives a file only to an admin who says what it is, and every try is on record', async () => {
    await start('required');
    await submit(app, infected);
    const [file] = await app.database.query<{ id: string }>('SELECT id FROM files');
    const clean = await aLead(app);
    const [other] = await app.database.query<{ id: string }>('SELECT id FROM files WHERE owner_id = $1', [clean]);
    const attorney = await anAttorney(app, token);
    const take = (id: string | undefined, query: string, by?: string): Promise<Response> =>
      get(app, `/api/v1/files/${id}/quarantined${query}`, by);
    const YES = '?contains_malware=yes';

    const taken = await take(file?.id, YES, token);
    expect(Buffer.from(await taken.arrayBuffer()).equals(INFECTED)).toBe(true);
    expect(Object.fromEntries(taken.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${file?.id}.quarantined"`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    const refusals = [
      await take(file?.id, '', token),
      await take(file?.id, '?contains_malware=no', token),
      await take(file?.id, YES, attorney.token),
      await take(file?.id, YES),
      await take(other?.id, YES, token),
    ];

    expect(refusals.map(({ status }) => status)).toEqual([422, 422, 403, 401, 404]);
    const entries = await app.database.query(
      `SELECT outcome, actor_name, details->>'error_code' AS code FROM audit_entries
       WHERE action = 'file.quarantine_downloaded' ORDER BY at`,
    );
    expect(entries).toEqual([
      { outcome: 'done', actor_name: 'admin', code: null },
      { outcome: 'refused', actor_name: 'admin', code: 'VALIDATION_ERROR' },
      { outcome: 'refused', actor_name: 'admin', code: 'VALIDATION_ERROR' },
      { outcome: 'refused', actor_name: attorney.username, code: 'FORBIDDEN' },
      { outcome: 'refused', actor_name: null, code: 'NOT_AUTHENTICATED' },
      { outcome: 'refused', actor_name: 'admin', code: 'FILE_NOT_FOUND' },
    ]);
  });

  it('malware is told to the operators', async () => {
    await start('required');

    await submit(app, infected);

    await eventually(
      'the alert is sent',
      async () =>
        (await app.database.query(`SELECT FROM mail_messages WHERE template = 'alert' AND state = 'sent'`)).length ===
        1,
    );
    expect(await app.database.query(`SELECT cause, details->>'signature' AS signature FROM alerts`)).toEqual([
      { cause: 'file.infected', signature: SIGNATURE },
    ]);
  });

  it('files:rescan owes a scan to what never had one, and to all files with --all, in which an error can come to light', async () => {
    await start('async');
    const [first, second] = [await aLead(app), await aLead(app, infected)];
    await eventually(
      'both were scanned',
      async () => (await stateOf(second))?.['scanned'] === true && (await stateOf(first))?.['scanned'] === true,
    );
    const scans = app.app.get(FileScans);
    expect(await scans.rescan({ isAll: false, isDryRun: true })).toBe(0);

    await app.database.query(`UPDATE files SET scan_state = 'unscanned' WHERE owner_id = $1`, [first]);
    await app.database.query(`UPDATE files SET scan_state = 'clean' WHERE owner_id = $1`, [second]);
    expect(await scans.rescan({ isAll: false, isDryRun: false })).toBe(1);
    await eventually('the first was scanned', async () => (await stateOf(first))?.['scan_state'] === 'clean');
    expect(await stateOf(second)).toMatchObject({ scan_state: 'clean' });

    await app.database.query(`UPDATE files SET scan_state = 'infected' WHERE owner_id = $1`, [first]);
    expect(await scans.rescan({ isAll: true, isDryRun: false })).toBe(2);
    await eventually('the second was found out', async () => (await stateOf(second))?.['scan_state'] === 'infected');
    await eventually('the first was cleared', async () => (await stateOf(first))?.['scan_state'] === 'clean');
    expect(await app.database.query(`SELECT FROM audit_entries WHERE action = 'file.cleared'`)).toHaveLength(1);
  });

  it('required refuses every file while the scanner is away, and keeps nothing', async () => {
    await start('required');
    await clamd.kill();

    const answers = await Promise.all(Array.from({ length: 16 }, () => submit(app, { email: anEmail() })));

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(await jsonOf(answers[0]!)).toMatchObject({ error_code: 'FILE_SCANNER_UNAVAILABLE' });
    expect([await countOf('leads'), await countOf('files'), await app.storedFiles()]).toEqual([0, 0, []]);
  });

  it('async owes no scan for a submission that was refused', async () => {
    await start('async');
    const email = anEmail();
    await aLead(app, { email });

    expect((await submit(app, { email })).status).toBe(409);

    expect(await countOf('files')).toBe(1);
    expect(await infections()).toEqual([]);
  });

  it('switched on later serves no file that was never scanned', async () => {
    await start('async');
    const id = await aLead(app);
    await eventually('it was scanned', async () => (await stateOf(id))?.['scanned'] === true);
    await app.database.query(`UPDATE files SET scan_state = 'unscanned', scanned_at = NULL`);

    expect((await get(app, `/api/v1/leads/${id}/resume`, token)).status).toBe(409);
  });
});
