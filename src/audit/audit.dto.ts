import { ApiProperty, IntersectionType } from '@nestjs/swagger';
import { ChoiceField, LineField, TimeField, UuidField } from '../common/fields.js';
import { PageQuery, PageResponse } from '../common/pagination.js';
import { isUuid } from '../common/uuid.js';
import type { AuditEntry, AuditOutcome } from './audit-entry.entity.js';
import { AUDIT_EXPORT_FORMATS, type AuditExportFormat } from './audit-export.js';
import type { AuditFilter } from './audit.repository.js';

class AuditFilterQuery {
  @LineField({
    min: 1,
    max: 60,
    optional: true,
    description: 'Id of a user, or the name of a user or part of Forecourt',
  })
  actor?: string;

  @LineField({
    min: 1,
    max: 60,
    optional: true,
    pattern: {
      regex: /^[a-z_]+(\.[a-z_]*)?$/,
      says: 'Must be an action such as auth.signed_in, or its beginning with the dot',
    },
    description: 'An action, or all that begin so when it ends in a dot',
    example: 'auth.',
  })
  action?: string;

  @LineField({ min: 1, max: 30, optional: true, example: 'lead' })
  target_kind?: string;

  @UuidField({ optional: true })
  target_id?: string;

  @ChoiceField(['done', 'refused'], { optional: true })
  outcome?: AuditOutcome;

  @LineField({ min: 2, max: 45, optional: true, example: '203.0.113.7' })
  ip?: string;

  @UuidField({ optional: true, description: 'X-Request-ID of the request' })
  request_id?: string;

  @UuidField({ optional: true, description: 'What was done with this API key' })
  api_key_id?: string;

  @TimeField({ optional: true, description: 'Not before this time' })
  from?: Date;

  @TimeField({ optional: true, description: 'Before this time' })
  to?: Date;
}

export class ListAuditEntriesQuery extends IntersectionType(PageQuery, AuditFilterQuery) {}

export class ExportAuditEntriesQuery extends AuditFilterQuery {
  @ChoiceField(AUDIT_EXPORT_FORMATS, { optional: true, default: 'csv' })
  format: AuditExportFormat = 'csv';
}

export function toAuditFilter(query: AuditFilterQuery): AuditFilter {
  const isId = query.actor !== undefined && isUuid(query.actor);
  return {
    actorId: isId ? query.actor : undefined,
    actorName: isId ? undefined : query.actor,
    action: query.action,
    targetKind: query.target_kind,
    targetId: query.target_id,
    outcome: query.outcome,
    ip: query.ip,
    requestId: query.request_id,
    apiKeyId: query.api_key_id,
    from: query.from,
    to: query.to,
  };
}

export class AuditEntryResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({
    type: 'string',
    nullable: true,
    example: '42',
    description: 'Place in the chain; null for the moment until it has one',
  })
  number!: string | null;

  @ApiProperty({ format: 'date-time' })
  at!: string;

  @ApiProperty({ enum: ['anonymous', 'user', 'system'] })
  actor_kind!: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  actor_id!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'ada', description: 'As it was then' })
  actor_name!: string | null;

  @ApiProperty({ type: String, nullable: true, example: '203.0.113.7' })
  ip!: string | null;

  @ApiProperty({ type: String, nullable: true })
  user_agent!: string | null;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  request_id!: string | null;

  @ApiProperty({ example: 'lead.status_changed' })
  action!: string;

  @ApiProperty({ example: 'lead' })
  target_kind!: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  target_id!: string | null;

  @ApiProperty({ enum: ['done', 'refused'] })
  outcome!: AuditOutcome;

  @ApiProperty({ type: 'object', additionalProperties: true, example: { from: 'PENDING', to: 'REACHED_OUT' } })
  details!: Readonly<Record<string, unknown>>;

  @ApiProperty({ type: String, nullable: true, description: 'Of the entry before, in hexadecimal digits' })
  previous_hash!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'SHA-256, in hexadecimal digits' })
  hash!: string | null;
}

export class AuditEntryPageResponse extends PageResponse {
  @ApiProperty({ type: [AuditEntryResponse] })
  items!: AuditEntryResponse[];
}

export function toAuditEntryResponse(entry: AuditEntry): AuditEntryResponse {
  return {
    id: entry.id,
    number: entry.number,
    at: entry.at.toISOString(),
    actor_kind: entry.actorKind,
    actor_id: entry.actorId,
    actor_name: entry.actorName,
    ip: entry.ip,
    user_agent: entry.userAgent,
    request_id: entry.requestId,
    action: entry.action,
    target_kind: entry.targetKind,
    target_id: entry.targetId,
    outcome: entry.outcome,
    details: entry.details,
    previous_hash: entry.previousHash,
    hash: entry.hash,
  };
}
