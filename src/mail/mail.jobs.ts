import type { JobDefinition } from '../jobs/jobs.service.js';

/**
 * Delivers one message. What the mail server answers is the message's own affair and reschedules it; attempts of the job
 * are for trouble on our side, such as a lost database.
 */
export const DELIVER_MAIL: JobDefinition<DeliverMail> = { name: 'mail.deliver', maxAttempts: 25 };

export interface DeliverMail {
  readonly message_id: string;
  /** How often the message was queued again, or held and released, before this job was made; never when absent. */
  readonly round?: number;
}

/** Tests with one message whether a mail server that was away is back, before any job that would only find it away. */
export const PROBE_MAIL_SERVER: JobDefinition<{ readonly round: number }> = {
  name: 'mail.probe_server',
  maxAttempts: 25,
  priority: -1,
};

/** Removes the files of messages that are forgotten. */
export const FORGET_LETTERS: JobDefinition<{ readonly message_ids: readonly string[] }> = {
  name: 'mail.forget_letters',
  maxAttempts: 25,
};
