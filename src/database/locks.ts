import type { Database } from './database.js';

/**
 * Runs `work` while this process alone holds the named lock on the database; others wait their turn. The lock belongs to
 * a connection, so a process that dies gives it back.
 */
export async function exclusively<T>(database: Database, name: string, work: () => Promise<T>): Promise<T> {
  const client = await database.connect();
  try {
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`forecourt:${name}`]);
    return await work();
  } finally {
    client.release(true);
  }
}
