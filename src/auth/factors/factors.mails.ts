import type { OutgoingMail } from '../../mail/mail.service.js';
import type { User } from '../../users/users.service.js';
import { writtenTime } from '../auth.mails.js';

/** So that nobody adds or removes a factor behind its owner's back (ASVS 5.0, 6.3.7). */
export function factorMail(
  template: 'factor_added' | 'factor_removed',
  { email, username }: User,
  factor: string,
  changedAt: Date,
): OutgoingMail {
  return { template, recipient: email, data: { username, factor, changed_at: writtenTime(changedAt) } };
}

export function recoveryCodeUsedMail({ email, username }: User, usedAt: Date, left: number): OutgoingMail {
  return {
    template: 'recovery_code_used',
    recipient: email,
    data: { username, used_at: writtenTime(usedAt), codes_left: String(left) },
  };
}

export function factorsResetMail({ email, username }: User, resetAt: Date): OutgoingMail {
  return { template: 'factors_reset', recipient: email, data: { username, reset_at: writtenTime(resetAt) } };
}
