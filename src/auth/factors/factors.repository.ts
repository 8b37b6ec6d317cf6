import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { rowsIn, type Tx } from '../../database/transactions.js';

export type FactorKind = 'totp' | 'passkey';

/** A factor that counts: an authenticator app that was confirmed, or a passkey. */
export interface Factor {
  readonly id: string;
  readonly kind: FactorKind;
  readonly name: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

const OF_SOMEBODY = `
  SELECT id, 'totp' AS kind, name, created_at AS "createdAt", last_used_at AS "lastUsedAt"
  FROM totp_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL
  UNION ALL
  SELECT id, 'passkey', name, created_at, last_used_at FROM passkeys WHERE user_id = $1
  ORDER BY "createdAt", id`;

/** What is asked of factors of all kinds together. */
@Injectable()
export class FactorsRepository {
  constructor(private readonly database: Database) {}

  async listOf(userId: string): Promise<Factor[]> {
    return this.database.read<Factor>(OF_SOMEBODY, [userId]);
  }

  /** As the transaction sees it. */
  async listIn(tx: Tx, userId: string): Promise<Factor[]> {
    return rowsIn<Factor>(tx, OF_SOMEBODY, [userId]);
  }

  async remove(tx: Tx, { id, kind }: Factor): Promise<void> {
    await rowsIn(
      tx,
      kind === 'totp' ? `DELETE FROM totp_factors WHERE id = $1` : `DELETE FROM passkeys WHERE id = $1`,
      [id],
    );
  }

  /** Removes whatever somebody has, what waits to be confirmed as well. */
  async removeAllOf(tx: Tx, userId: string): Promise<void> {
    await rowsIn(tx, `DELETE FROM totp_factors WHERE user_id = $1`, [userId]);
    await rowsIn(tx, `DELETE FROM passkeys WHERE user_id = $1`, [userId]);
    await rowsIn(tx, `DELETE FROM recovery_codes WHERE user_id = $1`, [userId]);
  }
}
