import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Patch,
  Post,
  Query,
  Req,
  Res,
  type StreamableFile,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { RecordsRefusals } from '../audit/audit.filter.js';
import { Allow, Public } from '../auth/auth.decorators.js';
import { Permission } from '../auth/permissions.js';
import { AcceptedLanguages } from '../common/accepted-languages.js';
import { type Actor, CurrentActor } from '../common/actor.js';
import { ApiErrors } from '../common/api-errors.js';
import {
  BodyTooLarge,
  InvalidFields,
  MalformedRequest,
  RequestTimeout,
  ServiceUnavailable,
  UnprocessableFields,
  UnsupportedMediaType,
} from '../common/errors.js';
import { Conditional } from '../common/conditional-answer.js';
import { toCursorPage } from '../common/pagination.js';
import { RateLimited } from '../common/rate-limited.js';
import { Accepts, InvalidIs400 } from '../common/request-body.js';
import { UuidParam } from '../common/uuid-param.js';
import { DownloadQuery, respondWithFile } from '../files/download.js';
import {
  FileInfected,
  FileIntegrityFailed,
  FileKeyMissing,
  FileNotFound,
  FileNotReady,
  FileNotStored,
  FileScannerUnavailable,
  FileStorageFull,
  FileStorageUnavailable,
  FileTooLarge,
  FileTypeNotAllowed,
  FileUnreadable,
  FileUploadFailed,
  RangeNotSatisfiable,
} from '../files/files.errors.js';
import { UploadInterceptor } from '../files/upload.interceptor.js';
import { RESUME } from '../files/upload-profiles.js';
import { PersonOnHold } from '../persons/persons.errors.js';
import { LeadRemoval } from './lead-removal.js';
import {
  ChangeLeadRequest,
  LeadDetailResponse,
  LeadPageResponse,
  LeadResponse,
  LeadStoryResponse,
  ListLeadsQuery,
  SubmitLeadRequest,
  SubmittedLeadResponse,
  toLeadDetailResponse,
  toLeadResponse,
  toLeadStoryResponse,
  toSubmittedLeadResponse,
} from './leads.dto.js';
import {
  ConsentOutdated,
  ConsentRequired,
  InvalidStatusTransition,
  LeadEmailDuplicate,
  LeadNotFound,
} from './leads.errors.js';
import { LeadsService, RESUME_DOWNLOADED } from './leads.service.js';

@ApiTags('Leads')
@Controller({ path: 'leads', version: '1' })
export class LeadsController {
  constructor(
    private readonly leads: LeadsService,
    private readonly removal: LeadRemoval,
  ) {}

  @Post()
  @Public()
  @RateLimited('submit')
  @InvalidIs400()
  @UseInterceptors(UploadInterceptor(RESUME))
  @Accepts('multipart')
  @ApiOperation({
    summary: 'Submit a lead',
    description:
      'The public form. Confirms to the prospect and notifies the attorneys by mail. Refusals come in this order: size (413), type (415), fields (400, all at once), consent (422), duplicate (409).',
  })
  @ApiBody({ type: SubmitLeadRequest })
  @ApiCreatedResponse({ type: SubmittedLeadResponse })
  @ApiErrors(
    InvalidFields,
    MalformedRequest,
    ConsentRequired,
    ConsentOutdated,
    FileUploadFailed,
    RequestTimeout,
    LeadEmailDuplicate,
    FileTooLarge,
    FileTypeNotAllowed,
    UnsupportedMediaType,
    FileNotStored,
    FileInfected,
    FileScannerUnavailable,
    FileStorageFull,
    FileStorageUnavailable,
    ServiceUnavailable,
  )
  async submitLead(
    @CurrentActor() actor: Actor,
    @AcceptedLanguages() accepted: readonly string[],
    @Body() body: SubmitLeadRequest,
  ): Promise<SubmittedLeadResponse> {
    const { first_name: firstName, last_name: lastName, email, locale, resume } = body;
    const consent = { isGiven: body.consent ?? false, textVersion: body.consent_version || undefined };
    const languages = locale === undefined ? accepted : [locale, ...accepted];
    return toSubmittedLeadResponse(
      await this.leads.submit(actor, { firstName, lastName, email, languages, consent, resume }),
    );
  }

