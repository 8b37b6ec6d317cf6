import { Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { Allow } from '../auth/auth.decorators.js';
import { Permission } from '../auth/permissions.js';
import { type Actor, CurrentActor } from '../common/actor.js';
import { ApiErrors } from '../common/api-errors.js';
import { UnprocessableFields } from '../common/errors.js';
import { toPage } from '../common/pagination.js';
import { UuidParam } from '../common/uuid-param.js';
import {
  MailAlreadyResent,
  MailJustResent,
  MailNotFound,
  MailNotRenderable,
  MailNotWaiting,
  MailRecipientSuppressed,
  MailSecretGone,
  MailStillUnderWay,
  MailSwitchedOff,
} from '../mail/mail.errors.js';
import { MailAdminService } from './mail-admin.service.js';
import {
  ListMailQuery,
  MailDetailResponse,
  MailMessageResponse,
  MailPageResponse,
  PreviewMailQuery,
  toMailDetailResponse,
  toMailListing,
  toMailMessageResponse,
} from './mail-messages.dto.js';
import { asPreview } from './mail-preview.js';

@ApiTags('Operation')
@Controller({ path: 'admin/mail/messages', version: '1' })
export class MailMessagesController {
  constructor(private readonly mail: MailAdminService) {}

  @Get()
  @Allow(Permission.MailRead)
  @ApiOperation({ summary: 'List mails', description: 'Newest first: what was owed to whom, and what became of it.' })
  @ApiOkResponse({ type: MailPageResponse })
  @ApiErrors(UnprocessableFields)
  async listMails(@CurrentActor() actor: Actor, @Query() query: ListMailQuery): Promise<MailPageResponse> {
    return toPage(await this.mail.list(actor, toMailListing(query)), query, toMailMessageResponse);
  }

  @Get(':message_id')
  @Allow(Permission.MailRead)
  @ApiOperation({
    summary: 'One mail with its attempts',
    description:
      'And in words, as it was or will be sent, save links that are for its recipient alone; a template that changed since then shows as it is now.',
  })
  @ApiOkResponse({ type: MailDetailResponse })
  @ApiErrors(MailNotFound, UnprocessableFields)
  async getMail(@CurrentActor() actor: Actor, @UuidParam('message_id') id: string): Promise<MailDetailResponse> {
    return toMailDetailResponse(await this.mail.get(actor, id));
  }

  @Get(':message_id/preview')
  @Allow(Permission.MailRead)
  @ApiOperation({
    summary: 'A mail as its recipient sees it',
    description: 'Nothing in it runs, and nothing is loaded from anywhere, pictures included.',
  })
  @ApiProduces('text/html', 'text/plain')
  @ApiOkResponse({ description: 'The HTML, or the plain text', schema: { type: 'string' } })
  @ApiErrors(MailNotFound, MailNotRenderable, UnprocessableFields)
  async previewMail(
    @CurrentActor() actor: Actor,
    @UuidParam('message_id') id: string,
    @Query() { format }: PreviewMailQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    return asPreview(response, format, await this.mail.render(actor, id, format));
  }

  @Post(':message_id/resend')
  @Allow(Permission.MailOperate)
  @HttpCode(202)
  @ApiOperation({
    summary: 'Send a mail again',
    description:
      'One that was sent goes out as a new message that names it; any other is tried anew as it is, under the same Message-ID. The answer is the message that goes out. One with a link that is good once is never sent again.',
  })
  @ApiAcceptedResponse({ type: MailMessageResponse })
  @ApiErrors(
    MailNotFound,
    MailStillUnderWay,
    MailSecretGone,
    MailJustResent,
    MailAlreadyResent,
    MailRecipientSuppressed,
    MailSwitchedOff,
    UnprocessableFields,
  )
  async resendMail(@CurrentActor() actor: Actor, @UuidParam('message_id') id: string): Promise<MailMessageResponse> {
    return toMailMessageResponse(await this.mail.resend(actor, id));
  }

  @Post(':message_id/cancel')
  @Allow(Permission.MailOperate)
  @HttpCode(204)
  @ApiOperation({
    summary: 'Cancel a mail that waits',
    description: 'Never one that is being sent, unless it has been for an hour: then nobody is sending it any more.',
  })
  @ApiNoContentResponse({ description: 'It is not going to be sent' })
  @ApiErrors(MailNotFound, MailNotWaiting, UnprocessableFields)
  async cancelMail(@CurrentActor() actor: Actor, @UuidParam('message_id') id: string): Promise<void> {
    await this.mail.cancel(actor, id);
  }
}
