import { Body, Controller, Get, HttpCode, Post, Redirect } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { BodyTooLarge, ServiceUnavailable, UnprocessableFields, UnsupportedMediaType } from '../../common/errors.js';
import { RateLimited } from '../../common/rate-limited.js';
import { Accepts } from '../../common/request-body.js';
import { Public } from '../auth.decorators.js';
import { ApiSignInResponse, type SignInResponse } from '../auth.dto.js';
import { type Client, CurrentClient } from '../sessions/client.js';
import { GivesRefreshCookie } from '../sessions/refresh-cookie.js';
import { BoundBrowser, BrowserLeaves, BrowserRedeems, BrowserReturns, ProviderAnswer } from './browser-binding.js';
import {
  BeginRequest,
  DepartureResponse,
  ExchangeRequest,
  ProviderParam,
  ProvidersResponse,
  toDepartureResponse,
  toProvidersResponse,
} from './openid.dto.js';
import { OpenidCodeInvalid, OpenidProviderAway, OpenidProviderNotFound } from './openid.errors.js';
import { OpenidService } from './openid.service.js';

@ApiTags('Accounts')
@Controller({ path: 'auth', version: '1' })
export class OpenidController {
  constructor(private readonly openid: OpenidService) {}

  @Get('providers')
  @Public()
  @ApiOperation({ summary: 'Whom people can sign in with', description: 'Empty when there is no single sign-on.' })
  @ApiOkResponse({ type: ProvidersResponse })
  @ApiErrors(ServiceUnavailable)
  listProviders(): ProvidersResponse {
    return toProvidersResponse(this.openid.listProviders());
  }

  @Post('openid/exchange')
  @HttpCode(200)
  @Public()
  @RateLimited('login')
  @GivesRefreshCookie()
  @BrowserRedeems()
  @Accepts('json')
  @ApiOperation({
    summary: 'Exchange the code of a sign-in for tokens',
    description:
      'Once, within two minutes, and from the browser that came back with it: the request must carry its cookie and come from a page of this application or of CORS_ORIGINS. Always begins a new session.',
  })
  @ApiSignInResponse()
  @ApiErrors(OpenidCodeInvalid, BodyTooLarge, UnsupportedMediaType, UnprocessableFields, ServiceUnavailable)
  exchangeCode(
    @CurrentActor() actor: Actor,
    @CurrentClient() client: Client,
    @BoundBrowser() browser: string | undefined,
    @Body() body: ExchangeRequest,
  ): Promise<SignInResponse> {
    return this.openid.signIn(actor, client, body.code, browser);
  }

  @Post('openid/:provider')
  @HttpCode(200)
  @Public()
  @RateLimited('login')
  @BrowserLeaves()
  @Accepts('json')
  @ApiOperation({
    summary: 'Sign in with a provider',
    description:
      'Answers where to send the browser, and gives it a cookie that it must bring back within ten minutes. The request must come from a page of this application or of CORS_ORIGINS, with credentials.',
  })
  @ApiOkResponse({ type: DepartureResponse })
  @ApiErrors(
    OpenidProviderNotFound,
    OpenidProviderAway,
    BodyTooLarge,
    UnsupportedMediaType,
    UnprocessableFields,
    ServiceUnavailable,
  )
  async beginSignIn(
    @ProviderParam() provider: string,
    @BoundBrowser() browser: string | undefined,
    @Body() body: BeginRequest,
  ): Promise<DepartureResponse> {
    return toDepartureResponse(await this.openid.begin({ provider, browser, returnTo: body.return_to }));
  }

  @Get('openid/:provider/callback')
  @Public()
  @RateLimited('login')
  @BrowserReturns()
  @Redirect(undefined, 303)
  @ApiOperation({
    summary: 'Where a provider sends the browser back to',
    description:
      'Leads on to DASHBOARD_URL/sign-in/complete, with `code` (for POST /auth/openid/exchange) or `link_code` (for POST /auth/identities) and `return_to` behind the #, or with `error`: OPENID_STATE_INVALID, OPENID_CANCELLED, OPENID_ANSWER_INVALID, OPENID_PROVIDER_AWAY, IDENTITY_UNKNOWN, IDENTITY_EMAIL_UNVERIFIED, IDENTITY_DOMAIN_REFUSED, IDENTITY_ROLE_MISSING, IDENTITY_ACCOUNT_EXISTS, IDENTITY_ACCOUNT_DISABLED.',
  })
  @ApiQuery({ name: 'state', required: false, schema: { type: 'string' } })
  @ApiQuery({ name: 'code', required: false, schema: { type: 'string' } })
  @ApiQuery({ name: 'iss', required: false, schema: { type: 'string' } })
  @ApiQuery({ name: 'error', required: false, schema: { type: 'string' } })
  @ApiResponse({ status: 303, description: 'To the page of the dashboard' })
  @ApiErrors(OpenidProviderNotFound, UnprocessableFields, ServiceUnavailable)
  receiveBrowser(
    @CurrentActor() actor: Actor,
    @ProviderParam() provider: string,
    @BoundBrowser() browser: string | undefined,
    @ProviderAnswer() answer: URLSearchParams,
  ): Promise<{ readonly url: string }> {
    return this.openid.receive(actor, provider, browser, answer);
  }
}
