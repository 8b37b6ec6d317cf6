import pg from 'pg';
import type { PoolClient } from 'pg';
import { within } from '../common/within.js';
import { prepared } from './prepared.js';
import { placeOf } from './write-marks.js';

/** What a replica has read, and up to which place in the log it had come before that. */
export interface Answer<Row> {
  readonly rows: Row[];
  readonly replayed: bigint;
}

/** What a replica says of itself. */
export interface ReplicaState {
  readonly isStandby: boolean;
  /** The cluster that it is a copy of. */
  readonly system: string;
  /** That of the primary it follows. It hears of a new one late, at a checkpoint. */
  readonly timeline: number;
  readonly replayed: bigint;
}

const CONNECT_WITHIN_MS = 1_000;
/** Whoever waits longer had better asked the primary. */
const ANSWER_WITHIN_MS = 2_000;

/** A PostgreSQL that follows the primary and can be read. */
export class Replica {
  private readonly pool: pg.Pool;

  constructor(url: string, most: number, onLost: (error: Error) => void) {
    this.pool = new pg.Pool({
      connectionString: url,
      application_name: 'forecourt',
      max: most,
      connectionTimeoutMillis: CONNECT_WITHIN_MS,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      // both statements of a question are on their way at once
      pipeline: true,
      statement_timeout: ANSWER_WITHIN_MS,
    });
    this.pool.on('error', onLost);
    // of one that is lent, whose statement fails as well
    this.pool.on('connect', (client) => {
      client.on('error', () => undefined);
    });
  }

  /** Rejects when it is away or slow. The text must be constant. */
  async read<Row>(text: string, values: readonly unknown[]): Promise<Answer<Row>> {
    return this.using(async (client) => {
      // The place is asked for first: a statement sees what was replayed when it began, and would learn of a later place at its end.
      const [place, { rows }] = await Promise.all([
        client.query<{ replayed: string | null }>(prepared(REPLAYED, [])),
        client.query(prepared(text, values)),
      ]);
      const replayed = place.rows[0]?.replayed;
      if (typeof replayed !== 'string') throw new Error('it is no standby');
      return { rows: rows as Row[], replayed: placeOf(replayed) };
    });
  }

  /** Rejects when it is away or slow. */
  async state(): Promise<ReplicaState> {
    return this.using(async (client) => {
      const { rows } = await client.query<{
        is_standby: boolean;
        system: string;
        timeline: number;
        replayed: string | null;
      }>(
        `SELECT pg_is_in_recovery() AS is_standby, pg_last_wal_replay_lsn()::text AS replayed,
           (SELECT system_identifier FROM pg_control_system())::text AS system,
           (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline`,
      );
      const [row] = rows;
      return {
        isStandby: row?.is_standby === true,
        system: row?.system ?? '',
        timeline: row?.timeline ?? 0,
        replayed: placeOf(row?.replayed ?? '0/0'),
      };
    });
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  /** A connection that failed or was too slow is not used again. */
  private async using<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    let isFine = false;
    try {
      const result = await within(ANSWER_WITHIN_MS, work(client));
      isFine = true;
      return result;
    } finally {
      client.release(!isFine);
    }
  }
}

const REPLAYED = 'SELECT pg_last_wal_replay_lsn()::text AS replayed';
