import { Injectable } from '@nestjs/common';
import { BaseRepository } from '../../database/base.repository.js';
import { Database } from '../../database/database.js';
import { rowsIn, type Tx } from '../../database/transactions.js';
import { TotpFactor } from './totp-factor.entity.js';

@Injectable()
export class TotpFactorsRepository extends BaseRepository<TotpFactor> {
  constructor(database: Database) {
    super(database, TotpFactor);
  }

  /** Those that were confirmed. */
  async listOf(userId: string): Promise<TotpFactor[]> {
    return this.list('t.user_id = $1 AND t.confirmed_at IS NOT NULL ORDER BY t.created_at, t.id', [userId]);
  }

  /** Takes a time step; false when it, or a later one, was taken before. */
  async takeStep(tx: Tx, id: string, step: number, now: Date): Promise<boolean> {
    const taken = await rowsIn(
      tx,
      `UPDATE totp_factors SET last_step = $2, last_used_at = $3 WHERE id = $1 AND last_step < $2 RETURNING id`,
      [id, step, now],
    );
    return taken.length > 0;
  }

  async removeUnconfirmedOf(tx: Tx, userId: string): Promise<void> {
    await rowsIn(tx, `DELETE FROM totp_factors WHERE user_id = $1 AND confirmed_at IS NULL`, [userId]);
  }
}
