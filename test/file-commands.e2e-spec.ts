import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readOptions, UsageError } from '../src/common/command.js';
import { FILE_COMMANDS } from '../src/files/files.commands.js';
import { FileStorages } from '../src/files/storage/file-storages.js';
import { eventually, startApp, type TestApp } from './support/app.js';
import { cleanUp } from './support/clean-up.js';
import { makePdf } from './support/documents.mjs';
import { aLead, get, tokenOf } from './support/leads.js';
import { MAIN, Program } from './support/program.js';
import { startS3 } from './support/s3rver.js';

const CLI = join(dirname(MAIN), 'cli.js');
const newKey = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const KEY = newKey('first');

let app: TestApp;
let settings: Record<string, string>;
let token: string;

async function start(more: Record<string, string> = {}): Promise<void> {
  const given = { FILE_ENCRYPTION_KEYS: KEY, ...more };
  app = await startApp(given);
  token = await tokenOf(app);
  settings = { ...given, DATA_DIR: app.dataDir, DATABASE_URL: app.database.url };
}

/** With a disk and an S3 store, both at hand. */
async function startWithS3(more: Record<string, string> = {}): Promise<void> {
  await start({
    ...(await startS3('forecourt')).settings,
    S3_BUCKET: 'forecourt',
    ...more,
  });
}
afterEach(async () => {
  await cleanUp();
  await app.close();
  await cleanUp('the whole file');
});

function command(args: readonly string[], more: Record<string, string> = {}): Program {
  return new Program({ ...settings, ...more }, { command: [process.execPath, CLI, ...args] });
}

/** Its exit code, and what it said. */
async function run(args: readonly string[], more: Record<string, string> = {}): Promise<[number | string, string]> {
  const program = command(args, more);
  const code = await program.ended;
  return [code, program.output];
}

