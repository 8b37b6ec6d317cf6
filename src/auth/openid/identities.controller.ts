import { Body, Controller, Delete, Get, HttpCode, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { BodyTooLarge, UnprocessableFields, UnsupportedMediaType } from '../../common/errors.js';
import { RateLimited } from '../../common/rate-limited.js';
import { Accepts } from '../../common/request-body.js';
import { UuidParam } from '../../common/uuid-param.js';
import { Allow } from '../auth.decorators.js';
import { ReauthenticationRequired, SignInBusy, WrongPassword } from '../auth.errors.js';
import { Permission } from '../permissions.js';
import { BoundBrowser, BrowserLeaves, BrowserRedeems } from './browser-binding.js';
import { IdentitiesService } from './identities.service.js';
import {
  BeginLinkingRequest,
  DepartureResponse,
  IdentitiesResponse,
  IdentityResponse,
  LinkRequest,
  ProviderParam,
  toDepartureResponse,
  toIdentitiesResponse,
  toIdentityResponse,
} from './openid.dto.js';
import {
  IdentityLastWayIn,
  IdentityNotFound,
  IdentityTaken,
  OpenidCodeInvalid,
  OpenidProviderAway,
  OpenidProviderNotFound,
} from './openid.errors.js';
import { OpenidService } from './openid.service.js';

@ApiTags('Accounts')
@Controller({ path: 'auth/identities', version: '1' })
export class IdentitiesController {
  constructor(
    private readonly identities: IdentitiesService,
    private readonly openid: OpenidService,
  ) {}

  @Get()
  @Allow(Permission.Self)
  @ApiOperation({ summary: 'With which providers I can sign in', description: 'Oldest first.' })
  @ApiOkResponse({ type: IdentitiesResponse })
  async listIdentities(@CurrentActor() actor: Actor): Promise<IdentitiesResponse> {
    return toIdentitiesResponse(await this.identities.listOwn(actor));
  }

  @Post()
  @Allow(Permission.Self)
  @BrowserRedeems()
  @Accepts('json')
  @ApiOperation({
    summary: 'Link the identity that I came back with',
    description: 'Once, within two minutes, from the same browser and session that began it.',
  })
  @ApiCreatedResponse({ type: IdentityResponse })
  @ApiErrors(
    OpenidCodeInvalid,
    OpenidProviderNotFound,
    IdentityTaken,
    BodyTooLarge,
    UnsupportedMediaType,
    UnprocessableFields,
  )
  async linkIdentity(
    @CurrentActor() actor: Actor,
    @BoundBrowser() browser: string | undefined,
    @Body() body: LinkRequest,
  ): Promise<IdentityResponse> {
    return toIdentityResponse(await this.identities.link(actor, body.code, browser));
  }

  @Post(':provider')
  @HttpCode(200)
  @Allow(Permission.Self)
  @RateLimited('login')
  @BrowserLeaves()
  @Accepts('json')
  @ApiOperation({
    summary: 'Begin to link an identity to my account',
    description: 'Goes like a sign-in, and comes back with `link_code` for POST /auth/identities.',
  })
  @ApiOkResponse({ type: DepartureResponse })
  @ApiErrors(
    WrongPassword,
    ReauthenticationRequired,
    OpenidProviderNotFound,
    OpenidProviderAway,
    SignInBusy,
    BodyTooLarge,
    UnsupportedMediaType,
    UnprocessableFields,
  )
  async beginLinking(
    @CurrentActor() actor: Actor,
    @ProviderParam() provider: string,
    @BoundBrowser() browser: string | undefined,
    @Body() body: BeginLinkingRequest,
  ): Promise<DepartureResponse> {
    const journey = { provider, browser, returnTo: body.return_to };
    return toDepartureResponse(await this.openid.beginLinking(actor, journey, body.current_password));
  }

  @Delete(':identity_id')
  @HttpCode(204)
  @Allow(Permission.Self)
  @ApiOperation({ summary: 'Unlink an identity', description: 'Not the last one of whoever has no other way in.' })
  @ApiNoContentResponse({ description: 'It is unlinked' })
  @ApiErrors(IdentityNotFound, IdentityLastWayIn, UnprocessableFields)
  async unlinkIdentity(@CurrentActor() actor: Actor, @UuidParam('identity_id') id: string): Promise<void> {
    await this.identities.unlink(actor, id);
  }
}
