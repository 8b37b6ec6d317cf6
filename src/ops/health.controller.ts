import { Controller, Get, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Public } from '../auth/auth.decorators.js';
import { ApiErrors } from '../common/api-errors.js';
import { ServiceUnavailable } from '../common/errors.js';
import { type CheckName, type CheckResult, HealthService } from './health.service.js';

class LiveResponse {
  @ApiProperty({ example: 'ok' })
  status!: 'ok';
}

class ReadyResponse extends LiveResponse {
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { database: 'ok', migrations: 'ok', storage: 'ok' },
  })
  checks!: Record<CheckName, CheckResult>;
}

@ApiTags('Health')
@Controller({ path: 'health', version: VERSION_NEUTRAL })
export class HealthController {
  constructor(private readonly health: HealthService) {}

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
    description: 'The database answers, its schema is up to date, and files can be stored.',
  })
  @ApiOkResponse({ type: ReadyResponse })
  @ApiErrors(ServiceUnavailable)
  async ready(): Promise<ReadyResponse> {
    return { status: 'ok', checks: await this.health.checkReadiness() };
  }
}
