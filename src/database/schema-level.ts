import type { Database } from './database.js';
import { migrationsOf } from './migration-state.js';
import type { Query } from './query.js';

/** Whether this program can bring an empty schema to where it had exactly these migrations: its own first ones. */
export function knows(database: Database, names: readonly string[]): boolean {
  const own = database.source.migrations.map((each) => each.name ?? each.constructor.name);
  return names.length > 0 && names.every((name, index) => own[index] === name);
}

/** Takes the schema of an empty instance back to its first so many migrations. */
export async function goBackTo(database: Database, count: number): Promise<void> {
  const query: Query = (text, values) => database.read(text, values);
  for (let left = (await migrationsOf(query)).done.length; left > count; left -= 1)
    await database.source.undoLastMigration({ transaction: 'each' });
}

/** Runs the migrations that the schema lacks. The caller holds the lock on migrations. */
export async function goForward(database: Database): Promise<void> {
  await database.source.runMigrations();
}
