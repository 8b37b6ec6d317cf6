import pg from 'pg';
import { eventually } from '../support/app.js';
import { makeDatabase, type TestDatabase } from '../support/database.js';
import { insertLead, migrateTo } from '../support/schema.js';

const REACH = `UPDATE leads SET status = 'REACHED_OUT', reached_out_at = now() WHERE id = $1`;
const REVERT = `UPDATE leads SET status = 'PENDING', reached_out_at = NULL WHERE id = $1`;
const REMOVE = 'DELETE FROM leads WHERE id = $1';
const REACH_ALL = `UPDATE leads SET status = 'REACHED_OUT', reached_out_at = now()`;

let database: TestDatabase;
let client: pg.Client;

async function connect(): Promise<pg.Client> {
  const connection = new pg.Client({ connectionString: database.url });
  await connection.connect();
  return connection;
}

/** The totals that the database keeps, and what counting says. */
async function totals(): Promise<{ kept: unknown; counted: unknown }> {
  const kept = await client.query(
    'SELECT status, sum(total)::int AS total FROM lead_totals GROUP BY status ORDER BY 1',
  );
  const counted = await client.query(`
    SELECT status, count(leads.id)::int AS total FROM unnest(enum_range(NULL::lead_status)) AS status
    LEFT JOIN leads USING (status) GROUP BY status ORDER BY 1`);
  return { kept: kept.rows, counted: counted.rows };
}

const of = (pending: number, reachedOut: number): unknown => {
  const rows = [
    { status: 'PENDING', total: pending },
    { status: 'REACHED_OUT', total: reachedOut },
  ];
  return { kept: rows, counted: rows };
};

beforeEach(async () => {
  database = await makeDatabase();
  await migrateTo(database.url);
  client = await connect();
});
afterEach(async () => {
  await client.end();
  await database.drop();
});

describe('the totals of leads', () => {
  it('are none at the beginning', async () => {
    expect(await totals()).toEqual(of(0, 0));
  });

  it.each<[string, string[], unknown]>([
    ['a pending lead is reached out to', [REACH], of(1, 2)],
    ['a lead goes there and back', [REACH, REVERT], of(2, 1)],
    ['a lead goes there, back and there again', [REACH, REVERT, REACH], of(1, 2)],
    ['a pending lead is removed', [REMOVE], of(1, 1)],
    ['a lead that was reached is removed', [REACH, REMOVE], of(1, 1)],
    [
      'a lead is renamed and its status written again',
      [`UPDATE leads SET first_name = 'Eve', status = status WHERE id = $1`],
      of(2, 1),
    ],
    ['all leads are moved with one statement', [`${REACH_ALL} WHERE id IS NOT NULL OR id = $1`], of(0, 3)],
    ['all leads are removed with one statement', ['DELETE FROM leads WHERE id IS NOT NULL OR id = $1'], of(0, 0)],
    ['a change is refused', [`UPDATE leads SET status = 'REACHED_OUT' WHERE id = $1`], of(2, 1)],
  ])('are right after two pending leads and a contacted one came in and %s', async (_, statements, expected) => {
    const id = await insertLead(client);
    await insertLead(client);
    await insertLead(client, 'REACHED_OUT');

    for (const statement of statements) await client.query(statement, [id]).catch(() => undefined);

    expect(await totals()).toEqual(expected);
  });

  it('are right after a transaction was rolled back, as a whole or to a point within', async () => {
    const id = await insertLead(client);
    await client.query('BEGIN');
    await insertLead(client);
    await client.query(REACH, [id]);
    await client.query('ROLLBACK');
    await client.query('BEGIN');
    await client.query(REACH, [id]);
    await client.query('SAVEPOINT here');
    await insertLead(client, 'REACHED_OUT');
    await client.query(REMOVE, [id]);
    await client.query('ROLLBACK TO here');
    await client.query('COMMIT');

    expect(await totals()).toEqual(of(0, 1));
  });

  it('are right when the table is emptied at once', async () => {
    await insertLead(client);
    await insertLead(client, 'REACHED_OUT');

    await client.query('TRUNCATE leads CASCADE');

    expect(await totals()).toEqual(of(0, 0));
  });

  it('are seen with the change that caused them and never before', async () => {
    const other = await connect();
    await other.query('BEGIN');
    await insertLead(other);

    const during = await totals();
    await other.query('COMMIT');
    const after = await totals();
    await other.end();

    expect([during, after]).toEqual([of(0, 0), of(1, 0)]);
  });

  it('are right after 16 writers at once inserted, moved, removed and took back', async () => {
    const shared = [await insertLead(client), await insertLead(client), await insertLead(client)];
    const writers = await Promise.all(Array.from({ length: 16 }, connect));

    await Promise.all(
      writers.map(async (writer, number) => {
        for (let round = 0; round < 25; round += 1) {
          const id = await insertLead(writer, (round + number) % 3 === 0 ? 'REACHED_OUT' : 'PENDING');
          const common = shared[round % shared.length];
          await writer.query((round + number) % 2 === 0 ? REACH : REVERT, [common]);
          if (round % 4 === 0) await writer.query(REMOVE, [id]);
          else if (round % 4 === 1) await writer.query(REACH, [id]);
          else if (round % 4 === 2) {
            await writer.query('BEGIN');
            await writer.query(REVERT, [id]);
            await writer.query('ROLLBACK');
          }
        }
        await writer.end();
      }),
    );

    const { kept, counted } = await totals();
    expect(kept).toEqual(counted);
    expect((kept as { total: number }[]).reduce((sum, { total }) => sum + total, 0)).toBe(3 + 16 * (25 - 7));
  });

  it('never end in a deadlock: two changes in opposite directions that count in the same place', async () => {
    const [pending, reached] = [await insertLead(client), await insertLead(client, 'REACHED_OUT')];
    // 33 sessions cannot all count in different ones of the 32 places
    const sessions = await Promise.all(Array.from({ length: 33 }, connect));
    const bySlot = new Map<number, pg.Client[]>();
    for (const session of sessions) {
      const { rows } = await session.query<{ slot: number }>('SELECT pg_backend_pid() % 32 AS slot');
      const { slot } = rows[0]!;
      bySlot.set(slot, [...(bySlot.get(slot) ?? []), session]);
    }
    const [slot, [one, other]] = [...bySlot].find(([, sharing]) => sharing.length > 1)!;
    const waiting = async (count: number): Promise<void> => {
      await eventually(`${count} sessions wait`, async () => {
        const { rows } = await client.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return rows.length === count;
      });
    };

    await client.query('BEGIN');
    await client.query(`SELECT FROM lead_totals WHERE status = 'PENDING' AND slot = $1 FOR UPDATE`, [slot]);
    const first = one!.query(REACH, [pending]);
    await waiting(1);
    const second = other!.query(REVERT, [reached]);
    await waiting(2);
    await client.query('COMMIT');
    const outcomes = await Promise.allSettled([first, second]);
    await Promise.all(sessions.map((session) => session.end()));

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(await totals()).toEqual(of(1, 1));
  });
});
