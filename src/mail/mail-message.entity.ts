import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';
import { secretsOf } from './mail-catalogue.js';
import { MailJustResent, MailNotWaiting, MailSecretGone, MailStillUnderWay } from './mail.errors.js';

/**
 * queued: never tried · sending: under way, or was when its process died · retrying: tried, will be again ·
 * sent: the mail server has it · failed: given up · suppressed: not tried, because its recipient refuses for good ·
 * cancelled: not tried any more, because an operator said so, of this one or of all mail
 */
export enum MailState {
  Queued = 'queued',
  Sending = 'sending',
  Retrying = 'retrying',
  Sent = 'sent',
  Failed = 'failed',
  Suppressed = 'suppressed',
  Cancelled = 'cancelled',
}

const WAITING: ReadonlySet<MailState> = new Set([MailState.Queued, MailState.Retrying]);

/** Longer than any attempt, and than the sweep of a process that died in one. */
const STUCK_AFTER_MS = 3_600_000;
/** Whoever presses a button twice means it once. */
const RESENT_JUST_NOW_MS = 30_000;

/** The values of a template, by name. */
export type MailData = Readonly<Record<string, string>>;

/** A message that Forecourt owes somebody. */
@Entity('mail_messages')
@Unique('uq_mail_messages_cause', ['aboutKind', 'aboutId', 'template', 'recipient', 'resendNumber'])
export class MailMessage {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_mail_messages' })
  id!: string;

  @Column('varchar', { length: 100 })
  template!: string;

  @Column('varchar', { length: 255 })
  recipient!: string;

  /** The language that the recipient wants, which need not be among the templates. */
  @Column('varchar', { length: 35, default: 'en' })
  locale!: string;

  @Column('jsonb')
  data!: MailData;

  /** Values that only the recipient may read, sealed; null where there are none, and when the message is settled. */
  @Column('jsonb', { nullable: true })
  secrets!: MailData | null;

  @Column('varchar', { name: 'about_kind', length: 50 })
  aboutKind!: string;

  @Column('uuid', { name: 'about_id' })
  aboutId!: string;

  /** The request that caused it; null where none did. */
  @Column('uuid', { name: 'request_id', nullable: true })
  requestId!: string | null;

  @Column('enum', { enum: MailState, enumName: 'mail_state', default: MailState.Queued })
  state!: MailState;

  /** Attempts that the server answered; an outage does not count. */
  @Column('integer', { default: 0 })
  attempts!: number;

  /** Attempts that met an outage of the server. */
  @Column('integer', { default: 0 })
  deferrals!: number;

