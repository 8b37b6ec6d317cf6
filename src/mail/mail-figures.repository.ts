import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import type { AttemptOutcome } from './mail-attempts.repository.js';

/** How attempts ended since a time, and how long what was sent since then had waited. */
export interface MailOutcomes {
  readonly outcomes: Readonly<Record<AttemptOutcome, number>>;
  /** From being owed to the mail server's yes; null when nothing was sent. */
  readonly delaySeconds: { readonly median: number; readonly p95: number } | null;
  /** Of the last attempt that did not end well. */
  readonly lastFailure: { readonly at: Date; readonly words: string | null } | null;
}

/** Messages that are not sent, by what became of them. */
export interface MailDepth {
  readonly queued: number;
  readonly sending: number;
  readonly retrying: number;
  readonly failed: number;
  readonly suppressed: number;
  readonly cancelled: number;
  /** Of those that wait, how many wait for the mail server to come back. */
  readonly held: number;
  /** When the longest of those that wait was first owed; null when none does. */
  readonly oldestSince: Date | null;
}

/** What is owed and not sent. */
export interface MailWaiting {
  readonly due: number;
  /** Until the mail server comes back. */
  readonly held: number;
  /** How long the oldest of all has waited; 0 when there is none. */
  readonly oldestSeconds: number;
  readonly isPaused: boolean;
}

interface OutcomesRow extends Readonly<Record<AttemptOutcome, number>> {
  readonly median: number | null;
  readonly p95: number | null;
  readonly failedAt: Date | null;
  readonly failedWords: string | null;
}

/** Counts, for status and metrics. */
@Injectable()
export class MailFiguresRepository {
  constructor(private readonly database: Database) {}

  /** Reads no more than what ended since then: the two halves of the union have an index each. */
  async outcomesSince(since: Date): Promise<MailOutcomes> {
    const [row] = await this.database.read<OutcomesRow>(
      `WITH ended AS MATERIALIZED (
         SELECT outcome, ended_at, words FROM mail_attempts
         WHERE ended_at > $1 AND outcome IN ('sent', 'refused', 'postponed')
         UNION ALL
         SELECT outcome, ended_at, words FROM mail_attempts WHERE ended_at > $1 AND outcome IN ('outage', 'interrupted')
       ), counted AS (
         SELECT count(*) FILTER (WHERE outcome = 'sent')::int AS sent,
           count(*) FILTER (WHERE outcome = 'refused')::int AS refused,
           count(*) FILTER (WHERE outcome = 'postponed')::int AS postponed,
           count(*) FILTER (WHERE outcome = 'outage')::int AS outage,
           count(*) FILTER (WHERE outcome = 'interrupted')::int AS interrupted
         FROM ended
       ), delayed AS (
         SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
           ORDER BY extract(epoch FROM sent_at - coalesce(requeued_at, created_at))::float8) AS delays
         FROM mail_messages WHERE sent_at > $1
       )
       SELECT counted.*, delays[1] AS median, delays[2] AS p95, failure.ended_at AS "failedAt", failure.words AS "failedWords"
       FROM counted CROSS JOIN delayed LEFT JOIN LATERAL (
         SELECT ended_at, words FROM ended WHERE outcome <> 'sent' ORDER BY ended_at DESC LIMIT 1) AS failure ON true`,
      [since],
    );
    if (row === undefined) throw new Error('a count had no row');
    const { sent, refused, postponed, outage, interrupted, median, p95, failedAt, failedWords } = row;
    return {
      outcomes: { sent, refused, postponed, outage, interrupted },
      delaySeconds: median === null || p95 === null ? null : { median, p95 },
      lastFailure: failedAt === null ? null : { at: failedAt, words: failedWords },
    };
  }

  /** Counts at most so many messages. */
  async waiting(mostRows: number): Promise<MailWaiting> {
    const [row] = await this.database.read<MailWaiting>(
      `SELECT count(*) FILTER (WHERE held_at IS NULL)::int AS due, count(*) FILTER (WHERE held_at IS NOT NULL)::int AS held,
         coalesce(extract(epoch FROM now() - min(coalesce(requeued_at, created_at))), 0)::float8 AS "oldestSeconds",
         (SELECT paused_since IS NOT NULL FROM mail_server_state) AS "isPaused"
       FROM (SELECT held_at, requeued_at, created_at FROM mail_messages
         WHERE state IN ('queued', 'sending', 'retrying') ORDER BY state, created_at, id LIMIT $1) AS waiting`,
      [mostRows],
    );
    if (row === undefined) throw new Error('a count had no row');
    return row;
  }

  async depth(): Promise<MailDepth> {
    const [row] = await this.database.read<MailDepth>(
      `SELECT count(*) FILTER (WHERE state = 'queued')::int AS queued,
         count(*) FILTER (WHERE state = 'sending')::int AS sending,
         count(*) FILTER (WHERE state = 'retrying')::int AS retrying,
         count(*) FILTER (WHERE state = 'failed')::int AS failed,
         count(*) FILTER (WHERE state = 'suppressed')::int AS suppressed,
         count(*) FILTER (WHERE state = 'cancelled')::int AS cancelled,
         count(*) FILTER (WHERE held_at IS NOT NULL)::int AS held,
         min(coalesce(requeued_at, created_at)) FILTER (WHERE state IN ('queued', 'sending', 'retrying')) AS "oldestSince"
       FROM mail_messages WHERE state IN ('queued', 'sending', 'retrying', 'failed', 'suppressed', 'cancelled')`,
    );
    if (row === undefined) throw new Error('a count had no row');
    return row;
  }
}
