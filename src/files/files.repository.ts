import { Injectable } from '@nestjs/common';
import { BaseRepository } from '../database/base.repository.js';
import type { Query } from '../database/query.js';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import type { DueRows } from '../persons/retention.service.js';
import { StoredFile, type TextState } from './file.entity.js';
import type { StorageDriver } from './storage/file-storage.js';

/** Below every id. */
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** That they were deleted, or put into quarantine, before $1. */
const TO_PURGE = `t.purged_at IS NULL AND (t.deleted_at < $1 OR (t.owner_kind = 'quarantine' AND t.created_at < $1))`;

@Injectable()
export class FilesRepository extends BaseRepository<StoredFile> {
  constructor(database: Database) {
    super(database, StoredFile);
  }

  async findByStorageKey(storageKey: string): Promise<StoredFile | null> {
    return this.findOne('t.storage_key = $1', [storageKey]);
  }

  /** Oldest first. */
  async listOf(ownerKind: string, ownerId: string): Promise<StoredFile[]> {
    return this.list(`t.owner_kind = $1 AND t.owner_id = $2 AND t.deleted_at IS NULL ORDER BY t.created_at`, [
      ownerKind,
      ownerId,
    ]);
  }

  /** The ids of the owner's files that were there to be deleted. What they say, which would be found, goes at once. */
  async markDeleted(tx: Tx, ownerKind: string, ownerId: string, now: Date): Promise<string[]> {
    const rows = await rowsIn<{ id: string }>(
      tx,
      `UPDATE files SET deleted_at = $3 WHERE owner_kind = $1 AND owner_id = $2 AND deleted_at IS NULL RETURNING id`,
      [ownerKind, ownerId, now],
    );
    const ids = rows.map(({ id }) => id);
    await rowsIn(tx, `DELETE FROM file_texts WHERE file_id = ANY ($1)`, [ids]);
    return ids;
  }

  /** Which of these keys belong to a file in that storage that is not purged. */
  async findKnownKeys(storage: StorageDriver, keys: readonly string[]): Promise<Set<string>> {
    const rows = await this.database.read<{ key: string }>(
      `SELECT storage_key AS key FROM files WHERE storage_key = ANY ($1) AND storage = $2 AND purged_at IS NULL`,
      [keys, storage],
    );
    return new Set(rows.map(({ key }) => key));
  }

  /** Every file whose bytes must be there, in the order of ids, so many at a time; only those of one storage, if it is named. */
  async *eachKept(size: number, storage?: StorageDriver): AsyncGenerator<StoredFile> {
    const isKept = `t.purged_at IS NULL AND (t.key_id IS NULL OR t.wrapped_key IS NOT NULL) AND ($3::text IS NULL OR t.storage = $3)`;
    yield* this.inBatches(size, isKept, [storage ?? null]);
  }

  /** As {@link eachKept}, as `query` sees it. */
  async *eachKeptIn(query: Query, size: number): AsyncGenerator<StoredFile> {
    const isKept = `t.purged_at IS NULL AND (t.key_id IS NULL OR t.wrapped_key IS NOT NULL)`;
    for (let after = BEFORE_ALL; ;) {
      const text = this.selecting(`t.id > $1 AND ${isKept} ORDER BY t.id LIMIT $2`);
      const batch = (await query<object>(text, [after, size])).map((row) => this.toEntity(row));
      yield* batch;
      const last = batch.at(-1);
      if (last === undefined || batch.length < size) return;
      after = last.id;
    }
  }

  /** Every file whose data key lies under another key-encryption key than this one. */
  async *eachUnderOtherKey(size: number, keyId: string): AsyncGenerator<StoredFile> {
    yield* this.inBatches(size, `t.wrapped_key IS NOT NULL AND t.key_id <> $3`, [keyId]);
  }

  async countIn(storage: StorageDriver): Promise<number> {
    const [row] = await this.database.read<{ files: number }>(
      `SELECT count(*)::int AS files FROM files AS t
       WHERE t.storage = $1 AND t.purged_at IS NULL AND (t.key_id IS NULL OR t.wrapped_key IS NOT NULL)`,
      [storage],
    );
    return row?.files ?? 0;
  }

  async countByKey(): Promise<{ readonly keyId: string; readonly files: number }[]> {
    return this.database.read(
      `SELECT key_id AS "keyId", count(*)::int AS files FROM files WHERE wrapped_key IS NOT NULL GROUP BY 1 ORDER BY 1`,
    );
  }

