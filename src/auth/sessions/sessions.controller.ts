import { Body, Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor, sessionOf } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { BodyTooLarge, ServiceUnavailable, UnprocessableFields, UnsupportedMediaType } from '../../common/errors.js';
import { PageQuery, toPage } from '../../common/pagination.js';
import { Accepts } from '../../common/request-body.js';
import { UuidParam } from '../../common/uuid-param.js';
import { Allow, BeforeSecondFactor, Public } from '../auth.decorators.js';
import { TokenResponse } from '../auth.dto.js';
import { InvalidRefreshToken, SessionNotFound } from '../auth.errors.js';
import { AuthService } from '../auth.service.js';
import { Permission } from '../permissions.js';
import { type Client, CurrentClient } from './client.js';
import { ClearsRefreshCookie, ExchangesRefreshCookie } from './refresh-cookie.js';
import { RefreshRequest, SessionPageResponse, toSessionResponse } from './sessions.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('Accounts')
@Controller({ path: 'auth', version: '1' })
export class SessionsController {
  constructor(
    private readonly auth: AuthService,
    private readonly sessions: SessionsService,
  ) {}

  @Post('refresh')
  @HttpCode(200)
  @Public()
  @ExchangesRefreshCookie()
  @Accepts('json', 'form')
  @ApiOperation({
    summary: 'Exchange a refresh token for new tokens',
    description:
      'Each refresh token is good once; its successor is in the answer, or in the cookie if it came in one. One that comes again ends its session, save within ten seconds from the same device, which gets the same successor. With the cookie the request must come from a page of this application or of CORS_ORIGINS.',
  })
  @ApiOkResponse({ type: TokenResponse })
  @ApiErrors(InvalidRefreshToken, BodyTooLarge, UnsupportedMediaType, UnprocessableFields, ServiceUnavailable)
  refresh(
    @CurrentActor() actor: Actor,
    @CurrentClient() client: Client,
    @Body() body: RefreshRequest,
  ): Promise<TokenResponse> {
    return this.auth.refresh(actor, client, body.refresh_token);
  }

  @Post('logout')
  @HttpCode(204)
  @Allow(Permission.Self)
  @BeforeSecondFactor()
  @ClearsRefreshCookie()
  @ApiOperation({ summary: 'Sign out', description: 'Ends this session: its tokens are refused from now on.' })
  @ApiNoContentResponse({ description: 'Signed out' })
  @ApiErrors(SessionNotFound)
  async logout(@CurrentActor() actor: Actor): Promise<void> {
    await this.sessions.signOut(actor);
  }

  @Post('logout-everywhere')
  @HttpCode(204)
  @Allow(Permission.Self)
  @BeforeSecondFactor()
  @ClearsRefreshCookie()
  @ApiOperation({ summary: 'Sign out everywhere', description: 'Ends all sessions of the caller, this one included.' })
  @ApiNoContentResponse({ description: 'Signed out' })
  async logoutEverywhere(@CurrentActor() actor: Actor): Promise<void> {
    await this.sessions.signOutEverywhere(actor);
  }

  @Get('sessions')
  @Allow(Permission.Self)
  @ApiOperation({ summary: 'Where I am signed in', description: 'Sessions that go on, the latest used first.' })
  @ApiOkResponse({ type: SessionPageResponse })
  @ApiErrors(UnprocessableFields)
  async listSessions(@CurrentActor() actor: Actor, @Query() query: PageQuery): Promise<SessionPageResponse> {
    const found = await this.sessions.listOwn(actor, query.page, query.size);
    return toPage(found, query, (session) => toSessionResponse(session, sessionOf(actor)));
  }

  @Delete('sessions/:session_id')
  @HttpCode(204)
  @Allow(Permission.Self)
  @ApiOperation({ summary: 'End one of my sessions', description: 'Its tokens are refused from now on.' })
  @ApiNoContentResponse({ description: 'It is over' })
  @ApiErrors(SessionNotFound, UnprocessableFields)
  async endSession(@CurrentActor() actor: Actor, @UuidParam('session_id') id: string): Promise<void> {
    await this.sessions.endOwn(actor, id);
  }
}
