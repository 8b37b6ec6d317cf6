import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { rowsIn, type Tx } from '../../database/transactions.js';

@Injectable()
export class RecoveryCodesRepository {
  constructor(private readonly database: Database) {}

  /** Puts new codes in the place of whatever somebody had. */
  async replace(tx: Tx, userId: string, hashes: readonly Buffer[], now: Date): Promise<void> {
    await this.removeOf(tx, userId);
    await rowsIn(
      tx,
      `INSERT INTO recovery_codes (hash, user_id, created_at) SELECT hash, $2, $3 FROM unnest($1::bytea[]) AS hash`,
      [hashes, userId, now],
    );
  }

  async removeOf(tx: Tx, userId: string): Promise<void> {
    await rowsIn(tx, `DELETE FROM recovery_codes WHERE user_id = $1`, [userId]);
  }

  /** Whether a code is somebody's and was not used. */
  async isUnused(userId: string, hash: Buffer): Promise<boolean> {
    const found = await this.database.read(
      `SELECT FROM recovery_codes WHERE hash = $2 AND user_id = $1 AND used_at IS NULL`,
      [userId, hash],
    );
    return found.length > 0;
  }

  /** Uses a code; false when it was used before. */
  async use(tx: Tx, userId: string, hash: Buffer, now: Date): Promise<boolean> {
    const used = await rowsIn(
      tx,
      `UPDATE recovery_codes SET used_at = $3 WHERE hash = $2 AND user_id = $1 AND used_at IS NULL RETURNING hash`,
      [userId, hash, now],
    );
    return used.length > 0;
  }

  /** How many of somebody's codes are left. */
  async countUnused(tx: Tx, userId: string): Promise<number> {
    const [row] = await rowsIn<{ count: number }>(
      tx,
      `SELECT count(*)::int AS count FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL`,
      [userId],
    );
    return row?.count ?? 0;
  }
}
