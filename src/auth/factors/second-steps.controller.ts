import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { BodyTooLarge, ServiceUnavailable, UnprocessableFields, UnsupportedMediaType } from '../../common/errors.js';
import { RateLimited } from '../../common/rate-limited.js';
import { Accepts } from '../../common/request-body.js';
import { Public } from '../auth.decorators.js';
import { ApiSignInResponse, type SignInResponse, TokenResponse } from '../auth.dto.js';
import { type Client, CurrentClient } from '../sessions/client.js';
import { GivesRefreshCookie } from '../sessions/refresh-cookie.js';
import { PasskeyOptionsRequest, PasskeyOptionsResponse, PasskeySignInRequest, VerifyRequest } from './factors.dto.js';
import { InvalidPasskey, InvalidSecondFactor } from './factors.errors.js';
import { PasskeySignIns } from './passkey-sign-ins.js';
import { SecondSteps } from './second-steps.js';

@ApiTags('Second factors')
@Controller({ path: 'auth', version: '1' })
export class SecondStepsController {
  constructor(
    private readonly steps: SecondSteps,
    private readonly passkeys: PasskeySignIns,
  ) {}

  @Post('login/verify')
  @HttpCode(200)
  @Public()
  @RateLimited('login')
  @GivesRefreshCookie()
  @Accepts('json')
  @ApiOperation({
    summary: 'Show the second factor',
    description:
      'The second step where a sign-in answered `second_factor`: within five minutes, from the same program, with the same `cookies`. Five attempts; wrong ones count like wrong passwords.',
  })
  @ApiOkResponse({ type: TokenResponse })
  @ApiErrors(InvalidSecondFactor, BodyTooLarge, UnsupportedMediaType, UnprocessableFields, ServiceUnavailable)
  verifySecondFactor(
    @CurrentActor() actor: Actor,
    @CurrentClient() client: Client,
    @Body() { challenge_token: challengeToken, method, code, credential }: VerifyRequest,
  ): Promise<SignInResponse> {
    return this.steps.verify(actor, client, { challengeToken, method, code, credential });
  }

  @Post('passkeys/options')
  @HttpCode(200)
  @Public()
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({
    summary: 'Begin to use a passkey',
    description: 'Instead of a password, or as the second factor. Good once, within five minutes.',
  })
  @ApiOkResponse({ type: PasskeyOptionsResponse })
  @ApiErrors(InvalidSecondFactor, BodyTooLarge, UnsupportedMediaType, UnprocessableFields, ServiceUnavailable)
  async beginPasskeySignIn(@Body() body: PasskeyOptionsRequest): Promise<PasskeyOptionsResponse> {
    return { public_key: await this.passkeys.options(body.challenge_token) };
  }

  @Post('passkeys/verify')
  @HttpCode(200)
  @Public()
  @RateLimited('login')
  @GivesRefreshCookie()
  @Accepts('json')
  @ApiOperation({
    summary: 'Sign in with a passkey',
    description: 'Without a password: the device must have verified its user. No further factor is asked for.',
  })
  @ApiSignInResponse()
  @ApiErrors(InvalidPasskey, BodyTooLarge, UnsupportedMediaType, UnprocessableFields, ServiceUnavailable)
  signInWithPasskey(
    @CurrentActor() actor: Actor,
    @CurrentClient() client: Client,
    @Body() body: PasskeySignInRequest,
  ): Promise<SignInResponse> {
    return this.passkeys.signIn(actor, client, body.credential);
  }
}
