import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { rowsIn, type Tx } from '../../database/transactions.js';

/** What is kept of a refresh token. */
export interface RefreshTokenRow {
  readonly hash: Buffer;
  readonly sessionId: string;
  readonly expiresAt: Date;
  /** Null while it is good. */
  readonly usedAt: Date | null;
  /** What its successor was made with; null while it is good. */
  readonly salt: Buffer | null;
}

const SELECTION = `hash, session_id AS "sessionId", expires_at AS "expiresAt", used_at AS "usedAt", salt`;

@Injectable()
export class RefreshTokensRepository {
  constructor(private readonly database: Database) {}

  async find(tx: Tx, hash: Buffer): Promise<RefreshTokenRow | undefined> {
    const [row] = await rowsIn<RefreshTokenRow>(tx, `SELECT ${SELECTION} FROM refresh_tokens WHERE hash = $1`, [hash]);
    return row;
  }

  async insert(
    tx: Tx,
    token: { readonly hash: Buffer; readonly sessionId: string; readonly issuedAt: Date; readonly expiresAt: Date },
  ): Promise<void> {
    await rowsIn(tx, `INSERT INTO refresh_tokens (hash, session_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)`, [
      token.hash,
      token.sessionId,
      token.issuedAt,
      token.expiresAt,
    ]);
  }

  async markUsed(tx: Tx, hash: Buffer, replacedBy: Buffer, salt: Buffer, now: Date): Promise<void> {
    await rowsIn(tx, `UPDATE refresh_tokens SET used_at = $2, replaced_by = $3, salt = $4 WHERE hash = $1`, [
      hash,
      now,
      replacedBy,
      salt,
    ]);
  }

  /** Forgets tokens that were used before this time; at most `most` of them. Returns how many. */
  async removeUsedBefore(before: Date, most: number): Promise<number> {
    const removed = await this.database.read(
      `DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens WHERE used_at < $1 LIMIT $2) RETURNING 1`,
      [before, most],
    );
    return removed.length;
  }
}
