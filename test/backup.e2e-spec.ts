import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADMIN, eventually, SECRET_KEY, startApp, type TestApp } from './support/app.js';
import { aBackup, anEmptyInstance, BACKUP_KEY, CLI, command, run, type Settings } from './support/backups.js';
import { cleanUp } from './support/clean-up.js';
import { makePdf } from './support/documents.mjs';
import { aLead, anAttorney, anEmail, bearer, sendJson, tokenOf } from './support/leads.js';
import { makeFolder, Program, type RunningForecourt, startProgram } from './support/program.js';
import { startS3 } from './support/s3rver.js';

let app: TestApp;
let settings: Settings;
afterEach(async () => {
  await cleanUp();
  await app.close();
  await cleanUp('the whole file');
});

async function start(more: Record<string, string> = {}): Promise<void> {
  const given = { ROLE: 'http', BACKUP_KEY, ...more };
  app = await startApp(given);
  settings = { ...given, SECRET_KEY, DATA_DIR: app.dataDir, DATABASE_URL: app.database.url };
}

/** Leads, and the bytes of the file of each. */
async function leads(count: number, size = 3_000): Promise<Map<string, Buffer>> {
  const made = new Map<string, Buffer>();
  for (let index = 0; index < count; index += 1) {
    const bytes = makePdf(size + index);
    made.set(await aLead(app, { file: { bytes } }), bytes);
  }
  return made;
}

/** Leads that are not there, or whose file does not come as it was sent. */
async function missing(there: RunningForecourt, made: ReadonlyMap<string, Buffer>): Promise<string[]> {
  const headers = await there.signIn(ADMIN.password);
  const wrong: string[] = [];
  for (const [id, bytes] of made) {
    const response = await there.request(`/api/v1/leads/${id}/resume`, { headers });
    if (!response.ok || !Buffer.from(await response.arrayBuffer()).equals(bytes)) wrong.push(id);
  }
  return wrong;
}

const numbers = (query: TestApp['database']['query']): Promise<Record<string, unknown>[]> =>
  query(`SELECT (SELECT count(*)::int FROM leads) AS leads, (SELECT count(*)::int FROM files) AS files,
    (SELECT count(*)::int FROM lead_status_changes) AS changes, (SELECT count(*)::int FROM mail_messages) AS mails,
    (SELECT sum(total)::int FROM lead_totals) AS total`);

