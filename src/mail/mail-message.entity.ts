import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/**
 * queued: never tried · sending: under way, or was when its process died · retrying: tried, will be again ·
 * sent: the mail server has it · failed: given up · suppressed: not tried, because its recipient refuses for good
 */
export enum MailState {
  Queued = 'queued',
  Sending = 'sending',
  Retrying = 'retrying',
  Sent = 'sent',
  Failed = 'failed',
  Suppressed = 'suppressed',
}

/** The values of a template, by name. */
export type MailData = Readonly<Record<string, string>>;

/** A message that Forecourt owes somebody. */
@Entity('mail_messages')
@Unique('uq_mail_messages_cause', ['aboutKind', 'aboutId', 'template', 'recipient'])
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

  @Column('varchar', { name: 'about_kind', length: 50 })
  aboutKind!: string;

  @Column('uuid', { name: 'about_id' })
  aboutId!: string;

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

  /** Derived from the row, so that a message sent twice after a crash is one message to whoever receives it. */
  messageId(domain: string): string {
    return `<${this.id}@${domain}>`;
  }

  get isSettled(): boolean {
    return this.state === MailState.Sent || this.state === MailState.Failed || this.state === MailState.Suppressed;
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

  /** Tries it again by itself at that time. */
  retryAt(time: Date, reason: string): void {
    this.state = MailState.Retrying;
    this.nextAttemptAt = time;
    this.heldAt = null;
    this.lastError = reason;
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
  }
}
