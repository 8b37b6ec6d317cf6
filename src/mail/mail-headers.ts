import type { Config } from '../config/config.js';

interface Mailbox {
  readonly name: string;
  readonly address: string;
}

/** What is the same in every mail to somebody. */
export interface MailHeaders {
  readonly from: Mailbox;
  readonly to: Mailbox;
  readonly replyTo?: Mailbox;
  readonly headers: Record<string, string>;
}

export function headersTo(recipient: string, { mail: { fromName, fromEmail, replyTo } }: Config): MailHeaders {
  return {
    from: { name: fromName, address: fromEmail },
    to: { name: '', address: recipient },
    ...(replyTo === undefined ? {} : { replyTo: { name: '', address: replyTo } }),
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

/** The part of Message-IDs that makes them ours. */
export function senderDomain({ mail: { fromEmail } }: Config): string {
  return fromEmail.split('@')[1] ?? 'localhost';
}
