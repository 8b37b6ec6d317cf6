import { Injectable } from '@nestjs/common';
import type { Rows } from '../common/pagination.js';
import { BaseRepository } from '../database/base.repository.js';
import { violates } from '../database/constraints.js';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import { MailMessage, type MailState } from './mail-message.entity.js';
import { MailAlreadyResent } from './mail.errors.js';

/** Which messages are wanted: undefined is any. */
export interface MailListing {
  readonly page: number;
  readonly size: number;
  readonly state?: MailState | undefined;
  /** Exactly this address, in whatever case. */
  readonly recipient?: string | undefined;
  readonly template?: string | undefined;
  readonly aboutKind?: string | undefined;
  readonly aboutId?: string | undefined;
  readonly createdFrom?: Date | undefined;
  /** Before this time. */
  readonly createdTo?: Date | undefined;
  /** Who is to see what they have written, should a replica answer. */
  readonly reader?: string | undefined;
}

/** What a delivery changes of a message. */
const PROGRESS = [
  'state',
  'attempts',
  'deferrals',
  'lastError',
  'sentAt',
  'failedAt',
  'subject',
  'nextAttemptAt',
  'heldAt',
  'isSuspect',
  'secrets',
  // what an operator cancelled meanwhile may have been sent by a process that was taken for dead
  'cancelledAt',
] as const;

/** Held messages: those to recipients whose held mail failed before come last. */
const INNOCENT_FIRST = `recipient IN
  (SELECT recipient FROM mail_messages WHERE held_at IS NOT NULL AND deferrals > 0), deferrals, created_at, id`;

/** A message that is held no longer. */
export interface ReleasedMail {
  readonly id: string;
  /** That of its next job. */
  readonly round: number;
  readonly isUnderWay: boolean;
  /** The request that caused it. */
  readonly requestId: string | null;
}

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
      `INSERT INTO mail_messages (id, template, recipient, locale, data, secrets, about_kind, about_id, created_at,
         request_id)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[], $7::text[], $8::uuid[],
         $9::timestamptz[], $10::uuid[])
       ON CONFLICT ON CONSTRAINT uq_mail_messages_cause DO NOTHING`,
      [
        column(({ id }) => id),
        column(({ template }) => template),
        column(({ recipient }) => recipient),
        column(({ locale }) => locale),
        column(({ data }) => JSON.stringify(data)),
        column(({ secrets }) => (secrets === null ? null : JSON.stringify(secrets))),
        column(({ aboutKind }) => aboutKind),
        column(({ aboutId }) => aboutId),
        column(({ createdAt }) => createdAt),
        column(({ requestId }) => requestId),
      ],
    );
  }

  /** Saves what a delivery changes of a message. */
  async saveProgress(tx: Tx, message: MailMessage): Promise<void> {
    await this.update(tx, message, PROGRESS);
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

  /**
   * Holds no message any longer, and gives the jobs of those that were held, in the order in which they should go on. Each
   * is in a new round: its job is then the only one, even where the message is under way as a probe.
   */
  async release(tx: Tx): Promise<ReleasedMail[]> {
    return rowsIn<ReleasedMail>(
      tx,
      `WITH released AS (
         UPDATE mail_messages SET held_at = NULL, round = round + 1
         WHERE id IN (SELECT id FROM mail_messages WHERE held_at IS NOT NULL ORDER BY id FOR UPDATE)
         RETURNING id, round, state, request_id
       )
       SELECT id, released.round, released.state = 'sending' AS "isUnderWay", released.request_id AS "requestId"
       FROM released JOIN mail_messages USING (id) ORDER BY ${INNOCENT_FIRST}`,
      [],
    );
  }

  /** Throws `MailAlreadyResent`: each message is repeated once. */
  async insertRepetition(tx: Tx, message: MailMessage): Promise<void> {
    try {
      await this.insert(tx, message);
    } catch (error) {
      // two statements of the same rule; PostgreSQL names the one that it looks at first
      const rules = ['uq_mail_messages_cause', 'idx_mail_messages_resend_of'];
      if (rules.some((rule) => violates(error, rule))) throw new MailAlreadyResent();
      throw error;
    }
  }

  /** Newest first. */
  async listPage({ page, size, reader, ...wanted }: MailListing): Promise<Rows<MailMessage>> {
    const { state, template, aboutKind, aboutId } = wanted;
    return this.findPage({
      where: { state, template, about_kind: aboutKind, about_id: aboutId },
      conditions: [
        { text: 'lower(recipient) = lower(?)', value: wanted.recipient },
        { text: 'created_at >= ?', value: wanted.createdFrom },
        { text: 'created_at < ?', value: wanted.createdTo },
      ],
      orderBy: 't.created_at DESC, t.id DESC',
      page,
      size,
      reader,
    });
  }

  /** Every message about something, oldest first. */
  async listAbout(kind: string, id: string): Promise<MailMessage[]> {
    const inOrder = 'ORDER BY t.created_at, t.template, t.recipient, t.id';
    return this.list(`t.about_kind = $1 AND t.about_id = $2 ${inOrder}`, [kind, id]);
  }

  /** The ids of the messages about something that were there to be removed, whatever their state; with their attempts. */
  async removeAbout(tx: Tx, kind: string, id: string): Promise<string[]> {
    const rows = await rowsIn<{ id: string }>(
      tx,
      `DELETE FROM mail_messages
       WHERE id IN (SELECT id FROM mail_messages WHERE about_kind = $1 AND about_id = $2 ORDER BY id FOR UPDATE) RETURNING id`,
      [kind, id],
    );
    return rows.map((row) => row.id);
  }

  /** The id of the message that repeats this one, if there is one. */
  async findRepetition(id: string): Promise<string | null> {
    const [row] = await this.database.read<{ id: string }>(`SELECT id FROM mail_messages WHERE resend_of = $1`, [id]);
    return row?.id ?? null;
  }
}
