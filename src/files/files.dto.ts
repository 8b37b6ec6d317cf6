import { ApiProperty } from '@nestjs/swagger';
import type { StoredFile } from './file.entity.js';

/** What is known of a stored file; never its bytes. */
export class FileResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'Résumé Ada Lovelace.pdf' })
  original_name!: string;

  @ApiProperty({ example: 'application/pdf' })
  media_type!: string;

  @ApiProperty({ type: 'integer', example: 48213 })
  size_bytes!: number;

  @ApiProperty({ example: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' })
  sha256!: string;

  @ApiProperty({ format: 'date-time' })
  created_at!: Date;
}

export function toFileResponse(file: StoredFile): FileResponse {
  return {
    id: file.id,
    original_name: file.originalName,
    media_type: file.mediaType,
    size_bytes: file.sizeBytes,
    sha256: file.sha256,
    created_at: file.createdAt,
  };
}
