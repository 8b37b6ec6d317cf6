import { join, resolve, sep } from 'node:path';
import { Misread } from './setting-readers.js';
import { SETTINGS, type Setting, type SettingName, type SettingValues } from './settings.js';

export interface S3Settings {
  /** Amazon's own when unset. */
  readonly endpoint?: string;
  readonly region: string;
  readonly bucket: string;
  /** What all names in the bucket begin with, as folders; may be empty. */
  readonly prefix: string;
  readonly forcePathStyle: boolean;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
}

export interface WebdavSettings {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

/** Everything that can be configured, read once at the start. Paths are absolute, times carry their unit. */
export interface Config {
  readonly isProduction: boolean;
  readonly role: 'all' | 'http' | 'worker';
  readonly dataDir: string;
  readonly debug: boolean;
  readonly logLevel: SettingValues['LOG_LEVEL'];
  readonly jobs: { readonly concurrency: number };
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly publicUrl: string;
    readonly corsOrigins: readonly string[];
    readonly trustProxy: readonly string[];
    readonly docsEnabled: boolean;
    readonly maxJsonBytes: number;
    readonly maxJsonDepth: number;
    readonly maxArrayLength: number;
    /** Within any five seconds. */
    readonly minBodyProgressBytes: number;
  };
  readonly database: {
    /** Undefined means: run the embedded PostgreSQL under `dataDir`. */
    readonly url: string | undefined;
    readonly poolMin: number;
    readonly poolMax: number;
    readonly poolTimeoutMs: number;
    readonly recycleSeconds: number;
  };
  readonly auth: {
    /** Undefined only in development: a key is then made and kept under `dataDir`. */
    readonly secretKey: string | undefined;
    readonly previousSecretKey: string | undefined;
    readonly algorithm: SettingValues['ALGORITHM'];
    readonly accessTokenMinutes: number;
    readonly bcryptRounds: number;
    readonly requireComplexPasswords: boolean;
    readonly openRegistration: boolean;
  };
  readonly admin: { readonly username: string; readonly email: string; readonly password: string | undefined };
  readonly rateLimits: {
    readonly enabled: boolean;
    readonly submitPerMinute: number;
    readonly loginPerMinute: number;
    readonly downloadPerMinute: number;
  };
  readonly files: {
    readonly uploadDir: string;
    readonly maxFileBytes: number;
    /** Of all files together; undefined means: as much as the disk holds. */
    readonly quotaBytes: number | undefined;
    readonly minFreeBytes: number;
    readonly retentionDays: number;
    /** Where new files go. The settings of the others are there when files of an earlier time may still lie with them. */
    readonly storage: {
      readonly driver: SettingValues['STORAGE_DRIVER'];
      readonly s3: S3Settings | undefined;
      readonly webdav: WebdavSettings | undefined;
    };
    readonly scan: {
      readonly policy: SettingValues['SCAN_POLICY'];
      /** Empty only while the policy is off. */
      readonly host: string;
      readonly port: number;
    };
    /** No keys means: one is made once and kept under `dataDir`. */
    readonly encryption: { readonly isOn: boolean; readonly keys: readonly { id: string; key: Buffer }[] };
  };
  readonly alerts: {
    /** Undefined means: nobody is called. */
    readonly webhook: { readonly url: string; readonly secret: Buffer } | undefined;
  };
  readonly mail: {
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
    readonly fromEmail: string;
    readonly fromName: string;
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
  };
}

/** Injection token of the one {@link Config}. */
export const CONFIG = Symbol('config');

/** The settings do not allow a start. Lists every problem by the setting's name and never shows a value. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The settings do not allow a start:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/** Values that stand in examples and guides, and so are known to everybody. */
const WELL_KNOWN =
  /change[-_ ]?me|your[-_]|secret[-_]?key|^(admin|password|secret|default|forecourt|letmein)\d*!?$|12345678|password/i;

/** Reads and checks all settings. Throws a {@link ConfigError} that names every problem at once. */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const values = readValues(environment, problems);
  checkTogether(values, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return toConfig(values);
}

