import { eventually, startApp, type TestApp } from './support/app.js';
import { type Clamd, EICAR, findClamd, startClamd } from './support/clamd.js';
import { cleanUp } from './support/clean-up.js';
import { makePdf } from './support/documents.js';
import { aLead, anEmail, get, jsonOf, submit, tokenOf } from './support/leads.js';
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
    expect([await countOf('leads'), await countOf('mail_messages')]).toEqual([0, 0]);
    expect(await app.database.query('SELECT owner_kind, owner_id, scan_state, key_id FROM files')).toEqual([
      { owner_kind: 'quarantine', owner_id: null, scan_state: 'infected', key_id: 'local' },
    ]);
    expect(await infections()).toHaveLength(1);
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