describe('backup and restore', () => {
  it('bring back everything of one moment, while leads are submitted all the time', async () => {
    await start();
    const token = await tokenOf(app);
    const { username, token: attorney } = await anAttorney(app, token);
    const made = await leads(12, 100_000);
    const [first = ''] = made.keys();
    await sendJson(app, 'PATCH', `/api/v1/leads/${first}`, { status: 'REACHED_OUT' }, attorney);
    const folder = await makeFolder();
    const during: string[] = [];

    const backup = command(settings, 'backup', '--to', folder);
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!backup.hasEnded) during.push(await aLead(app));
      }),
    );

    expect([await backup.ended, backup.output]).toEqual([0, expect.stringContaining('Keep apart')]);
    const [name = '', ...others] = await readdir(folder);
    expect([name, others]).toEqual([expect.stringMatching(/^forecourt-\d{8}T\d{6}Z-[0-9a-f]{8}\.backup$/), []]);
    const bytes = await readFile(join(folder, name));
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    expect(backup.output).toContain(
      `${bytes.length} bytes, SHA-256 ${createHash('sha256').update(bytes).digest('hex')}`,
    );
    expect(['Lovelace', '@example.com', '%PDF'].filter((text) => bytes.includes(text))).toEqual([]);
    expect(await run(settings, 'backup', '--verify', join(folder, name))).toEqual([
      0,
      expect.stringMatching(/^Whole: /),
    ]);

    const target = await anEmptyInstance();
    const [code, said] = await run(target.settings, 'restore', '--from', join(folder, name));
    expect([code, said]).toEqual([0, expect.stringMatching(/is whole\nRestored: \d+ rows of \d+ tables/)]);
    expect(backup.output + said).not.toMatch(/Lovelace|@example/);

    const [found] = await numbers(target.database.query);
    const count = found?.['leads'] as number;
    expect(count).toBeGreaterThanOrEqual(made.size);
    expect(during.length).toBeGreaterThan(0);
    expect(found).toEqual({ leads: count, files: count, changes: count + 1, mails: 2 * count, total: count });
    expect(await run(target.settings, 'audit:verify')).toEqual([0, expect.stringContaining('Verified up to')]);
    expect(await run(target.settings, 'files:check', '--hashes')).toEqual([
      0,
      expect.stringContaining('0 files are not'),
    ]);
    expect(await target.database.query('SELECT id FROM sessions')).toEqual([]);

    const restored = await startProgram(target.settings);
    expect(await missing(restored, made)).toEqual([]);
    const again = await restored.request('/api/v1/auth/login', {
      method: 'POST',
      body: new URLSearchParams({ username, password: 'a fine password' }),
    });
    expect(again.status).toBe(200);
    expect((await restored.request('/api/v1/auth/me', { headers: bearer(token) })).status).toBe(401);
    expect((await restored.submit(anEmail())).status).toBe(201);
    const page = await restored.request('/api/v1/leads?size=1', { headers: await restored.signIn(ADMIN.password) });
    expect(await page.json()).toMatchObject({ total: count + 1 });
    await restored.stop();
    expect((await run(target.settings, 'audit:verify'))[0]).toBe(0);
    expect(
      await target.database.query(`SELECT target_kind FROM audit_entries WHERE action = 'instance.restored'`),
    ).toEqual([{ target_kind: 'instance' }]);
  }, 180_000);

  it('keep the mails that are owed and the jobs that were given up, and send each mail once', async () => {
    await start();
    await leads(3);
    await app.database.query(`SELECT graphile_worker.add_job('test.buried', '{"n":1}'::json, max_attempts => 3)`);
    await app.database.query(
      `SELECT graphile_worker.permanently_fail_jobs(ARRAY(SELECT id FROM graphile_worker.jobs WHERE task_identifier = 'test.buried'), 'why')`,
    );
    await app.database.query(
      `SELECT graphile_worker.add_job('privacy.retain', '{}'::json, run_at => now() - interval '1 day', job_key => 'privacy.retain')`,
    );
    const target = await anEmptyInstance();
    expect((await run(target.settings, 'restore', '--from', await aBackup(settings)))[0]).toBe(0);

    expect(
      await target.database.query(
        `SELECT j.last_error, p.payload::text, j.attempts = j.max_attempts AS is_buried
         FROM graphile_worker.jobs AS j JOIN graphile_worker._private_jobs AS p USING (id) WHERE j.task_identifier = 'test.buried'`,
      ),
    ).toEqual([{ last_error: 'why', payload: '{"n":1}', is_buried: true }]);
    // nothing is removed by a rule before operators had a day to put back what was decided since the backup
    expect(
      await target.database.query(
        `SELECT run_at > now() + interval '23 hours' AS waits FROM graphile_worker.jobs WHERE task_identifier = 'privacy.retain'`,
      ),
    ).toEqual([{ waits: true }]);
    const restored = await startProgram(target.settings);
    const sent = async (): Promise<string[]> =>
      (await readdir(join(target.settings.DATA_DIR, 'mail')).catch(() => [])).filter((name) => name.endsWith('.eml'));
    await restored.says(/listens/);
    const states = (): Promise<Record<string, unknown>[]> =>
      target.database.query('SELECT state::text, count(*)::int AS mails FROM mail_messages GROUP BY 1');
    await eventually('all mails are sent', async () => (await states()).every(({ state }) => state === 'sent'));
    expect([(await sent()).length, await states()]).toEqual([6, [{ state: 'sent', mails: 6 }]]);
  }, 120_000);

  it('move an instance from a disk to S3, by an archive in S3', async () => {
    await start();
    const made = await leads(5, 80_000);
    const { settings: s3 } = await startS3('forecourt');

    const [code, said] = await run({ ...settings, ...s3 }, 'backup', '--to', 's3://forecourt/daily');

    const [, at = ''] = /^(s3:\/\/forecourt\/daily\/forecourt-\S+)\n/m.exec(said) ?? [];
    expect([code, at]).toEqual([0, expect.stringMatching(/\.backup$/)]);
    const target = await anEmptyInstance({ ...s3, STORAGE_DRIVER: 's3', S3_BUCKET: 'forecourt', S3_PREFIX: 'files' });
    expect((await run(target.settings, 'backup', '--verify', at))[0]).toBe(0);
    expect(await run(target.settings, 'backup', '--to', 's3://forecourt/files')).toEqual([
      2,
      expect.stringContaining('--to must not be where files are kept'),
    ]);
    // that opened the instance and put it on record
    await target.database.query('ALTER TABLE audit_entries DISABLE TRIGGER USER');
    await target.database.query('TRUNCATE audit_entries');
    await target.database.query('ALTER TABLE audit_entries ENABLE TRIGGER USER');
    expect(await run(target.settings, 'restore', '--from', at)).toEqual([0, expect.stringContaining('Restored')]);
    expect(await missing(await startProgram(target.settings), made)).toEqual([]);
    expect(await target.database.query('SELECT DISTINCT storage FROM files')).toEqual([{ storage: 's3' }]);
    expect((await run({ ...target.settings }, 'restore', '--from', 's3://forecourt/nothing'))[1]).toMatch(/NoSuchKey/);
  }, 180_000);
});

