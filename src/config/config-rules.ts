import { join, resolve } from 'node:path';
import { isWithinFolder } from './paths.js';
import type { SettingValues } from './settings.js';

/** Values that stand in examples and guides, and so are known to everybody. */
const WELL_KNOWN =
  /change[-_ ]?me|your[-_]|secret[-_]?key|^(admin|password|secret|default|forecourt|letmein)\d*!?$|12345678|password/i;

const OWN_ADDRESS = /^(127(\.\d{1,3}){3}|::1|localhost)$/i;

/** What is wrong with settings that can each be read, by the setting's name and without showing a value. */
export function problemsOf(values: SettingValues): string[] {
  const problems: string[] = [];
  const production = values.ENVIRONMENT === 'production';
  if (production) {
    for (const name of ['SECRET_KEY', 'SECRET_KEY_PREVIOUS'] as const) {
      const key = values[name];
      if (key !== undefined) problems.push(...weaknessesOf(key).map((weakness) => `${name} ${weakness}`));
    }
  }
  const password = values.ADMIN_PASSWORD;
  const minLength = values.PASSWORD_MIN_LENGTH;
  if (password !== undefined && (Array.from(password).length < minLength || Buffer.byteLength(password) > 72)) {
    problems.push(`ADMIN_PASSWORD must have at least ${minLength} characters and at most 72 bytes`);
  } else if (password !== undefined && production && WELL_KNOWN.test(password)) {
    problems.push('ADMIN_PASSWORD must not be a default password');
  }
  if (!/^[A-Za-z0-9._-]{3,50}$/.test(values.ADMIN_USERNAME)) {
    problems.push('ADMIN_USERNAME must have 3 to 50 letters, digits, dots, dashes or underscores');
  }
  if (values.DB_POOL_SIZE + values.DB_MAX_OVERFLOW < 4) {
    problems.push('DB_POOL_SIZE and DB_MAX_OVERFLOW must together allow at least 4 connections');
  }
  if (values.DATABASE_REPLICA_URLS !== undefined && values.DATABASE_URL === undefined)
    problems.push('DATABASE_URL is required with DATABASE_REPLICA_URLS');
  if ((values.SMTP_USERNAME === undefined) !== (values.SMTP_PASSWORD === undefined)) {
    problems.push('SMTP_USERNAME and SMTP_PASSWORD must be set together');
  }
  if (/[\r\n]/.test(values.SMTP_FROM_NAME + values.COMPANY_NAME)) {
    problems.push('SMTP_FROM_NAME and COMPANY_NAME must be one line each');
  }
  if (values.STORAGE_DRIVER === 's3' && values.S3_BUCKET === undefined)
    problems.push('S3_BUCKET is required with STORAGE_DRIVER=s3');
  if (values.STORAGE_DRIVER === 'webdav' && values.WEBDAV_URL === undefined)
    problems.push('WEBDAV_URL is required with STORAGE_DRIVER=webdav');
  if (areNotesAmongFiles(values))
    problems.push('ERASURE_NOTES must not be where files are kept: what no row names is removed there');
  if (values.CONSENT_REQUIRED && values.CONSENT_TEXT_VERSION === undefined)
    problems.push('CONSENT_TEXT_VERSION is required with CONSENT_REQUIRED');
  if (values.SCAN_POLICY !== 'off' && values.CLAMAV_HOST === undefined)
    problems.push('CLAMAV_HOST is required unless SCAN_POLICY is off');
  for (const [one, other] of [
    ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'],
    ['WEBDAV_USERNAME', 'WEBDAV_PASSWORD'],
    ['ALERT_WEBHOOK_URL', 'ALERT_WEBHOOK_SECRET'],
  ] as const) {
    if ((values[one] === undefined) !== (values[other] === undefined))
      problems.push(`${one} and ${other} must be set together`);
  }
  problems.push(...problemsOfSigning(values), ...problemsOfMetrics(values));
  const keyIds = (values.FILE_ENCRYPTION_KEYS ?? []).map(({ id }) => id);
  if (new Set(keyIds).size < keyIds.length) problems.push('FILE_ENCRYPTION_KEYS must not list an id twice');
  const signingIds = (values.JWT_PRIVATE_KEYS ?? []).map(({ id }) => id);
  if (new Set(signingIds).size < signingIds.length) problems.push('JWT_PRIVATE_KEYS must not list an id twice');
  if (values.REFRESH_TOKEN_EXPIRE_DAYS > values.SESSION_EXPIRE_DAYS)
    problems.push('REFRESH_TOKEN_EXPIRE_DAYS must not exceed SESSION_EXPIRE_DAYS');
  const rpId = values.PASSKEY_RP_ID;
  const pages = [values.PUBLIC_URL ?? 'http://localhost', ...(values.CORS_ORIGINS ?? [])].map(
    (page) => new URL(page).hostname,
  );
  if (rpId !== undefined && !pages.some((host) => host === rpId || host.endsWith(`.${rpId}`)))
    problems.push('PASSKEY_RP_ID must be the host of PUBLIC_URL or of one of CORS_ORIGINS, or a domain above it');
  if (values.API_KEY_EXPIRE_DAYS > values.API_KEY_MAX_DAYS)
    problems.push('API_KEY_EXPIRE_DAYS must not exceed API_KEY_MAX_DAYS');
  if (!production) return problems;
  if (values.SECRET_KEY === undefined) problems.push('SECRET_KEY is required in production');
  if (values.DATABASE_URL === undefined) problems.push('DATABASE_URL is required in production');
  const uploadDir = resolve(values.UPLOAD_DIR ?? join(values.DATA_DIR, 'uploads'));
  const keepsFilesItself = values.STORAGE_DRIVER === 'disk' && isWithinFolder(uploadDir, resolve(values.DATA_DIR));
  if (values.FILE_ENCRYPTION && keyIds.length === 0 && !keepsFilesItself)
    problems.push('FILE_ENCRYPTION_KEYS is required in production unless files lie under DATA_DIR');
  if (values.DEBUG) problems.push('DEBUG must be false in production');
  if (values.BCRYPT_ROUNDS < 12) problems.push('BCRYPT_ROUNDS must be at least 12 in production');
  if (values.REGISTRATION_MODE === 'open') problems.push('REGISTRATION_MODE must be admin in production');
  return problems;
}