function readValues(environment: Readonly<Record<string, string | undefined>>, problems: string[]): SettingValues {
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    const given = environment[name]?.trim();
    values[name] = setting.fallback;
    if (given === undefined || given === '') continue;
    try {
      values[name] = setting.read(given);
    } catch (error) {
      if (!(error instanceof Misread)) throw error;
      problems.push(`${name} ${error.message}`);
    }
  }
  return values as SettingValues;
}

function checkTogether(values: SettingValues, problems: string[]): void {
  const production = values.ENVIRONMENT === 'production';
  if (production) {
    for (const name of ['SECRET_KEY', 'SECRET_KEY_PREVIOUS'] as const) {
      const key = values[name];
      if (key !== undefined) problems.push(...weaknessesOf(key).map((weakness) => `${name} ${weakness}`));
    }
  }
  const password = values.ADMIN_PASSWORD;
  if (password !== undefined && (password.length < 8 || Buffer.byteLength(password) > 72)) {
    problems.push('ADMIN_PASSWORD must have at least 8 characters and at most 72 bytes');
  } else if (password !== undefined && production && WELL_KNOWN.test(password)) {
    problems.push('ADMIN_PASSWORD must not be a default password');
  }
  if (!/^[A-Za-z0-9._-]{3,50}$/.test(values.ADMIN_USERNAME)) {
    problems.push('ADMIN_USERNAME must have 3 to 50 letters, digits, dots, dashes or underscores');
  }
  if (values.DB_POOL_SIZE + values.DB_MAX_OVERFLOW < 4) {
    problems.push('DB_POOL_SIZE and DB_MAX_OVERFLOW must together allow at least 4 connections');
  }
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
  const keyIds = (values.FILE_ENCRYPTION_KEYS ?? []).map(({ id }) => id);
  if (new Set(keyIds).size < keyIds.length) problems.push('FILE_ENCRYPTION_KEYS must not list an id twice');
  if (!production) return;
  if (values.SECRET_KEY === undefined) problems.push('SECRET_KEY is required in production');
  if (values.DATABASE_URL === undefined) problems.push('DATABASE_URL is required in production');
  const uploadDir = resolve(values.UPLOAD_DIR ?? join(values.DATA_DIR, 'uploads'));
  const keepsFilesItself =
    values.STORAGE_DRIVER === 'disk' && uploadDir.startsWith(join(resolve(values.DATA_DIR), sep));
  if (values.FILE_ENCRYPTION && keyIds.length === 0 && !keepsFilesItself)
    problems.push('FILE_ENCRYPTION_KEYS is required in production unless files lie under DATA_DIR');
  if (values.DEBUG) problems.push('DEBUG must be false in production');
  if (values.BCRYPT_ROUNDS < 12) problems.push('BCRYPT_ROUNDS must be at least 12 in production');
  if (values.REGISTRATION_MODE === 'open') problems.push('REGISTRATION_MODE must be admin in production');
}

/** Everybody once, whatever the case; the admin when nobody is named. */
function mailboxesOf(admin: string, listed: readonly string[] = []): string[] {
  const byAddress = new Map(
    (listed.length === 0 ? [admin] : listed).map((address) => [address.toLowerCase(), address]),
  );
  return [...byAddress.values()];
}

function storageOf(values: SettingValues): Config['files']['storage'] {
  const { S3_BUCKET: bucket, S3_ENDPOINT: endpoint, S3_ACCESS_KEY_ID: accessKeyId, WEBDAV_URL: url } = values;
  const { S3_SECRET_ACCESS_KEY: secretAccessKey, WEBDAV_USERNAME: username, WEBDAV_PASSWORD: password } = values;
  return {
    driver: values.STORAGE_DRIVER,
    s3:
      bucket === undefined
        ? undefined
        : {
            region: values.S3_REGION,
            bucket,
            prefix: values.S3_PREFIX ?? '',
            forcePathStyle: values.S3_PATH_STYLE,
            ...(endpoint === undefined ? {} : { endpoint }),
            ...(accessKeyId === undefined || secretAccessKey === undefined ? {} : { accessKeyId, secretAccessKey }),
          },
    webdav:
      url === undefined
        ? undefined
        : { url, ...(username === undefined || password === undefined ? {} : { username, password }) },
  };
}

