import type { Database } from '../database/database.js';
import { isMarked } from '../database/restore-mark.js';

/** Rejects when a restore was begun and did not end: what starts now would take the instance for a new one. */
export async function refuseUnfinishedRestore(database: Database): Promise<void> {
  if (await isMarked((text, values) => database.read(text, values)))
    throw new Error('A restore was begun here and did not end: run npm run restore again, or use a new database');
}
