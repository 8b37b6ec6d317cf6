import { ApiProperty } from '@nestjs/swagger';
import { UnprocessableFields } from '../common/errors.js';
import { ChoiceField, LineField, TimeField, UuidField } from '../common/fields.js';
import { PageQuery, PageResponse } from '../common/pagination.js';
import {
  MAIL_TEMPLATE_NAMES,
  type MailAttempt,
  type MailListing,
  type MailMessage,
  MailState,
  type MailStory,
} from '../mail/mail-records.service.js';

export class ListMailQuery extends PageQuery {
  @ChoiceField(Object.values(MailState), { enumName: 'MailState', optional: true })
  state?: MailState;

  @LineField({ min: 1, max: 255, optional: true, description: 'Exactly this address, in whatever case' })
  recipient?: string;

  @ChoiceField(MAIL_TEMPLATE_NAMES, { enumName: 'MailTemplate', optional: true })
  template?: string;

  @LineField({ min: 1, max: 50, optional: true, example: 'lead', description: 'Kind of what it is about' })
  about_kind?: string;

  @UuidField({ optional: true, description: 'Id of what it is about; only with about_kind' })
  about_id?: string;

  @TimeField({ optional: true, description: 'Made at this time or later' })
  created_from?: Date;

  @TimeField({ optional: true, description: 'Made before this time' })
  created_to?: Date;
}

export class PreviewMailQuery {
  @ChoiceField(['html', 'text'], { optional: true, default: 'html' })
  format: 'html' | 'text' = 'html';
}

export class MailMessageResponse {
  @ApiProperty({ format: 'uuid', description: 'The Message-ID is made from it' })
  id!: string;

  @ApiProperty({ example: 'prospect_confirmation' })
  template!: string;

  @ApiProperty({ example: 'de-AT' })
  locale!: string;

  @ApiProperty({ example: 'ada@example.com' })
  recipient!: string;

  @ApiProperty({ example: 'lead' })
  about_kind!: string;

  @ApiProperty({ format: 'uuid' })
  about_id!: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'The request that caused it, if one did' })
  request_id!: string | null;

  @ApiProperty({
    enum: MailState,
    enumName: 'MailState',
    description:
      'queued: not tried yet; sending: under way; retrying: tried, will be again; sent: the mail server has it; failed: given up; suppressed: not tried, because the recipient refuses for good; cancelled: by an operator, this one or all mail (NOTIFICATIONS_ENABLED)',
  })
  state!: MailState;

  @ApiProperty({ type: 'integer', description: 'Attempts that the server answered, since it was last queued' })
  attempts!: number;

  @ApiProperty({ type: 'integer', description: 'Attempts that met an outage of the server' })
  deferrals!: number;

  @ApiProperty({ type: String, nullable: true, description: 'What the server said, or what was wrong' })
  last_error!: string | null;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When the mail server took it' })
  sent_at!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  failed_at!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  cancelled_at!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When it is tried again by itself' })
  next_attempt_at!: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Since when it waits for the mail server to come back',
  })
  held_at!: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When an operator last had it sent again',
  })
  requeued_at!: string | null;

  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'The sent message that it repeats' })
  resend_of!: string | null;
}

export class MailPageResponse extends PageResponse {
  @ApiProperty({ type: [MailMessageResponse] })
  items!: MailMessageResponse[];
}

export class MailAttemptResponse {
  @ApiProperty({ type: 'integer', example: 1 })
  number!: number;

  @ApiProperty({ format: 'date-time' })
  started_at!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'null while it is under way' })
  ended_at!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    enum: ['sent', 'refused', 'postponed', 'outage', 'interrupted', null],
    description: 'interrupted: its process died',
  })
  outcome!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'What the server said, or what was wrong' })
  words!: string | null;
}

export class RenderedMailResponse {
  @ApiProperty()
  subject!: string;

  @ApiProperty({ type: String, nullable: true, description: 'null where it goes out as plain text' })
  html!: string | null;

  @ApiProperty()
  text!: string;

  @ApiProperty({ type: String, nullable: true, description: 'Why there is no HTML' })
  problem!: string | null;
}

export class MailDetailResponse extends MailMessageResponse {
  @ApiProperty({ type: [MailAttemptResponse], description: 'In order' })
  attempt_log!: MailAttemptResponse[];

  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'The message that repeats this one' })
  resent_as!: string | null;

  @ApiProperty({ description: 'In the words of the templates as they are now' })
  rendered!: RenderedMailResponse;
}

/** Throws `UnprocessableFields` for an id of nobody knows what. */
export function toMailListing(query: ListMailQuery): MailListing {
  if (query.about_id !== undefined && query.about_kind === undefined)
    throw new UnprocessableFields({ fieldErrors: { about_kind: ['This field is required with about_id'] } });
  return {
    page: query.page,
    size: query.size,
    state: query.state,
    recipient: query.recipient,
    template: query.template,
    aboutKind: query.about_kind,
    aboutId: query.about_id,
    createdFrom: query.created_from,
    createdTo: query.created_to,
  };
}

const timeOf = (time: Date | null): string | null => time?.toISOString() ?? null;

export function toMailMessageResponse(message: MailMessage): MailMessageResponse {
  return {
    id: message.id,
    template: message.template,
    locale: message.locale,
    recipient: message.recipient,
    about_kind: message.aboutKind,
    about_id: message.aboutId,
    request_id: message.requestId ?? null,
    state: message.state,
    attempts: message.attempts,
    deferrals: message.deferrals,
    last_error: message.lastError ?? null,
    created_at: message.createdAt.toISOString(),
    sent_at: timeOf(message.sentAt),
    failed_at: timeOf(message.failedAt),
    cancelled_at: timeOf(message.cancelledAt),
    next_attempt_at: timeOf(message.nextAttemptAt),
    held_at: timeOf(message.heldAt),
    requeued_at: timeOf(message.requeuedAt),
    resend_of: message.resendOf ?? null,
  };
}

export function toMailDetailResponse({ message, attempts, preview, resentAs }: MailStory): MailDetailResponse {
  return {
    ...toMailMessageResponse(message),
    attempt_log: attempts.map(toMailAttemptResponse),
    resent_as: resentAs,
    rendered: { subject: preview.subject, html: preview.html, text: preview.text, problem: preview.problem },
  };
}

function toMailAttemptResponse({ number, startedAt, endedAt, outcome, words }: MailAttempt): MailAttemptResponse {
  return { number, started_at: startedAt.toISOString(), ended_at: timeOf(endedAt), outcome, words };
}
