import { MIGRATIONS } from '../../migrations/index.js';
import type { Query } from './query.js';

/** How a database stands to this version of the program, by names of migrations, oldest first. */
export interface MigrationState {
  readonly done: readonly string[];
  /** This version has them, the database does not. */
  readonly pending: readonly string[];
  /** The database has them, this version does not: a newer one made them. */
  readonly unknown: readonly string[];
}

/** A newer version has changed the database: nobody can say what this one would do to its rows. */
export class DatabaseTooNew extends Error {
  constructor(unknown: readonly string[]) {
    super(
      `The database belongs to a newer version of Forecourt: this one does not know ${unknown.join(', ')}. ` +
        'Start that version, or restore the backup from before the upgrade',
    );
  }
}

/** All are pending in a database that Forecourt has never seen. Changes nothing. */
export async function migrationsOf(query: Query): Promise<MigrationState> {
  const [found] = await query<{ is_there: boolean }>(`SELECT to_regclass('migrations') IS NOT NULL AS is_there`);
  const rows =
    found?.is_there === true ? await query<{ name: string }>('SELECT name FROM migrations ORDER BY timestamp, id') : [];
  const done = rows.map(({ name }) => name);
  const known = MIGRATIONS.map(({ name }) => name);
  return {
    done,
    pending: known.filter((name) => !done.includes(name)),
    unknown: done.filter((name) => !known.includes(name)),
  };
}
