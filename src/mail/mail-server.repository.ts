import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { rowsIn, type Tx } from '../database/transactions.js';

/** What all processes know of the mail server. */
export interface MailServerState {
  pausedSince: Date | null;
  /** How often in a row it was tried in vain. */
  failures: number;
  /** When it is tried next; null while that is under way, and when nothing is paused. */
  nextProbeAt: Date | null;
  /** Each planned probe has a number of its own; one that is not the latest does nothing. */
  round: number;
  /** The only recipient so far whose mail met with this outage. */
  suspect: string | null;
  lastError: string | null;
}

const SELECTION = `SELECT paused_since AS "pausedSince", failures, next_probe_at AS "nextProbeAt", round,
  suspect, last_error AS "lastError" FROM mail_server_state`;

@Injectable()
export class MailServerRepository {
  constructor(private readonly database: Database) {}

  /** As it is now, for whoever only looks. */
  async read(): Promise<MailServerState> {
    const [state] = await this.database.read<MailServerState>(SELECTION);
    if (state === undefined) throw new Error('the state of the mail server is missing');
    return state;
  }

  /** Locked until the transaction ends. Lock it before any message: everybody takes them in this order. */
  async lock(tx: Tx): Promise<MailServerState> {
    const [state] = await rowsIn<MailServerState>(tx, `${SELECTION} FOR UPDATE`, []);
    if (state === undefined) throw new Error('the state of the mail server is missing');
    return state;
  }

  /** As {@link lock} while mail is paused; otherwise null, and nothing is locked. */
  async lockIfPaused(tx: Tx): Promise<MailServerState | null> {
    const [state] = await rowsIn<MailServerState>(tx, `${SELECTION} WHERE paused_since IS NOT NULL FOR UPDATE`, []);
    return state ?? null;
  }

  async save(tx: Tx, state: MailServerState): Promise<void> {
    await rowsIn(
      tx,
      `UPDATE mail_server_state SET paused_since = $1, failures = $2, next_probe_at = $3, round = $4, suspect = $5,
         last_error = $6`,
      [state.pausedSince, state.failures, state.nextProbeAt, state.round, state.suspect, state.lastError],
    );
  }
}
