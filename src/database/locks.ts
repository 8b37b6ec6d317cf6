import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from './database.js';

const ASK_EVERY_MS = 100;

/**
 * Runs `work` while this process alone holds the named lock on the database; others wait their turn. The lock belongs to
 * a connection, so a process that dies gives it back.
 */
export async function exclusively<T>(database: Database, name: string, work: () => Promise<T>): Promise<T> {
  const client = await database.connect();
  try {
    // Asked for again and again: a statement that waits has a snapshot, and CREATE INDEX CONCURRENTLY of whoever holds the
    // lock would wait for its end.
    for (;;) {
      const { rows } = await client.query<{ is_ours: boolean }>(
        'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS is_ours',
        [`forecourt:${name}`],
      );
      if (rows[0]?.is_ours === true) break;
      await sleep(ASK_EVERY_MS);
    }
    return await work();
  } finally {
    client.release(true);
  }
}
