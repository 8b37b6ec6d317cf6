import { resolve } from 'node:path';
import type { SettingValues } from './settings.js';

/** What mail is written and sent with. */
export interface MailConfig {
  /** Otherwise nothing is sent or written into the folder: each message is cancelled when its turn comes. */
  readonly isOn: boolean;
  /** Undefined means: write each message as an `.eml` file under `dataDir`/mail. */
  readonly smtp:
    | {
        readonly host: string;
        readonly port: number;
        readonly tls: SettingValues['SMTP_TLS'];
        readonly username: string | undefined;
        readonly password: string | undefined;
      }
    | undefined;
  /** Undefined means: mails are not signed. */
  readonly dkim: { readonly domain: string; readonly selector: string; readonly privateKey: string } | undefined;
  readonly fromEmail: string;
  readonly fromName: string;
  /** To the mail server, of one process; as many messages are handed over at a time. */
  readonly connections: number;
  /** From connecting to the server's word that it has the message. */
  readonly sendWithinMs: number;
  /** Undefined means the sender. */
  readonly replyTo: string | undefined;
  readonly attorneys: readonly string[];
  readonly alertRecipients: readonly string[];
  readonly maxAttempts: number;
  readonly retrySeconds: number;
  readonly companyName: string;
  readonly dashboardUrl: string;
  /** The canonical tag of a language (BCP 47). */
  readonly defaultLocale: string;
  /** Undefined means: the templates that come with the program. */
  readonly templatesDir: string | undefined;
  readonly brand: {
    /** Colours as #rrggbb. */
    readonly primaryColor: string;
    readonly successColor: string;
    readonly logoUrl: string | undefined;
    /** Lines; may be empty. */
    readonly signature: readonly string[];
    readonly address: readonly string[];
  };
}

export function toMailConfig(values: SettingValues): MailConfig {
  return {
    isOn: values.NOTIFICATIONS_ENABLED,
    smtp:
      values.SMTP_HOST === undefined
        ? undefined
        : {
            host: values.SMTP_HOST,
            port: values.SMTP_PORT,
            tls: values.SMTP_TLS,
            username: values.SMTP_USERNAME,
            password: values.SMTP_PASSWORD,
          },
    dkim: signingOf(values),
    connections: values.SMTP_CONNECTIONS,
    fromEmail: values.SMTP_FROM_EMAIL,
    fromName: values.SMTP_FROM_NAME,
    attorneys: mailboxesOf(values.ADMIN_EMAIL, values.ATTORNEY_EMAIL),
    alertRecipients: mailboxesOf(values.ADMIN_EMAIL, values.ADMIN_ALERT_EMAIL),
    sendWithinMs: values.SMTP_TIMEOUT_SECONDS * 1000,
    replyTo: values.MAIL_REPLY_TO,
    maxAttempts: values.MAIL_MAX_ATTEMPTS,
    retrySeconds: values.MAIL_RETRY_SECONDS,
    companyName: values.COMPANY_NAME,
    dashboardUrl: values.DASHBOARD_URL,
    defaultLocale: values.DEFAULT_LOCALE,
    templatesDir: values.MAIL_TEMPLATES_DIR === undefined ? undefined : resolve(values.MAIL_TEMPLATES_DIR),
    brand: {
      primaryColor: values.BRAND_COLOR_PRIMARY,
      successColor: values.BRAND_COLOR_SUCCESS,
      logoUrl: values.LOGO_URL,
      signature: values.MAIL_SIGNATURE,
      address: values.COMPANY_ADDRESS,
    },
  };
}

/** Everybody once, whatever the case; the admin when nobody is named. */
function mailboxesOf(admin: string, listed: readonly string[] = []): string[] {
  const byAddress = new Map(
    (listed.length === 0 ? [admin] : listed).map((address) => [address.toLowerCase(), address]),
  );
  return [...byAddress.values()];
}

function signingOf(values: SettingValues): MailConfig['dkim'] {
  const { DKIM_DOMAIN: domain, DKIM_SELECTOR: selector } = values;
  const privateKey = values.DKIM_PRIVATE_KEY ?? values.DKIM_PRIVATE_KEY_FILE;
  if (domain === undefined || selector === undefined || privateKey === undefined) return undefined;
  return { domain, selector, privateKey };
}
