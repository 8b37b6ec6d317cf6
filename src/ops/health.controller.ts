import { Controller, Get, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Public } from '../auth/auth.decorators.js';
import { ApiErrors } from '../common/api-errors.js';
import { ServiceUnavailable } from '../common/errors.js';
import { HealthResponse, LiveResponse, ReadyResponse, toHealthResponse, toReadyResponse } from './health.dto.js';
import { HealthService } from './health.service.js';

@ApiTags('Health')
@Controller({ path: 'health', version: VERSION_NEUTRAL })
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get()
  @Public()
  @ApiOperation({
    summary: 'How is everything?',
    description:
      'For people: every dependency, whatever its state, is a 200 with a word for the whole. Without a needed one the process is not ready (`failing`); without another one work waits (`degraded`). Probes ask `/health/live` and `/health/ready`.',
  })
  @ApiOkResponse({ type: HealthResponse })
  @ApiErrors(ServiceUnavailable)
  async summary(): Promise<HealthResponse> {
    return toHealthResponse(await this.health.summarize());
  }

  @Get('live')
  @Public()
  @ApiOperation({
    summary: 'Is the process alive?',
    description: 'Asks nothing of anybody else: a restart would help only when this fails.',
  })
  @ApiOkResponse({ type: LiveResponse })
  live(): LiveResponse {
    return { status: 'ok' };
  }

  @Get('ready')
  @Public()
  @ApiOperation({
    summary: 'Can it do its work?',
    description:
      'The database answers, its schema is up to date, and files can be stored. 503 while it starts and from the moment when it is told to stop. An answer is up to five seconds old.',
  })
  @ApiOkResponse({ type: ReadyResponse })
  @ApiErrors(ServiceUnavailable)
  async ready(): Promise<ReadyResponse> {
    return toReadyResponse(await this.health.checkReadiness());
  }
}
