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

  /** In the order of ids, those after this one; the first ones when undefined. */
  async listAfter(id: string | undefined, most: number): Promise<Erasure[]> {
    return this.list('($1::uuid IS NULL OR t.id > $1) ORDER BY t.id LIMIT $2', [id ?? null, most]);
  }

  /** Those of the ids that there is no erasure of. */
  async unknownOf(ids: readonly string[]): Promise<string[]> {
    const rows = await this.database.read<{ id: string }>(
      `SELECT id FROM unnest($1::uuid[]) AS id WHERE NOT EXISTS (SELECT FROM erasures WHERE erasures.id = id.id)`,
      [ids],
    );
    return rows.map(({ id }) => id);
  }

  /** Whether there was none of this id. */
  async insertUnlessThere(tx: Tx, erasure: Erasure): Promise<boolean> {
    const { text, values } = this.insertion(erasure);
    return (
      (await rowsIn(tx, `${text} ON CONFLICT ON CONSTRAINT pk_erasures DO NOTHING RETURNING id`, values)).length > 0
    );
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
