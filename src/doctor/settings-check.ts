import { stat } from 'node:fs/promises';
import type { Config } from '../config/config.js';
import { COMPOSE_VARIABLES } from '../config/compose-variables.js';
import { namesInFile } from '../config/environment.js';
import { FAMILIES, SETTINGS } from '../config/settings.js';
import { type Finding, failed, fine, warning } from './finding.js';

/** A choice that the program accepts and an operator should know of. */
interface Risk {
  readonly setting: string;
  readonly isTaken: (config: Config) => boolean;
  readonly says: string;
  readonly advice: string;
  /** Whether people would miss something at once. */
  readonly isFailure?: boolean;
}

/** Domains that nobody can own (RFC 2606, RFC 6761). */
const NOBODYS_DOMAIN = /[@.](test|example|invalid|localhost|example\.(com|net|org))$/i;
/** What stands in guides. */
const KNOWN_PASSWORD = /^(|admin|forecourt|password|postgres|secret|change[-_ ]?me.*)$/i;
const LONG_TOKEN_MINUTES = 60;

const isOpen = (address: string | undefined): boolean => address?.startsWith('http://') === true;

function hasKnownPassword(url: string | undefined): boolean {
  return url !== undefined && KNOWN_PASSWORD.test(new URL(url).password);
}

/** Whatever ENVIRONMENT is. */
const ALWAYS: readonly Risk[] = [
  {
    setting: 'ALLOW_UNVERIFIED_SIGN_IN',
    isTaken: ({ auth }) => auth.allowUnverifiedSignIn,
    says: 'people sign in with addresses that may be somebody else’s',
    advice: 'Set it to false',
  },
  {
    setting: 'API_KEY_NEVER_EXPIRES',
    isTaken: ({ auth }) => auth.apiKeys.mayLastForEver,
    says: 'a key that leaked and that nobody revokes works for ever',
    advice: 'Set it to false, and rotate keys',
  },
  {
    setting: 'FILE_ENCRYPTION',
    isTaken: ({ files }) => !files.encryption.isOn,
    says: 'new files lie in the storage as they came',
    advice: 'Set it to true, and keep FILE_ENCRYPTION_KEYS somewhere else as well',
  },
  {
    setting: 'NOTIFICATIONS_ENABLED',
    isTaken: ({ mail }) => !mail.isOn,
    says: 'no mail leaves: nobody hears of a new lead, and no link to a new password arrives',
    advice: 'Set it to true, unless this installation is to write to nobody',
  },
  {
    setting: 'SMTP_TLS',
    isTaken: ({ mail }) => mail.smtp?.tls === 'none',
    says: 'mails and the password of the mail server go over an open line',
    advice: 'Set it to auto, starttls or tls',
  },
];

