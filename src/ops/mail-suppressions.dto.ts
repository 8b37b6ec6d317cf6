import { ApiProperty } from '@nestjs/swagger';
import { ChoiceField, LineField } from '../common/fields.js';
import { PageQuery, PageResponse } from '../common/pagination.js';
import type { MailSuppression, SuppressionListing } from '../mail/mail-records.service.js';

export class ListSuppressionsQuery extends PageQuery {
  @LineField({ min: 1, max: 255, optional: true, description: 'Exactly this address, in whatever case' })
  address?: string;

  @ChoiceField(['active', 'lifted', 'all'], { optional: true, default: 'active' })
  state: 'active' | 'lifted' | 'all' = 'active';
}

export class SuppressionResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'ada@example.com' })
  address!: string;

  @ApiProperty({ example: '550 5.1.1 no such user', description: 'What its server said' })
  reason!: string;

  @ApiProperty({ format: 'date-time' })
  since!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  lifted_at!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'User name at that time' })
  lifted_by!: string | null;
}

export class SuppressionPageResponse extends PageResponse {
  @ApiProperty({ type: [SuppressionResponse] })
  items!: SuppressionResponse[];
}

export function toSuppressionListing({ page, size, address, state }: ListSuppressionsQuery): SuppressionListing {
  return { page, size, address, isLifted: state === 'all' ? undefined : state === 'lifted' };
}

export function toSuppressionResponse(suppression: MailSuppression): SuppressionResponse {
  return {
    id: suppression.id,
    address: suppression.address,
    reason: suppression.reason,
    since: suppression.since.toISOString(),
    lifted_at: suppression.liftedAt?.toISOString() ?? null,
    lifted_by: suppression.liftedBy,
  };
}