describe('a backup', () => {
  it('that is killed leaves nothing under the name of an archive, and the next one clears it away', async () => {
    await start();
    await leads(30, 300_000);
    const folder = await makeFolder();
    const program = command(settings, 'backup', '--to', folder);
    await eventually('it writes', async () => (await readdir(folder)).length > 0);
    program.signal('SIGKILL');
    await program.ended;

    const [partial = ''] = await readdir(folder);
    expect(partial).toMatch(/^\.forecourt-.*\.backup\.partial$/);
    expect((await run(settings, 'backup', '--verify', join(folder, partial)))[0]).toBe(1);
    const longAgo = new Date(Date.now() - 7_200_000);
    await utimes(join(folder, partial), longAgo, longAgo);
    expect((await run(settings, 'backup', '--to', folder))[0]).toBe(0);
    expect(await readdir(folder)).toEqual([expect.stringMatching(/^forecourt-.*\.backup$/)]);
  }, 120_000);

  it('says that the disk is full, and leaves nothing', async () => {
    await start();
    await leads(4, 400_000);
    const folder = await makeFolder();
    const limit = 'ulimit -f 1000; exec "$0" "$@"';

    const program = new Program(settings, {
      command: ['sh', '-c', limit, process.execPath, CLI, 'backup', '--to', folder],
    });

    expect([await program.ended, program.output]).toEqual([1, expect.stringMatching(/EFBIG|ENOSPC/)]);
    expect(await readdir(folder)).toEqual([]);
    expect(
      await app.database.query(`SELECT details->>'is_well' AS well FROM audit_entries WHERE action = 'command.ended'`),
    ).toEqual([{ well: 'false' }]);
  }, 60_000);

  it('names files that are not what they should be, and keeps all others', async () => {
    await start();
    const made = await leads(4);
    const rows = await app.database.query<{ id: string; key: string; lead: string }>(
      'SELECT f.id, f.storage_key AS key, l.id AS lead FROM files AS f JOIN leads AS l ON l.resume_path = f.storage_key',
    );
    await rm(app.pathOf(rows[0]!.key));
    const bytes = await readFile(app.pathOf(rows[1]!.key));
    bytes[100]! ^= 1;
    await writeFile(app.pathOf(rows[1]!.key), bytes);
    const folder = await makeFolder();

    const [code, said] = await run(settings, 'backup', '--to', folder);

    expect(code).toBe(1);
    expect(said).toContain(`bytes missing: ${rows[0]!.id}\n`);
    expect(said).toContain(`content differs: ${rows[1]!.id}\n`);
    const [name = ''] = await readdir(folder);
    const target = await anEmptyInstance();
    const [restored, told] = await run(target.settings, 'restore', '--from', join(folder, name));
    expect([restored, told]).toEqual([0, expect.stringContaining('2 files were not what they should be')]);
    const wrong = await missing(await startProgram(target.settings), made);
    expect(wrong.sort()).toEqual([rows[0]!.lead, rows[1]!.lead].sort());
  }, 120_000);

  it('refuses a place where its archive would be swept away, and options that make no sense', async () => {
    await start();
    const say = async (...args: string[]): Promise<[number | string, string]> => run(settings, 'backup', ...args);

    expect(await say('--to', app.uploadDir)).toEqual([2, expect.stringContaining('must not be inside UPLOAD_DIR')]);
    expect(await say('--to', join(app.uploadDir, 'x'))).toEqual([2, expect.stringContaining('UPLOAD_DIR')]);
    expect(await say('--to', 's3://x')).toEqual([2, expect.stringContaining('s3://bucket/folder')]);
    expect(await say()).toEqual([2, 'say --to or --verify\n']);
    expect(await say('--to', '/tmp', '--verify', 'x')).toEqual([2, expect.stringContaining('do not go together')]);
    expect(await say('--to', '/tmp', '--key-file', '/nowhere')).toEqual([2, expect.stringContaining('--key-file')]);
    expect(await run(settings, 'restore')).toEqual([2, 'say --from\n']);
  }, 180_000);

  it('takes the key from a file as well', async () => {
    await start();
    const file = join(await makeFolder(), 'key');
    await writeFile(file, `${Buffer.alloc(32, 1).toString('base64')}\n`);
    const folder = await makeFolder();

    expect((await run(settings, 'backup', '--to', folder, '--key-file', file))[0]).toBe(0);

    const [name = ''] = await readdir(folder);
    expect((await run(settings, 'backup', '--verify', join(folder, name), '--key-file', file))[0]).toBe(0);
    expect(await run(settings, 'backup', '--verify', join(folder, name))).toEqual([
      1,
      expect.stringContaining('The key is not the one'),
    ]);
  }, 60_000);
});
