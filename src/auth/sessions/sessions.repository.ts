import { Injectable } from '@nestjs/common';
import type { Rows } from '../../common/pagination.js';
import { BaseRepository } from '../../database/base.repository.js';
import { Database } from '../../database/database.js';
import { rowsIn, type Tx } from '../../database/transactions.js';
import type { DueRows } from '../../persons/retention.service.js';
import { type EndReason, Session } from './session.entity.js';

@Injectable()
export class SessionsRepository extends BaseRepository<Session> {
  constructor(database: Database) {
    super(database, Session);
  }

  /** The session that a refresh token belongs to, locked: its tokens are used one at a time. */
  async lockByTokenHash(tx: Tx, hash: Buffer): Promise<Session | null> {
    return this.findOneIn(tx, 't.id = (SELECT session_id FROM refresh_tokens WHERE hash = $1) FOR UPDATE', [hash]);
  }

  /** Sessions of somebody that may still be used: latest first. `usedAfter`: what was not used since is over as well. */
  async listLive(
    user: { readonly id: string; readonly epoch: number },
    times: { readonly now: Date; readonly usedAfter: Date },
    page: number,
    size: number,
  ): Promise<Rows<Session>> {
    return this.findPage({
      where: { user_id: user.id, epoch: user.epoch },
      conditions: [
        { text: 't.ended_at IS NULL AND t.expires_at > ?', value: times.now },
        { text: 't.last_used_at > ?', value: times.usedAfter },
      ],
      orderBy: 't.last_used_at DESC, t.id',
      page,
      size,
    });
  }

  /** Ends whatever somebody has open. Returns the ids. */
  async endAllOf(tx: Tx, userId: string, reason: EndReason, now: Date): Promise<string[]> {
    const ended = await rowsIn<{ id: string }>(
      tx,
      `UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE user_id = $1 AND ended_at IS NULL RETURNING id`,
      [userId, now, reason],
    );
    return ended.map(({ id }) => id);
  }

  /** Ends whatever else somebody has open. Returns the ids. */
  async endOthersOf(tx: Tx, userId: string, keptId: string | null, reason: EndReason, now: Date): Promise<string[]> {
    const ended = await rowsIn<{ id: string }>(
      tx,
      `UPDATE sessions SET ended_at = $3, end_reason = $4
       WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND ended_at IS NULL RETURNING id`,
      [userId, keptId, now, reason],
    );
    return ended.map(({ id }) => id);
  }

  /** Notes another proof; nothing happens when it was noted before. */
  async addMethod(tx: Tx, id: string, method: string): Promise<void> {
    await rowsIn(
      tx,
      `UPDATE sessions SET methods = array_append(methods, $2::varchar) WHERE id = $1 AND NOT $2::varchar = ANY(methods)`,
      [id, method],
    );
  }

  /** Sessions that were over before this time. */
  async findOverBefore(before: Date, most: number): Promise<DueRows> {
    const [row] = await this.database.read<{ count: number; oldest: Date | null; ids: string[] | null }>(
      `WITH due AS MATERIALIZED (SELECT id, least(ended_at, expires_at) AS over_at FROM sessions WHERE least(ended_at, expires_at) < $1)
       SELECT (SELECT count(*)::int FROM due) AS count, (SELECT min(over_at) FROM due) AS oldest,
         (SELECT array_agg(id) FROM (SELECT id FROM due ORDER BY over_at, id LIMIT $2) AS oldest) AS ids`,
      [before, most],
    );
    return { count: row?.count ?? 0, oldest: row?.oldest ?? null, ids: row?.ids ?? [] };
  }

  /** Removes sessions that were over before this time, with their tokens; at most `most` of them. Returns how many. */
  async removeOverBefore(before: Date, most: number): Promise<number> {
    const removed = await this.database.read(
      `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE least(ended_at, expires_at) < $1 LIMIT $2) RETURNING 1`,
      [before, most],
    );
    return removed.length;
  }
}