  @Get()
  @Allow(Permission.LeadsRead)
  @Conditional()
  @ApiOperation({ summary: 'List leads', description: 'Newest first unless sorted otherwise.' })
  @ApiOkResponse({ type: LeadPageResponse })
  @ApiErrors(UnprocessableFields)
  async listLeads(@CurrentActor() actor: Actor, @Query() query: ListLeadsQuery): Promise<LeadPageResponse> {
    const { page, size, cursor, status, sort_by: sortBy, sort_order: sortOrder } = query;
    const found = await this.leads.list(actor, { page, size, cursor, status, sortBy, sortOrder });
    return toCursorPage(found, query, toLeadResponse);
  }

  @Get(':lead_id')
  @Allow(Permission.LeadsRead)
  @Conditional()
  @ApiOperation({ summary: 'One lead', description: 'With its résumé, and with what was sent to whom about it.' })
  @ApiOkResponse({ type: LeadDetailResponse })
  @ApiErrors(LeadNotFound, UnprocessableFields)
  async getLead(@CurrentActor() actor: Actor, @UuidParam('lead_id') id: string): Promise<LeadDetailResponse> {
    return toLeadDetailResponse(await this.leads.getDetail(actor, id));
  }

  @Patch(':lead_id')
  @Allow(Permission.LeadsChange)
  @Accepts('json')
  @ApiOperation({
    summary: 'Move a lead to another status',
    description: 'PENDING to REACHED_OUT, and back if the contact did not happen after all.',
  })
  @ApiOkResponse({ type: LeadResponse })
  @ApiErrors(InvalidStatusTransition, LeadNotFound, BodyTooLarge, UnsupportedMediaType, UnprocessableFields)
  async changeLead(
    @CurrentActor() actor: Actor,
    @UuidParam('lead_id') id: string,
    @Body() body: ChangeLeadRequest,
  ): Promise<LeadResponse> {
    return toLeadResponse(await this.leads.changeStatus(actor, id, body.status));
  }

  @Delete(':lead_id')
  @Allow(Permission.LeadsDelete)
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete a lead',
    description:
      'With its story, the mails about it and what its résumé says. The bytes of the résumé are out of reach at once and destroyed after FILE_RETENTION_DAYS. The record keeps the id alone.',
  })
  @ApiNoContentResponse({ description: 'The lead is gone' })
  @ApiErrors(LeadNotFound, PersonOnHold, UnprocessableFields)
  async deleteLead(@CurrentActor() actor: Actor, @UuidParam('lead_id') id: string): Promise<void> {
    await this.removal.remove(actor, id);
  }

  @Get(':lead_id/history')
  @Allow(Permission.LeadsRead)
  @Conditional()
  @ApiOperation({
    summary: 'The story of a lead',
    description: 'Every change of status, oldest first: who, from, to, when.',
  })
  @ApiOkResponse({ type: LeadStoryResponse })
  @ApiErrors(LeadNotFound, UnprocessableFields)
  async getHistory(@CurrentActor() actor: Actor, @UuidParam('lead_id') id: string): Promise<LeadStoryResponse> {
    return toLeadStoryResponse(await this.leads.listStatusChanges(actor, id));
  }

  @Get(':lead_id/resume')
  @Allow(Permission.LeadsRead)
  @RateLimited('download')
  @UseFilters(RecordsRefusals(RESUME_DOWNLOADED, 'lead', 'lead_id'))
  @ApiOperation({
    summary: 'Download the résumé',
    description: 'Every download, refused ones included, is on record. Parts can be asked for with Range.',
  })
  @ApiProduces(...RESUME.types.map(({ mediaType }) => mediaType))
  @ApiOkResponse({
    description: 'The file as it was uploaded, byte for byte',
    schema: { type: 'string', format: 'binary' },
  })
  @ApiResponse({
    status: 206,
    description: 'The part that was asked for',
    schema: { type: 'string', format: 'binary' },
  })
  @ApiResponse({ status: 304, description: 'The file is the one that the client has' })
  @ApiErrors(
    LeadNotFound,
    FileNotFound,
    FileNotReady,
    RangeNotSatisfiable,
    UnprocessableFields,
    FileUnreadable,
    FileIntegrityFailed,
    FileKeyMissing,
    FileStorageUnavailable,
  )
  async downloadResume(
    @CurrentActor() actor: Actor,
    @UuidParam('lead_id') id: string,
    @Query() query: DownloadQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<StreamableFile | undefined> {
    return respondWithFile(request, response, await this.leads.openResume(actor, id), query);
  }
}