/** The same command beside the service in this process: whether all is well, and what it said. */
async function runHere([name, ...args]: readonly string[]): Promise<[boolean, string]> {
  const found = FILE_COMMANDS.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no command ${String(name)}`);
  const said: string[] = [];
  const isWell = await found.run(app.app, readOptions(found, args), (line) => said.push(line));
  return [isWell, said.join('\n')];
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

/** Leads whose file does not come back as it was sent. */
async function unreadable(made: ReadonlyMap<string, Buffer>): Promise<string[]> {
  const wrong: string[] = [];
  for (const [id, bytes] of made) {
    const response = await get(app, `/api/v1/leads/${id}/resume`, token);
    if (!response.ok || !Buffer.from(await response.arrayBuffer()).equals(bytes)) wrong.push(id);
  }
  return wrong;
}

const whereabouts = (): Promise<{ storage: string; files: number }[]> =>
  app.database.query('SELECT storage, count(*)::int AS files FROM files GROUP BY 1 ORDER BY 1');
const keysIn = async (driver: 's3' | 'disk'): Promise<number> => {
  const storage = await app.app.get(FileStorages).at(driver);
  let count = 0;
  for await (const _ of storage.list()) count += 1;
  return count;
};
const MIGRATE = ['files:migrate', '--from', 'disk', '--to', 's3'];

describe('files:migrate', () => {
  it('moves every file, while they are downloaded and more arrive', async () => {
    await startWithS3();
    const made = await leads(30);

    const migration = command(MIGRATE);
    let during = 0;
    while (!migration.hasEnded) {
      expect(await unreadable(made)).toEqual([]);
      for (const [id, bytes] of await leads(1)) made.set(id, bytes);
      during += 1;
    }

    expect(await migration.ended).toBe(0);
    expect(migration.output).toMatch(/\d+ files lie in disk[^]*New files still go to disk[^]*0 were left in disk/);
    expect(during).toBeGreaterThan(0);
    expect((await run(MIGRATE))[0]).toBe(0);
    expect(await whereabouts()).toEqual([{ storage: 's3', files: made.size }]);
    expect([await keysIn('disk'), await keysIn('s3')]).toEqual([0, made.size]);
    expect(await unreadable(made)).toEqual([]);
  }, 120_000);

  it('and back', async () => {
    await startWithS3({ STORAGE_DRIVER: 's3' });
    const made = await leads(3, 200_000);

    const [isWell, output] = await runHere(['files:migrate', '--from', 's3', '--to', 'disk']);

    expect([isWell, output]).toEqual([true, expect.stringContaining('3 files are in disk now, 0 were left in s3')]);
    expect([await keysIn('disk'), await keysIn('s3')]).toEqual([3, 0]);
    expect(await unreadable(made)).toEqual([]);
  }, 60_000);

  it('goes on after kill -9, and the sweep finds what that left lying', async () => {
    await startWithS3();
    const made = await leads(60);
    const migration = command(MIGRATE);
    await eventually(
      'some are moved',
      async () =>
        migration.hasEnded || (await whereabouts()).some(({ storage, files }) => storage === 's3' && files > 4),
      60_000,
    );
    migration.signal('SIGKILL');
    expect(await migration.ended).toBe('SIGKILL');
    expect(await unreadable(made)).toEqual([]);

    expect((await run(MIGRATE))[0]).toBe(0);
    expect((await run(['files:sweep', '--older-than', '0']))[0]).toBe(0);

    expect(await whereabouts()).toEqual([{ storage: 's3', files: 60 }]);
    expect([await keysIn('disk'), await keysIn('s3'), await app.storedFiles()]).toEqual([0, 60, []]);
    expect(await unreadable(made)).toEqual([]);
  }, 180_000);

  it('leaves what is wrong with a file where it is, says which, and moves the others', async () => {
    await startWithS3();
    await leads(3);
    const [lost, changed] = await app.database.query<{ id: string; key: string }>(
      'SELECT id, storage_key AS key FROM files ORDER BY created_at LIMIT 2',
    );
    if (lost === undefined || changed === undefined) throw new Error('no files');
    await rm(app.pathOf(lost.key));
    const bytes = await readFile(app.pathOf(changed.key));
    await writeFile(app.pathOf(changed.key), bytes.fill(0, 100, 110));

    const [isWell, output] = await runHere(MIGRATE);

    expect(isWell).toBe(false);
    expect(output).toContain(`not moved: ${lost.id} (bytes missing)`);
    expect(output).toContain(`not moved: ${changed.id} (content differs)`);
    expect(output).toContain('1 files are in s3 now, 2 were left in disk');
    expect(await whereabouts()).toEqual([
      { storage: 'disk', files: 2 },
      { storage: 's3', files: 1 },
    ]);
    expect(await keysIn('disk')).toBe(1);
  }, 60_000);

  it('that is only tried out moves nothing', async () => {
    await startWithS3();
    await leads(2);

    expect(await runHere([...MIGRATE, '--dry-run'])).toEqual([true, '2 files lie in disk']);
    expect(await whereabouts()).toEqual([{ storage: 'disk', files: 2 }]);
  }, 60_000);

  it('refuses storages that are not configured, are missing or are the same, and options that it does not have', async () => {
    await startWithS3();

    for (const [options, sentence] of [
      [['--from', 'disk', '--to', 'webdav'], /--to must be one of disk, s3/],
      [['--from', 'disk'], /--to must be one of/],
      [['--from', 'disk', '--to', 'disk'], /must differ/],
    ] as const) {
      const refused = runHere(['files:migrate', ...options]);
      await expect(refused).rejects.toThrow(UsageError);
      await expect(refused).rejects.toThrow(sentence);
    }
    expect(await run(['files:migrate', '--form', 'disk'])).toEqual([2, expect.stringContaining("'--form'")]);
  });
});

describe('files:rewrap', () => {
  it('puts all keys under the first key, so that the others can go, and touches no stored byte', async () => {
    await start();
    const made = await leads(5);
    const before = await app.database.query<{ key: string }>('SELECT storage_key AS key FROM files ORDER BY 1');
    const bytes = await Promise.all(before.map(({ key }) => readFile(app.pathOf(key))));
    const second = newKey('second');

    const [code, output] = await run(['files:rewrap'], { FILE_ENCRYPTION_KEYS: `${second},${KEY}` });
    expect([code, output]).toEqual([0, expect.stringContaining('5 keys were wrapped with second')]);
    expect(await app.database.query('SELECT DISTINCT key_id FROM files')).toEqual([{ key_id: 'second' }]);
    expect(await Promise.all(before.map(({ key }) => readFile(app.pathOf(key))))).toEqual(bytes);

    // the running service has the old key alone
    expect((await unreadable(made)).length).toBe(5);
    const [checked] = await run(['files:check', '--hashes'], { FILE_ENCRYPTION_KEYS: second });
    expect(checked).toBe(0);
  }, 60_000);

  it('says which keys it cannot open, leaves them, and alerts', async () => {
    await start();
    await leads(2);

    const [code, output] = await run(['files:rewrap'], { FILE_ENCRYPTION_KEYS: newKey('stranger') });

    expect([code, output]).toEqual([1, expect.stringMatching(/(its key cannot be opened[^]*){2}0 keys were wrapped/)]);
    expect(output).toContain('FILE_ENCRYPTION_KEYS lacks keys of stored files');
    expect(await app.database.query('SELECT DISTINCT key_id FROM files')).toEqual([{ key_id: 'first' }]);
    expect(await app.database.query('SELECT cause FROM alerts')).toEqual([{ cause: 'file.keys_missing' }]);
  }, 60_000);
});

describe('the other commands', () => {
  it('say what they would do, do it, and tell by their exit code whether all is well', async () => {
    await start();
    await leads(2);
    const [file] = await app.database.query<{ id: string; key: string }>('SELECT id, storage_key AS key FROM files');
    if (file === undefined) throw new Error('no file');
    await writeFile(app.pathOf('aa-orphan.pdf'), 'left behind');

    expect(await runHere(['files:usage'])).toEqual([
      true,
      expect.stringMatching(/^2 files with 6001 bytes; \d+ bytes are free/),
    ]);
    expect(await runHere(['files:sweep', '--older-than', '0', '--dry-run'])).toEqual([
      true,
      'file that no row names: disk:aa-orphan.pdf\n1 files would be removed',
    ]);
    expect((await runHere(['files:sweep']))[1]).toBe('0 files were removed');
    expect((await run(['files:sweep', '--older-than', '0']))[1]).toContain('1 files were removed');
    await expect(runHere(['files:sweep', '--older-than', 'soon'])).rejects.toThrow(/whole number of minutes/);

    await app.database.query(`UPDATE files SET deleted_at = now() - interval '40 days' WHERE id = $1`, [file.id]);
    expect(await runHere(['files:purge', '--dry-run'])).toEqual([true, `would be destroyed: ${file.id}`]);
    expect(await runHere(['files:purge'])).toEqual([true, '1 files were destroyed']);
    expect(await runHere(['files:check'])).toEqual([true, '0 files are not what they should be']);
    expect(await runHere(['files:rewrap', '--dry-run'])).toEqual([true, '1 files have their keys under first']);
    expect(await runHere(['files:rewrap'])).toEqual([true, expect.stringContaining('0 keys were wrapped with first')]);

    const [left] = await app.database.query<{ key: string }>(
      'SELECT storage_key AS key FROM files WHERE purged_at IS NULL',
    );
    await rm(app.pathOf(left?.key ?? ''));
    expect(await run(['files:check'])).toEqual([1, expect.stringContaining('bytes missing: ')]);
    await expect(runHere(['files:rescan'])).rejects.toThrow(/SCAN_POLICY is off/);
    expect(await run(['files:rescan'])).toEqual([1, expect.stringContaining('SCAN_POLICY is off')]);
  }, 120_000);

  it('are listed when nothing or nonsense is asked for', async () => {
    await start();

    expect(await run([])).toEqual([0, expect.stringMatching(/files:migrate[^]*files:usage/)]);
    expect(await run(['files:nonsense'])).toEqual([2, expect.stringContaining('files:migrate')]);
    expect(await run(['files:sweep', '--help'])).toEqual([0, expect.stringContaining('--older-than MINUTES')]);
  }, 60_000);
});
