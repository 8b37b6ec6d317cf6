import { Injectable } from '@nestjs/common';
import type { Rows } from '../../common/pagination.js';
import { BaseRepository } from '../../database/base.repository.js';
import { violates } from '../../database/constraints.js';
import { Database } from '../../database/database.js';
import type { Tx } from '../../database/transactions.js';
import { AlreadyInvited } from '../auth.errors.js';
import { Invitation } from './invitation.entity.js';

@Injectable()
export class InvitationsRepository extends BaseRepository<Invitation> {
  constructor(database: Database) {
    super(database, Invitation);
  }

  async findByTokenHash(tokenHash: Buffer): Promise<Invitation | null> {
    return this.findOne('t.token_hash = $1', [tokenHash]);
  }

  /** The row, locked until the transaction ends. */
  async lockByTokenHash(tx: Tx, tokenHash: Buffer): Promise<Invitation | null> {
    return this.findOneIn(tx, 't.token_hash = $1 FOR UPDATE', [tokenHash]);
  }

  /** The one that is neither accepted nor revoked, if any; it may have expired. Locked until the transaction ends. */
  async lockOpenByEmail(tx: Tx, email: string): Promise<Invitation | null> {
    return this.findOneIn(tx, 't.email = $1 AND accepted_at IS NULL AND revoked_at IS NULL FOR UPDATE', [email]);
  }

  /** Latest first. */
  async listPage(page: number, size: number): Promise<Rows<Invitation>> {
    return this.findPage({ orderBy: 'created_at DESC, id', page, size });
  }

  override async insert(tx: Tx, invitation: Invitation): Promise<void> {
    try {
      await super.insert(tx, invitation);
    } catch (error) {
      if (violates(error, 'idx_invitations_open_email')) throw new AlreadyInvited();
      throw error;
    }
  }
}
