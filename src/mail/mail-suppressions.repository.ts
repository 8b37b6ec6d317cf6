import { Injectable } from '@nestjs/common';
import type { Rows } from '../common/pagination.js';
import { BaseRepository } from '../database/base.repository.js';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import { MailSuppression } from './mail-suppression.entity.js';

export interface SuppressionListing {
  readonly page: number;
  readonly size: number;
  /** Exactly this one, in whatever case. */
  readonly address?: string | undefined;
  /** Any when undefined. */
  readonly isLifted?: boolean | undefined;
}

/** Addresses that get no mail because they refused it for good, whatever the case they are written in. */
@Injectable()
export class MailSuppressionsRepository extends BaseRepository<MailSuppression> {
  constructor(database: Database) {
    super(database, MailSuppression);
  }

  /** Does nothing when the address is suppressed already. */
  async add(tx: Tx, address: string, reason: string, since: Date): Promise<void> {
    await rowsIn(
      tx,
      `INSERT INTO mail_suppressions (address, reason, since) VALUES (lower($1), $2, $3)
       ON CONFLICT (address) WHERE lifted_at IS NULL DO NOTHING`,
      [address, reason, since],
    );
  }

  /** Why an address gets no mail; null when it does. */
  async findReason(tx: Tx, address: string): Promise<string | null> {
    const [row] = await rowsIn<{ reason: string }>(
      tx,
      `SELECT reason FROM mail_suppressions WHERE address = lower($1) AND lifted_at IS NULL`,
      [address],
    );
    return row?.reason ?? null;
  }

  /** Latest first. */
  async listPage({ page, size, address, isLifted }: SuppressionListing): Promise<Rows<MailSuppression>> {
    return this.findPage({
      conditions: [
        { text: 't.address = lower(?)', value: address },
        { text: '(t.lifted_at IS NOT NULL) = ?', value: isLifted },
      ],
      orderBy: 't.since DESC, t.id DESC',
      page,
      size,
    });
  }

  /** Whether it was there to be lifted. */
  async lift(tx: Tx, id: string, by: string, now: Date): Promise<boolean> {
    const rows = await rowsIn(
      tx,
      `UPDATE mail_suppressions SET lifted_at = $2, lifted_by = $3 WHERE id = $1 AND lifted_at IS NULL RETURNING id`,
      [id, now, by],
    );
    return rows.length > 0;
  }
}
