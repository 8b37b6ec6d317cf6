import { ApiProperty } from '@nestjs/swagger';
import { PageResponse } from '../common/pagination.js';
import type { BuriedJob, JobsStatus } from '../jobs/job-records.service.js';

export class WorkerResponse {
  @ApiProperty({ example: 'pool-2f9c4c1e7d0a5b8f3e' })
  id!: string;

  @ApiProperty({ format: 'date-time' })
  started_at!: string;

  @ApiProperty({ format: 'date-time' })
  seen_at!: string;
}

export class ScheduledJobResponse {
  @ApiProperty({ example: 'files.sweep' })
  name!: string;

  @ApiProperty({ type: 'integer', example: 60 })
  every_minutes!: number;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'null until a worker has planned it' })
  next_at!: string | null;
}

export class JobsStatusResponse {
  @ApiProperty({ type: 'integer', description: 'Due and not taken yet' })
  waiting!: number;

  @ApiProperty({ type: 'integer', description: 'Not due yet: retries, and what is to run at a later time' })
  later!: number;

  @ApiProperty({ type: 'integer' })
  running!: number;

  @ApiProperty({ type: 'integer', description: 'Failed for good' })
  buried!: number;

  @ApiProperty({ description: 'How long the oldest one that is due has waited; 0 when there is none' })
  oldest_waiting_seconds!: number;

  @ApiProperty({ type: [WorkerResponse], description: 'Processes that run jobs and were seen within half a minute' })
  workers!: WorkerResponse[];

  @ApiProperty({ type: [ScheduledJobResponse] })
  scheduled!: ScheduledJobResponse[];
}

export class BuriedJobResponse {
  @ApiProperty({ type: 'string', example: '42' })
  id!: string;

  @ApiProperty({ example: 'files.scan' })
  name!: string;

  @ApiProperty({ type: 'integer', example: 25 })
  attempts!: number;

  @ApiProperty({ type: String, nullable: true, description: 'Why the last attempt failed' })
  last_error!: string | null;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;

  @ApiProperty({ format: 'date-time', description: 'Of the last attempt' })
  updated_at!: string;
}

export class BuriedJobPageResponse extends PageResponse {
  @ApiProperty({ type: [BuriedJobResponse] })
  items!: BuriedJobResponse[];
}

export function toJobsStatusResponse(status: JobsStatus): JobsStatusResponse {
  return {
    waiting: status.waiting,
    later: status.later,
    running: status.running,
    buried: status.buried,
    oldest_waiting_seconds: status.oldestWaitingSeconds,
    workers: status.workers.map(({ id, startedAt, seenAt }) => ({
      id,
      started_at: startedAt.toISOString(),
      seen_at: seenAt.toISOString(),
    })),
    scheduled: status.scheduled.map(({ name, everyMinutes, nextAt }) => ({
      name,
      every_minutes: everyMinutes,
      next_at: nextAt?.toISOString() ?? null,
    })),
  };
}

export function toBuriedJobResponse(job: BuriedJob): BuriedJobResponse {
  return {
    id: job.id,
    name: job.name,
    attempts: job.attempts,
    last_error: job.lastError,
    created_at: job.createdAt.toISOString(),
    updated_at: job.updatedAt.toISOString(),
  };
}
