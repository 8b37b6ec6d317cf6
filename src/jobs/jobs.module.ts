import { Module } from '@nestjs/common';
import { JobRecordsRepository } from './job-records.repository.js';
import { JobRecordsService } from './job-records.service.js';
import { JobsMetrics } from './jobs.metrics.js';
import { JobsService } from './jobs.service.js';

/**
 * Durable background work. Owns the schema `graphile_worker` and the table `job_workers`; promises that a job commits with its
 * cause, runs at least once, and is taken over within twenty seconds when its process dies. What a job does belongs to the
 * module that defines it.
 */
@Module({
  providers: [JobsService, JobsMetrics, JobRecordsRepository, JobRecordsService],
  exports: [JobsService, JobRecordsService],
})
export class JobsModule {}
