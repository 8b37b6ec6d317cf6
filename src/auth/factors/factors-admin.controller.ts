import { Controller, Delete, HttpCode } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { UnprocessableFields } from '../../common/errors.js';
import { UuidParam } from '../../common/uuid-param.js';
import { UserNotFound } from '../../users/users.errors.js';
import { Allow } from '../auth.decorators.js';
import { Permission } from '../permissions.js';
import { FactorResets } from './factor-resets.js';

@ApiTags('Users')
@Controller({ path: 'admin/users', version: '1' })
export class FactorsAdminController {
  constructor(private readonly resets: FactorResets) {}

  @Delete(':user_id/factors')
  @Allow(Permission.UsersChange)
  @HttpCode(204)
  @ApiOperation({
    summary: 'Reset somebody’s second factors',
    description:
      'For whoever has lost them: removes all factors and recovery codes, and ends all sessions. Those of admins and superadmins are for superadmins alone. A mail tells the owner.',
  })
  @ApiNoContentResponse({ description: 'The password alone signs in' })
  @ApiErrors(UserNotFound, UnprocessableFields)
  async resetFactors(@CurrentActor() actor: Actor, @UuidParam('user_id') id: string): Promise<void> {
    await this.resets.reset(actor, id);
  }
}
