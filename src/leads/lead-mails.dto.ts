import { ApiProperty } from '@nestjs/swagger';
import type { MailMessage } from '../mail/mail.service.js';

/** What an attorney understands by each state. */
const SUMMARIES: Readonly<Record<MailMessage['state'], string>> = {
  queued: 'Not sent yet: it waits for its turn',
  sending: 'Being sent',
  retrying: 'Not arrived yet: the mail server could not take it and is asked again',
  sent: 'Arrived at the mail server',
  failed: 'Not arrived: the mail server did not take it, and it is given up',
  suppressed: 'Not sent: the address has refused mail before',
  cancelled: 'Not sent: an administrator cancelled it, or switched all mail off',
};

/** In place of `sent` where there is no mail server. */
const KEPT = { ...SUMMARIES, sent: 'Written into a folder: there is no mail server' };

/** A mail about a lead. */
export class LeadMailResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'prospect_confirmation' })
  template!: string;

  @ApiProperty({ example: 'ada@example.com' })
  recipient!: string;

  @ApiProperty({ enum: Object.keys(SUMMARIES), enumName: 'MailState' })
  state!: string;

  @ApiProperty({ example: SUMMARIES.sent, description: 'The state in words' })
  summary!: string;

  @ApiProperty({ type: 'integer' })
  attempts!: number;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When the mail server took it' })
  sent_at!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'What the mail server said last, if it did not take it' })
  last_error!: string | null;
}

export function toLeadMailResponse(mail: MailMessage, hasServer: boolean): LeadMailResponse {
  return {
    id: mail.id,
    template: mail.template,
    recipient: mail.recipient,
    state: mail.state,
    summary: (hasServer ? SUMMARIES : KEPT)[mail.state],
    attempts: mail.attempts,
    created_at: mail.createdAt.toISOString(),
    sent_at: mail.sentAt?.toISOString() ?? null,
    last_error: mail.lastError,
  };
}
