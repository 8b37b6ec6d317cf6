import { dirname, join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { MIGRATIONS } from '../migrations/index.js';
import { loadConfig } from '../src/config/config.js';
import type { Database } from '../src/database/database.js';
import { exclusively } from '../src/database/locks.js';
import { openDatabase } from '../src/database/open-database.js';
import { eventually } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { makeDatabase, type TestDatabase } from './support/database.js';
import { anEmail } from './support/leads.js';
import { MAIN, Program, RunningForecourt, someSettings, startProgram } from './support/program.js';
import { migrateTo } from './support/schema.js';

const CLI = join(dirname(MAIN), 'cli.js');
const NAMES = MIGRATIONS.map(({ name }) => name);
const COPIES = ['copy-0', 'copy-1', 'copy-2'] as const;

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase();
  atEnd(() => database.drop());
});
afterEach(() => cleanUp());

/** A copy with connections and a folder of its own, known to the database by its name. */
async function launch(name: string): Promise<RunningForecourt> {
  const url = new URL(database.url);
  url.searchParams.set('application_name', name);
  const ADMIN_PASSWORD = 'Blue-Harbour-42-Lantern';
  return new RunningForecourt(
    await someSettings({
      DATABASE_URL: url.toString(),
      ADMIN_PASSWORD,
      DB_POOL_SIZE: '2',
      DB_MAX_OVERFLOW: '8',
      SECRET_KEY: 'one-key-for-all-copies-0123456789',
      FILE_ENCRYPTION: 'false',
    }),
  );
}

async function serves(copy: RunningForecourt): Promise<void> {
  copy.url = `http://127.0.0.1:${await copy.says(/listens on port (\d+)/)}`;
  expect((await copy.request('/health/ready')).status).toBe(200);
  expect((await copy.submit(anEmail())).status).toBe(201);
}

const migrationsThatRan = async (): Promise<string[]> =>
  (await database.query<{ name: string }>('SELECT name FROM migrations ORDER BY id')).map(({ name }) => name);

/** A transaction in which a migration gets no further than a table that it is to make. */
async function blockTable(table: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  atEnd(() => client.end());
  await client.query('BEGIN');
  await client.query(`CREATE TABLE ${table} (id int)`);
  return client;
}

/** The copy whose migration waits for that transaction. */
const stuckCopy = (): Promise<string> =>
  eventually('a migration waits', async () => {
    const [row] = await database.query<{ name: string }>(
      `SELECT application_name AS name FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ILIKE '%CREATE TABLE%'`,
    );
    return row?.name;
  });

describe('copies that start together', () => {
  it('on an empty database run each migration once, and then all of them serve', async () => {
    const blocker = await blockTable('mail_messages');
    const copies = await Promise.all(COPIES.map(launch));
    await stuckCopy();
    expect(copies.map(({ output }) => /listens on port/.test(output))).toEqual([false, false, false]);

    await blocker.query('ROLLBACK');

    await Promise.all(copies.map(serves));
    expect(await migrationsThatRan()).toEqual(NAMES);
    expect(await Promise.all(copies.map((copy) => copy.stop()))).toEqual([0, 0, 0]);
  });

  it('go on where one of them was killed in the middle of a migration', async () => {
    const blocker = await blockTable('mail_messages');
    const copies = new Map<string, RunningForecourt>();
    for (const name of COPIES) copies.set(name, await launch(name));
    const name = await stuckCopy();
    const killed = copies.get(name)!;
    killed.signal('SIGKILL');
    expect(await killed.ended).toBe('SIGKILL');

    await blocker.query('ROLLBACK');

    copies.delete(name);
    await Promise.all([...copies.values()].map(serves));
    expect(await migrationsThatRan()).toEqual(NAMES);
  });
});

describe('a database that a newer version has changed', () => {
  const NEWER = 'PutEverythingElsewhere1999000000001';
  const SENTENCE =
    `The database belongs to a newer version of Forecourt: this one does not know ${NEWER}. ` +
    'Start that version, or restore the backup from before the upgrade';

  /** With a migration that this version does not know, and without its own last one. */
  async function aNewerDatabase(): Promise<void> {
    await migrateTo(database.url, MIGRATIONS.length - 1);
    await database.query('INSERT INTO migrations (timestamp, name) VALUES (1999000000001, $1)', [NEWER]);
  }

  it('is refused at the start with one sentence and a failure, and stays as it is', async () => {
    await aNewerDatabase();
    const before = await migrationsThatRan();

    const program = new Program(await someSettings({ DATABASE_URL: database.url }));

    expect(await program.ended).toBe(1);
    expect(program.output).toContain(SENTENCE);
    expect(await migrationsThatRan()).toEqual(before);
  });

  it('is refused by the commands of operators as well, with that sentence at the end', async () => {
    await aNewerDatabase();

    const program = new Program(await someSettings({ DATABASE_URL: database.url }), {
      command: [process.execPath, CLI, 'files:usage'],
    });

    expect(await program.ended).toBe(1);
    expect(program.output.trimEnd().split('\n').at(-1)).toBe(SENTENCE);
  });

  it('goes on to be served by the copy that still runs while its successor changes it', async () => {
    const copy = await startProgram(await someSettings({ DATABASE_URL: database.url }));
    await database.query('INSERT INTO migrations (timestamp, name) VALUES (1999000000001, $1)', [NEWER]);

    expect((await copy.request('/health/ready')).status).toBe(200);
    expect((await copy.submit(anEmail())).status).toBe(201);
  });
});

describe('the turn of a copy', () => {
  const open = async (): Promise<Database> => {
    const opened = await openDatabase(loadConfig({ DATABASE_URL: database.url }), pino({ level: 'silent' }));
    atEnd(() => opened.close());
    return opened;
  };

  it('may make an index beside the writes of the others, although others wait for theirs', async () => {
    const [first, second, third] = [await open(), await open(), await open()];
    await database.query('CREATE TABLE notes AS SELECT n FROM generate_series(1, 1000) AS n');
    const order: string[] = [];
    const waiting: Promise<unknown>[] = [];

    await exclusively(first, 'migrations', async () => {
      for (const other of [second, third])
        waiting.push(exclusively(other, 'migrations', async () => order.push('another')));
      await eventually('both wait for their turn', async () => {
        const [row] = await database.query<{ sessions: number }>(
          `SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE query LIKE '%advisory_lock%' AND pid <> pg_backend_pid()`,
        );
        return (row?.sessions ?? 0) >= 3;
      });
      await first.pool.query('CREATE INDEX CONCURRENTLY idx_notes_n ON notes (n)');
      order.push('first');
    });

    await Promise.all(waiting);
    expect(order).toEqual(['first', 'another', 'another']);
    expect(await database.query(`SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_notes_n'::regclass`)).toEqual([
      { indisvalid: true },
    ]);
  });
});
