/**
 * Every message that Forecourt can send, with the values that its templates show: each value stands in the HTML and in the
 * plain text of each language. All of them are text in one line.
 */
export const MAIL_TEMPLATES = {
  prospect_confirmation: ['prospect_name', 'lead_id'],
  attorney_notification: ['prospect_name', 'prospect_email', 'resume_filename', 'lead_id', 'dashboard_url'],
  invitation: ['inviter', 'accept_url', 'expires_at'],
  sign_in_locked: ['username', 'locked_at', 'locked_until'],
  password_changed: ['username', 'changed_at'],
  api_key_created: ['username', 'key_name', 'key_prefix', 'scopes', 'created_at', 'expires_at'],
  api_key_expires: ['username', 'key_name', 'key_prefix', 'expires_at'],
  alert: ['summary', 'cause', 'raised_at', 'details'],
} as const satisfies Record<string, readonly string[]>;

export type MailTemplate = keyof typeof MAIL_TEMPLATES;

/** A message's template with exactly its values. */
export type MailContent = {
  readonly [Name in MailTemplate]: {
    readonly template: Name;
    readonly data: Readonly<Record<(typeof MAIL_TEMPLATES)[Name][number], string>>;
  };
}[MailTemplate];

export function isMailTemplate(name: string): name is MailTemplate {
  return Object.hasOwn(MAIL_TEMPLATES, name);
}
