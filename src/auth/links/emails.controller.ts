import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AcceptedLanguages } from '../../common/accepted-languages.js';
import { type Actor, CurrentActor } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { BodyTooLarge, ServiceUnavailable, UnprocessableFields, UnsupportedMediaType } from '../../common/errors.js';
import { RateLimited } from '../../common/rate-limited.js';
import { Accepts } from '../../common/request-body.js';
import { Allow, Public } from '../auth.decorators.js';
import { SignInBusy, WrongPassword } from '../auth.errors.js';
import { Permission } from '../permissions.js';
import { EmailChanges } from './email-changes.js';
import { EmailVerification } from './email-verification.js';
import {
  ChangeEmailRequest,
  LinkByEmailRequest,
  LinkRequestedResponse,
  toLinkRequestedResponse,
  UseLinkRequest,
} from './links.dto.js';
import { InvalidLink } from './links.errors.js';

@ApiTags('Accounts')
@Controller({ path: 'auth/email', version: '1' })
export class EmailsController {
  constructor(
    private readonly verification: EmailVerification,
    private readonly changes: EmailChanges,
  ) {}

  @Post()
  @HttpCode(202)
  @Allow(Permission.Self)
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({
    summary: 'Change my e-mail address',
    description:
      'Mails a link to the new address and a notice to the old one; nothing changes before the link is used, within 24 hours. The answer is the same for an address that is taken, whose holder is told.',
  })
  @ApiAcceptedResponse({ type: LinkRequestedResponse })
  @ApiErrors(WrongPassword, BodyTooLarge, UnsupportedMediaType, UnprocessableFields, SignInBusy)
  async requestChange(
    @CurrentActor() actor: Actor,
    @Body() body: ChangeEmailRequest,
    @AcceptedLanguages() languages: string[],
  ): Promise<LinkRequestedResponse> {
    await this.changes.request(actor, { email: body.new_email, password: body.password }, languages);
    return toLinkRequestedResponse();
  }

  @Post('confirm')
  @HttpCode(204)
  @Public()
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({
    summary: 'Confirm a new e-mail address',
    description: 'With the token of the link that was mailed to it. Ends all sessions of the account.',
  })
  @ApiNoContentResponse({ description: 'It is changed' })
  @ApiErrors(InvalidLink, BodyTooLarge, UnsupportedMediaType, UnprocessableFields, ServiceUnavailable)
  async confirmChange(@CurrentActor() actor: Actor, @Body() body: UseLinkRequest): Promise<void> {
    await this.changes.confirm(actor, body.token);
  }

  @Post('verification')
  @HttpCode(202)
  @Public()
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({
    summary: 'Ask for another link that verifies an address',
    description: 'The answer is the same for every address. At most five in an hour; the latest alone works.',
  })
  @ApiAcceptedResponse({ type: LinkRequestedResponse })
  @ApiErrors(BodyTooLarge, UnsupportedMediaType, UnprocessableFields, ServiceUnavailable)
  async requestVerification(
    @CurrentActor() actor: Actor,
    @Body() body: LinkByEmailRequest,
    @AcceptedLanguages() languages: string[],
  ): Promise<LinkRequestedResponse> {
    await this.verification.request(actor, body.email, languages);
    return toLinkRequestedResponse();
  }

  @Post('verify')
  @HttpCode(204)
  @Public()
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({ summary: 'Verify an e-mail address', description: 'With the token of the link, within 24 hours.' })
  @ApiNoContentResponse({ description: 'It is verified' })
  @ApiErrors(InvalidLink, BodyTooLarge, UnsupportedMediaType, UnprocessableFields, ServiceUnavailable)
  async verify(@CurrentActor() actor: Actor, @Body() body: UseLinkRequest): Promise<void> {
    await this.verification.verify(actor, body.token);
  }
}
