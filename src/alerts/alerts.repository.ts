import { Injectable } from '@nestjs/common';
import { BaseRepository } from '../database/base.repository.js';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import { Alert } from './alert.entity.js';

@Injectable()
export class AlertsRepository extends BaseRepository<Alert> {
  constructor(database: Database) {
    super(database, Alert);
  }

  /** Lets transactions that raise the same alert take turns, each seeing what the one before it did. */
  async lockCause(tx: Tx, cause: string): Promise<void> {
    await rowsIn(tx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 2))`, [cause]);
  }

  /** Counts one more occurrence in the latest alert raised after that time. Returns whether there was one. */
  async countAgain(tx: Tx, cause: string, after: Date): Promise<boolean> {
    const rows = await rowsIn(
      tx,
      `UPDATE alerts SET occurrences = occurrences + 1
       WHERE id = (SELECT id FROM alerts WHERE cause = $1 AND raised_at > $2 ORDER BY raised_at DESC LIMIT 1)
       RETURNING id`,
      [cause, after],
    );
    return rows.length > 0;
  }
}
