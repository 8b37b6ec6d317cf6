import { join, resolve } from 'node:path';
import { problemsOf } from './config-rules.js';
import { type MailConfig, toMailConfig } from './mail-config.js';
import { type ProviderSettings, readProviders } from './provider-settings.js';
import type { Place, RoleName } from './setting-readers.js';
import { type Environment, readSetting, type Setting } from './setting.js';
import { SETTINGS, type SettingName, type SettingValues } from './settings.js';
import { s3StoreOf, type S3Store, type StorageConfig, storageOf } from './storage-config.js';
import { toTracingConfig, type TracingConfig } from './tracing-config.js';

export type { Place };

/** Everything that can be configured, read once at the start. Paths are absolute, times carry their unit. */
export interface Config {
  readonly isProduction: boolean;
  readonly role: 'all' | 'http' | 'worker';
  /** Of this role, on this machine. */
  readonly processes: number;
  readonly dataDir: string;
  readonly debug: boolean;
  readonly logLevel: SettingValues['LOG_LEVEL'];
  readonly jobs: { readonly concurrency: number };
  readonly leads: {
    readonly repeated: SettingValues['REPEATED_SUBMISSION'];
    readonly consent: {
      readonly isRequired: boolean;
      /** Undefined means: there is nothing to agree to. */
      readonly textVersion: string | undefined;
      readonly textUrl: string | undefined;
    };
  };
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
    /** Between two requests of one connection. */
    readonly keepAliveMs: number;
    /** Between being told to stop and taking no further connection. */
    readonly drainMs: number;
  };
  /** Off when there is neither a port nor a token. */
  readonly metrics: {
    /** Undefined means: the one that serves requests. */
    readonly port: number | undefined;
    readonly host: string;
    readonly token: string | undefined;
  };
  readonly database: {
    /** Undefined means: run the embedded PostgreSQL under `dataDir`. */
    readonly url: string | undefined;
    readonly replicaUrls: readonly string[];
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
    /** Of RS256 and ES256; empty means: those in `keysDir`. */
    readonly privateKeys: readonly { readonly id: string; readonly path: string }[];
    readonly keysDir: string;
    readonly accessTokenMinutes: number;
    /** Without use. */
    readonly refreshTokenDays: number;
    /** However much it is used. */
    readonly sessionDays: number;
    readonly bcryptRounds: number;
    readonly minPasswordLength: number;
    readonly requireComplexPasswords: boolean;
    /** Failed sign-ins within 15 minutes: from one source (0 means never), and from all together. */
    readonly lockout: { readonly failures: number; readonly accountFailures: number };
    /** Lifetimes; a key that is to last for ever is another matter. */
    readonly apiKeys: { readonly defaultDays: number; readonly maxDays: number; readonly mayLastForEver: boolean };
    readonly openRegistration: boolean;
    readonly allowUnverifiedSignIn: boolean;
    /** Signing in as a client by mailed link. */
    readonly magicLinks: {
      readonly mode: SettingValues['MAGIC_LINK'];
      readonly minutes: number;
      readonly sameBrowser: boolean;
    };
    readonly secondFactorRequiredFor: readonly string[];
    readonly passkeys: {
      /** The domain that they are made for (WebAuthn, RP ID). */
      readonly rpId: string;
      /** Pages that may ask for them. */
      readonly origins: readonly string[];
    };
  };
  readonly singleSignOn: {
    readonly providers: readonly ProviderSettings[];
    /** Paths of the dashboard that somebody may return to, and everything below them. */
    readonly returnPaths: readonly string[];
    /** The roles whose passwords do not let them in. */
    readonly requiredFor: readonly RoleName[];
    /** The superadmin whose password lets them in all the same. */
    readonly breakGlassUsername: string | undefined;
  };
  readonly admin: { readonly username: string; readonly email: string; readonly password: string | undefined };
  readonly rateLimits: {
    readonly enabled: boolean;
    readonly submitPerMinute: number;
    readonly loginPerMinute: number;
    readonly downloadPerMinute: number;
    readonly recipientPerMinute: number;
    readonly addressPerMinute: number;
    readonly readPerMinute: number;
    readonly writePerMinute: number;
    readonly adminPerMinute: number;
    readonly keyPerMinute: number;
    /** Undefined means: they are shared through the database. */
    readonly redisUrl: string | undefined;
    readonly mailTestPerMinute: number;
  };
  readonly files: {
    readonly uploadDir: string;
    readonly maxFileBytes: number;
    /** Of all files together; undefined means: as much as the disk holds. */
    readonly quotaBytes: number | undefined;
    readonly minFreeBytes: number;
    readonly retentionDays: number;
    /** Where new files go. The settings of the others are there when files of an earlier time may still lie with them. */
    readonly storage: StorageConfig;
    readonly scan: {
      readonly policy: SettingValues['SCAN_POLICY'];
      /** Empty only while the policy is off. */
      readonly host: string;
      readonly port: number;
    };
    /** No keys means: one is made once and kept under `dataDir`. */
    readonly encryption: { readonly isOn: boolean; readonly keys: readonly { id: string; key: Buffer }[] };
  };
  readonly backup: {
    /** Undefined means: each command is told a file with the key. */
    readonly key: Buffer | undefined;
    /** The store that s3:// addresses lead to. */
    readonly s3: S3Store;
  };
  readonly privacy: {
    readonly erasureNotes: Place;
    /** In days; 0 means: for ever. */
    readonly retention: { readonly leadDays: number; readonly mailDays: number; readonly sessionDays: number };
  };
  readonly alerts: {
    /** Undefined means: nobody is called. */
    readonly webhook: { readonly url: string; readonly secret: Buffer } | undefined;
  };
  readonly mail: MailConfig;
  /** Undefined means: there are no traces. */
  readonly tracing: TracingConfig | undefined;
  /** Of a tracker of errors; undefined means: nobody is told. */
  readonly sentryDsn: string | undefined;
}

