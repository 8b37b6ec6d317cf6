import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AcceptedLanguages } from '../../common/accepted-languages.js';
import { type Actor, CurrentActor } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { BodyTooLarge, ServiceUnavailable, UnprocessableFields, UnsupportedMediaType } from '../../common/errors.js';
import { RateLimited } from '../../common/rate-limited.js';
import { Accepts } from '../../common/request-body.js';
import { Public } from '../auth.decorators.js';
import { ApiSignInResponse, type SignInResponse } from '../auth.dto.js';
import { type Client, CurrentClient } from '../sessions/client.js';
import { GivesRefreshCookie } from '../sessions/refresh-cookie.js';
import {
  LinkByEmailRequest,
  MagicLinkRequestedResponse,
  SignInByLinkRequest,
  toMagicLinkRequestedResponse,
} from './links.dto.js';
import { InvalidLink, MagicLinksOff } from './links.errors.js';
import { MagicLinks } from './magic-links.js';

@ApiTags('Accounts')
@Controller({ path: 'auth/magic-link', version: '1' })
export class MagicLinksController {
  constructor(private readonly links: MagicLinks) {}

  @Post()
  @HttpCode(202)
  @Public()
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({
    summary: 'Ask for a link that signs a client in',
    description: 'The answer is the same for every address. At most five in an hour; the latest alone works.',
  })
  @ApiAcceptedResponse({ type: MagicLinkRequestedResponse })
  @ApiErrors(MagicLinksOff, BodyTooLarge, UnsupportedMediaType, UnprocessableFields, ServiceUnavailable)
  async requestLink(
    @CurrentActor() actor: Actor,
    @Body() body: LinkByEmailRequest,
    @AcceptedLanguages() languages: string[],
  ): Promise<MagicLinkRequestedResponse> {
    return toMagicLinkRequestedResponse(await this.links.request(actor, body.email, languages));
  }

  @Post('verify')
  @HttpCode(200)
  @Public()
  @RateLimited('login')
  @GivesRefreshCookie()
  @Accepts('json')
  @ApiOperation({
    summary: 'Sign in by link',
    description:
      'With the token of the link, once and within MAGIC_LINK_EXPIRE_MINUTES. Only by POST, because programs that check mails open every link.',
  })
  @ApiSignInResponse()
  @ApiErrors(InvalidLink, MagicLinksOff, BodyTooLarge, UnsupportedMediaType, UnprocessableFields, ServiceUnavailable)
  signIn(
    @CurrentActor() actor: Actor,
    @CurrentClient() client: Client,
    @Body() body: SignInByLinkRequest,
  ): Promise<SignInResponse> {
    return this.links.signIn(actor, client, body.token, body.browser_nonce);
  }
}
