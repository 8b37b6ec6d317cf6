import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AcceptedLanguages } from '../../common/accepted-languages.js';
import { type Actor, CurrentActor } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { BodyTooLarge, ServiceUnavailable, UnprocessableFields, UnsupportedMediaType } from '../../common/errors.js';
import { RateLimited } from '../../common/rate-limited.js';
import { Accepts } from '../../common/request-body.js';
import { Public } from '../auth.decorators.js';
import { SignInBusy } from '../auth.errors.js';
import {
  LinkByEmailRequest,
  LinkRequestedResponse,
  ResetPasswordRequest,
  toLinkRequestedResponse,
} from './links.dto.js';
import { InvalidLink } from './links.errors.js';
import { PasswordResets } from './password-resets.js';

@ApiTags('Accounts')
@Controller({ path: 'auth/password', version: '1' })
export class PasswordResetsController {
  constructor(private readonly resets: PasswordResets) {}

  @Post('forgot')
  @HttpCode(202)
  @Public()
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({
    summary: 'Ask for a link that sets a new password',
    description: 'The answer is the same for every address. At most five in an hour; the latest alone works.',
  })
  @ApiAcceptedResponse({ type: LinkRequestedResponse })
  @ApiErrors(BodyTooLarge, UnsupportedMediaType, UnprocessableFields, ServiceUnavailable)
  async forgot(
    @CurrentActor() actor: Actor,
    @Body() body: LinkByEmailRequest,
    @AcceptedLanguages() languages: string[],
  ): Promise<LinkRequestedResponse> {
    await this.resets.request(actor, body.email, languages);
    return toLinkRequestedResponse();
  }

  @Post('reset')
  @HttpCode(204)
  @Public()
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({
    summary: 'Set a new password by link',
    description:
      'With the token of the link, within an hour. Ends all sessions and locks, and signs nobody in. A mail says that it was changed.',
  })
  @ApiNoContentResponse({ description: 'It is set; sign in with it' })
  @ApiErrors(InvalidLink, BodyTooLarge, UnsupportedMediaType, UnprocessableFields, SignInBusy, ServiceUnavailable)
  async reset(@CurrentActor() actor: Actor, @Body() body: ResetPasswordRequest): Promise<void> {
    await this.resets.reset(actor, body.token, body.new_password);
  }
}
