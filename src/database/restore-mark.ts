import type { Query } from './query.js';

/**
 * Whether a restore has begun and not ended, kept where a rollback and every migration leave it alone: as a comment on the table
 * of migrations.
 */
const MARK = 'a restore was begun';

export async function isMarked(query: Query): Promise<boolean> {
  const [row] = await query<{ mark: string | null }>(`SELECT obj_description('migrations'::regclass) AS mark`);
  return row?.mark === MARK;
}

export async function mark(query: Query): Promise<void> {
  await query(`COMMENT ON TABLE migrations IS '${MARK}'`);
}

/** In a transaction it is gone exactly when that commits. */
export async function unmark(query: Query): Promise<void> {
  await query(`COMMENT ON TABLE migrations IS NULL`);
}
