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
  created_at!: string;

  @ApiProperty({ example: 'lead', description: 'What the file belongs to' })
  owner_kind!: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  owner_id!: string | null;

  @ApiProperty({ enum: ['disk', 's3', 'webdav'] })
  storage!: string;

  @ApiProperty({ description: 'Whether the stored bytes are ciphertext' })
  encrypted!: boolean;

  @ApiProperty({ type: [String], example: [], description: 'What to know before opening it, such as encrypted' })
  findings!: string[];

  @ApiProperty({ enum: ['unscanned', 'pending', 'clean', 'infected'] })
  scan_state!: string;

  @ApiProperty({ example: 'public', description: 'User name at that time, or "public"' })
  uploaded_by!: string;
}

export function toFileResponse(file: StoredFile): FileResponse {
  return {
    id: file.id,
    original_name: file.originalName,
    media_type: file.mediaType,
    size_bytes: file.sizeBytes,
    sha256: file.sha256,
    created_at: file.createdAt.toISOString(),
    owner_kind: file.ownerKind,
    owner_id: file.ownerId,
    storage: file.storage,
    encrypted: file.isEncrypted,
    findings: file.findings,
    scan_state: file.scanState,
    uploaded_by: file.uploadedBy,
  };
}
