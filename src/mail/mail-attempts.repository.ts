import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';

/** How an attempt ended. `interrupted`: its process died. */
export type AttemptOutcome = 'sent' | 'refused' | 'postponed' | 'outage' | 'interrupted';

export interface EndedAttempt {
  readonly messageId: string;
  readonly number: number;
  readonly endedAt: Date;
  readonly outcome: AttemptOutcome;
  /** What the server said, or what was wrong. */
  readonly words: string | null;
}

/** One attempt at a message. */
export interface MailAttempt {
  readonly number: number;
  readonly startedAt: Date;
  /** Null while it is under way. */
  readonly endedAt: Date | null;
  readonly outcome: AttemptOutcome | null;
  readonly words: string | null;
}

@Injectable()
export class MailAttemptsRepository {
  constructor(private readonly database: Database) {}

  /** In order. */
  async listOf(messageId: string): Promise<MailAttempt[]> {
    return this.database.read<MailAttempt>(
      `SELECT number, started_at AS "startedAt", ended_at AS "endedAt", outcome, words
       FROM mail_attempts WHERE message_id = $1 ORDER BY number`,
      [messageId],
    );
  }

  /** Whether the attempt was still open. It is not when another process took the message over meanwhile. */
  async end(tx: Tx, { messageId, number, endedAt, outcome, words }: EndedAttempt): Promise<boolean> {
    const rows = await rowsIn(
      tx,
      `UPDATE mail_attempts SET ended_at = $3, outcome = $4, words = $5
       WHERE message_id = $1 AND number = $2 AND ended_at IS NULL RETURNING number`,
      [messageId, number, endedAt, outcome, words],
    );
    return rows.length > 0;
  }

  /** Ends the attempt of a process that died, if there is one. */
  async interrupt(tx: Tx, messageId: string, endedAt: Date): Promise<void> {
    await rowsIn(
      tx,
      `UPDATE mail_attempts SET ended_at = $2, outcome = 'interrupted' WHERE message_id = $1 AND ended_at IS NULL`,
      [messageId, endedAt],
    );
  }

  /** Takes back an attempt that never came to the server. Whether it was still open. */
  async retract(tx: Tx, messageId: string, number: number): Promise<boolean> {
    const rows = await rowsIn(
      tx,
      `DELETE FROM mail_attempts WHERE message_id = $1 AND number = $2 AND ended_at IS NULL RETURNING number`,
      [messageId, number],
    );
    return rows.length > 0;
  }

  /** Whether the server has answered for others since mail that is owed to this recipient last met with an outage, if it did. */
  async wasServerSeenSinceOutageFor(tx: Tx, recipient: string): Promise<boolean> {
    const rows = await rowsIn(
      tx,
      `SELECT FROM mail_attempts JOIN mail_messages ON mail_messages.id = message_id
       WHERE recipient <> $1 AND outcome IN ('sent', 'refused', 'postponed') AND ended_at >
         (SELECT max(ended_at) FROM mail_attempts JOIN mail_messages ON mail_messages.id = message_id
          WHERE recipient = $1 AND deferrals > 0 AND state IN ('sending', 'retrying') AND outcome = 'outage')
       LIMIT 1`,
      [recipient],
    );
    return rows.length > 0;
  }
}
