import { ApiProperty } from '@nestjs/swagger';
import { EmailField } from '../common/fields.js';
import type { PolicyHint, SenderPolicies } from '../mail/mail-dns.service.js';
import type { MailOutcomes, MailServerCheck, MailStatus, MailTest } from '../mail/mail-status.service.js';

export class MailServerCheckResponse {
  @ApiProperty({ example: 'smtp.example.com' })
  host!: string;

  @ApiProperty({ type: 'integer', example: 587 })
  port!: number;

  @ApiProperty({ format: 'date-time', description: 'An answer is up to ten seconds old' })
  checked_at!: string;

  @ApiProperty()
  is_reachable!: boolean;

  @ApiProperty({ type: String, nullable: true, example: 'TLSv1.3', description: 'null when it is not encrypted' })
  tls_version!: string | null;

  @ApiProperty({
    type: Boolean,
    nullable: true,
    description: 'null when no user name is set, or when it did not come to that',
  })
  is_authenticated!: boolean | null;

  @ApiProperty({ type: String, nullable: true, description: 'What the server said, or what was wrong' })
  error!: string | null;
}

export class MailPauseResponse {
  @ApiProperty({ format: 'date-time' })
  since!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'null while a probe is under way' })
  next_probe_at!: string | null;

  @ApiProperty({ type: String, nullable: true })
  last_error!: string | null;
}

export class MailQueueResponse {
  @ApiProperty({ type: 'integer' })
  queued!: number;

  @ApiProperty({ type: 'integer' })
  sending!: number;

  @ApiProperty({ type: 'integer' })
  retrying!: number;

  @ApiProperty({ type: 'integer', description: 'Of these three, those that wait for the server to come back' })
  held!: number;

  @ApiProperty({ type: 'integer' })
  failed!: number;

  @ApiProperty({ type: 'integer' })
  suppressed!: number;

  @ApiProperty({ type: 'integer' })
  cancelled!: number;

  @ApiProperty({ description: 'How long the oldest of those that wait is owed; 0 when none does' })
  oldest_waiting_seconds!: number;
}

export class MailFailureResponse {
  @ApiProperty({ format: 'date-time' })
  at!: string;

  @ApiProperty({ type: String, nullable: true })
  words!: string | null;
}

export class MailOutcomesResponse {
  @ApiProperty({ type: 'integer', description: 'Attempts that the server answered with yes' })
  sent!: number;

  @ApiProperty({ type: 'integer', description: 'With no for good' })
  refused!: number;

  @ApiProperty({ type: 'integer', description: 'With not now' })
  postponed!: number;

  @ApiProperty({ type: 'integer', description: 'Attempts that met an outage of the server' })
  outage!: number;

  @ApiProperty({ type: 'integer', description: 'Attempts whose process died' })
  interrupted!: number;

  @ApiProperty({ type: Number, nullable: true, description: 'From being owed to being sent; null when nothing was' })
  delay_median_seconds!: number | null;

  @ApiProperty({ type: Number, nullable: true, description: '95th percentile' })
  delay_p95_seconds!: number | null;

  @ApiProperty({ type: MailFailureResponse, nullable: true, description: 'The last attempt that did not end well' })
  last_failure!: MailFailureResponse | null;
}

export class MailStatusResponse {
  @ApiProperty({ description: 'false: no mail leaves (NOTIFICATIONS_ENABLED)' })
  is_enabled!: boolean;

  @ApiProperty({ enum: ['smtp', 'folder'], description: 'folder: SMTP_HOST is not set, mails are written as files' })
  delivery!: 'smtp' | 'folder';

  @ApiProperty({ type: String, nullable: true, description: 'Where mails are written without a mail server' })
  folder!: string | null;

  @ApiProperty({ type: MailServerCheckResponse, nullable: true })
  server!: MailServerCheckResponse | null;

  @ApiProperty({ type: MailPauseResponse, nullable: true, description: 'null unless all mail waits for the server' })
  pause!: MailPauseResponse | null;

  @ApiProperty()
  queue!: MailQueueResponse;

  @ApiProperty()
  last_hour!: MailOutcomesResponse;

  @ApiProperty()
  last_day!: MailOutcomesResponse;
}

