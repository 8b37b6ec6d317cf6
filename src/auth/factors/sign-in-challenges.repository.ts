import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { rowsIn, type Tx } from '../../database/transactions.js';
import type { Transport } from '../sessions/session.entity.js';

/** A sign-in whose first step is done. */
export interface SignInChallengeRow {
  /** SHA-256 of its token. */
  readonly hash: Buffer;
  readonly userId: string;
  /** The user's `sessionEpoch` then: whatever ends all sessions ends this as well. */
  readonly epoch: number;
  /** How the first step was proved. */
  readonly method: string;
  readonly transport: Transport;
  readonly userAgent: string;
  readonly expiresAt: Date;
}

/** Wrong codes that one challenge bears. */
const MOST_ATTEMPTS = 5;
const SELECTION = `hash, user_id AS "userId", epoch, method, transport, user_agent AS "userAgent", expires_at AS "expiresAt"`;

@Injectable()
export class SignInChallengesRepository {
  constructor(private readonly database: Database) {}

  async insert(tx: Tx, row: SignInChallengeRow): Promise<void> {
    await rowsIn(
      tx,
      `INSERT INTO sign_in_challenges (hash, user_id, epoch, method, transport, user_agent, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [row.hash, row.userId, row.epoch, row.method, row.transport, row.userAgent, row.expiresAt],
    );
  }

  /** One that may still be answered, not counted as an attempt. */
  async find(hash: Buffer, now: Date): Promise<SignInChallengeRow | null> {
    const [row] = await this.database.read<SignInChallengeRow>(
      `SELECT ${SELECTION} FROM sign_in_challenges WHERE hash = $1 AND expires_at > $2 AND attempts < ${MOST_ATTEMPTS}`,
      [hash, now],
    );
    return row ?? null;
  }

  /** Counts an attempt before it is looked at, so that many at once get no more than one after the other. */
  async attempt(hash: Buffer, now: Date): Promise<SignInChallengeRow | null> {
    const [row] = await this.database.read<SignInChallengeRow>(
      `UPDATE sign_in_challenges SET attempts = attempts + 1
       WHERE hash = $1 AND expires_at > $2 AND attempts < ${MOST_ATTEMPTS} RETURNING ${SELECTION}`,
      [hash, now],
    );
    return row ?? null;
  }

  /** Ends one that was answered; false when somebody else did meanwhile. */
  async remove(tx: Tx, hash: Buffer): Promise<boolean> {
    const removed = await rowsIn(tx, `DELETE FROM sign_in_challenges WHERE hash = $1 RETURNING hash`, [hash]);
    return removed.length > 0;
  }

  async removeExpired(now: Date): Promise<void> {
    await this.database.read(`DELETE FROM sign_in_challenges WHERE expires_at < $1`, [now]);
  }
}
