import { Injectable } from '@nestjs/common';
import type { Rows } from '../common/pagination.js';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';

/** Why somebody is forgotten: the cases of Article 17(1) of the GDPR. A closed list, so that nobody writes a name into it. */
export const ERASURE_REASONS = [
  'not_needed',
  'consent_withdrawn',
  'objection',
  'unlawful',
  'legal_obligation',
  'request',
] as const;
export type ErasureReason = (typeof ERASURE_REASONS)[number];

/** What is left of somebody: who forgot them, when and why, and what stands for them (see `PersonKey`). */
export interface Erasure {
  readonly id: string;
  readonly person: string;
  readonly reason: ErasureReason;
  readonly requestedAt: Date;
  readonly requestedBy: string;
  readonly requestedById: string | null;
  /** Rows that were removed or changed, by the name of the source. */
  readonly counts: Readonly<Record<string, number>>;
  /** Ids of what is still to be removed outside of the database, by the name of the source; empty when it is done. */
  readonly remains: Readonly<Record<string, readonly string[]>>;
  readonly completedAt: Date | null;
}

const SELECTION = `SELECT id, person, reason, requested_at AS "requestedAt", requested_by AS "requestedBy",
  requested_by_id AS "requestedById", counts, remains, completed_at AS "completedAt" FROM erasures`;

@Injectable()
export class ErasuresRepository {
  constructor(private readonly database: Database) {}

  async findById(id: string): Promise<Erasure | null> {
    const [row] = await this.database.read<Erasure>(`${SELECTION} WHERE id = $1`, [id]);
    return row ?? null;
  }

  /** Of somebody under any of these hashes, latest first. */
  async listOf(persons: readonly string[]): Promise<Erasure[]> {
    return this.database.read(`${SELECTION} WHERE person = ANY ($1::text[]) ORDER BY requested_at DESC, id`, [persons]);
  }

  /** As the transaction sees it. */
  async findLatestIn(tx: Tx, persons: readonly string[]): Promise<Erasure | null> {
    const [row] = await rowsIn<Erasure>(
      tx,
      `${SELECTION} WHERE person = ANY ($1::text[]) ORDER BY requested_at DESC, id LIMIT 1`,
      [persons],
    );
    return row ?? null;
  }

  /** Latest first. */
  async listPage(page: number, size: number): Promise<Rows<Erasure>> {
    const [rows, [count]] = await Promise.all([
      this.database.read<Erasure>(`${SELECTION} ORDER BY requested_at DESC, id LIMIT $1 OFFSET $2`, [
        size,
        (page - 1) * size,
      ]),
      this.database.read<{ total: number }>(`SELECT count(*)::int AS total FROM erasures`),
    ]);
    return { rows, total: count?.total ?? 0 };
  }

  async insert(tx: Tx, erasure: Erasure): Promise<void> {
    const { id, person, reason, requestedAt, requestedBy, requestedById, counts, remains, completedAt } = erasure;
    await rowsIn(
      tx,
      `INSERT INTO erasures (id, person, reason, requested_at, requested_by, requested_by_id, counts, remains, completed_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [id, person, reason, requestedAt, requestedBy, requestedById, counts, remains, completedAt],
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
