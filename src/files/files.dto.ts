import { ApiProperty } from '@nestjs/swagger';
import { ChoiceField } from '../common/fields.js';
import type { StoredFile } from './file.entity.js';

export class QuarantineQuery {
  @ChoiceField(['yes'], { description: 'Says that the caller knows what the file contains' })
  contains_malware!: 'yes';
}

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

  @ApiProperty({ type: String, nullable: true, description: 'The scanner’s name for the malware that it found' })
  scan_signature!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  scanned_at!: string | null;

  @ApiProperty({
    enum: ['owed', 'read', 'unreadable', 'encrypted', 'timeout', 'memory'],
    description: 'Whether its text was read for search, or why not',
  })
  text_state!: string;

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
    scan_signature: file.scanSignature,
    scanned_at: file.scannedAt?.toISOString() ?? null,
    text_state: file.textState,
    uploaded_by: file.uploadedBy,
  };
}
