import { Injectable } from '@nestjs/common';
import { BaseRepository } from '../database/base.repository.js';
import { Database } from '../database/database.js';
import { Gathered } from '../database/gathered.js';
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

interface Beginning {
  readonly isProbe: boolean;
  /** Of the job; null when any will do. */
  readonly round: number | null;
}

/** A message to begin with, of this round. */
interface Wanted {
  readonly id: string;
  readonly now: Date;
  readonly round: number;
}

/** More in one statement would only make its rows wait for each other. The wait for company halved what a message costs. */
const TOGETHER = { most: 32, forMs: 4 };

/** The server has answered for other mail to the recipient of `t` since `other` met with its last outage: the trouble is `other`'s. */
const ANSWERED_SINCE = `EXISTS (SELECT FROM mail_attempts AS answer JOIN mail_messages AS answered ON answered.id = answer.message_id
  WHERE answered.recipient = t.recipient AND answer.outcome IN ('sent', 'refused', 'postponed') AND answer.ended_at >
    (SELECT max(ended_at) FROM mail_attempts WHERE message_id = other.id AND outcome = 'outage'))`;
/** `other` failed again, and `t` is the next message to find out by whether the trouble is the recipient's. Three tell enough. */
const IS_TEST = `other.deferrals > 1
  AND (SELECT count(*) < 3 FROM mail_messages WHERE recipient = t.recipient AND deferrals > 0 AND is_suspect)
  AND t.id = (SELECT id FROM mail_messages AS next
    WHERE next.recipient = t.recipient AND next.state IN ('queued', 'sending', 'retrying') AND NOT next.is_suspect
    ORDER BY created_at, id LIMIT 1)`;

/** The beginning and the good end of each delivery: what every message passes. */
@Injectable()
export class MailDeliveriesRepository extends BaseRepository<MailMessage> {
  private readonly beginnings = new Gathered<Wanted, BegunAttempt | null>((wanted) => this.beginAll(wanted), TOGETHER);
  private readonly ends = new Gathered<BegunAttempt, boolean>((sent) => this.recordAllSent(sent), TOGETHER);

  constructor(database: Database) {
    super(database, MailMessage);
  }

  /**
   * Moves a message to `sending` and puts the attempt on record, in one statement because every message passes here. An
   * attempt that never ended, because its process died, ends as interrupted. Null when the message must not be sent now: it
   * is settled, was queued again since the job was made, its recipient is suppressed, or (not for a probe) the server is
   * paused or a suspect of the same recipient comes first: until other mail to it is answered, one message at a time is tried.
   */
  async begin(tx: Tx, id: string, now: Date, { isProbe, round }: Beginning): Promise<BegunAttempt | null> {
    const [row] = await rowsIn<BegunRow>(tx, this.beginning, [[id], now, isProbe, [round]]);
    return row === undefined ? null : this.toBegun(row);
  }

  /** As {@link begin} does for no probe, outside of any transaction, on the disk when this resolves; those at once together. */
  async beginAlone(id: string, now: Date, round: number): Promise<BegunAttempt | null> {
    return this.beginnings.run({ id, now, round });
  }

  private async beginAll(wanted: readonly Wanted[]): Promise<(BegunAttempt | null)[]> {
    const now = new Date(Math.max(...wanted.map((each) => each.now.getTime())));
    const rows = await this.database.read<BegunRow>(this.beginning, [
      wanted.map(({ id }) => id),
      now,
      false,
      wanted.map(({ round }) => round),
    ]);
    const begun = new Map(rows.map((row) => this.toBegun(row)).map((attempt) => [attempt.message.id, attempt]));
    return wanted.map(({ id, round }) => {
      const found = begun.get(id);
      if (found?.message.round !== round) return null;
      // an attempt is one call's alone
      begun.delete(id);
      return found;
    });
  }

