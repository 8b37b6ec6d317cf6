import { Injectable } from '@nestjs/common';
import { BaseRepository } from '../database/base.repository.js';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import type { Thing } from '../persons/persons.service.js';
import { StoredFile } from './file.entity.js';

const OF_THINGS = `(owner_kind, owner_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))`;
const columnsOf = (things: readonly Thing[]): unknown[] => [things.map(({ kind }) => kind), things.map(({ id }) => id)];

/** Files by the things they belong to. */
@Injectable()
export class FilePersonsRepository extends BaseRepository<StoredFile> {
  constructor(database: Database) {
    super(database, StoredFile);
  }

  /** Those that are not purged, deleted ones as well, oldest first. */
  async listOf(things: readonly Thing[]): Promise<StoredFile[]> {
    return this.list(`${OF_THINGS} AND t.purged_at IS NULL ORDER BY t.created_at, t.id`, columnsOf(things));
  }

  async textsOf(ids: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.database.read<{ id: string; text: string }>(
      `SELECT file_id AS id, text FROM file_texts WHERE file_id = ANY ($1::uuid[])`,
      [ids],
    );
    return new Map(rows.map(({ id, text }) => [id, text]));
  }

  /** Destroys keys, names and texts, and returns whose bytes are still to be removed. */
  async shred(tx: Tx, things: readonly Thing[], now: Date): Promise<string[]> {
    const rows = await rowsIn<{ id: string }>(
      tx,
      `UPDATE files SET deleted_at = coalesce(deleted_at, $3), wrapped_key = NULL, original_name = 'erased',
         sha256 = repeat('0', 64), seal = NULL, findings = '{}', uploaded_by = 'erased'
       WHERE ${OF_THINGS} RETURNING id`,
      [...columnsOf(things), now],
    );
    const ids = rows.map(({ id }) => id);
    await rowsIn(tx, `DELETE FROM file_texts WHERE file_id = ANY ($1::uuid[])`, [ids]);
    return ids;
  }
}
