import { Injectable } from '@nestjs/common';
import { BaseRepository } from '../../database/base.repository.js';
import { violates } from '../../database/constraints.js';
import { Database } from '../../database/database.js';
import { rowsIn, type Tx } from '../../database/transactions.js';
import { IdentityTaken } from './openid.errors.js';
import { UserIdentity } from './user-identity.entity.js';

@Injectable()
export class UserIdentitiesRepository extends BaseRepository<UserIdentity> {
  constructor(database: Database) {
    super(database, UserIdentity);
  }

  async findBySubject(issuer: string, subject: string): Promise<UserIdentity | null> {
    return this.findOne('t.issuer = $1 AND t.subject = $2', [issuer, subject]);
  }

  /** Oldest first. */
  async listOf(userId: string): Promise<UserIdentity[]> {
    return this.list('t.user_id = $1 ORDER BY t.created_at, t.id', [userId]);
  }

  async countOf(tx: Tx, userId: string): Promise<number> {
    const [row] = await rowsIn<{ count: number }>(
      tx,
      `SELECT count(*)::int AS count FROM user_identities WHERE user_id = $1`,
      [userId],
    );
    return row?.count ?? 0;
  }

  /** Throws `IdentityTaken`. */
  override async insert(tx: Tx, identity: UserIdentity): Promise<void> {
    try {
      await super.insert(tx, identity);
    } catch (error) {
      if (violates(error, 'idx_user_identities_subject')) throw new IdentityTaken();
      throw error;
    }
  }
}