function areNotesAmongFiles({
  ERASURE_NOTES: notes,
  UPLOAD_DIR,
  DATA_DIR,
  S3_BUCKET,
  S3_PREFIX,
}: SettingValues): boolean {
  if (notes === undefined) return false;
  if (notes.kind === 'bucket') return notes.bucket === S3_BUCKET && notes.prefix === (S3_PREFIX ?? '');
  const files = resolve(UPLOAD_DIR ?? join(DATA_DIR, 'uploads'));
  return isWithinFolder(notes.path, files);
}

function problemsOfSigning(values: SettingValues): string[] {
  const { DKIM_DOMAIN, DKIM_SELECTOR, DKIM_PRIVATE_KEY, DKIM_PRIVATE_KEY_FILE } = values;
  if (DKIM_PRIVATE_KEY !== undefined && DKIM_PRIVATE_KEY_FILE !== undefined)
    return ['DKIM_PRIVATE_KEY and DKIM_PRIVATE_KEY_FILE must not both be set'];
  const parts = [DKIM_DOMAIN, DKIM_SELECTOR, DKIM_PRIVATE_KEY ?? DKIM_PRIVATE_KEY_FILE];
  const given = parts.filter((part) => part !== undefined).length;
  return given === 0 || given === parts.length
    ? []
    : ['DKIM_DOMAIN, DKIM_SELECTOR and DKIM_PRIVATE_KEY (or DKIM_PRIVATE_KEY_FILE) must be set together'];
}

/** Whoever can read metrics learns how a practice is doing. */
function problemsOfMetrics({
  METRICS_PORT,
  METRICS_HOST,
  METRICS_TOKEN,
  PORT,
  WEB_CONCURRENCY,
}: SettingValues): string[] {
  const problems: string[] = [];
  if (METRICS_TOKEN !== undefined && Buffer.byteLength(METRICS_TOKEN) < 32)
    problems.push('METRICS_TOKEN must be at least 32 bytes long');
  if (METRICS_PORT === undefined && METRICS_TOKEN !== undefined && WEB_CONCURRENCY > 1)
    problems.push('METRICS_PORT is required with METRICS_TOKEN when WEB_CONCURRENCY is above 1');
  if (METRICS_PORT === undefined) return problems;
  const lastPort = METRICS_PORT + WEB_CONCURRENCY - 1;
  if (METRICS_PORT === PORT && PORT !== 0) problems.push('METRICS_PORT must not be PORT');
  else if (METRICS_PORT !== 0 && ((METRICS_PORT < PORT && PORT <= lastPort) || lastPort > 65_535))
    problems.push('METRICS_PORT and those after it, one for each of WEB_CONCURRENCY, must be ports other than PORT');
  if (METRICS_TOKEN === undefined && !OWN_ADDRESS.test(METRICS_HOST))
    problems.push('METRICS_TOKEN is required when METRICS_HOST is not 127.0.0.1, ::1 or localhost');
  return problems;
}

function weaknessesOf(key: string): string[] {
  if (Buffer.byteLength(key) < 32) return ['must be at least 32 bytes long'];
  const guessable = WELL_KNOWN.test(key) || new Set(key).size < 8;
  return guessable ? ['must not be a default or a pattern; make one with: openssl rand -base64 48'] : [];
}
