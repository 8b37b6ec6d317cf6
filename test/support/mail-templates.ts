import { loadConfig } from '../../src/config/config.js';
import type { MailData } from '../../src/mail/mail-message.entity.js';
import { MailTemplates } from '../../src/mail/mail.templates.js';

export const LEAD_ID = '0d7f7c52-3f6e-4a1c-9f7e-6a1f6f1f2c11';
export const PROSPECT = { prospect_name: 'Ada Lovelace', lead_id: LEAD_ID };
export const ATTORNEY = {
  prospect_name: 'Ada Lovelace',
  prospect_email: 'ada@example.com',
  resume_filename: 'Résumé Ada.pdf',
  lead_id: LEAD_ID,
  dashboard_url: `https://app.test/leads/${LEAD_ID}`,
};
export const ALERT = {
  summary: 'An upload holds malware',
  cause: 'file.infected',
  raised_at: '2026-01-31T10:30:00.000Z',
  details: '{"code":7}',
};
export const INVITATION = {
  inviter: 'grace',
  accept_url: 'https://app.test/accept-invitation#token=0123456789',
  expires_at: '2026-02-03 10:30 UTC',
};
export const SIGN_IN_LOCKED = {
  username: 'ada',
  locked_at: '2026-01-31 10:30 UTC',
  locked_until: '2026-01-31 10:45 UTC',
};
export const PASSWORD_CHANGED = { username: 'ada', changed_at: '2026-01-31 10:30 UTC' };
const EXPIRES = '2026-02-03 10:30 UTC';
export const EMAIL_VERIFICATION = {
  username: 'ada',
  verify_url: 'https://app.test/verify-email#token=0123456789',
  expires_at: EXPIRES,
};
export const PASSWORD_RESET = {
  username: 'ada',
  reset_url: 'https://app.test/reset-password#token=0123456789',
  expires_at: EXPIRES,
};
export const MAGIC_LINK = { sign_in_url: 'https://app.test/auth/magic-link#token=0123456789', expires_at: EXPIRES };
export const EMAIL_CHANGE = {
  username: 'ada',
  confirm_url: 'https://app.test/confirm-email#token=0123456789',
  expires_at: EXPIRES,
};
export const EMAIL_CHANGE_NOTICE = {
  username: 'ada',
  new_email: 'a***@example.com',
  requested_at: '2026-01-31 10:30 UTC',
};
export const EMAIL_TAKEN = { username: 'ada', requested_at: '2026-01-31 10:30 UTC' };
export const EMAIL_CHANGED = { username: 'ada', new_email: 'a***@example.com', changed_at: '2026-01-31 10:30 UTC' };
export const FACTOR_CHANGE = { username: 'ada', factor: 'Phone', changed_at: '2026-01-31 10:30 UTC' };
export const FACTORS_RESET = { username: 'ada', reset_at: '2026-01-31 10:30 UTC' };
export const IDENTITY_CHANGE = { username: 'ada', provider: 'google', changed_at: '2026-01-31 10:30 UTC' };
export const RECOVERY_CODE_USED = { username: 'ada', used_at: '2026-01-31 10:30 UTC', codes_left: '9' };
export const API_KEY_CREATED = {
  username: 'ada',
  key_name: 'Nightly export',
  key_prefix: 'fck_0aB1cD2e',
  scopes: 'leads:read, profile:read',
  created_at: '2026-01-31 10:30 UTC',
  expires_at: '2026-05-01 10:30 UTC',
};
export const API_KEY_EXPIRES = {
  username: 'ada',
  key_name: 'Nightly export',
  key_prefix: 'fck_0aB1cD2e',
  expires_at: '2026-05-01 10:30 UTC',
};
export const LOCALES = ['en', 'de'];
export const MESSAGES: [string, MailData][] = [
  ['prospect_confirmation', PROSPECT],
  ['attorney_notification', ATTORNEY],
  ['invitation', INVITATION],
  ['sign_in_locked', SIGN_IN_LOCKED],
  ['password_changed', PASSWORD_CHANGED],
  ['email_verification', EMAIL_VERIFICATION],
  ['password_reset', PASSWORD_RESET],
  ['magic_link', MAGIC_LINK],
  ['email_change', EMAIL_CHANGE],
  ['email_change_notice', EMAIL_CHANGE_NOTICE],
  ['email_taken', EMAIL_TAKEN],
  ['email_changed', EMAIL_CHANGED],
  ['factor_added', FACTOR_CHANGE],
  ['factor_removed', FACTOR_CHANGE],
  ['factors_reset', FACTORS_RESET],
  ['recovery_code_used', RECOVERY_CODE_USED],
  ['identity_linked', IDENTITY_CHANGE],
  ['identity_unlinked', IDENTITY_CHANGE],
  ['api_key_created', API_KEY_CREATED],
  ['api_key_expires', API_KEY_EXPIRES],
  ['alert', ALERT],
];
/** Each message in each language, with its values. */
export const EVERY_MESSAGE = LOCALES.flatMap((locale) => MESSAGES.map(([name, data]) => [locale, name, data] as const));

/** The templates as the program has them after its start. */
export async function templatesWith(settings: Record<string, string> = {}): Promise<MailTemplates> {
  const made = new MailTemplates(
    loadConfig({ COMPANY_NAME: 'Byron & Partners', SMTP_FROM_NAME: 'Intake System', ...settings }),
  );
  await made.onModuleInit();
  return made;
}
