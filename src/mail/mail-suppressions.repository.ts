import { Injectable } from '@nestjs/common';
import { rowsIn, type Tx } from '../database/transactions.js';

/** Addresses that get no mail because they refused it for good, whatever the case they are written in. */
@Injectable()
export class MailSuppressionsRepository {
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
}