const IN_PRODUCTION: readonly Risk[] = [
  {
    setting: 'PUBLIC_URL',
    isTaken: ({ http }) => isOpen(http.publicUrl),
    says: 'it is unset or begins with http://: passwords would go over an open line, and passkeys and cookies need https',
    advice: 'Put a proxy with TLS in front, and set PUBLIC_URL to its https:// address',
  },
  {
    setting: 'DASHBOARD_URL',
    isTaken: ({ mail }) => isOpen(mail.dashboardUrl),
    says: 'links in mails lead to an open line, or to this machine alone',
    advice: 'Set it to the https:// address of the attorneys’ application',
  },
  {
    setting: 'CORS_ORIGINS',
    isTaken: ({ http }) => http.corsOrigins.some((origin) => isOpen(origin)),
    says: 'a page that came over an open line may call the API',
    advice: 'List https:// origins only',
  },
  {
    setting: 'TRUST_PROXY',
    isTaken: ({ http }) => http.trustProxy.length === 0,
    says: 'no proxy is believed: behind one, all clients share one address and one rate limit',
    advice: 'Name the proxy; leave it unset only where clients connect to this port themselves',
  },
  {
    setting: 'RATE_LIMIT_ENABLED',
    isTaken: ({ rateLimits }) => !rateLimits.enabled,
    says: 'nothing limits how often somebody may guess or submit',
    advice: 'Set it to true',
  },
  {
    setting: 'LOCKOUT_FAILURES',
    isTaken: ({ auth }) => auth.lockout.failures === 0,
    says: 'no number of wrong passwords closes an account to whoever guesses',
    advice: 'Set it to 5',
  },
  {
    setting: 'SECOND_FACTOR_REQUIRED_FOR',
    isTaken: ({ auth }) => !auth.secondFactorRequiredFor.includes('superadmin'),
    says: 'a password alone lets a superadmin in',
    advice: 'Set it to admin,superadmin',
  },
  {
    setting: 'ACCESS_TOKEN_EXPIRE_MINUTES',
    isTaken: ({ auth }) => auth.accessTokenMinutes > LONG_TOKEN_MINUTES,
    says: 'a stolen access token is of use for hours',
    advice: 'Set it to 15: clients renew it with their refresh token',
  },
  {
    setting: 'DOCS_ENABLED',
    isTaken: ({ http }) => http.docsEnabled,
    says: 'everybody can read the documentation of the API',
    advice: 'Set it to false, unless that is meant',
  },
  {
    setting: 'SCAN_POLICY',
    isTaken: ({ files }) => files.scan.policy === 'off',
    says: 'uploads are inspected, but not scanned for malware',
    advice: 'Run ClamAV, and set SCAN_POLICY and CLAMAV_HOST',
  },
  {
    setting: 'DATABASE_URL',
    isTaken: ({ database }) => hasKnownPassword(database.url),
    says: 'its password is empty or one that everybody tries first',
    advice: 'Give the role another one (ALTER ROLE … PASSWORD), made with: openssl rand -hex 24',
  },
  {
    setting: 'SMTP_HOST',
    isTaken: ({ mail }) => mail.smtp === undefined,
    says: 'no mail leaves this machine: each one is written into a folder, and nobody hears of a new lead',
    advice: 'Set SMTP_HOST and what the mail server asks for',
    isFailure: true,
  },
  {
    setting: 'SMTP_FROM_EMAIL',
    isTaken: ({ mail }) => NOBODYS_DOMAIN.test(mail.fromEmail),
    says: 'the sender is of a domain that nobody can own: mail servers refuse such mail',
    advice: 'Set it to an address of the practice’s domain',
    isFailure: true,
  },
  {
    setting: 'ADMIN_EMAIL',
    isTaken: ({ admin }) => NOBODYS_DOMAIN.test(admin.email),
    says: 'what is mailed to the admin arrives nowhere',
    advice: 'Set it to a real address',
    isFailure: true,
  },
];

/** What is weak in settings that allow a start. */
export function risksOf(config: Config): Finding[] {
  return [...ALWAYS, ...(config.isProduction ? IN_PRODUCTION : [])]
    .filter(({ isTaken }) => isTaken(config))
    .map(({ setting, says, advice, isFailure }) => (isFailure === true ? failed : warning)(setting, says, advice));
}

/** What is wrong with the file of settings itself; nothing where there is none. */
export async function checkFile(file: string): Promise<Finding[]> {
  const stats = await stat(file).catch(() => undefined);
  if (stats === undefined) return [];
  const findings: Finding[] = [];
  if ((stats.mode & 0o077) !== 0)
    findings.push(warning('.env', 'other users of this machine may read it', 'chmod 600 .env'));
  const known = new Set([...Object.keys(SETTINGS), ...Object.keys(COMPOSE_VARIABLES)]);
  for (const name of namesInFile(file)) {
    if (known.has(name) || FAMILIES.some(({ prefix }) => name.startsWith(prefix))) continue;
    findings.push(warning('.env', `${name} is no setting of Forecourt`, 'Correct its name, or take it out'));
  }
  return findings.length > 0 ? findings : [fine('.env', 'every name in it is a setting')];
}
