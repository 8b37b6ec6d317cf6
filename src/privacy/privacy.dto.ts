import { ApiProperty } from '@nestjs/swagger';
import { ChoiceField, EmailField, LineField } from '../common/fields.js';
import { PageQuery, PageResponse } from '../common/pagination.js';
import { ERASURE_REASONS, type Erasure, type ErasureReason } from './erasure.entity.js';
import type { LegalHold } from '../persons/legal-holds.service.js';
import type { FoundPerson } from './privacy.service.js';

export class PersonRequest {
  @EmailField({ example: 'ada@example.com' })
  email!: string;
}

export class ErasePersonRequest extends PersonRequest {
  @ChoiceField(ERASURE_REASONS, {
    enumName: 'ErasureReason',
    description: 'Which case of Article 17(1) of the GDPR it is; request, when the person simply asked',
  })
  reason!: ErasureReason;
}

export class HoldPersonRequest extends PersonRequest {
  @LineField({ min: 1, max: 500, example: 'Case 12 O 345/26', description: 'Why nothing may be deleted' })
  reason!: string;
}

export class ListHoldsQuery extends PageQuery {
  @ChoiceField(['active', 'lifted', 'all'], { optional: true, default: 'active' })
  state: 'active' | 'lifted' | 'all' = 'active';
}

export class HoldResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ format: 'email', example: 'ada@example.com' })
  email!: string;

  @ApiProperty({ example: 'Case 12 O 345/26' })
  reason!: string;

  @ApiProperty({ format: 'date-time' })
  placed_at!: string;

  @ApiProperty({ example: 'admin', description: 'User name at that time' })
  placed_by!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  lifted_at!: string | null;

  @ApiProperty({ type: String, nullable: true })
  lifted_by!: string | null;
}

export class HoldPageResponse extends PageResponse {
  @ApiProperty({ type: [HoldResponse] })
  items!: HoldResponse[];
}

export class ErasureResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ description: 'What stands for the person: HMAC-SHA256 of the address' })
  person!: string;

  @ApiProperty({ enum: ERASURE_REASONS, enumName: 'ErasureReason' })
  reason!: string;

  @ApiProperty({ format: 'date-time' })
  requested_at!: string;

  @ApiProperty({ example: 'admin', description: 'User name at that time' })
  requested_by!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    example: { leads: 1, mail: 2, files: 1 },
    description: 'Rows that were removed, or changed, by who knew of the person',
  })
  counts!: Record<string, number>;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the last byte was gone; null while bytes, whose keys are destroyed, are still to be removed',
  })
  completed_at!: string | null;
}

export class ErasurePageResponse extends PageResponse {
  @ApiProperty({ type: [ErasureResponse] })
  items!: ErasureResponse[];
}

export class PersonalRecordResponse {
  @ApiProperty({ example: 'lead' })
  kind!: string;

  @ApiProperty({ type: 'object', additionalProperties: true })
  data!: Record<string, unknown>;
}

export class FoundPersonResponse {
  @ApiProperty({ format: 'email', example: 'ada@example.com' })
  email!: string;

  @ApiProperty({ description: 'Whether a legal hold is on the person' })
  is_held!: boolean;

  @ApiProperty({ type: [ErasureResponse], description: 'When the address was forgotten before, latest first' })
  erasures!: ErasureResponse[];

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'array', items: { $ref: '#/components/schemas/PersonalRecordResponse' } },
    description: 'Everything that is known, by who knows it',
  })
  records!: Record<string, PersonalRecordResponse[]>;
}

export function toHoldResponse(hold: LegalHold): HoldResponse {
  return {
    id: hold.id,
    email: hold.email,
    reason: hold.reason,
    placed_at: hold.placedAt.toISOString(),
    placed_by: hold.placedBy,
    lifted_at: hold.liftedAt?.toISOString() ?? null,
    lifted_by: hold.liftedBy,
  };
}

export function toErasureResponse(erasure: Erasure): ErasureResponse {
  return {
    id: erasure.id,
    person: erasure.person,
    reason: erasure.reason,
    requested_at: erasure.requestedAt.toISOString(),
    requested_by: erasure.requestedBy,
    counts: erasure.counts,
    completed_at: erasure.completedAt?.toISOString() ?? null,
  };
}

export function toFoundPersonResponse({ email, isHeld, erasures, records }: FoundPerson): FoundPersonResponse {
  return {
    email,
    is_held: isHeld,
    erasures: erasures.map(toErasureResponse),
    records: Object.fromEntries(
      Object.entries(records).map(([source, found]) => [source, found.map(({ kind, data }) => ({ kind, data }))]),
    ),
  };
}
