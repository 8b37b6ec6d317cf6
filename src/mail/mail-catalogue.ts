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
  email_verification: ['username', 'verify_url', 'expires_at'],
  password_reset: ['username', 'reset_url', 'expires_at'],
  magic_link: ['sign_in_url', 'expires_at'],
  email_change: ['username', 'confirm_url', 'expires_at'],
  email_change_notice: ['username', 'new_email', 'requested_at'],
  email_taken: ['username', 'requested_at'],
  email_changed: ['username', 'new_email', 'changed_at'],
  factor_added: ['username', 'factor', 'changed_at'],
  factor_removed: ['username', 'factor', 'changed_at'],
  factors_reset: ['username', 'reset_at'],
  recovery_code_used: ['username', 'used_at', 'codes_left'],
  identity_linked: ['username', 'provider', 'changed_at'],
  identity_unlinked: ['username', 'provider', 'changed_at'],
  api_key_created: ['username', 'key_name', 'key_prefix', 'scopes', 'created_at', 'expires_at'],
  api_key_expires: ['username', 'key_name', 'key_prefix', 'expires_at'],
  alert: ['summary', 'cause', 'raised_at', 'details'],
} as const satisfies Record<string, readonly string[]>;

export type MailTemplate = keyof typeof MAIL_TEMPLATES;

/**
 * Values that whoever reads them could use in the recipient's place, such as links that are good once. Sealed in the database,
 * opened for the recipient alone, and gone when the message is settled.
 */
export const MAIL_SECRETS: { readonly [Name in MailTemplate]?: readonly (typeof MAIL_TEMPLATES)[Name][number][] } = {
  invitation: ['accept_url'],
  email_verification: ['verify_url'],
  password_reset: ['reset_url'],
  magic_link: ['sign_in_url'],
  email_change: ['confirm_url'],
};

export function secretsOf(template: string): readonly string[] {
  return isMailTemplate(template) ? (MAIL_SECRETS[template] ?? []) : [];
}

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
