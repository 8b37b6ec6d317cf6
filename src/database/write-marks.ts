import type { Query } from './query.js';

/** Whose mark stands for everybody's: of all that was written before the table was emptied by a crash. */
const EVERYBODY = '00000000-0000-0000-0000-000000000000';

/** A place in PostgreSQL's log, as a number. */
export function placeOf(lsn: string): bigint {
  const [high = '', low = ''] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

/**
 * Up to which place in the log somebody has written. Kept by the primary, for all processes: whoever has an answer to what they wrote has
 * their mark there.
 */
export class WriteMarks {
  constructor(private readonly primary: Query) {}

  /** After what was written has committed, and before anybody is told. Costs no write to the log. */
  async note(userId: string): Promise<void> {
    await this.primary(
      `INSERT INTO write_marks AS m (user_id, lsn) VALUES ($1, pg_current_wal_insert_lsn())
       ON CONFLICT (user_id) DO UPDATE SET lsn = greatest(m.lsn, excluded.lsn)`,
      [userId],
    );
  }

  /** The place that holds all that somebody has written; undefined when that cannot be said, once after a crash of the primary. */
  async find(userId: string): Promise<bigint | undefined> {
    const [row] = await this.primary<{ lsn: string; is_whole: boolean }>(
      `SELECT max(lsn)::text AS lsn, bool_or(user_id = $2) AS is_whole FROM write_marks WHERE user_id IN ($1, $2)`,
      [userId, EVERYBODY],
    );
    if (row?.is_whole === true) return placeOf(row.lsn);
    await this.note(EVERYBODY);
    return undefined;
  }
}
