import { Body, Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { Clock } from '../../common/clock.js';
import { BodyTooLarge, UnprocessableFields, UnsupportedMediaType } from '../../common/errors.js';
import { PageQuery, toPage } from '../../common/pagination.js';
import { RateLimited } from '../../common/rate-limited.js';
import { Accepts } from '../../common/request-body.js';
import { UuidParam } from '../../common/uuid-param.js';
import { Allow } from '../auth.decorators.js';
import {
  ApiKeyEnded,
  ApiKeyNotFound,
  ReauthenticationRequired,
  SignInBusy,
  TooManyApiKeys,
  WrongPassword,
} from '../auth.errors.js';
import { Permission } from '../permissions.js';
import { ApiKeyOwners } from './api-key-owners.js';
import {
  ApiKeyPageResponse,
  CreateApiKeyRequest,
  IssuedApiKeyResponse,
  RotateApiKeyRequest,
  toApiKeyResponse,
  toIssuedApiKeyResponse,
} from './api-keys.dto.js';

@ApiTags('Accounts')
@Controller({ path: 'auth/api-keys', version: '1' })
export class ApiKeysController {
  constructor(
    private readonly owners: ApiKeyOwners,
    private readonly clock: Clock,
  ) {}

  @Post()
  @Allow(Permission.Self)
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({
    summary: 'Make an API key',
    description:
      'For a program that acts in your name. The key is in this answer and never again. At most 20 work at a time. A mail says that it was made.',
  })
  @ApiCreatedResponse({ type: IssuedApiKeyResponse })
  @ApiErrors(
    ReauthenticationRequired,
    WrongPassword,
    TooManyApiKeys,
    BodyTooLarge,
    UnsupportedMediaType,
    UnprocessableFields,
    SignInBusy,
  )
  async createApiKey(@CurrentActor() actor: Actor, @Body() body: CreateApiKeyRequest): Promise<IssuedApiKeyResponse> {
    const { name, scopes, allowed_addresses: allowedAddresses = [] } = body;
    const { expires_in_days: expiresInDays, never_expires: neverExpires, current_password: currentPassword } = body;
    const request = { name, scopes, allowedAddresses, expiresInDays, neverExpires, currentPassword };
    return toIssuedApiKeyResponse(await this.owners.create(actor, request), this.clock.now());
  }

  @Get()
  @Allow(Permission.Self)
  @ApiOperation({ summary: 'My API keys', description: 'Latest first, those that work no more for 90 days.' })
  @ApiOkResponse({ type: ApiKeyPageResponse })
  @ApiErrors(UnprocessableFields)
  async listApiKeys(@CurrentActor() actor: Actor, @Query() query: PageQuery): Promise<ApiKeyPageResponse> {
    const [found, now] = [await this.owners.listOwn(actor, query.page, query.size), this.clock.now()];
    return toPage(found, query, (key) => toApiKeyResponse(key, now));
  }

  @Post(':api_key_id/rotate')
  @HttpCode(200)
  @Allow(Permission.Self)
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({
    summary: 'Give a key another secret',
    description:
      'With the same scopes and addresses, and a lifetime that begins anew. The secret before it works no more, or for `overlap_minutes` beside the new one.',
  })
  @ApiOkResponse({ type: IssuedApiKeyResponse })
  @ApiErrors(
    ReauthenticationRequired,
    WrongPassword,
    ApiKeyNotFound,
    ApiKeyEnded,
    BodyTooLarge,
    UnsupportedMediaType,
    UnprocessableFields,
    SignInBusy,
  )
  async rotateApiKey(
    @CurrentActor() actor: Actor,
    @UuidParam('api_key_id') id: string,
    @Body() body: RotateApiKeyRequest,
  ): Promise<IssuedApiKeyResponse> {
    const { expires_in_days: expiresInDays, never_expires: neverExpires, current_password: currentPassword } = body;
    const request = { overlapMinutes: body.overlap_minutes, expiresInDays, neverExpires, currentPassword };
    return toIssuedApiKeyResponse(await this.owners.rotate(actor, id, request), this.clock.now());
  }

  @Delete(':api_key_id')
  @HttpCode(204)
  @Allow(Permission.Self)
  @ApiOperation({ summary: 'Revoke one of my API keys', description: 'It is refused from now on, for good.' })
  @ApiNoContentResponse({ description: 'It is revoked' })
  @ApiErrors(ApiKeyNotFound, ApiKeyEnded, UnprocessableFields)
  async revokeApiKey(@CurrentActor() actor: Actor, @UuidParam('api_key_id') id: string): Promise<void> {
    await this.owners.revokeOwn(actor, id);
  }
}
