import { Controller, Delete, Get, HttpCode, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { Clock } from '../../common/clock.js';
import { UnprocessableFields } from '../../common/errors.js';
import { toPage } from '../../common/pagination.js';
import { UuidParam } from '../../common/uuid-param.js';
import { UserNotFound } from '../../users/users.errors.js';
import { Allow } from '../auth.decorators.js';
import { ApiKeyEnded, ApiKeyNotFound } from '../auth.errors.js';
import { Permission } from '../permissions.js';
import { ApiKeyOwners } from './api-key-owners.js';
import { ApiKeyQuery, toUserApiKeyResponse, UserApiKeyPageResponse } from './api-keys.dto.js';
import { ApiKeysService } from './api-keys.service.js';

@ApiTags('Users')
@Controller({ path: 'admin/api-keys', version: '1' })
export class ApiKeysAdminController {
  constructor(
    private readonly keys: ApiKeysService,
    private readonly owners: ApiKeyOwners,
    private readonly clock: Clock,
  ) {}

  @Get()
  @Allow(Permission.ApiKeysRead)
  @ApiOperation({ summary: 'List API keys', description: 'Of everybody, or of one user; latest first.' })
  @ApiOkResponse({ type: UserApiKeyPageResponse })
  @ApiErrors(UserNotFound, UnprocessableFields)
  async listAllApiKeys(@Query() { user_id: userId, ...query }: ApiKeyQuery): Promise<UserApiKeyPageResponse> {
    const [found, now] = [await this.keys.list(userId, query.page, query.size), this.clock.now()];
    return toPage(found, query, (key) => toUserApiKeyResponse(key, now));
  }

  @Delete(':api_key_id')
  @HttpCode(204)
  @Allow(Permission.ApiKeysRevoke)
  @ApiOperation({
    summary: 'Revoke anybody’s API key',
    description: 'It is refused from now on, for good. Those of admins and superadmins only by a superadmin.',
  })
  @ApiNoContentResponse({ description: 'It is revoked' })
  @ApiErrors(ApiKeyNotFound, ApiKeyEnded, UnprocessableFields)
  async revokeAnyApiKey(@CurrentActor() actor: Actor, @UuidParam('api_key_id') id: string): Promise<void> {
    await this.owners.revoke(actor, id);
  }
}
