import { Injectable } from '@nestjs/common';
import { type Histogram, Metrics } from '../common/metrics.js';

const BUCKETS_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800];

/** What the jobs of this process come to. */
@Injectable()
export class JobsMetrics {
  private readonly runs: Histogram<'job' | 'outcome'>;

  constructor(metrics: Metrics) {
    this.runs = metrics.histogram(
      'forecourt_job_duration_seconds',
      'Runs of jobs, by how they ended; one that failed is tried again',
      BUCKETS_SECONDS,
      { names: ['job', 'outcome'] },
    );
  }

  /** Runs it, and passes on what it throws. */
  async watch(job: string, run: () => Promise<void>): Promise<void> {
    const began = performance.now();
    let outcome = 'failed';
    try {
      await run();
      outcome = 'done';
    } finally {
      this.runs.observe({ job, outcome }, (performance.now() - began) / 1000);
    }
  }
}
