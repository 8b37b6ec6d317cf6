import { Controller, Delete, Get, HttpCode, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/auth.decorators.js';
import { Permission } from '../auth/permissions.js';
import { type Actor, CurrentActor } from '../common/actor.js';
import { ApiErrors } from '../common/api-errors.js';
import { UnprocessableFields } from '../common/errors.js';
import { toPage } from '../common/pagination.js';
import { UuidParam } from '../common/uuid-param.js';
import { MailRecordsService } from '../mail/mail-records.service.js';
import { MailSuppressionNotFound } from '../mail/mail.errors.js';
import { MailAdminService } from './mail-admin.service.js';
import {
  ListSuppressionsQuery,
  SuppressionPageResponse,
  toSuppressionListing,
  toSuppressionResponse,
} from './mail-suppressions.dto.js';

@ApiTags('Operation')
@Controller({ path: 'admin/mail/suppressions', version: '1' })
export class MailSuppressionsController {
  constructor(
    private readonly records: MailRecordsService,
    private readonly mail: MailAdminService,
  ) {}

  @Get()
  @Allow(Permission.MailRead)
  @ApiOperation({ summary: 'Addresses that get no mail', description: 'They refused it for good. Latest first.' })
  @ApiOkResponse({ type: SuppressionPageResponse })
  @ApiErrors(UnprocessableFields)
  async listSuppressions(@Query() query: ListSuppressionsQuery): Promise<SuppressionPageResponse> {
    return toPage(await this.records.listSuppressions(toSuppressionListing(query)), query, toSuppressionResponse);
  }

  @Delete(':suppression_id')
  @Allow(Permission.MailOperate)
  @HttpCode(204)
  @ApiOperation({
    summary: 'Lift a suppression',
    description: 'The next mail to the address goes out. What was not sent meanwhile is sent again one by one.',
  })
  @ApiNoContentResponse({ description: 'The address gets mail again' })
  @ApiErrors(MailSuppressionNotFound, UnprocessableFields)
  async liftSuppression(@CurrentActor() actor: Actor, @UuidParam('suppression_id') id: string): Promise<void> {
    await this.mail.lift(actor, id);
  }
}
