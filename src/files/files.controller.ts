import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/auth.decorators.js';
import { Permission } from '../auth/permissions.js';
import { ApiErrors } from '../common/api-errors.js';
import { UnprocessableFields } from '../common/errors.js';
import { UuidParam } from '../common/uuid-param.js';
import { FileResponse, toFileResponse } from './files.dto.js';
import { FileNotFound } from './files.errors.js';
import { FilesService } from './files.service.js';

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
}
