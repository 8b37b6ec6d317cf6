import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** queued: never tried · retrying: tried, will be again · sent: the mail server has it · failed: given up */
export enum MailState {
  Queued = 'queued',
  Retrying = 'retrying',
  Sent = 'sent',
  Failed = 'failed',
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

  /** Consecutive times that the server could not be reached. */
  @Column('integer', { default: 0 })
  deferrals!: number;

  @Column('text', { name: 'last_error', nullable: true })
  lastError!: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'sent_at', nullable: true })
  sentAt!: Date | null;

  /** Derived from the row, so that a message sent twice after a crash is one message to whoever receives it. */
  messageId(domain: string): string {
    return `<${this.id}@${domain}>`;
  }
}
