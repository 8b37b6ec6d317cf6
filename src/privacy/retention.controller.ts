import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/auth.decorators.js';
import { Permission } from '../auth/permissions.js';
import { type Actor, CurrentActor } from '../common/actor.js';
import { RetentionResponse, toRetentionResponse } from './retention.dto.js';
import { RetentionRuns } from './retention-runs.js';

@ApiTags('Privacy')
@Controller({ path: 'admin/privacy/retention', version: '1' })
export class RetentionController {
  constructor(private readonly runs: RetentionRuns) {}

  @Get()
  @Allow(Permission.PrivacyRead)
  @ApiOperation({
    summary: 'How long what is kept, and what goes next',
    description:
      'Each rule with its setting, and just what it would remove at this moment, in numbers and ids. What is about persons on legal hold is not in it, save sessions. On record.',
  })
  @ApiOkResponse({ type: RetentionResponse })
  async previewRetention(@CurrentActor() actor: Actor): Promise<RetentionResponse> {
    return toRetentionResponse(await this.runs.preview(actor));
  }
}
