import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/auth.decorators.js';
import { Permission } from '../auth/permissions.js';
import { type Actor, CurrentActor } from '../common/actor.js';
import { ApiErrors } from '../common/api-errors.js';
import { BodyTooLarge, UnprocessableFields, UnsupportedMediaType } from '../common/errors.js';
import { RateLimited } from '../common/rate-limited.js';
import { Accepts } from '../common/request-body.js';
import { MailDnsService } from '../mail/mail-dns.service.js';
import { MailStatusService } from '../mail/mail-status.service.js';
import { MailSwitchedOff } from '../mail/mail.errors.js';
import { MailAdminService } from './mail-admin.service.js';
import {
  MailStatusResponse,
  MailTestResponse,
  SenderPoliciesResponse,
  TestMailRequest,
  toMailStatusResponse,
  toMailTestResponse,
  toSenderPoliciesResponse,
} from './mail-status.dto.js';

@ApiTags('Operation')
@Controller({ path: 'admin/mail', version: '1' })
export class MailStatusController {
  constructor(
    private readonly delivery: MailStatusService,
    private readonly dns: MailDnsService,
    private readonly mail: MailAdminService,
  ) {}

  @Get('status')
  @Allow(Permission.MailRead)
  @ApiOperation({
    summary: 'How the sending of mail stands',
    description:
      'Whether the mail server can be reached, encrypts and lets us in, found out now and within five seconds; what waits, and how the last hour and day went.',
  })
  @ApiOkResponse({ type: MailStatusResponse })
  async getMailStatus(): Promise<MailStatusResponse> {
    return toMailStatusResponse(await this.delivery.status());
  }

  @Get('dns')
  @Allow(Permission.MailRead)
  @ApiOperation({
    summary: 'What DNS says of the sender’s domain',
    description: 'SPF, DKIM and DMARC, by which receivers tell mail from forgeries. Within two seconds.',
  })
  @ApiOkResponse({ type: SenderPoliciesResponse })
  async getMailDns(): Promise<SenderPoliciesResponse> {
    return toSenderPoliciesResponse(await this.dns.look());
  }

  @Post('test')
  @Allow(Permission.MailOperate)
  @RateLimited('mail_test')
  @Accepts('json')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Send a test mail now',
    description:
      'Past the queue, its pauses and suppressions. Answers 200 whatever the mail server says, with its own words at each step.',
  })
  @ApiOkResponse({ type: MailTestResponse })
  @ApiErrors(MailSwitchedOff, BodyTooLarge, UnsupportedMediaType, UnprocessableFields)
  async sendTestMail(@CurrentActor() actor: Actor, @Body() { to }: TestMailRequest): Promise<MailTestResponse> {
    return toMailTestResponse(await this.mail.sendTest(actor, to));
  }
}
