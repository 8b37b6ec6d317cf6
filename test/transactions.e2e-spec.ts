import { pino } from 'pino';
import { loadConfig } from '../src/config/config.js';
import type { Database } from '../src/database/database.js';
import { openDatabase } from '../src/database/open-database.js';
import { rowsIn, together, Transactions, type Tx } from '../src/database/transactions.js';
import { makeDatabase, type TestDatabase } from './support/database.js';

describe('a transaction', () => {
  let server: TestDatabase;
  let database: Database;
  let transactions: Transactions;

  beforeAll(async () => {
    server = await makeDatabase();
    database = await openDatabase(loadConfig({ DATABASE_URL: server.url }), pino({ level: 'silent' }));
    await server.query('CREATE TABLE notes (text text PRIMARY KEY)');
    transactions = new Transactions(database);
  });

  beforeEach(() => server.query('TRUNCATE notes'));

  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  const note = async (tx: Tx, text: string): Promise<void> => {
    await rowsIn(tx, 'INSERT INTO notes VALUES ($1)', [text]);
  };
  const noteTwice = async (tx: Tx, text: string): Promise<void> => {
    await rowsIn(tx, `INSERT INTO notes VALUES ($1 || ', once'), ($1 || ', twice')`, [text]);
  };
  const notes = async (): Promise<string[]> => {
    const rows = await server.query<{ text: string }>('SELECT text FROM notes ORDER BY text');
    return rows.map(({ text }) => text);
  };

  it('keeps everything when its work is done, and says what the work said', async () => {
    const said = await transactions.run(async (tx) => {
      await note(tx, 'a');
      await note(tx, 'b');
      return 'done';
    });

    expect(said).toBe('done');
    expect(await notes()).toEqual(['a', 'b']);
  });

  it('keeps nothing when its work fails, whatever failed, and leaves a connection that works', async () => {
    const failing = transactions.run(async (tx) => {
      await note(tx, 'a');
      throw new Error('changed my mind');
    });

    await expect(failing).rejects.toThrow('changed my mind');
    expect(await notes()).toEqual([]);
    await transactions.run((tx) => note(tx, 'a'));
    expect(await notes()).toEqual(['a']);
  });

  it('runs statements in the order in which they were asked for, awaited or not', async () => {
    await transactions.run((tx) => {
      const later = together(note(tx, 'c'), note(tx, 'b'));
      return together(later, note(tx, 'a'));
    });

    expect(await database.read('SELECT text FROM notes ORDER BY ctid')).toEqual(
      ['c', 'b', 'a'].map((text) => ({ text })),
    );
  });

  it('names the first of the statements sent together that failed, and can run the others on the same connection after', async () => {
    // noteTwice is new to the connection: PostgreSQL refuses even to parse it here, and must be asked again later
    const failing = transactions.run((tx) => together(note(tx, 'a'), note(tx, 'a'), noteTwice(tx, 'b')));

    await expect(failing).rejects.toMatchObject({ code: '23505' });
    expect(await notes()).toEqual([]);
    await transactions.run((tx) => noteTwice(tx, 'b'));
    expect(await notes()).toEqual(['b, once', 'b, twice']);
  });

  it('fails when a statement failed and nobody minded', async () => {
    const failing = transactions.run(async (tx) => {
      await note(tx, 'a');
      await note(tx, 'a').catch(() => undefined);
    });

    await expect(failing).rejects.toThrow('a statement failed');
    expect(await notes()).toEqual([]);
  });

  it('takes no statement after its end', async () => {
    const kept: Tx[] = [];
    await transactions.run((tx) => {
      kept.push(tx);
      return Promise.resolve();
    });
    await transactions
      .run((tx) => {
        kept.push(tx);
        return Promise.reject(new Error('failed'));
      })
      .catch(() => undefined);

    expect(kept).toHaveLength(2);
    for (const tx of kept) await expect(note(tx, 'late')).rejects.toThrow('this transaction is over');
    expect(await notes()).toEqual([]);
  });

  it('uses the connection that was used last, so that the above met what was left behind', async () => {
    const pid = (): Promise<number | undefined> =>
      transactions.run(async (tx) => {
        const [row] = await rowsIn<{ pid: number }>(tx, 'SELECT pg_backend_pid() AS pid', []);
        return row?.pid;
      });

    const first = await pid();
    expect(first).toBeGreaterThan(0);
    await transactions.run((tx) => together(note(tx, 'a'), note(tx, 'a'))).catch(() => undefined);

    expect(await pid()).toBe(first);
  });

  it('gives back no connection that broke under it', async () => {
    const failing = transactions.run(async (tx) => {
      const [row] = await rowsIn<{ pid: number }>(tx, 'SELECT pg_backend_pid() AS pid', []);
      await server.query('SELECT pg_terminate_backend($1)', [row?.pid]);
      await note(tx, 'a');
    });

    await expect(failing).rejects.toThrow();
    await transactions.run((tx) => note(tx, 'b'));
    expect(await notes()).toEqual(['b']);
  });
});
