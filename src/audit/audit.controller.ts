import { Controller, Get, Query, Res, type StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Allow } from '../auth/auth.decorators.js';
import { Permission } from '../auth/permissions.js';
import { type Actor, CurrentActor } from '../common/actor.js';
import { ApiErrors } from '../common/api-errors.js';
import { UnprocessableFields } from '../common/errors.js';
import { toPage } from '../common/pagination.js';
import { streamFile } from '../common/stream-file.js';
import { MEDIA_TYPES } from './audit-export.js';
import { AuditReader } from './audit-reader.js';
import {
  AuditEntryPageResponse,
  ExportAuditEntriesQuery,
  ListAuditEntriesQuery,
  toAuditEntryResponse,
  toAuditFilter,
} from './audit.dto.js';

@ApiTags('Operation')
@Controller({ path: 'admin/audit-entries', version: '1' })
export class AuditController {
  constructor(private readonly audit: AuditReader) {}

  @Get()
  @Allow(Permission.AuditRead)
  @ApiOperation({ summary: 'Who did, saw and took what', description: 'Newest first.' })
  @ApiOkResponse({ type: AuditEntryPageResponse })
  @ApiErrors(UnprocessableFields)
  async list(@CurrentActor() actor: Actor, @Query() query: ListAuditEntriesQuery): Promise<AuditEntryPageResponse> {
    const found = await this.audit.list(actor, toAuditFilter(query), query.page, query.size);
    return toPage(found, query, toAuditEntryResponse);
  }

  @Get('export')
  @Allow(Permission.AuditRead)
  @ApiOperation({
    summary: 'Export the record',
    description:
      'All entries that match, newest first, as CSV (RFC 4180; what a spreadsheet would take for a formula begins with an apostrophe) or as one JSON object per line. The export itself is on record.',
  })
  @ApiProduces('text/csv', 'application/x-ndjson')
  @ApiOkResponse({ description: 'The entries', schema: { type: 'string' } })
  @ApiErrors(UnprocessableFields)
  async export(
    @CurrentActor() actor: Actor,
    @Query() query: ExportAuditEntriesQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<StreamableFile> {
    const { format } = query;
    const stream = await this.audit.export(actor, format, toAuditFilter(query));
    response.set({
      'Content-Type': MEDIA_TYPES[format],
      'Content-Disposition': `attachment; filename="audit-entries.${format}"`,
    });
    return streamFile(stream);
  }
}
