import { Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/auth.decorators.js';
import { Permission } from '../auth/permissions.js';
import { type Actor, CurrentActor } from '../common/actor.js';
import { ApiErrors } from '../common/api-errors.js';
import { UnprocessableFields } from '../common/errors.js';
import { NumberParam } from '../common/number-param.js';
import { PageQuery, toPage } from '../common/pagination.js';
import { JobNotFound } from '../jobs/jobs.errors.js';
import { BuriedJobPageResponse, JobsStatusResponse, toBuriedJobResponse, toJobsStatusResponse } from './jobs.dto.js';
import { JobsAdminService } from './jobs-admin.service.js';

@ApiTags('Operation')
@Controller({ path: 'admin/jobs', version: '1' })
export class JobsController {
  constructor(private readonly jobs: JobsAdminService) {}

  @Get()
  @Allow(Permission.JobsOperate)
  @ApiOperation({
    summary: 'How the background work stands',
    description: 'Jobs that wait, run or failed for good, the processes that run them, and what comes round again.',
  })
  @ApiOkResponse({ type: JobsStatusResponse })
  async getStatus(): Promise<JobsStatusResponse> {
    return toJobsStatusResponse(await this.jobs.status());
  }

  @Get('buried')
  @Allow(Permission.JobsOperate)
  @ApiOperation({ summary: 'Jobs that failed for good, and why', description: 'Latest first.' })
  @ApiOkResponse({ type: BuriedJobPageResponse })
  @ApiErrors(UnprocessableFields)
  async listBuried(@Query() query: PageQuery): Promise<BuriedJobPageResponse> {
    return toPage(await this.jobs.listBuried(query.page, query.size), query, toBuriedJobResponse);
  }

  @Post('buried/:job_id/retry')
  @Allow(Permission.JobsOperate)
  @HttpCode(204)
  @ApiOperation({ summary: 'Run a buried job again', description: 'As if it had never failed.' })
  @ApiNoContentResponse({ description: 'It is going to run' })
  @ApiErrors(JobNotFound, UnprocessableFields)
  async retry(@CurrentActor() actor: Actor, @NumberParam('job_id') id: string): Promise<void> {
    await this.jobs.retry(actor, id);
  }

  @Delete('buried/:job_id')
  @Allow(Permission.JobsOperate)
  @HttpCode(204)
  @ApiOperation({ summary: 'Discard a buried job', description: 'What it was to do is never done.' })
  @ApiNoContentResponse({ description: 'It is gone' })
  @ApiErrors(JobNotFound, UnprocessableFields)
  async discard(@CurrentActor() actor: Actor, @NumberParam('job_id') id: string): Promise<void> {
    await this.jobs.discard(actor, id);
  }
}
