import { Injectable } from '@nestjs/common';
import { Metrics } from '../common/metrics.js';
import { Database } from './database.js';

/** How the replicas are, and how much they take off the primary. */
@Injectable()
export class ReplicaMetrics {
  constructor({ replicas }: Database, metrics: Metrics) {
    if (replicas === undefined) return;
    const reads = metrics.counter(
      'forecourt_replica_reads_total',
      'Reads that a replica might answer, by how that went',
      {
        outcome: ['replica', 'behind', 'failed', 'none'],
      },
    );
    replicas.onRead = (outcome) => {
      reads.inc({ outcome });
    };
    metrics.gauge('forecourt_replica_up', '1 while the replica is read from', ['replica'], (gauge) => {
      for (const { number, isUsable } of replicas.health()) gauge.set({ replica: number }, isUsable ? 1 : 0);
    });
    metrics.gauge(
      'forecourt_replica_lag_seconds',
      'Since the primary was where the replica is',
      ['replica'],
      (gauge) => {
        for (const { number, lagMs } of replicas.health()) gauge.set({ replica: number }, lagMs / 1000);
      },
    );
  }
}