function weaknessesOf(key: string): string[] {
  if (Buffer.byteLength(key) < 32) return ['must be at least 32 bytes long'];
  const guessable = WELL_KNOWN.test(key) || new Set(key).size < 8;
  return guessable ? ['must not be a default or a pattern; make one with: openssl rand -base64 48'] : [];
}

function toConfig(values: SettingValues): Config {
  const isProduction = values.ENVIRONMENT === 'production';
  const dataDir = resolve(values.DATA_DIR);
  return {
    isProduction,
    role: values.ROLE,
    dataDir,
    debug: values.DEBUG,
    logLevel: values.DEBUG ? 'DEBUG' : values.LOG_LEVEL,
    jobs: { concurrency: values.WORKER_CONCURRENCY },
    http: {
      host: values.HOST,
      port: values.PORT,
      publicUrl: values.PUBLIC_URL ?? `http://localhost:${values.PORT}`,
      corsOrigins: values.CORS_ORIGINS ?? (isProduction ? [] : ['http://localhost:3000']),
      trustProxy: values.TRUST_PROXY,
      docsEnabled: values.DOCS_ENABLED ?? !isProduction,
      maxJsonBytes: values.MAX_JSON_SIZE,
      maxJsonDepth: values.MAX_JSON_DEPTH,
      maxArrayLength: values.MAX_ARRAY_LENGTH,
      minBodyProgressBytes: values.MIN_BODY_PROGRESS,
    },
    database: {
      url: values.DATABASE_URL,
      poolMin: values.DB_POOL_SIZE,
      poolMax: values.DB_POOL_SIZE + values.DB_MAX_OVERFLOW,
      poolTimeoutMs: values.DB_POOL_TIMEOUT * 1000,
      recycleSeconds: values.DB_POOL_RECYCLE,
    },
    auth: {
      secretKey: values.SECRET_KEY,
      previousSecretKey: values.SECRET_KEY_PREVIOUS,
      algorithm: values.ALGORITHM,
      accessTokenMinutes: values.ACCESS_TOKEN_EXPIRE_MINUTES,
      bcryptRounds: values.BCRYPT_ROUNDS,
      requireComplexPasswords: values.PASSWORD_REQUIRE_COMPLEXITY ?? isProduction,
      openRegistration: values.REGISTRATION_MODE === 'open',
    },
    admin: {
      username: values.ADMIN_USERNAME,
      email: values.ADMIN_EMAIL.toLowerCase(),
      password: values.ADMIN_PASSWORD,
    },
    rateLimits: {
      enabled: values.RATE_LIMIT_ENABLED,
      submitPerMinute: values.RATE_LIMIT_SUBMIT,
      loginPerMinute: values.RATE_LIMIT_LOGIN,
      downloadPerMinute: values.RATE_LIMIT_DOWNLOAD,
    },
    files: {
      uploadDir: values.UPLOAD_DIR === undefined ? join(dataDir, 'uploads') : resolve(values.UPLOAD_DIR),
      maxFileBytes: values.MAX_FILE_SIZE,
      quotaBytes: values.FILE_QUOTA,
      minFreeBytes: values.FILE_MIN_FREE,
      retentionDays: values.FILE_RETENTION_DAYS,
      storage: storageOf(values),
      scan: { policy: values.SCAN_POLICY, host: values.CLAMAV_HOST ?? '', port: values.CLAMAV_PORT },
      encryption: { isOn: values.FILE_ENCRYPTION, keys: values.FILE_ENCRYPTION_KEYS ?? [] },
    },
    alerts: {
      webhook:
        values.ALERT_WEBHOOK_URL === undefined || values.ALERT_WEBHOOK_SECRET === undefined
          ? undefined
          : { url: values.ALERT_WEBHOOK_URL, secret: values.ALERT_WEBHOOK_SECRET },
    },
    mail: {
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
    },
  };
}