/** Injection token of the one {@link Config}. */
export const CONFIG = Symbol('config');

/** The settings do not allow a start. Lists every problem by the setting's name and never shows a value. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The settings do not allow a start:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/** Reads and checks all settings. Throws a {@link ConfigError} that names every problem at once. */
export function loadConfig(environment: Environment): Config {
  const problems: string[] = [];
  const values = readValues(environment, problems);
  problems.push(...problemsOf(values));
  const providers = readProviders(environment, values, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return toConfig(values, providers);
}

function readValues(environment: Environment, problems: string[]): SettingValues {
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting][])
    values[name] = readSetting(setting, name, environment, problems);
  return values as SettingValues;
}

function toConfig(values: SettingValues, providers: readonly ProviderSettings[]): Config {
  const isProduction = values.ENVIRONMENT === 'production';
  const dataDir = resolve(values.DATA_DIR);
  const publicUrl = values.PUBLIC_URL ?? `http://localhost:${values.PORT}`;
  const corsOrigins = values.CORS_ORIGINS ?? (isProduction ? [] : ['http://localhost:3000']);
  return {
    isProduction,
    role: values.ROLE,
    processes: values.WEB_CONCURRENCY,
    dataDir,
    debug: values.DEBUG,
    logLevel: values.DEBUG ? 'DEBUG' : values.LOG_LEVEL,
    jobs: { concurrency: values.WORKER_CONCURRENCY },
    leads: {
      repeated: values.REPEATED_SUBMISSION,
      consent: {
        isRequired: values.CONSENT_REQUIRED,
        textVersion: values.CONSENT_TEXT_VERSION,
        textUrl: values.CONSENT_TEXT_URL,
      },
    },
    http: {
      host: values.HOST,
      port: values.PORT,
      publicUrl,
      corsOrigins,
      trustProxy: values.TRUST_PROXY,
      docsEnabled: values.DOCS_ENABLED ?? !isProduction,
      maxJsonBytes: values.MAX_JSON_SIZE,
      maxJsonDepth: values.MAX_JSON_DEPTH,
      maxArrayLength: values.MAX_ARRAY_LENGTH,
      minBodyProgressBytes: values.MIN_BODY_PROGRESS,
      keepAliveMs: values.KEEP_ALIVE_SECONDS * 1000,
      drainMs: values.DRAIN_SECONDS * 1000,
    },
    metrics: { port: values.METRICS_PORT, host: values.METRICS_HOST, token: values.METRICS_TOKEN },
    database: {
      url: values.DATABASE_URL,
      replicaUrls: values.DATABASE_REPLICA_URLS ?? [],
      poolMin: values.DB_POOL_SIZE,
      poolMax: values.DB_POOL_SIZE + values.DB_MAX_OVERFLOW,
      poolTimeoutMs: values.DB_POOL_TIMEOUT * 1000,
      recycleSeconds: values.DB_POOL_RECYCLE,
    },
    auth: {
      secretKey: values.SECRET_KEY,
      previousSecretKey: values.SECRET_KEY_PREVIOUS,
      algorithm: values.ALGORITHM,
      privateKeys: (values.JWT_PRIVATE_KEYS ?? []).map(({ id, path }) => ({ id, path: resolve(path) })),
      keysDir: join(dataDir, 'keys'),
      accessTokenMinutes: values.ACCESS_TOKEN_EXPIRE_MINUTES,
      refreshTokenDays: values.REFRESH_TOKEN_EXPIRE_DAYS,
      sessionDays: values.SESSION_EXPIRE_DAYS,
      bcryptRounds: values.BCRYPT_ROUNDS,
      minPasswordLength: values.PASSWORD_MIN_LENGTH,
      lockout: { failures: values.LOCKOUT_FAILURES, accountFailures: values.LOCKOUT_ACCOUNT_FAILURES },
      requireComplexPasswords: values.PASSWORD_REQUIRE_COMPLEXITY ?? isProduction,
      apiKeys: {
        defaultDays: values.API_KEY_EXPIRE_DAYS,
        maxDays: values.API_KEY_MAX_DAYS,
        mayLastForEver: values.API_KEY_NEVER_EXPIRES,
      },
      openRegistration: values.REGISTRATION_MODE === 'open',
      allowUnverifiedSignIn: values.ALLOW_UNVERIFIED_SIGN_IN,
      magicLinks: {
        mode: values.MAGIC_LINK,
        minutes: values.MAGIC_LINK_EXPIRE_MINUTES,
        sameBrowser: values.MAGIC_LINK_SAME_BROWSER,
      },
      secondFactorRequiredFor: values.SECOND_FACTOR_REQUIRED_FOR,
      passkeys: {
        rpId: values.PASSKEY_RP_ID ?? new URL(publicUrl).hostname,
        origins: [...new Set([new URL(publicUrl).origin, ...corsOrigins])],
      },
    },
    singleSignOn: {
      providers,
      returnPaths: values.OIDC_RETURN_PATHS,
      requiredFor: values.OIDC_REQUIRED_FOR,
      breakGlassUsername: values.BREAK_GLASS_USERNAME,
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
      recipientPerMinute: values.RATE_LIMIT_RECIPIENT,
      addressPerMinute: values.RATE_LIMIT_ADDRESS,
      readPerMinute: values.RATE_LIMIT_READ,
      writePerMinute: values.RATE_LIMIT_WRITE,
      adminPerMinute: values.RATE_LIMIT_ADMIN,
      keyPerMinute: values.RATE_LIMIT_KEY,
      redisUrl: values.REDIS_URL,
      mailTestPerMinute: values.RATE_LIMIT_MAIL_TEST,
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
    backup: { key: values.BACKUP_KEY, s3: s3StoreOf(values) },
    privacy: {
      erasureNotes: values.ERASURE_NOTES ?? { kind: 'folder', path: join(dataDir, 'erasures') },
      retention: {
        leadDays: values.RETENTION_LEADS_DAYS,
        mailDays: values.RETENTION_MAIL_DAYS,
        sessionDays: values.RETENTION_SESSIONS_DAYS,
      },
    },
    alerts: {
      webhook:
        values.ALERT_WEBHOOK_URL === undefined || values.ALERT_WEBHOOK_SECRET === undefined
          ? undefined
          : { url: values.ALERT_WEBHOOK_URL, secret: values.ALERT_WEBHOOK_SECRET },
    },
    mail: toMailConfig(values),
    tracing: toTracingConfig(values),
    sentryDsn: values.SENTRY_DSN,
  };
}
