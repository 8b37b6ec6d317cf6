import { HTTP_SETTINGS } from './http-settings.js';
import { MAIL_SETTINGS } from './mail-settings.js';
import { OBSERVATION_SETTINGS } from './observation-settings.js';
import { PRIVACY_SETTINGS } from './privacy-settings.js';
import { PROVIDER_FAMILY, SINGLE_SIGN_ON_SETTINGS } from './provider-settings.js';
import { prefixOf } from './s3-address.js';
import { optional, secret, type Setting, type SettingFamily, setting } from './setting.js';
import {
  domainName,
  fileKey,
  flag,
  key,
  keyFile,
  list,
  mailbox,
  oneOf,
  postgresAddress,
  redisAddress,
  secretText,
  text,
  webAddress,
  whole,
} from './setting-readers.js';

const PER_MINUTE = whole(1, 1_000_000);

/**
 * The catalogue of every setting: name, meaning, default and how its text is read. README's table, `.env.example`
 * and the start-up check all come from here.
 */
export const SETTINGS = {
  ENVIRONMENT: setting(
    'Application',
    oneOf('development', 'production'),
    'development',
    'production switches every safeguard on and the conveniences of development off',
  ),
  ROLE: setting(
    'Application',
    oneOf('all', 'http', 'worker'),
    'all',
    'what this process does: serve requests, run background jobs, or both',
  ),
  DATA_DIR: setting(
    'Application',
    text,
    './var',
    'everything Forecourt keeps on this machine: embedded database, uploads, development mail and secret',
  ),
  DEBUG: setting(
    'Application',
    flag,
    'false',
    'logs at level DEBUG and writes each SQL statement (without its values); refused in production',
  ),
  LOG_LEVEL: setting(
    'Application',
    oneOf('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'),
    'INFO',
    'the least severe level that is logged',
  ),
  REPEATED_SUBMISSION: setting(
    'Application',
    oneOf('conflict', 'neutral'),
    'conflict',
    'what the form answers for an e-mail address that is known already: 409, or 201 as for any other, so that nobody learns whose address is known; neither stores or mails anything',
  ),
  WEB_CONCURRENCY: setting(
    'Application',
    whole(1, 64),
    '1',
    'processes of this ROLE on this machine, which share the port, each with its own connections to the database; as many as there are processors, at most',
  ),
  WORKER_CONCURRENCY: setting('Application', whole(1, 50), '16', 'background jobs that one process runs at a time'),

  ...HTTP_SETTINGS,

  ...OBSERVATION_SETTINGS,

  DATABASE_URL: optional(
    'Database',
    postgresAddress,
    'PostgreSQL 14 or newer; when unset (development only) an embedded PostgreSQL runs under DATA_DIR',
  ),
  DATABASE_REPLICA_URLS: secret(
    'Database',
    list(postgresAddress),
    'standbys of DATABASE_URL, comma separated, that lists, searches and exports are read from, in turn; whoever has just written, and everybody while a standby is away or five seconds behind, is answered by the primary',
  ),
  DB_POOL_SIZE: setting('Database', whole(0, 500), '20', 'connections kept open per process'),
  DB_MAX_OVERFLOW: setting(
    'Database',
    whole(0, 500),
    '40',
    'further connections under load; all processes together must stay below max_connections',
  ),
  DB_POOL_TIMEOUT: setting(
    'Database',
    whole(1, 300),
    '30',
    'seconds to wait for a free connection before answering 503',
  ),
  DB_POOL_RECYCLE: setting(
    'Database',
    whole(0, 86_400),
    '3600',
    'seconds after which a connection is replaced; 0 means never',
  ),

  SECRET_KEY: optional(
    'Accounts',
    secretText,
    'signs access tokens: 32 bytes or more; required in production, made once and kept under DATA_DIR in development',
  ),
  SECRET_KEY_PREVIOUS: optional(
    'Accounts',
    secretText,
    'the key before SECRET_KEY: its tokens stay valid until they expire',
  ),
  ALGORITHM: setting(
    'Accounts',
    oneOf('HS256', 'HS384', 'HS512', 'RS256', 'ES256'),
    'HS256',
    'signature algorithm, the only one accepted; RS256 and ES256 sign with a private key and publish /.well-known/jwks.json',
  ),
  JWT_PRIVATE_KEYS: optional(
    'Accounts',
    list(keyFile),
    'keys of RS256 and ES256 as id:path of a PEM file, comma separated: the first signs, the others only verify; when unset those that npm run keys:rotate makes under DATA_DIR/keys',
  ),
  ACCESS_TOKEN_EXPIRE_MINUTES: setting(
    'Accounts',
    whole(1, 43_200),
    '1440',
    'lifetime of an access token in minutes; 15 is wise in production',
  ),
  REFRESH_TOKEN_EXPIRE_DAYS: setting(
    'Accounts',
    whole(1, 365),
    '7',
    'days after which a session that is not used is over',
  ),
  SESSION_EXPIRE_DAYS: setting(
    'Accounts',
    whole(1, 365),
    '30',
    'days after which a session is over however much it is used',
  ),
  BCRYPT_ROUNDS: setting('Accounts', whole(4, 16), '12', 'work factor of password hashes; at least 12 in production'),
  PASSWORD_MIN_LENGTH: setting(
    'Accounts',
    whole(8, 72),
    '8',
    'fewest characters of a new password; 15 is wise while there is no second factor',
  ),
  PASSWORD_REQUIRE_COMPLEXITY: optional(
    'Accounts',
    flag,
    'asks for upper case, lower case, digit and special character; on in production, off in development',
  ),
  LOCKOUT_FAILURES: setting(
    'Accounts',
    whole(0, 100),
    '5',
    'failed sign-ins within 15 minutes that close an account to the address they came from; 0 never does',
  ),
  LOCKOUT_ACCOUNT_FAILURES: setting(
    'Accounts',
    whole(10, 1000),
    '50',
    'failed sign-ins within 15 minutes, from all addresses, that close an account to those it was not used from in 30 days',
  ),
  SECOND_FACTOR_REQUIRED_FOR: setting(
    'Accounts',
    list(oneOf('client', 'attorney', 'admin', 'superadmin')),
    '',
    'roles, comma separated, that need a second factor: until somebody has added one they can do nothing else; nobody when unset, admin,superadmin is wise',
  ),
  PASSKEY_RP_ID: optional(
    'Accounts',
    domainName,
    'domain that passkeys are made for: the host of PUBLIC_URL (then also the default), or one above it that the pages in CORS_ORIGINS share',
  ),
  API_KEY_EXPIRE_DAYS: setting(
    'Accounts',
    whole(1, 3650),
    '90',
    'days after which an API key expires when whoever makes it says nothing else',
  ),
  API_KEY_MAX_DAYS: setting('Accounts', whole(1, 3650), '365', 'longest lifetime of an API key in days'),
  API_KEY_NEVER_EXPIRES: setting('Accounts', flag, 'false', 'lets people make API keys that never expire'),
  REGISTRATION_MODE: setting(
    'Accounts',
    oneOf('admin', 'open'),
    'admin',
    'who may register attorneys: an admin, or (refused in production) anybody',
  ),
  ALLOW_UNVERIFIED_SIGN_IN: setting(
    'Accounts',
    flag,
    'false',
    'lets those sign in who registered themselves and did not verify their e-mail address yet',
  ),
  MAGIC_LINK: setting(
    'Accounts',
    oneOf('off', 'invited', 'open'),
    'invited',
    'who may sign in as a client by a mailed link: nobody, clients who have an account, or anybody (the first link makes the account)',
  ),
  MAGIC_LINK_EXPIRE_MINUTES: setting(
    'Accounts',
    whole(5, 2880),
    '15',
    'lifetime of such a link; up to two days, at most an hour is wise',
  ),
  MAGIC_LINK_SAME_BROWSER: setting(
    'Accounts',
    flag,
    'false',
    'such a link works in the browser alone that asked for it',
  ),
  ADMIN_USERNAME: setting('Accounts', text, 'admin', 'user name of the first admin, made at the first start'),
  ADMIN_EMAIL: setting('Accounts', mailbox, 'admin@forecourt.test', 'e-mail address of the first admin'),
  ADMIN_PASSWORD: optional(
    'Accounts',
    secretText,
    'password of the first admin; when unset in development a random one is printed once',
  ),

  ...SINGLE_SIGN_ON_SETTINGS,

  RATE_LIMIT_ENABLED: setting('Rate limits', flag, 'true', 'false lifts all rate limits'),
  RATE_LIMIT_SUBMIT: setting('Rate limits', PER_MINUTE, '60', 'submissions of the public form per minute and address'),
  RATE_LIMIT_LOGIN: setting('Rate limits', PER_MINUTE, '30', 'sign-ins per minute and address'),
  RATE_LIMIT_DOWNLOAD: setting('Rate limits', PER_MINUTE, '600', 'downloads per minute and address'),
  RATE_LIMIT_RECIPIENT: setting(
    'Rate limits',
    PER_MINUTE,
    '30',
    'submissions of the public form per minute and mailbox',
  ),
  RATE_LIMIT_ADDRESS: setting('Rate limits', PER_MINUTE, '6000', 'other requests to the API per minute and address'),
  RATE_LIMIT_READ: setting('Rate limits', PER_MINUTE, '1200', 'reading requests per minute and user'),
  RATE_LIMIT_WRITE: setting('Rate limits', PER_MINUTE, '600', 'writing requests per minute and user'),
  RATE_LIMIT_ADMIN: setting('Rate limits', PER_MINUTE, '600', 'requests to /api/v1/admin per minute and user'),
  RATE_LIMIT_KEY: setting('Rate limits', PER_MINUTE, '600', 'requests per minute and API key'),
  REDIS_URL: secret(
    'Rate limits',
    redisAddress,
    'Redis 6 or Valkey by which processes share limits; PostgreSQL when unset',
  ),

  RATE_LIMIT_MAIL_TEST: setting('Rate limits', PER_MINUTE, '6', 'test mails per minute and address'),

  UPLOAD_DIR: optional('Files', text, 'where résumés are kept; DATA_DIR/uploads when unset'),
  MAX_FILE_SIZE: setting(
    'Files',
    whole(1, 1_073_741_824),
    '5242880',
    'largest upload in bytes; exactly this size is accepted',
  ),
  FILE_QUOTA: optional('Files', whole(1, 999_999_999_999_999), 'bytes of all files; uploads beyond get 503'),
  FILE_MIN_FREE: setting(
    'Files',
    whole(0, 999_999_999_999_999),
    '268435456',
    'bytes to keep free on the disk of UPLOAD_DIR; uploads are refused with 503 before less is left',
  ),
  FILE_RETENTION_DAYS: setting(
    'Files',
    whole(0, 36_500),
    '30',
    'days after which deleted and quarantined files are destroyed: their keys first, then their bytes',
  ),
  STORAGE_DRIVER: setting(
    'Files',
    oneOf('disk', 's3', 'webdav'),
    'disk',
    'where files are kept; uploads wait in UPLOAD_DIR until they are there',
  ),
  S3_ENDPOINT: optional('Files', webAddress, 'address of an S3-compatible store; Amazon itself when unset'),
  S3_REGION: setting('Files', text, 'us-east-1', 'region of the bucket'),
  S3_BUCKET: optional('Files', text, 'bucket that files are kept in'),
  S3_PREFIX: optional('Files', prefixOf, 'what all names in the bucket begin with, as folders'),
  S3_PATH_STYLE: setting('Files', flag, 'false', 'names the bucket in the path; most stores other than Amazon need it'),
  S3_ACCESS_KEY_ID: optional('Files', text, 'access key; the role of the machine when unset'),
  S3_SECRET_ACCESS_KEY: optional('Files', secretText, 'secret of the access key'),
  WEBDAV_URL: optional('Files', webAddress, 'folder on a WebDAV server that is Forecourt’s own'),
  WEBDAV_USERNAME: optional('Files', text, 'user name at the WebDAV server, if it asks for one'),
  WEBDAV_PASSWORD: optional('Files', secretText, 'password at the WebDAV server'),
  FILE_ENCRYPTION: setting(
    'Files',
    flag,
    'true',
    'encrypts new files (AES-256-GCM, a key for each file); those that are there stay as they are',
  ),
  FILE_ENCRYPTION_KEYS: secret(
    'Files',
    list(fileKey),
    'id:key, comma separated: 32 bytes in base64; the first wraps the keys of new files, the others only open older ones. When unset and files lie under DATA_DIR, a key is made once and kept there: back it up',
  ),
  SCAN_POLICY: setting(
    'Files',
    oneOf('off', 'async', 'required'),
    'off',
    'malware scans: async takes a file and serves it only once it was found clean, required refuses what was not scanned',
  ),
  CLAMAV_HOST: optional('Files', text, 'host of ClamAV’s clamd; needed unless SCAN_POLICY is off'),
  CLAMAV_PORT: setting('Files', whole(1, 65535), '3310', 'port of clamd'),

  BACKUP_KEY: secret(
    'Backups',
    key,
    '32 bytes in base64 that npm run backup encrypts archives with: keep a copy apart from them, without it they say nothing; make one with openssl rand -base64 32',
  ),

  ...PRIVACY_SETTINGS,

  ...MAIL_SETTINGS,
} satisfies Record<string, Setting>;

/** Families of settings, each explained behind the setting that lists its members. */
export const FAMILIES: readonly SettingFamily[] = [PROVIDER_FAMILY];

export type SettingName = keyof typeof SETTINGS;
export type SettingValues = {
  readonly [Name in SettingName]: ReturnType<(typeof SETTINGS)[Name]['read']> | (typeof SETTINGS)[Name]['fallback'];
};

/** Settings whose value must never be shown; DATABASE_URL may hold a password. */
export const SECRET_SETTINGS: readonly SettingName[] = (Object.keys(SETTINGS) as SettingName[]).filter(
  (name) => (SETTINGS[name] as Setting).secret || name === 'DATABASE_URL',
);
