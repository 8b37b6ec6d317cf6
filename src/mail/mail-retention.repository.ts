import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';
import type { DueRows, HeldPersons } from '../persons/retention.service.js';

/** Of a message under this alias: that it is settled since before $1, and not to or about a person on hold. */
const isDue = (message: string): string => `(${message}.created_at < $1
  AND ${message}.state IN ('sent', 'failed', 'suppressed', 'cancelled')
  AND ${settledAt(message)} < $1
  AND NOT (lower(${message}.recipient) = ANY ($2::text[])
    OR (${message}.about_kind, ${message}.about_id) IN (SELECT * FROM unnest($3::text[], $4::uuid[]))))`;
const IS_REPEATED = 'EXISTS (SELECT FROM mail_messages AS repetition WHERE repetition.resend_of = message.id)';
const settledAt = (message: string): string =>
  `coalesce(${message}.sent_at, ${message}.failed_at, ${message}.cancelled_at, ${message}.created_at)`;

const valuesOf = (before: Date, { emails, things }: HeldPersons): unknown[] => [
  before,
  emails,
  things.map(({ kind }) => kind),
  things.map(({ id }) => id),
];

/** Messages by how long ago they were settled. With a message goes whatever repeats it, so that waits for the last of them. */
@Injectable()
export class MailRetentionRepository {
  constructor(private readonly database: Database) {}

  async findDue(before: Date, held: HeldPersons, most: number): Promise<DueRows> {
    const [row] = await this.database.read<{ count: number; oldest: Date | null; ids: string[] | null }>(
      `WITH due AS MATERIALIZED (
         SELECT message.id, message.created_at, ${settledAt('message')} AS settled_at FROM mail_messages AS message
         WHERE ${isDue('message')} AND NOT EXISTS (
           SELECT FROM mail_messages AS later
           WHERE (later.about_kind, later.about_id, later.template, later.recipient)
               = (message.about_kind, message.about_id, message.template, message.recipient)
             AND later.resend_number > message.resend_number AND NOT ${isDue('later')}))
       SELECT (SELECT count(*)::int FROM due) AS count, (SELECT min(settled_at) FROM due) AS oldest,
         (SELECT array_agg(id) FROM (SELECT id FROM due ORDER BY settled_at, id LIMIT $5) AS oldest) AS ids`,
      [...valuesOf(before, held), most],
    );
    return { count: row?.count ?? 0, oldest: row?.oldest ?? null, ids: row?.ids ?? [] };
  }

  /** With their attempts. Of those that repeat another the last comes first. Returns the ids. */
  async removeDue(tx: Tx, before: Date, held: HeldPersons, most: number): Promise<string[]> {
    const locked = await rowsIn<{ id: string }>(
      tx,
      `SELECT message.id FROM mail_messages AS message WHERE ${isDue('message')} AND NOT ${IS_REPEATED}
       ORDER BY message.created_at, message.id LIMIT $5 FOR UPDATE SKIP LOCKED`,
      [...valuesOf(before, held), most],
    );
    // who repeats a message locks it too: what was repeated before it was locked here is seen by a second statement only
    const removed = await rowsIn<{ id: string }>(
      tx,
      `DELETE FROM mail_messages AS message WHERE id = ANY ($1::uuid[]) AND NOT ${IS_REPEATED} RETURNING id`,
      [locked.map(({ id }) => id)],
    );
    return removed.map(({ id }) => id);
  }
}