  private get beginning(): string {
    return `WITH begun AS (
         UPDATE mail_messages AS t SET state = 'sending', next_attempt_at = NULL
         WHERE t.id = ANY ($1::uuid[]) AND t.state IN ('queued', 'sending', 'retrying')
           AND EXISTS (SELECT FROM unnest($1::uuid[], $4::int[]) AS wanted (id, round)
             WHERE wanted.id = t.id AND coalesce(wanted.round, t.round) = t.round)
           AND NOT EXISTS (SELECT FROM mail_suppressions WHERE address = lower(t.recipient) AND lifted_at IS NULL)
           AND ($3 OR NOT EXISTS (SELECT FROM mail_server_state WHERE paused_since IS NOT NULL)
             AND NOT EXISTS (SELECT FROM mail_messages AS other
               WHERE other.recipient = t.recipient AND other.deferrals > 0 AND other.is_suspect AND other.id <> t.id
                 AND (NOT t.is_suspect OR other.id < t.id)
                 AND NOT (${ANSWERED_SINCE}) AND NOT (${IS_TEST})))
         RETURNING ${this.mapping.selection}
       ), interrupted AS (
         UPDATE mail_attempts SET ended_at = $2, outcome = 'interrupted'
         WHERE message_id = ANY ($1::uuid[]) AND ended_at IS NULL AND message_id IN (SELECT id FROM begun)
       ), attempt AS (
         INSERT INTO mail_attempts (message_id, number, started_at)
         SELECT id, (SELECT count(*) + 1 FROM mail_attempts WHERE message_id = begun.id), $2 FROM begun
         RETURNING message_id, number
       )
       SELECT begun.*, attempt.number AS "attemptNumber" FROM begun JOIN attempt ON attempt.message_id = begun.id`;
  }

  private toBegun(row: BegunRow): BegunAttempt {
    return { message: this.toEntity(row), number: row.attemptNumber };
  }

  /**
   * Puts on record that the server has a message, with the attempt, outside of any transaction, on the disk when this
   * resolves; those at once together. False, and nothing changed, while mail is paused: that has to end in the same transaction.
   */
  async recordSentAlone(sent: BegunAttempt): Promise<boolean> {
    return this.ends.run(sent);
  }

  private async recordAllSent(sent: readonly BegunAttempt[]): Promise<boolean[]> {
    const rows = await this.database.read<{ id: string }>(
      `WITH note AS (
         SELECT * FROM unnest((SELECT $1::uuid[]), (SELECT $2::int[]), (SELECT $3::int[]), (SELECT $4::timestamptz[]), (SELECT $5::text[]))
           AS note (id, number, attempts, sent_at, subject)
       ), noted AS (
         UPDATE mail_messages AS t SET state = 'sent', attempts = note.attempts, sent_at = note.sent_at,
           subject = note.subject, last_error = NULL, next_attempt_at = NULL, held_at = NULL, is_suspect = false,
           cancelled_at = NULL, secrets = NULL
         FROM note
         WHERE t.id = ANY ((SELECT $1::uuid[])::uuid[]) AND t.id = note.id
           AND NOT EXISTS (SELECT FROM mail_server_state WHERE paused_since IS NOT NULL)
         RETURNING t.id
       ), ended AS (
         UPDATE mail_attempts AS attempt SET ended_at = note.sent_at, outcome = 'sent', words = NULL
         FROM note
         WHERE attempt.message_id = ANY ((SELECT $1::uuid[])::uuid[]) AND attempt.message_id = note.id AND attempt.number = note.number
           AND attempt.ended_at IS NULL AND note.id IN (SELECT id FROM noted)
       )
       SELECT id FROM noted`,
      [
        sent.map(({ message }) => message.id),
        sent.map(({ number }) => number),
        sent.map(({ message }) => message.attempts),
        sent.map(({ message }) => message.sentAt),
        sent.map(({ message }) => message.subject),
      ],
    );
    const noted = new Set(rows.map(({ id }) => id));
    return sent.map(({ message }) => noted.has(message.id));
  }
}
