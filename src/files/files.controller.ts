import { Controller, Get, Query, Req, Res, type StreamableFile, UseFilters } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { RecordsRefusals } from '../audit/audit.filter.js';
import { Allow } from '../auth/auth.decorators.js';
import { Permission } from '../auth/permissions.js';
import { type Actor, CurrentActor } from '../common/actor.js';
import { ApiErrors } from '../common/api-errors.js';
import { UnprocessableFields } from '../common/errors.js';
import { RateLimited } from '../common/rate-limited.js';
import { UuidParam } from '../common/uuid-param.js';
import { respondWithBytes } from './download.js';
import { FileResponse, QuarantineQuery, toFileResponse } from './files.dto.js';
import {
  FileIntegrityFailed,
  FileKeyMissing,
  FileNotFound,
  FileStorageUnavailable,
  FileUnreadable,
} from './files.errors.js';
import { FilesService, QUARANTINE_DOWNLOADED } from './files.service.js';

@ApiTags('Files')
@Controller({ path: 'files', version: '1' })
export class FilesController {
  constructor(private readonly files: FilesService) {}

  @Get(':file_id')
  @Allow(Permission.FilesInspect)
  @ApiOperation({
    summary: 'What is known of a stored file',
    description:
      'Name, type, size and SHA-256, to compare with a copy. The bytes are served by the resource that owns the file.',
  })
  @ApiOkResponse({ type: FileResponse })
  @ApiErrors(FileNotFound, UnprocessableFields)
  async getFile(@UuidParam('file_id') id: string): Promise<FileResponse> {
    return toFileResponse(await this.files.get(id));
  }

  @Get(':file_id/quarantined')
  @Allow(Permission.FilesQuarantined)
  @RateLimited('download')
  @UseFilters(RecordsRefusals(QUARANTINE_DOWNLOADED, 'file', 'file_id'))
  @ApiOperation({
    summary: 'Download a file in which malware was found',
    description:
      'For an examination. Only of files in quarantine, only for admins, and only for one who says that it is dangerous. Every download, refused ones included, is on record.',
  })
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({ description: 'The file as it was uploaded', schema: { type: 'string', format: 'binary' } })
  @ApiErrors(
    FileNotFound,
    UnprocessableFields,
    FileUnreadable,
    FileIntegrityFailed,
    FileKeyMissing,
    FileStorageUnavailable,
  )
  async downloadQuarantined(
    @CurrentActor() actor: Actor,
    @UuidParam('file_id') id: string,
    @Query() _query: QuarantineQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<StreamableFile | undefined> {
    return respondWithBytes(request, response, await this.files.openQuarantined(actor, id));
  }
}
