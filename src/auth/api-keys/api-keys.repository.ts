import { Injectable } from '@nestjs/common';
import type { Rows } from '../../common/pagination.js';
import { BaseRepository } from '../../database/base.repository.js';
import { Database } from '../../database/database.js';
import { rowsIn, type Tx } from '../../database/transactions.js';
import { ApiKey, type RevokeReason } from './api-key.entity.js';

@Injectable()
export class ApiKeysRepository extends BaseRepository<ApiKey> {
  constructor(database: Database) {
    super(database, ApiKey);
  }

  async findByPublicId(publicId: string): Promise<ApiKey | null> {
    return this.findOne('t.public_id = $1', [publicId]);
  }

  /** Latest first; of everybody when no user is named. */
  async listPage(userId: string | undefined, page: number, size: number): Promise<Rows<ApiKey>> {
    return this.findPage({ where: { user_id: userId }, orderBy: 't.created_at DESC, t.id', page, size });
  }

  /** How many keys of somebody work. */
  async countLive(tx: Tx, userId: string, now: Date): Promise<number> {
    const [row] = await rowsIn<{ live: number }>(
      tx,
      `SELECT count(*)::int AS live FROM api_keys
       WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)`,
      [userId, now],
    );
    return row?.live ?? 0;
  }

  /** Revokes whatever somebody has. Returns their public ids. */
  async revokeAllOf(tx: Tx, userId: string, reason: RevokeReason, now: Date): Promise<string[]> {
    const revoked = await rowsIn<{ id: string }>(
      tx,
      `UPDATE api_keys SET revoked_at = $2, revoke_reason = $3 WHERE user_id = $1 AND revoked_at IS NULL
       RETURNING public_id AS id`,
      [userId, now, reason],
    );
    return revoked.map(({ id }) => id);
  }

  /** Notes a use unless a later one, or one after this time, is noted already. */
  async noteUse(
    id: string,
    use: { readonly at: Date; readonly ip: string; readonly unlessAfter: Date },
  ): Promise<void> {
    await this.database.read(
      `UPDATE api_keys SET last_used_at = $2, last_used_ip = $3 WHERE id = $1 AND coalesce(last_used_at < $4, true)`,
      [id, use.at, use.ip, use.unlessAfter],
    );
  }

  /** Keys that work and whose end is near, whose owners were not told, locked; those that never lived longer are left out. */
  async lockExpiring(tx: Tx, now: Date, before: Date, most: number): Promise<ApiKey[]> {
    return this.listIn(
      tx,
      `t.revoked_at IS NULL AND t.expiry_told_at IS NULL AND t.expires_at > $1 AND t.expires_at <= $2
         AND coalesce(t.rotated_at, t.created_at) < t.expires_at - ($2::timestamptz - $1::timestamptz)
       ORDER BY t.id LIMIT $3 FOR UPDATE SKIP LOCKED`,
      [now, before, most],
    );
  }

  /** Removes keys that were over before this time; at most `most` of them. Returns how many. */
  async removeOverBefore(before: Date, most: number): Promise<number> {
    const removed = await this.database.read(
      `DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys WHERE least(revoked_at, expires_at) < $1 LIMIT $2) RETURNING 1`,
      [before, most],
    );
    return removed.length;
  }
}
