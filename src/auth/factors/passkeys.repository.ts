import { Injectable } from '@nestjs/common';
import { BaseRepository } from '../../database/base.repository.js';
import { violates } from '../../database/constraints.js';
import { Database } from '../../database/database.js';
import { rowsIn, type Tx } from '../../database/transactions.js';
import { PasskeyRefused } from './factors.errors.js';
import { Passkey } from './passkey.entity.js';

@Injectable()
export class PasskeysRepository extends BaseRepository<Passkey> {
  constructor(database: Database) {
    super(database, Passkey);
  }

  async findByCredentialId(credentialId: Buffer): Promise<Passkey | null> {
    return this.findOne('t.credential_id = $1', [credentialId]);
  }

  async listOf(userId: string): Promise<Passkey[]> {
    return this.list('t.user_id = $1 ORDER BY t.created_at, t.id', [userId]);
  }

  /** Moves the count on; false when it did not grow, unless the authenticator does not count. */
  async use(tx: Tx, id: string, count: number, now: Date): Promise<boolean> {
    const used = await rowsIn(
      tx,
      `UPDATE passkeys SET sign_count = $2, last_used_at = $3
       WHERE id = $1 AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0)) RETURNING id`,
      [id, count, now],
    );
    return used.length > 0;
  }

  override async insert(tx: Tx, passkey: Passkey): Promise<void> {
    try {
      await super.insert(tx, passkey);
    } catch (error) {
      if (violates(error, 'idx_passkeys_credential_id')) throw new PasskeyRefused();
      throw error;
    }
  }
}
