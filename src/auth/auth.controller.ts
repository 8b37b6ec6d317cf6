import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AcceptedLanguages } from '../common/accepted-languages.js';
import { type Actor, CurrentActor } from '../common/actor.js';
import { ApiErrors } from '../common/api-errors.js';
import {
  BodyTooLarge,
  InvalidFields,
  ServiceUnavailable,
  UnprocessableFields,
  UnsupportedMediaType,
} from '../common/errors.js';
import { RateLimited } from '../common/rate-limited.js';
import { Accepts, InvalidIs400 } from '../common/request-body.js';
import { UserEmailTaken, UsernameTaken } from '../users/users.errors.js';
import { AccountsService } from './accounts/accounts.service.js';
import { Allow, BeforeSecondFactor, Public } from './auth.decorators.js';
import {
  AccountResponse,
  ApiSignInResponse,
  ChangePasswordRequest,
  LoginRequest,
  RegisteredResponse,
  RegisterRequest,
  type SignInResponse,
  toAccountResponse,
  toRegisteredResponse,
} from './auth.dto.js';
import { InvalidCredentials, InvalidInvitation, SignInBusy, WrongPassword } from './auth.errors.js';
import { AuthService } from './auth.service.js';
import { AcceptInvitationRequest } from './invitations/invitations.dto.js';
import { InvitationsService } from './invitations/invitations.service.js';
import { EmailNotVerified } from './links/links.errors.js';
import { Permission } from './permissions.js';
import { type Client, CurrentClient } from './sessions/client.js';
import { GivesRefreshCookie } from './sessions/refresh-cookie.js';

@ApiTags('Accounts')
@Controller({ path: 'auth', version: '1' })
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly accounts: AccountsService,
    private readonly invitations: InvitationsService,
  ) {}

  @Post('login')
  @HttpCode(200)
  @Public()
  @RateLimited('login')
  @GivesRefreshCookie()
  @Accepts('form', 'json')
  @ApiOperation({
    summary: 'Sign in',
    description:
      'Exchanges user name (or e-mail address) and password for an access token and a refresh token; always begins a new session. An account with a second factor gets no tokens yet but `second_factor`, for `POST /auth/login/verify`. `expires_in` is in seconds. With `cookies: true` the refresh token comes in an HttpOnly cookie; the request must then come from a page of this application or of CORS_ORIGINS.',
  })
  @ApiSignInResponse()
  @ApiErrors(
    InvalidCredentials,
    EmailNotVerified,
    BodyTooLarge,
    UnsupportedMediaType,
    UnprocessableFields,
    SignInBusy,
    ServiceUnavailable,
  )
  login(
    @CurrentActor() actor: Actor,
    @CurrentClient() client: Client,
    @Body() body: LoginRequest,
  ): Promise<SignInResponse> {
    return this.auth.signIn(actor, client, body.username, body.password);
  }

  @Post('register')
  @Allow(Permission.UsersRegister)
  @RateLimited('login')
  @InvalidIs400()
  @Accepts('json')
  @ApiOperation({
    summary: 'Register an attorney',
    description:
      'For admins; open to everybody only with REGISTRATION_MODE=open in development, and then a mailed link verifies the address.',
  })
  @ApiCreatedResponse({ type: RegisteredResponse })
  @ApiErrors(InvalidFields, UsernameTaken, UserEmailTaken, BodyTooLarge, UnsupportedMediaType, SignInBusy)
  async register(
    @CurrentActor() actor: Actor,
    @Body() body: RegisterRequest,
    @AcceptedLanguages() languages: string[],
  ): Promise<RegisteredResponse> {
    return toRegisteredResponse(await this.auth.register(actor, body, languages));
  }

  @Get('me')
  @Allow(Permission.ProfileRead)
  @BeforeSecondFactor()
  @ApiOperation({ summary: 'My account' })
  @ApiOkResponse({ type: AccountResponse })
  async me(@CurrentActor() actor: Actor): Promise<AccountResponse> {
    return toAccountResponse(await this.auth.getOwnAccount(actor));
  }

  @Post('password')
  @HttpCode(204)
  @Allow(Permission.Self)
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({
    summary: 'Change my password',
    description: 'Ends what was signed in with the old one. A mail says that it was changed.',
  })
  @ApiNoContentResponse({ description: 'It is changed' })
  @ApiErrors(WrongPassword, BodyTooLarge, UnsupportedMediaType, UnprocessableFields, SignInBusy)
  async changePassword(@CurrentActor() actor: Actor, @Body() body: ChangePasswordRequest): Promise<void> {
    await this.accounts.changeOwnPassword(actor, body.current_password, body.new_password);
  }

  @Post('invitations/accept')
  @Public()
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({ summary: 'Accept an invitation', description: 'Makes the account; then sign in as usual.' })
  @ApiCreatedResponse({ type: RegisteredResponse })
  @ApiErrors(
    InvalidInvitation,
    UsernameTaken,
    UserEmailTaken,
    BodyTooLarge,
    UnsupportedMediaType,
    UnprocessableFields,
    SignInBusy,
    ServiceUnavailable,
  )
  async acceptInvitation(
    @CurrentActor() actor: Actor,
    @Body() body: AcceptInvitationRequest,
  ): Promise<RegisteredResponse> {
    return toRegisteredResponse(await this.invitations.accept(actor, body));
  }
}
