import { ApiProperty } from '@nestjs/swagger';
import type { RetentionPreview } from './retention-runs.js';

export class RetentionRuleResponse {
  @ApiProperty({ example: 'leads' })
  rule!: string;

  @ApiProperty({ example: 'leads that were reached, and not touched since' })
  removes!: string;

  @ApiProperty({ example: 'RETENTION_LEADS_DAYS', description: 'The setting that says the days' })
  setting!: string;

  @ApiProperty({ type: 'integer', nullable: true, example: 1095, description: 'null when they are kept for ever' })
  days!: number | null;

  @ApiProperty({ example: 'privacy.retain', description: 'The job that removes them' })
  job!: string;

  @ApiProperty({ type: 'integer', description: 'What a run would remove at this moment' })
  due!: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'The time that counts, of the oldest of them; null when there is none',
  })
  oldest_at!: string | null;

  @ApiProperty({ type: [String], format: 'uuid', description: 'Of the oldest, at most ten' })
  sample_ids!: string[];
}

export class RetentionResponse {
  @ApiProperty({ type: [RetentionRuleResponse] })
  items!: RetentionRuleResponse[];
}

export function toRetentionResponse(previews: readonly RetentionPreview[]): RetentionResponse {
  return {
    items: previews.map(({ rule, due }) => ({
      rule: rule.name,
      removes: rule.doc,
      setting: rule.setting,
      days: rule.days,
      job: rule.job,
      due: due.count,
      oldest_at: due.oldest?.toISOString() ?? null,
      sample_ids: [...due.ids],
    })),
  };
}
