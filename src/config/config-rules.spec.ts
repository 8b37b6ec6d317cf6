import { A_FILE_KEY, KEY_FILE, PRODUCTION, SIGNING, SIGNING_KEY, refusalOf } from '../../test/support/settings.js';
import { loadConfig } from './config.js';

describe('settings that do not go together', () => {
  it.each([
    [
      'a pool of three connections',
      { DB_POOL_SIZE: '1', DB_MAX_OVERFLOW: '2' },
      'DB_POOL_SIZE and DB_MAX_OVERFLOW must together allow at least 4 connections',
    ],
    [
      'replicas of nothing',
      { DATABASE_REPLICA_URLS: 'postgres://a/b' },
      'DATABASE_URL is required with DATABASE_REPLICA_URLS',
    ],
    ['a short token', { METRICS_TOKEN: 't'.repeat(31) }, 'METRICS_TOKEN must be at least 32 bytes long'],
    ['metrics on the port of requests', { METRICS_PORT: '8000' }, 'METRICS_PORT must not be PORT'],
    [
      'metrics of several processes on the port of requests',
      { METRICS_PORT: '7998', WEB_CONCURRENCY: '3' },
      'METRICS_PORT and those after it, one for each of WEB_CONCURRENCY, must be ports other than PORT',
    ],
    [
      'metrics of several processes beyond the last port',
      { METRICS_PORT: '65534', WEB_CONCURRENCY: '3' },
      'METRICS_PORT and those after it, one for each of WEB_CONCURRENCY, must be ports other than PORT',
    ],
    [
      'metrics of one of several processes, whichever answers',
      { METRICS_TOKEN: 't'.repeat(32), WEB_CONCURRENCY: '2' },
      'METRICS_PORT is required with METRICS_TOKEN when WEB_CONCURRENCY is above 1',
    ],
    [
      'metrics for everybody',
      { METRICS_PORT: '9464', METRICS_HOST: '0.0.0.0' },
      'METRICS_TOKEN is required when METRICS_HOST is not 127.0.0.1, ::1 or localhost',
    ],
    [
      'metrics for everybody by a name',
      { METRICS_PORT: '9464', METRICS_HOST: '127.0.0.1.example.com' },
      'METRICS_TOKEN is required when METRICS_HOST is not 127.0.0.1, ::1 or localhost',
    ],
    ['a user name without a password', { SMTP_USERNAME: 'me' }, 'SMTP_USERNAME and SMTP_PASSWORD must be set together'],
    ['a password without a user name', { SMTP_PASSWORD: 'me' }, 'SMTP_USERNAME and SMTP_PASSWORD must be set together'],
    [
      'a sender of two lines',
      { SMTP_FROM_NAME: 'A\r\nBcc: x@y.test' },
      'SMTP_FROM_NAME and COMPANY_NAME must be one line each',
    ],
    ['S3 without a bucket', { STORAGE_DRIVER: 's3' }, 'S3_BUCKET is required with STORAGE_DRIVER=s3'],
    ['WebDAV without an address', { STORAGE_DRIVER: 'webdav' }, 'WEBDAV_URL is required with STORAGE_DRIVER=webdav'],
    ['half an access key', { S3_ACCESS_KEY_ID: 'k' }, 'S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY must be set together'],
    [
      'notes of erasures among files',
      { ERASURE_NOTES: 's3://files/a/', S3_BUCKET: 'files', S3_PREFIX: '/a' },
      'ERASURE_NOTES must not be where files are kept: what no row names is removed there',
    ],
    [
      'notes of erasures in a folder of files',
      { ERASURE_NOTES: './var/uploads/notes' },
      'ERASURE_NOTES must not be where files are kept: what no row names is removed there',
    ],
    ['consent to nothing', { CONSENT_REQUIRED: 'true' }, 'CONSENT_TEXT_VERSION is required with CONSENT_REQUIRED'],
    ['a scan by nobody', { SCAN_POLICY: 'async' }, 'CLAMAV_HOST is required unless SCAN_POLICY is off'],
    [
      'a webhook without its secret',
      { ALERT_WEBHOOK_URL: 'https://a.test' },
      'ALERT_WEBHOOK_URL and ALERT_WEBHOOK_SECRET must be set together',
    ],
    ['half a sign-in', { WEBDAV_USERNAME: 'u' }, 'WEBDAV_USERNAME and WEBDAV_PASSWORD must be set together'],
    [
      'two keys for files with one id',
      { FILE_ENCRYPTION_KEYS: `a:${A_FILE_KEY},a:${A_FILE_KEY}` },
      'FILE_ENCRYPTION_KEYS must not list an id twice',
    ],
    [
      'two keys for tokens with one id',
      { JWT_PRIVATE_KEYS: 'a:/x,a:/y' },
      'JWT_PRIVATE_KEYS must not list an id twice',
    ],
    [
      'API keys that last longer than the longest',
      { API_KEY_MAX_DAYS: '89' },
      'API_KEY_EXPIRE_DAYS must not exceed API_KEY_MAX_DAYS',
    ],
    [
      'a session that is over before it is idle',
      { SESSION_EXPIRE_DAYS: '6' },
      'REFRESH_TOKEN_EXPIRE_DAYS must not exceed SESSION_EXPIRE_DAYS',
    ],
    [
      'passkeys for the domain of nobody here',
      { PASSKEY_RP_ID: 'elsewhere.test', PUBLIC_URL: 'https://a.test' },
      'PASSKEY_RP_ID must be the host of PUBLIC_URL or of one of CORS_ORIGINS, or a domain above it',
    ],
    [
      'a signature in nobody’s name',
      { DKIM_SELECTOR: 'mail', DKIM_PRIVATE_KEY: SIGNING_KEY },
      'DKIM_DOMAIN, DKIM_SELECTOR and DKIM_PRIVATE_KEY (or DKIM_PRIVATE_KEY_FILE) must be set together',
    ],
    [
      'a signature without a key',
      { DKIM_DOMAIN: 'a.test', DKIM_SELECTOR: 'mail' },
      'DKIM_DOMAIN, DKIM_SELECTOR and DKIM_PRIVATE_KEY (or DKIM_PRIVATE_KEY_FILE) must be set together',
    ],
    [
      'two keys for signatures',
      { ...SIGNING, DKIM_PRIVATE_KEY_FILE: KEY_FILE },
      'DKIM_PRIVATE_KEY and DKIM_PRIVATE_KEY_FILE must not both be set',
    ],
    ['a company of two lines', { COMPANY_NAME: 'A\nB' }, 'SMTP_FROM_NAME and COMPANY_NAME must be one line each'],
  ])('stop the start: %s', (_, environment, problem) => {
    expect(refusalOf(environment as unknown as Record<string, string>).problems).toEqual([problem]);
  });

  it('may be notes of erasures beside files', () => {
    expect(
      loadConfig({ ERASURE_NOTES: 's3://files/b', S3_BUCKET: 'files', S3_PREFIX: 'a' }).privacy.erasureNotes,
    ).toEqual({
      kind: 'bucket',
      bucket: 'files',
      prefix: 'b/',
    });
    expect(() => loadConfig({ ERASURE_NOTES: './var/uploads-notes' })).not.toThrow();
  });

  it('may be a pool of four connections', () => {
    expect(loadConfig({ DB_POOL_SIZE: '0', DB_MAX_OVERFLOW: '4' }).database).toMatchObject({ poolMin: 0, poolMax: 4 });
  });
});

