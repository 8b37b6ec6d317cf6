import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { rowsIn, type Tx } from '../../database/transactions.js';
import type { LockState } from './sign-in-lock-rules.js';

/** Where the failures from all sources together are counted. */
const ALL_SOURCES = Buffer.alloc(0);
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** Keyed hashes of the account and of where somebody signs in from. */
export interface SignInPlace {
  readonly account: Buffer;
  readonly source: Buffer;
  /** Null when nobody has the name. */
  readonly userId: string | null;
}

interface LockRow extends LockState {
  readonly isOfAll: boolean;
  readonly toldAt: Date | null;
}

export interface Locks {
  readonly here: LockRow | undefined;
  readonly everywhere: LockRow | undefined;
}

@Injectable()
export class SignInLocksRepository {
  constructor(private readonly database: Database) {}

  /** What is remembered, locked until the transaction ends, and whether the account was used from here since then. */
  async lock(
    tx: Tx,
    { account, source, userId }: SignInPlace,
    knownSince: Date,
  ): Promise<Locks & { isKnown: boolean }> {
    const rows = await rowsIn<LockRow>(
      tx,
      `SELECT length(source) = 0 AS "isOfAll", failed_at AS "failedAt", locked_until AS "lockedUntil", locks, told_at AS "toldAt"
       FROM sign_in_locks WHERE account = $1 AND source IN ($2, $3) ORDER BY source FOR UPDATE`,
      [account, source, ALL_SOURCES],
    );
    const known = await rowsIn(
      tx,
      `SELECT FROM known_sources WHERE user_id = $1 AND source = $2 AND last_used_at >= $3`,
      [userId ?? NOBODY, source, knownSince],
    );
    return {
      here: rows.find(({ isOfAll }) => !isOfAll),
      everywhere: rows.find(({ isOfAll }) => isOfAll),
      isKnown: known.length > 0,
    };
  }

  /** Makes sure that there is something to lock, in the order in which it is locked. */
  async prepare(tx: Tx, { account, source }: SignInPlace, now: Date): Promise<void> {
    await rowsIn(
      tx,
      `INSERT INTO sign_in_locks (account, source, changed_at) VALUES ($1, $3, $4), ($1, $2, $4) ON CONFLICT DO NOTHING`,
      [account, source, ALL_SOURCES, now],
    );
  }

  async write(
    tx: Tx,
    { account, source }: SignInPlace,
    which: keyof Locks,
    state: LockState,
    now: Date,
  ): Promise<void> {
    await rowsIn(
      tx,
      `UPDATE sign_in_locks SET failed_at = $3, locked_until = $4, locks = $5, changed_at = $6 WHERE account = $1 AND source = $2`,
      [account, which === 'here' ? source : ALL_SOURCES, state.failedAt, state.lockedUntil, state.locks, now],
    );
  }

  async noteTold(tx: Tx, { account }: SignInPlace, now: Date): Promise<void> {
    await rowsIn(tx, `UPDATE sign_in_locks SET told_at = $3 WHERE account = $1 AND source = $2`, [
      account,
      ALL_SOURCES,
      now,
    ]);
  }

  /** Forgets the failures from here. */
  async clear(tx: Tx, { account, source }: SignInPlace): Promise<void> {
    await rowsIn(tx, `DELETE FROM sign_in_locks WHERE account = $1 AND source = $2`, [account, source]);
  }

  /** Writes at most once a day. */
  async noteKnown(tx: Tx, { source, userId }: SignInPlace, now: Date): Promise<void> {
    await rowsIn(
      tx,
      `INSERT INTO known_sources AS known (user_id, source, last_used_at) VALUES ($1, $2, $3::timestamptz)
       ON CONFLICT ON CONSTRAINT pk_known_sources DO UPDATE SET last_used_at = excluded.last_used_at
       WHERE known.last_used_at < excluded.last_used_at - interval '1 day'`,
      [userId, source, now],
    );
  }

  /** Whether anything was locked. */
  async unlock(tx: Tx, account: Buffer, now: Date): Promise<boolean> {
    const rows = await rowsIn<{ locked_until: Date | null }>(
      tx,
      `DELETE FROM sign_in_locks WHERE account = $1 RETURNING locked_until`,
      [account],
    );
    return rows.some(({ locked_until: until }) => until !== null && until > now);
  }

  /** The latest end of any lock of each of these accounts, as base64. */
  async findLocked(accounts: readonly Buffer[], now: Date): Promise<Map<string, Date>> {
    const rows = await this.database.read<{ account: string; until: Date }>(
      `SELECT encode(account, 'base64') AS account, max(locked_until) AS until FROM sign_in_locks
       WHERE account = ANY($1) AND locked_until > $2 GROUP BY account`,
      [accounts, now],
    );
    return new Map(rows.map(({ account, until }) => [account, until]));
  }

  /** Removes what plays no part any more. */
  async sweep(locksBefore: Date, sourcesBefore: Date): Promise<void> {
    await this.database.read(`DELETE FROM sign_in_locks WHERE changed_at < $1`, [locksBefore]);
    await this.database.read(`DELETE FROM known_sources WHERE last_used_at < $1`, [sourcesBefore]);
  }
}