  /** Files that are not purged, and their bytes of content. */
  async sumUp(): Promise<{ readonly files: number; readonly usedBytes: number }> {
    const [row] = await this.database.read<{ files: number; bytes: string }>(
      `SELECT count(*)::int AS files, coalesce(sum(size_bytes), 0)::text AS bytes FROM files WHERE purged_at IS NULL`,
    );
    return { files: row?.files ?? 0, usedBytes: Number(row?.bytes ?? 0) };
  }

  /** Files that were deleted before that time, and quarantined ones that came before it; oldest first. */
  async findToPurge(before: Date, limit: number): Promise<StoredFile[]> {
    return this.list(`${TO_PURGE} ORDER BY coalesce(t.deleted_at, t.created_at) LIMIT $2`, [before, limit]);
  }

  /** What there is to purge in numbers. */
  async findDue(before: Date, most: number): Promise<DueRows> {
    const since = 'coalesce(t.deleted_at, t.created_at)';
    const [row] = await this.database.read<{ count: number; oldest: Date | null; ids: string[] | null }>(
      `SELECT (SELECT count(*)::int FROM files AS t WHERE ${TO_PURGE}) AS count,
         (SELECT min(${since}) FROM files AS t WHERE ${TO_PURGE}) AS oldest,
         (SELECT array_agg(id) FROM (SELECT t.id FROM files AS t WHERE ${TO_PURGE} ORDER BY ${since}, t.id LIMIT $2) AS oldest) AS ids`,
      [before, most],
    );
    return { count: row?.count ?? 0, oldest: row?.oldest ?? null, ids: row?.ids ?? [] };
  }

  /** Files of which no text is known and that may be read: clean ones, and unscanned ones where nobody asks for scans. */
  async findTextOwed(isUnscannedFine: boolean, limit: number): Promise<StoredFile[]> {
    return this.list(
      `t.text_state = 'owed' AND t.deleted_at IS NULL
         AND (t.scan_state = 'clean' OR (t.scan_state = 'unscanned' AND $1))
       ORDER BY t.created_at LIMIT $2`,
      [isUnscannedFine, limit],
    );
  }

  /** Ids of files that a scan is to look at again. */
  async findToScan(isScannedToo: boolean): Promise<string[]> {
    const rows = await this.database.read<{ id: string }>(
      `SELECT id FROM files
       WHERE deleted_at IS NULL AND (scan_state IN ('unscanned', 'pending') OR $1)
       ORDER BY id`,
      [isScannedToo],
    );
    return rows.map(({ id }) => id);
  }

  /** The text of a file that still owes it, or why there is none. */
  async saveText(tx: Tx, fileId: string, state: TextState, text: string): Promise<void> {
    const rows = await rowsIn(
      tx,
      `UPDATE files SET text_state = $2 WHERE id = $1 AND text_state = 'owed' AND deleted_at IS NULL RETURNING id`,
      [fileId, state],
    );
    if (rows.length === 1 && state === 'read')
      await rowsIn(tx, `INSERT INTO file_texts (file_id, text) VALUES ($1, $2)`, [fileId, text]);
  }

  async deleteText(tx: Tx, fileId: string): Promise<void> {
    await rowsIn(tx, `DELETE FROM file_texts WHERE file_id = $1`, [fileId]);
  }

  /** Returns whether the file was in that storage, and kept. */
  async changeStorage(tx: Tx, id: string, from: StorageDriver, to: StorageDriver): Promise<boolean> {
    const rows = await rowsIn(
      tx,
      `UPDATE files SET storage = $3
       WHERE id = $1 AND storage = $2 AND purged_at IS NULL AND (key_id IS NULL OR wrapped_key IS NOT NULL) RETURNING id`,
      [id, from, to],
    );
    return rows.length === 1;
  }

  /** Returns whether the file still had the wrapped key that it has here. */
  async changeKey(
    tx: Tx,
    file: StoredFile,
    { keyId, wrappedKey }: { readonly keyId: string; readonly wrappedKey: Buffer },
  ): Promise<boolean> {
    const rows = await rowsIn(
      tx,
      `UPDATE files SET key_id = $3, wrapped_key = $4 WHERE id = $1 AND wrapped_key = $2 RETURNING id`,
      [file.id, file.wrappedKey, keyId, wrappedKey],
    );
    return rows.length === 1;
  }

  private async *inBatches(size: number, condition: string, values: readonly unknown[]): AsyncGenerator<StoredFile> {
    for (let after = BEFORE_ALL; ;) {
      const batch = await this.list(`t.id > $1 AND ${condition} ORDER BY t.id LIMIT $2`, [after, size, ...values]);
      yield* batch;
      const last = batch.at(-1);
      if (last === undefined || batch.length < size) return;
      after = last.id;
    }
  }
}
