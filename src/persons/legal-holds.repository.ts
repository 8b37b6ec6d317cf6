import { Injectable } from '@nestjs/common';
import type { Rows } from '../common/pagination.js';
import { violates } from '../database/constraints.js';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import { AlreadyOnHold } from './persons.errors.js';

/** That nothing about somebody may be deleted, as in a dispute. */
export interface LegalHold {
  readonly id: string;
  /** In lower case. */
  readonly email: string;
  readonly reason: string;
  readonly placedAt: Date;
  readonly placedBy: string;
  readonly liftedAt: Date | null;
  readonly liftedBy: string | null;
}

const SELECTION = `id, email, reason, placed_at AS "placedAt", placed_by AS "placedBy", lifted_at AS "liftedAt", lifted_by AS "liftedBy"`;

@Injectable()
export class LegalHoldsRepository {
  constructor(private readonly database: Database) {}

  /** Until the transaction ends nobody else begins to hold this person, or to delete what is about them. */
  async lockPerson(tx: Tx, email: string): Promise<void> {
    await rowsIn(tx, `SELECT pg_advisory_xact_lock(hashtextextended('person ' || $1, 3))`, [email]);
  }

  async isHeld(tx: Tx, email: string): Promise<boolean> {
    const rows = await rowsIn(tx, `SELECT FROM legal_holds WHERE email = $1 AND lifted_at IS NULL`, [email]);
    return rows.length > 0;
  }

  /** Throws `AlreadyOnHold`. */
  async insert(tx: Tx, { id, email, reason, placedAt, placedBy }: LegalHold): Promise<void> {
    try {
      await rowsIn(
        tx,
        `INSERT INTO legal_holds (id, email, reason, placed_at, placed_by) VALUES ($1, $2, $3, $4, $5)`,
        [id, email, reason, placedAt, placedBy],
      );
    } catch (error) {
      if (violates(error, 'idx_legal_holds_open')) throw new AlreadyOnHold();
      throw error;
    }
  }

  /** Whether it was there to be lifted. */
  async lift(tx: Tx, id: string, by: string, now: Date): Promise<boolean> {
    const rows = await rowsIn(
      tx,
      `UPDATE legal_holds SET lifted_at = $2, lifted_by = $3 WHERE id = $1 AND lifted_at IS NULL RETURNING id`,
      [id, now, by],
    );
    return rows.length > 0;
  }

  /** Those of somebody, latest first. */
  async listOf(email: string): Promise<LegalHold[]> {
    return this.database.read(`SELECT ${SELECTION} FROM legal_holds WHERE email = $1 ORDER BY placed_at DESC, id`, [
      email,
    ]);
  }

  /** Latest first. */
  async listPage(page: number, size: number, isLifted: boolean | undefined): Promise<Rows<LegalHold>> {
    const wanted = `($1::boolean IS NULL OR (lifted_at IS NOT NULL) = $1)`;
    const [rows, [count]] = await Promise.all([
      this.database.read<LegalHold>(
        `SELECT ${SELECTION} FROM legal_holds WHERE ${wanted} ORDER BY placed_at DESC, id LIMIT $2 OFFSET $3`,
        [isLifted ?? null, size, (page - 1) * size],
      ),
      this.database.read<{ total: number }>(`SELECT count(*)::int AS total FROM legal_holds WHERE ${wanted}`, [
        isLifted ?? null,
      ]),
    ]);
    return { rows, total: count?.total ?? 0 };
  }

  /** Takes these user names from the holds of others. Returns how many there were. */
  async forgetNames(tx: Tx, names: readonly string[]): Promise<number> {
    const rows = await rowsIn(
      tx,
      `UPDATE legal_holds SET placed_by = CASE WHEN placed_by = ANY ($1::text[]) THEN 'erased' ELSE placed_by END,
         lifted_by = CASE WHEN lifted_by = ANY ($1::text[]) THEN 'erased' ELSE lifted_by END
       WHERE placed_by = ANY ($1::text[]) OR lifted_by = ANY ($1::text[]) RETURNING id`,
      [names],
    );
    return rows.length;
  }

  /** The number of holds that were removed. */
  async removeOf(tx: Tx, email: string): Promise<number> {
    return (await rowsIn(tx, `DELETE FROM legal_holds WHERE email = $1 RETURNING id`, [email])).length;
  }
}