export class TestMailRequest {
  @EmailField({ example: 'me@practice.example' })
  to!: string;
}

export class SmtpStepResponse {
  @ApiProperty({ enum: ['connected', 'encrypted', 'authenticated', 'accepted'] })
  stage!: string;

  @ApiProperty({ enum: ['ok', 'failed', 'skipped'] })
  result!: string;

  @ApiProperty({ example: '250 2.0.0 Ok: queued', description: 'The server’s own, where it said something' })
  words!: string;
}

export class MailTestResponse {
  @ApiProperty({ description: 'Whether the server said that it has the message' })
  is_accepted!: boolean;

  @ApiProperty({ example: '<3f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b@practice.example>' })
  message_id!: string;

  @ApiProperty({ type: [SmtpStepResponse], description: 'As far as it came' })
  steps!: SmtpStepResponse[];
}

export class PolicyHintResponse {
  @ApiProperty({ enum: ['ok', 'weak', 'missing', 'unknown'], description: 'unknown: DNS gave no answer, or cannot' })
  result!: string;

  @ApiProperty({ example: 'No DMARC record: publish one at _dmarc under the domain, p=none to begin with.' })
  hint!: string;

  @ApiProperty({ type: String, nullable: true, example: 'v=DMARC1; p=reject' })
  record!: string | null;
}

export class SenderPoliciesResponse {
  @ApiProperty({ example: 'practice.example', description: 'Of SMTP_FROM_EMAIL' })
  domain!: string;

  @ApiProperty()
  spf!: PolicyHintResponse;

  @ApiProperty()
  dkim!: PolicyHintResponse;

  @ApiProperty()
  dmarc!: PolicyHintResponse;
}

export function toMailStatusResponse(status: MailStatus): MailStatusResponse {
  const { isOn, server, folder, pause, depth, oldestWaitingSeconds, lastHour, lastDay } = status;
  return {
    is_enabled: isOn,
    delivery: server === null ? 'folder' : 'smtp',
    folder,
    server: server === null ? null : toServerCheckResponse(server),
    pause:
      pause.pausedSince === null
        ? null
        : {
            since: pause.pausedSince.toISOString(),
            next_probe_at: pause.nextProbeAt?.toISOString() ?? null,
            last_error: pause.lastError,
          },
    queue: {
      queued: depth.queued,
      sending: depth.sending,
      retrying: depth.retrying,
      held: depth.held,
      failed: depth.failed,
      suppressed: depth.suppressed,
      cancelled: depth.cancelled,
      oldest_waiting_seconds: oldestWaitingSeconds,
    },
    last_hour: toOutcomesResponse(lastHour),
    last_day: toOutcomesResponse(lastDay),
  };
}

function toServerCheckResponse(check: MailServerCheck): MailServerCheckResponse {
  return {
    host: check.host,
    port: check.port,
    checked_at: check.checkedAt.toISOString(),
    is_reachable: check.isReachable,
    tls_version: check.tlsVersion,
    is_authenticated: check.isAuthenticated,
    error: check.error,
  };
}

function toOutcomesResponse({ outcomes, delaySeconds, lastFailure }: MailOutcomes): MailOutcomesResponse {
  return {
    sent: outcomes.sent,
    refused: outcomes.refused,
    postponed: outcomes.postponed,
    outage: outcomes.outage,
    interrupted: outcomes.interrupted,
    delay_median_seconds: delaySeconds?.median ?? null,
    delay_p95_seconds: delaySeconds?.p95 ?? null,
    last_failure: lastFailure === null ? null : { at: lastFailure.at.toISOString(), words: lastFailure.words },
  };
}

export function toMailTestResponse({ isAccepted, messageId, steps }: MailTest): MailTestResponse {
  return {
    is_accepted: isAccepted,
    message_id: messageId,
    steps: steps.map(({ stage, result, words }) => ({ stage, result, words })),
  };
}

export function toSenderPoliciesResponse({ domain, spf, dkim, dmarc }: SenderPolicies): SenderPoliciesResponse {
  return { domain, spf: toHintResponse(spf), dkim: toHintResponse(dkim), dmarc: toHintResponse(dmarc) };
}

function toHintResponse({ result, sentence, record }: PolicyHint): PolicyHintResponse {
  return { result, hint: sentence, record };
}
