import { Injectable } from '@nestjs/common';
import type { Rows } from '../common/pagination.js';
import { BaseRepository } from '../database/base.repository.js';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import { Erasure } from './erasure.entity.js';

const LATEST_FIRST = 't.person = ANY ($1::text[]) ORDER BY t.requested_at DESC, t.id';

@Injectable()
export class ErasuresRepository extends BaseRepository<Erasure> {
  constructor(database: Database) {
    super(database, Erasure);
  }

  /** Of somebody under any of these hashes, latest first. */
  async listOf(persons: readonly string[]): Promise<Erasure[]> {
    return this.list(LATEST_FIRST, [persons]);
  }

  /** As the transaction sees it. */
  async findLatestIn(tx: Tx, persons: readonly string[]): Promise<Erasure | null> {
    return this.findOneIn(tx, `${LATEST_FIRST} LIMIT 1`, [persons]);
  }

  /** Latest first. */
  async listPage(page: number, size: number): Promise<Rows<Erasure>> {
    return this.findPage({ orderBy: 't.requested_at DESC, t.id', page, size });
  }

  /** Whether it was not complete before. */
  async complete(tx: Tx, id: string, now: Date): Promise<boolean> {
    const rows = await rowsIn(
      tx,
      `UPDATE erasures SET completed_at = $2, remains = '{}' WHERE id = $1 AND completed_at IS NULL RETURNING id`,
      [id, now],
    );
    return rows.length > 0;
  }

  /** Takes these user names from the erasures that they asked for. Returns how many there were. */
  async forgetNames(tx: Tx, names: readonly string[]): Promise<number> {
    const rows = await rowsIn(
      tx,
      `UPDATE erasures SET requested_by = 'erased' WHERE requested_by = ANY ($1::text[]) RETURNING id`,
      [names],
    );
    return rows.length;
  }
}