  @Column('text', { name: 'last_error', nullable: true })
  lastError!: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'sent_at', nullable: true })
  sentAt!: Date | null;

  /** As it was last handed over; null before. */
  @Column('text', { nullable: true })
  subject!: string | null;

  /** When it is tried again, if it waits by itself. */
  @Column('timestamptz', { name: 'next_attempt_at', nullable: true })
  nextAttemptAt!: Date | null;

  /** Since when it waits for the mail server to come back; it has no job meanwhile. */
  @Column('timestamptz', { name: 'held_at', nullable: true })
  heldAt!: Date | null;

  /** It met with an outage while the server answered for others: the trouble is its own, or its recipient's. */
  @Column('boolean', { name: 'is_suspect', default: false })
  isSuspect!: boolean;

  @Column('timestamptz', { name: 'failed_at', nullable: true })
  failedAt!: Date | null;

  /** How often it was queued again. A job that was made before the last time does nothing any more. */
  @Column('integer', { default: 0 })
  round!: number;

  /** When it was last queued again by an operator; for a message that repeats another, when it was made. */
  @Column('timestamptz', { name: 'requeued_at', nullable: true })
  requeuedAt!: Date | null;

  @Column('timestamptz', { name: 'cancelled_at', nullable: true })
  cancelledAt!: Date | null;

  /** 0 for the message itself, 1 for its first repetition, and so on. */
  @Column('integer', { name: 'resend_number', default: 0 })
  resendNumber!: number;

  /** The sent message that this one repeats. Each is repeated once at most: what comes next repeats the repetition. */
  @Column('uuid', { name: 'resend_of', nullable: true })
  resendOf!: string | null;

  /** Derived from the row, so that a message sent twice after a crash is one message to whoever receives it. */
  messageId(domain: string): string {
    return `<${this.id}@${domain}>`;
  }

  get isSettled(): boolean {
    return !WAITING.has(this.state) && this.state !== MailState.Sending;
  }

  /** From when on its delivery is counted. */
  get owedSince(): Date {
    return this.requeuedAt ?? this.createdAt;
  }

  markSent(now: Date): void {
    this.settle(MailState.Sent);
    this.sentAt = now;
    this.lastError = null;
  }

  /** Gives it up. */
  markFailed(now: Date, reason: string): void {
    this.settle(MailState.Failed);
    this.failedAt = now;
    this.lastError = reason;
  }

  markSuppressed(now: Date, reason: string): void {
    this.settle(MailState.Suppressed);
    this.failedAt = now;
    this.lastError = reason;
  }

  /**
   * Throws `MailNotWaiting`: what is under way since `startedAt` may arrive, and what is settled is settled. After an hour
   * nobody is sending it any more.
   */
  cancel(now: Date, startedAt: Date | null): void {
    const isStuck =
      this.state === MailState.Sending && startedAt !== null && now.getTime() - startedAt.getTime() > STUCK_AFTER_MS;
    if (!WAITING.has(this.state) && !isStuck) throw new MailNotWaiting();
    this.settle(MailState.Cancelled);
    this.cancelledAt = now;
  }

  /** Does not try it, or not any more, because no mail is to leave at all. */
  markSwitchedOff(now: Date): void {
    this.settle(MailState.Cancelled);
    this.cancelledAt = now;
    this.lastError = 'mail is switched off (NOTIFICATIONS_ENABLED)';
  }

  /**
   * Throws `MailStillUnderWay`, `MailSecretGone`, and `MailJustResent` for half a minute after an operator has last said so.
   */
  checkResendable(now: Date): void {
    if (!this.isSettled) throw new MailStillUnderWay();
    if (secretsOf(this.template).length > 0) throw new MailSecretGone();
    if (this.requeuedAt !== null && now.getTime() - this.requeuedAt.getTime() < RESENT_JUST_NOW_MS)
      throw new MailJustResent();
  }

  /** Begins anew what did not go out: the same message under the same Message-ID, with all its attempts before it. */
  queueAgain(now: Date): void {
    this.checkResendable(now);
    this.state = MailState.Queued;
    this.round += 1;
    this.requeuedAt = now;
    this.attempts = 0;
    this.deferrals = 0;
    this.lastError = null;
    this.failedAt = null;
    this.cancelledAt = null;
  }

  /** A further message that says the same, for one that was sent, and that this request asked for. */
  repeat(id: string, requestId: string | null, now: Date): MailMessage {
    this.checkResendable(now);
    return Object.assign(new MailMessage(), {
      id,
      template: this.template,
      recipient: this.recipient,
      locale: this.locale,
      data: this.data,
      secrets: null,
      aboutKind: this.aboutKind,
      aboutId: this.aboutId,
      requestId,
      createdAt: now,
      requeuedAt: now,
      state: MailState.Queued,
      attempts: 0,
      deferrals: 0,
      isSuspect: false,
      round: 0,
      resendNumber: this.resendNumber + 1,
      resendOf: this.id,
    });
  }

  /** Tries it again by itself at that time. */
  retryAt(time: Date, reason: string): void {
    this.state = MailState.Retrying;
    this.nextAttemptAt = time;
    this.heldAt = null;
    this.lastError = reason;
  }

  /** Undoes the beginning of an attempt. */
  stepBack(): void {
    this.state = this.attempts + this.deferrals === 0 ? MailState.Queued : MailState.Retrying;
  }

  /** Lets it wait until the mail server is back. */
  hold(now: Date): void {
    if (this.state === MailState.Sending) this.state = MailState.Retrying;
    this.heldAt ??= now;
    this.nextAttemptAt = null;
  }

  private settle(state: MailState): void {
    this.state = state;
    this.nextAttemptAt = null;
    this.heldAt = null;
    this.isSuspect = false;
    this.secrets = null;
  }
}

/** What each line of the log that is about a message says of it; never its recipient. */
export function lineAbout({ id, template, requestId }: MailMessage): Record<string, string | undefined> {
  return { message_id: id, template, request_id: requestId ?? undefined };
}