describe('production', () => {
  const TOO_SHORT = 'must be at least 32 bytes long';
  const A_DEFAULT = 'must not be a default or a pattern; make one with: openssl rand -base64 48';

  it.each([
    ['no SECRET_KEY', { SECRET_KEY: '' }, 'SECRET_KEY is required in production'],
    ['a SECRET_KEY of 31 bytes', { SECRET_KEY: PRODUCTION.SECRET_KEY.slice(0, 31) }, `SECRET_KEY ${TOO_SHORT}`],
    ['a SECRET_KEY of an example', { SECRET_KEY: 'your-super-long-key-for-signing-tokens' }, `SECRET_KEY ${A_DEFAULT}`],
    ['a SECRET_KEY to be changed', { SECRET_KEY: 'please-change-me-before-you-go-live-ok' }, `SECRET_KEY ${A_DEFAULT}`],
    ['a SECRET_KEY of one letter', { SECRET_KEY: 'k'.repeat(64) }, `SECRET_KEY ${A_DEFAULT}`],
    ['a SECRET_KEY of a few letters', { SECRET_KEY: 'abcdefg'.repeat(6) }, `SECRET_KEY ${A_DEFAULT}`],
    ['a SECRET_KEY that counts', { SECRET_KEY: '12345678901234567890123456789012' }, `SECRET_KEY ${A_DEFAULT}`],
    ['a short SECRET_KEY_PREVIOUS', { SECRET_KEY_PREVIOUS: 'short' }, `SECRET_KEY_PREVIOUS ${TOO_SHORT}`],
    [
      'a default SECRET_KEY_PREVIOUS',
      { SECRET_KEY_PREVIOUS: 'change-me-'.repeat(4) },
      `SECRET_KEY_PREVIOUS ${A_DEFAULT}`,
    ],
    ['no DATABASE_URL', { DATABASE_URL: '' }, 'DATABASE_URL is required in production'],
    [
      'no key for files that lie elsewhere',
      { UPLOAD_DIR: '/mnt/files' },
      'FILE_ENCRYPTION_KEYS is required in production unless files lie under DATA_DIR',
    ],
    [
      'no key for files in a store',
      { STORAGE_DRIVER: 's3', S3_BUCKET: 'b' },
      'FILE_ENCRYPTION_KEYS is required in production unless files lie under DATA_DIR',
    ],
    ['DEBUG', { DEBUG: 'true' }, 'DEBUG must be false in production'],
    ['fewer bcrypt rounds than 12', { BCRYPT_ROUNDS: '11' }, 'BCRYPT_ROUNDS must be at least 12 in production'],
    ['open registration', { REGISTRATION_MODE: 'open' }, 'REGISTRATION_MODE must be admin in production'],
  ])('refuses %s', (_, environment, problem) => {
    expect(refusalOf({ ...PRODUCTION, ...environment }).problems).toEqual([problem]);
  });

  it.each([
    'admin123',
    'Admin1234!',
    'changeme',
    'change_me_1',
    'password',
    'MyPassword7',
    'letmein1',
    'secret99',
    '12345678',
    'forecourt',
  ])('refuses the default ADMIN_PASSWORD %j', (password) => {
    const { problems } = refusalOf({ ...PRODUCTION, ADMIN_PASSWORD: password });

    expect(problems).toEqual(['ADMIN_PASSWORD must not be a default password']);
  });

  it('needs no key for files that lie under DATA_DIR, wherever there', () => {
    const { encryption } = loadConfig({ ...PRODUCTION, DATA_DIR: '/data', UPLOAD_DIR: '/data/uploads/resumes' }).files;

    expect(encryption).toEqual({ isOn: true, keys: [] });
  });

  it('takes a SECRET_KEY of exactly 32 bytes and an ADMIN_PASSWORD of exactly 72', () => {
    const SECRET_KEY = PRODUCTION.SECRET_KEY.slice(0, 32);
    const ADMIN_PASSWORD = 'Tr0ub4dor & 3 '.repeat(6).slice(0, 71) + '!';

    const config = loadConfig({ ...PRODUCTION, SECRET_KEY, ADMIN_PASSWORD });

    expect(config.auth.secretKey).toBe(SECRET_KEY);
    expect(config.admin.password).toBe(ADMIN_PASSWORD);
  });

  it('reports everything that is missing or unsafe at once', () => {
    const { problems } = refusalOf({
      ENVIRONMENT: 'production',
      DEBUG: 'true',
      BCRYPT_ROUNDS: '4',
      REGISTRATION_MODE: 'open',
      ADMIN_PASSWORD: 'password1',
      PORT: 'eighty',
    });

    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'PORT',
      'ADMIN_PASSWORD',
      'SECRET_KEY',
      'DATABASE_URL',
      'DEBUG',
      'BCRYPT_ROUNDS',
      'REGISTRATION_MODE',
    ]);
  });
});
