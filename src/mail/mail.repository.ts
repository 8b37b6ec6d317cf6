import { Injectable } from '@nestjs/common';
import { BaseRepository } from '../database/base.repository.js';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import { MailMessage } from './mail-message.entity.js';

/** An attempt that has begun and is on record. */
export interface BegunAttempt {
  readonly message: MailMessage;
  readonly number: number;
}

interface BegunRow {
  readonly attemptNumber: number;
}

/** Held messages: those to recipients whose held mail failed before come last. */
const INNOCENT_FIRST = `recipient IN
  (SELECT recipient FROM mail_messages WHERE held_at IS NOT NULL AND deferrals > 0), deferrals, created_at, id`;

@Injectable()
export class MailRepository extends BaseRepository<MailMessage> {
  constructor(database: Database) {
    super(database, MailMessage);
  }

  /** Inserts all messages with one statement, without those that the same cause has made already. */
  async insertAll(tx: Tx, messages: readonly MailMessage[]): Promise<void> {
    const column = <Value>(value: (message: MailMessage) => Value): Value[] => messages.map(value);
    await rowsIn(
      tx,
      `INSERT INTO mail_messages (id, template, recipient, locale, data, about_kind, about_id, created_at)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::text[], $7::uuid[], $8::timestamptz[])
       ON CONFLICT ON CONSTRAINT uq_mail_messages_cause DO NOTHING`,
      [
        column(({ id }) => id),
        column(({ template }) => template),
        column(({ recipient }) => recipient),
        column(({ locale }) => locale),
        column(({ data }) => JSON.stringify(data)),
        column(({ aboutKind }) => aboutKind),
        column(({ aboutId }) => aboutId),
        column(({ createdAt }) => createdAt),
      ],
    );
  }

  /**
   * Moves a message to `sending` and puts the attempt on record, in one statement because every message passes here. An
   * attempt that never ended, because its process died, ends as interrupted. Null when the message must not be sent now:
   * it is settled, its recipient suppressed, or (not for a probe) the server is paused or a suspect of the same recipient
   * comes first.
   */
  async begin(tx: Tx, id: string, now: Date, { isProbe }: { isProbe: boolean }): Promise<BegunAttempt | null> {
    const [row] = await rowsIn<BegunRow>(tx, this.beginning, [id, now, isProbe]);
    return row === undefined ? null : this.toBegun(row);
  }

  /** As {@link begin} does for no probe, outside of any transaction: one statement, on the disk when this resolves. */
  async beginAlone(id: string, now: Date): Promise<BegunAttempt | null> {
    const [row] = await this.database.read<BegunRow>(this.beginning, [id, now, false]);
    return row === undefined ? null : this.toBegun(row);
  }

  private get beginning(): string {
    return `WITH begun AS (
         UPDATE mail_messages AS t SET state = 'sending', next_attempt_at = NULL
         WHERE t.id = $1 AND t.state IN ('queued', 'sending', 'retrying')
           AND NOT EXISTS (SELECT FROM mail_suppressions WHERE address = lower(t.recipient) AND lifted_at IS NULL)
           AND ($3 OR NOT EXISTS (SELECT FROM mail_server_state WHERE paused_since IS NOT NULL)
             AND NOT EXISTS (SELECT FROM mail_messages AS other
               WHERE other.recipient = t.recipient AND other.deferrals > 0 AND other.is_suspect AND other.id <> t.id
                 AND (NOT t.is_suspect OR other.id < t.id)))
         RETURNING ${this.mapping.selection}
       ), interrupted AS (
         UPDATE mail_attempts SET ended_at = $2, outcome = 'interrupted'
         WHERE message_id = $1 AND ended_at IS NULL AND EXISTS (SELECT FROM begun)
       ), attempt AS (
         INSERT INTO mail_attempts (message_id, number, started_at)
         SELECT id, (SELECT count(*) + 1 FROM mail_attempts WHERE message_id = begun.id), $2 FROM begun
         RETURNING number
       )
       SELECT begun.*, attempt.number AS "attemptNumber" FROM begun, attempt`;
  }

  private toBegun(row: BegunRow): BegunAttempt {
    return { message: this.toEntity(row), number: row.attemptNumber };
  }

  /**
   * Puts on record that the server has a message, with the attempt, outside of any transaction: one statement, on the disk
   * when this resolves. False, and nothing changed, while mail is paused: that has to end in the same transaction.
   */
  async recordSentAlone({ id, attempts, sentAt, subject }: MailMessage, number: number): Promise<boolean> {
    const rows = await this.database.read(
      `WITH noted AS (
         UPDATE mail_messages SET state = 'sent', attempts = $3, sent_at = $4, subject = $5, last_error = NULL,
           next_attempt_at = NULL, held_at = NULL, is_suspect = false
         WHERE id = $1 AND NOT EXISTS (SELECT FROM mail_server_state WHERE paused_since IS NOT NULL)
         RETURNING id
       ), ended AS (
         UPDATE mail_attempts SET ended_at = $4, outcome = 'sent', words = NULL
         WHERE message_id = $1 AND number = $2 AND ended_at IS NULL AND EXISTS (SELECT FROM noted)
       )
       SELECT id FROM noted`,
      [id, number, attempts, sentAt, subject],
    );
    return rows.length > 0;
  }

  /**
   * The held message to test the server with: one to a recipient whose mail did not fail in this outage, while there is
   * one, and one that failed seldom.
   */
  async findNextHeld(tx: Tx): Promise<string | null> {
    const [row] = await rowsIn<{ id: string }>(
      tx,
      `SELECT id FROM mail_messages
       WHERE held_at IS NOT NULL AND state IN ('queued', 'sending', 'retrying') ORDER BY ${INNOCENT_FIRST} LIMIT 1`,
      [],
    );
    return row?.id ?? null;
  }

  /** Whether mail to anybody else is held. */
  async isAnyHeldExceptTo(tx: Tx, recipient: string): Promise<boolean> {
    const rows = await rowsIn(tx, `SELECT FROM mail_messages WHERE held_at IS NOT NULL AND recipient <> $1 LIMIT 1`, [
      recipient,
    ]);
    return rows.length > 0;
  }

  /** Holds no message any longer, and says which were held, in the order in which they should go on. */
  async release(tx: Tx): Promise<string[]> {
    const rows = await rowsIn<{ id: string }>(
      tx,
      `WITH released AS (UPDATE mail_messages SET held_at = NULL WHERE held_at IS NOT NULL RETURNING id)
       SELECT id FROM released JOIN mail_messages USING (id) ORDER BY ${INNOCENT_FIRST}`,
      [],
    );
    return rows.map(({ id }) => id);
  }
}
