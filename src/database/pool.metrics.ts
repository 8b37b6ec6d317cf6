import { Injectable } from '@nestjs/common';
import type { Pool, PoolClient } from 'pg';
import { type Histogram, Metrics } from '../common/metrics.js';
import { Database } from './database.js';

type Connected = (error: Error | undefined, client: PoolClient | undefined, done: (release?: unknown) => void) => void;

const BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

/** How far the connections of the pool are used, and how long one is waited for. Costs nothing while metrics are off. */
@Injectable()
export class PoolMetrics {
  constructor(database: Database, metrics: Metrics) {
    if (!metrics.isOn) return;
    const { pool } = database;
    metrics.gauge('forecourt_database_connections', 'Connections of this process', ['state'], (gauge) => {
      gauge.set({ state: 'idle' }, pool.idleCount);
      gauge.set({ state: 'used' }, pool.totalCount - pool.idleCount);
    });
    metrics.gauge('forecourt_database_connections_max', 'Connections that this process may have').set(pool.options.max);
    metrics.gauge('forecourt_database_connection_waiters', 'Who waits for a connection now', [], (gauge) => {
      gauge.set(pool.waitingCount);
    });
    const waits = metrics.histogram(
      'forecourt_database_connection_wait_seconds',
      'From asking for a connection to having one, or to being told that there is none',
      BUCKETS_SECONDS,
    );
    timeWaits(pool, waits);
  }
}

/** The pool's own `query`, and TypeORM, ask for their connections by this method as well. */
function timeWaits(pool: Pool, waits: Histogram): void {
  const connect = pool.connect.bind(pool) as (connected: Connected) => void;
  const timed = (connected: Connected): void => {
    const began = performance.now();
    connect((error, client, done) => {
      waits.observe((performance.now() - began) / 1000);
      connected(error, client, done);
    });
  };
  const promised = (): Promise<PoolClient> =>
    new Promise((resolve, reject) => {
      timed((error, client) => {
        if (client === undefined) reject(error ?? new Error('the pool gave no connection'));
        else resolve(client);
      });
    });
  pool.connect = ((connected?: Connected) => {
    if (connected === undefined) return promised();
    timed(connected);
    return undefined;
  }) as Pool['connect'];
}
