import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../common/actor.js';
import { ApiErrors } from '../common/api-errors.js';
import {
  BodyTooLarge,
  InvalidFields,
  ServiceUnavailable,
  TooManyRequests,
  UnprocessableFields,
  UnsupportedMediaType,
} from '../common/errors.js';
import { RateLimited } from '../common/rate-limited.js';
import { Accepts, InvalidIs400 } from '../common/request-body.js';
import { UserEmailTaken, UsernameTaken } from '../users/users.errors.js';
import { Allow, Public } from './auth.decorators.js';
import {
  AccountResponse,
  LoginRequest,
  RegisteredResponse,
  RegisterRequest,
  toAccountResponse,
  TokenResponse,
  toRegisteredResponse,
} from './auth.dto.js';
import { InvalidCredentials, SignInBusy } from './auth.errors.js';
import { AuthService } from './auth.service.js';
import { type Client, CurrentClient } from './client.js';
import { Permission } from './permissions.js';
import { GivesRefreshCookie } from './refresh-cookie.js';

@ApiTags('Accounts')
@Controller({ path: 'auth', version: '1' })
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  @Post('login')
  @HttpCode(200)
  @Public()
  @RateLimited('login')
  @GivesRefreshCookie()
  @Accepts('form', 'json')
  @ApiOperation({
    summary: 'Sign in',
    description:
      'Exchanges user name (or e-mail address) and password for an access token and a refresh token; always begins a new session. `expires_in` is in seconds. With `cookies: true` the refresh token comes in an HttpOnly cookie; the request must then come from a page of this application or of CORS_ORIGINS.',
  })
  @ApiOkResponse({ type: TokenResponse })
  @ApiErrors(
    InvalidCredentials,
    BodyTooLarge,
    UnsupportedMediaType,
    UnprocessableFields,
    TooManyRequests,
    SignInBusy,
    ServiceUnavailable,
  )
  login(
    @CurrentActor() actor: Actor,
    @CurrentClient() client: Client,
    @Body() body: LoginRequest,
  ): Promise<TokenResponse> {
    return this.auth.signIn(actor, client, body.username, body.password);
  }

  @Post('register')
  @Allow(Permission.UsersRegister)
  @InvalidIs400()
  @Accepts('json')
  @ApiOperation({
    summary: 'Register an attorney',
    description: 'For admins; open to everybody only with REGISTRATION_MODE=open in development.',
  })
  @ApiCreatedResponse({ type: RegisteredResponse })
  @ApiErrors(InvalidFields, UsernameTaken, UserEmailTaken, BodyTooLarge, UnsupportedMediaType, SignInBusy)
  async register(@CurrentActor() actor: Actor, @Body() body: RegisterRequest): Promise<RegisteredResponse> {
    return toRegisteredResponse(await this.auth.register(actor, body));
  }

  @Get('me')
  @Allow(Permission.Self)
  @ApiOperation({ summary: 'My account' })
  @ApiOkResponse({ type: AccountResponse })
  async me(@CurrentActor() actor: Actor): Promise<AccountResponse> {
    return toAccountResponse(await this.auth.getOwnAccount(actor));
  }
}
