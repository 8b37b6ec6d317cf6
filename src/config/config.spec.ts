import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Config, ConfigError, loadConfig } from './config.js';
import { SECRET_SETTINGS, SETTINGS, type SettingName } from './settings.js';

const NAMES = Object.keys(SETTINGS) as SettingName[];

/** What production needs and nothing more. */
const PRODUCTION = {
  ENVIRONMENT: 'production',
  SECRET_KEY: 'q8Zr1v-K3mWt_Xy7Lp0Bn5Hd2Gj9Fs4CaE6uTi',
  DATABASE_URL: 'postgresql://forecourt:s3cr3t@db.internal:5432/forecourt',
};

const S3 = { STORAGE_DRIVER: 's3', S3_BUCKET: 'b' };
const DAV = { STORAGE_DRIVER: 'webdav', WEBDAV_URL: 'https://d.test' };
const OKTA = { OIDC_OKTA_ISSUER: 'https://okta.test', OIDC_OKTA_CLIENT_ID: 'forecourt' };
const A_FILE_KEY = Buffer.alloc(32, 7).toString('base64');

const pemOf = (bits: number): string =>
  generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const SIGNING_KEY = pemOf(1024);
const ELLIPTIC_KEY = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const LOCKED_KEY = generateKeyPairSync('rsa', { modulusLength: 1024 })
  .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hush' })
  .toString();
const SIGNING = { DKIM_DOMAIN: 'a.test', DKIM_SELECTOR: 'mail', DKIM_PRIVATE_KEY: SIGNING_KEY };

const FOLDER = mkdtempSync(join(tmpdir(), 'forecourt-config-'));
const KEY_FILE = join(FOLDER, 'key.pem');
const OTHER_FILE = join(FOLDER, 'other.txt');
writeFileSync(KEY_FILE, SIGNING_KEY);
writeFileSync(OTHER_FILE, 'no key at all');
afterAll(() => {
  rmSync(FOLDER, { recursive: true });
});

/** Settings that take any text; the rules about some of them stand in the tests of combinations. */
const FREE_TEXT: readonly SettingName[] = [
  'DATA_DIR',
  'HOST',
  'METRICS_HOST',
  'METRICS_TOKEN',
  'SECRET_KEY',
  'SECRET_KEY_PREVIOUS',
  'BREAK_GLASS_USERNAME',
  'UPLOAD_DIR',
  'S3_REGION',
  'S3_BUCKET',
  'S3_PREFIX',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
  'WEBDAV_USERNAME',
  'WEBDAV_PASSWORD',
  'CLAMAV_HOST',
  'SMTP_HOST',
  'SMTP_USERNAME',
  'SMTP_PASSWORD',
  'SMTP_FROM_NAME',
  'COMPANY_NAME',
  'MAIL_TEMPLATES_DIR',
];

function refusalOf(environment: Record<string, string>): ConfigError {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the settings were accepted');
}

describe('loadConfig', () => {
  it('starts with no setting at all, in development', () => {
    expect(loadConfig({})).toEqual({
      isProduction: false,
      role: 'all',
      dataDir: resolve('var'),
      debug: false,
      logLevel: 'INFO',
      jobs: { concurrency: 16 },
      leads: { repeated: 'conflict' },
      http: {
        host: '0.0.0.0',
        port: 8000,
        publicUrl: 'http://localhost:8000',
        corsOrigins: ['http://localhost:3000'],
        trustProxy: [],
        docsEnabled: true,
        maxJsonBytes: 102_400,
        maxJsonDepth: 10,
        maxArrayLength: 1000,
        minBodyProgressBytes: 500,
        keepAliveMs: 65_000,
        drainMs: 0,
      },
      metrics: { port: undefined, host: '127.0.0.1', token: undefined },
      database: { url: undefined, poolMin: 20, poolMax: 60, poolTimeoutMs: 30_000, recycleSeconds: 3600 },
      auth: {
        secretKey: undefined,
        previousSecretKey: undefined,
        algorithm: 'HS256',
        privateKeys: [],
        keysDir: resolve('var/keys'),
        refreshTokenDays: 7,
        sessionDays: 30,
        apiKeys: { defaultDays: 90, maxDays: 365, mayLastForEver: false },
        accessTokenMinutes: 1440,
        bcryptRounds: 12,
        minPasswordLength: 8,
        lockout: { failures: 5, accountFailures: 50 },
        requireComplexPasswords: false,
        openRegistration: false,
        allowUnverifiedSignIn: false,
        magicLinks: { mode: 'invited', minutes: 15, sameBrowser: false },
        secondFactorRequiredFor: [],
        passkeys: { rpId: 'localhost', origins: ['http://localhost:8000', 'http://localhost:3000'] },
      },
      singleSignOn: {
        providers: [],
        requiredFor: [],
        breakGlassUsername: undefined,
        returnPaths: ['/leads', '/account'],
      },
      admin: { username: 'admin', email: 'admin@forecourt.test', password: undefined },
      rateLimits: {
        enabled: true,
        submitPerMinute: 60,
        loginPerMinute: 30,
        downloadPerMinute: 600,
        recipientPerMinute: 30,
        addressPerMinute: 6000,
        readPerMinute: 1200,
        writePerMinute: 600,
        keyPerMinute: 600,
        adminPerMinute: 600,
        redisUrl: undefined,
        mailTestPerMinute: 6,
      },
      files: {
        uploadDir: resolve('var', 'uploads'),
        maxFileBytes: 5_242_880,
        quotaBytes: undefined,
        minFreeBytes: 268_435_456,
        retentionDays: 30,
        storage: { driver: 'disk', s3: undefined, webdav: undefined },
        scan: { policy: 'off', host: '', port: 3310 },
        encryption: { isOn: true, keys: [] },
      },
      backup: { key: undefined, s3: { region: 'us-east-1', forcePathStyle: false } },
      alerts: { webhook: undefined },
      mail: {
        smtp: undefined,
        connections: 4,
        dkim: undefined,
        fromEmail: 'noreply@forecourt.test',
        fromName: 'Lead Management System',
        sendWithinMs: 30_000,
        replyTo: undefined,
        attorneys: ['admin@forecourt.test'],
        alertRecipients: ['admin@forecourt.test'],
        maxAttempts: 3,
        retrySeconds: 2,
        companyName: 'Forecourt Law',
        dashboardUrl: 'http://localhost:3000',
        defaultLocale: 'en',
        templatesDir: undefined,
        brand: { primaryColor: '#1d4ed8', successColor: '#15803d', logoUrl: undefined, signature: [], address: [] },
      },
    } satisfies Config);
  });

  it('switches the safeguards on and the conveniences off in production', () => {
    expect(loadConfig(PRODUCTION)).toMatchObject({
      isProduction: true,
      debug: false,
      http: { corsOrigins: [], docsEnabled: false },
      database: { url: PRODUCTION.DATABASE_URL },
      auth: { secretKey: PRODUCTION.SECRET_KEY, bcryptRounds: 12, requireComplexPasswords: true },
      rateLimits: { enabled: true },
    });
  });

  const smtp = { host: 'smtp.test', port: 587, tls: 'auto', username: undefined, password: undefined };
  const READ: [SettingName, string, object, Record<string, string>?][] = [
    ['ENVIRONMENT', 'Development', { isProduction: false }],
    ['ROLE', 'WORKER', { role: 'worker' }],
    ['DATA_DIR', 'data', { dataDir: resolve('data'), files: { uploadDir: resolve('data', 'uploads') } }],
    ['DEBUG', 'true', { debug: true, logLevel: 'DEBUG' }],
    ['LOG_LEVEL', 'warning', { logLevel: 'WARNING' }],
    ['REPEATED_SUBMISSION', 'neutral', { leads: { repeated: 'neutral' } }],
    ['WORKER_CONCURRENCY', '50', { jobs: { concurrency: 50 } }],
    ['HOST', '127.0.0.1', { http: { host: '127.0.0.1' } }],
    ['PORT', '0', { http: { port: 0, publicUrl: 'http://localhost:0' } }],
    ['PUBLIC_URL', 'https://intake.test/', { http: { publicUrl: 'https://intake.test' } }],
    [
      'CORS_ORIGINS',
      'https://a.test, http://b.test:81/',
      { http: { corsOrigins: ['https://a.test', 'http://b.test:81'] } },
    ],
    ['TRUST_PROXY', 'loopback, 10.0.0.0/8, ::1', { http: { trustProxy: ['loopback', '10.0.0.0/8', '::1'] } }],
    ['DOCS_ENABLED', 'true', { http: { docsEnabled: true } }, PRODUCTION],
    ['MAX_JSON_SIZE', '1024', { http: { maxJsonBytes: 1024 } }],
    ['MAX_JSON_DEPTH', '100', { http: { maxJsonDepth: 100 } }],
    ['MAX_ARRAY_LENGTH', '1', { http: { maxArrayLength: 1 } }],
    ['DRAIN_SECONDS', '300', { http: { drainMs: 300_000 } }],
    ['MIN_BODY_PROGRESS', '1', { http: { minBodyProgressBytes: 1 } }],
    ['KEEP_ALIVE_SECONDS', '360', { http: { keepAliveMs: 360_000 } }],
    ['METRICS_PORT', '9464', { metrics: { port: 9464, host: '127.0.0.1', token: undefined } }],
    ['METRICS_HOST', '::1', { metrics: { host: '::1' } }],
    ['METRICS_TOKEN', 't'.repeat(32), { metrics: { port: undefined, token: 't'.repeat(32) } }],
    ['DATABASE_URL', 'postgres://u:p@h/d', { database: { url: 'postgres://u:p@h/d' } }],
    ['DB_POOL_SIZE', '0', { database: { poolMin: 0, poolMax: 40 } }],
    ['DB_MAX_OVERFLOW', '0', { database: { poolMin: 20, poolMax: 20 } }],
    ['DB_POOL_TIMEOUT', '300', { database: { poolTimeoutMs: 300_000 } }],
    ['DB_POOL_RECYCLE', '0', { database: { recycleSeconds: 0 } }],
    ['SECRET_KEY', 'simple', { auth: { secretKey: 'simple' } }],
    ['SECRET_KEY_PREVIOUS', 'older', { auth: { previousSecretKey: 'older' } }],
    ['ALGORITHM', 'hs512', { auth: { algorithm: 'HS512' } }],
    [
      'JWT_PRIVATE_KEYS',
      'new:/keys/new.pem, old:/keys/old.pem',
      {
        auth: {
          privateKeys: [
            { id: 'new', path: '/keys/new.pem' },
            { id: 'old', path: '/keys/old.pem' },
          ],
        },
      },
    ],
    ['ACCESS_TOKEN_EXPIRE_MINUTES', '15', { auth: { accessTokenMinutes: 15 } }],
    ['REFRESH_TOKEN_EXPIRE_DAYS', '1', { auth: { refreshTokenDays: 1 } }],
    ['SESSION_EXPIRE_DAYS', '90', { auth: { sessionDays: 90 } }],
    ['BCRYPT_ROUNDS', '4', { auth: { bcryptRounds: 4 } }],
    ['PASSWORD_MIN_LENGTH', '15', { auth: { minPasswordLength: 15 } }],
    ['PASSWORD_REQUIRE_COMPLEXITY', 'false', { auth: { requireComplexPasswords: false } }, PRODUCTION],
    ['LOCKOUT_FAILURES', '0', { auth: { lockout: { failures: 0, accountFailures: 50 } } }],
    ['LOCKOUT_ACCOUNT_FAILURES', '10', { auth: { lockout: { failures: 5, accountFailures: 10 } } }],
    ['SECOND_FACTOR_REQUIRED_FOR', 'admin, Superadmin', { auth: { secondFactorRequiredFor: ['admin', 'superadmin'] } }],
    [
      'PASSKEY_RP_ID',
      'Example.test',
      { auth: { passkeys: { rpId: 'example.test', origins: ['https://a.example.test', 'http://localhost:3000'] } } },
      { PUBLIC_URL: 'https://a.example.test' },
    ],
    ['API_KEY_EXPIRE_DAYS', '30', { auth: { apiKeys: { defaultDays: 30 } } }],
    ['API_KEY_MAX_DAYS', '366', { auth: { apiKeys: { maxDays: 366 } } }],
    ['API_KEY_NEVER_EXPIRES', 'true', { auth: { apiKeys: { mayLastForEver: true } } }],
    ['REGISTRATION_MODE', 'open', { auth: { openRegistration: true } }],
    ['ALLOW_UNVERIFIED_SIGN_IN', 'true', { auth: { allowUnverifiedSignIn: true } }],
    ['MAGIC_LINK', 'open', { auth: { magicLinks: { mode: 'open' } } }],
    ['MAGIC_LINK_EXPIRE_MINUTES', '2880', { auth: { magicLinks: { minutes: 2880 } } }],
    ['MAGIC_LINK_SAME_BROWSER', 'true', { auth: { magicLinks: { sameBrowser: true } } }],
    ['ADMIN_USERNAME', 'Ada.L-1_x', { admin: { username: 'Ada.L-1_x' } }],
    ['ADMIN_EMAIL', 'Ada@a.test', { admin: { email: 'ada@a.test' }, mail: { attorneys: ['Ada@a.test'] } }],
    ['ADMIN_PASSWORD', 'eight ch', { admin: { password: 'eight ch' } }],
    ['OIDC_PROVIDERS', 'Okta', { singleSignOn: { providers: [{ id: 'okta', preset: 'openid' }] } }, OKTA],
    [
      'OIDC_REQUIRED_FOR',
      'attorney, Admin',
      { singleSignOn: { requiredFor: ['attorney', 'admin'] } },
      { OIDC_PROVIDERS: 'okta', ...OKTA },
    ],
    ['BREAK_GLASS_USERNAME', 'root', { singleSignOn: { breakGlassUsername: 'root' } }],
    ['OIDC_RETURN_PATHS', '/, /a/b', { singleSignOn: { returnPaths: ['/', '/a/b'] } }],
    ['RATE_LIMIT_ENABLED', 'false', { rateLimits: { enabled: false } }],
    ['RATE_LIMIT_SUBMIT', '7', { rateLimits: { submitPerMinute: 7 } }],
    ['RATE_LIMIT_LOGIN', '8', { rateLimits: { loginPerMinute: 8 } }],
    ['RATE_LIMIT_DOWNLOAD', '9', { rateLimits: { downloadPerMinute: 9 } }],
    ['RATE_LIMIT_RECIPIENT', '1', { rateLimits: { recipientPerMinute: 1 } }],
    ['RATE_LIMIT_ADDRESS', '2', { rateLimits: { addressPerMinute: 2 } }],
    ['RATE_LIMIT_READ', '3', { rateLimits: { readPerMinute: 3 } }],
    ['RATE_LIMIT_WRITE', '4', { rateLimits: { writePerMinute: 4 } }],
    ['RATE_LIMIT_ADMIN', '5', { rateLimits: { adminPerMinute: 5 } }],
    ['RATE_LIMIT_KEY', '6', { rateLimits: { keyPerMinute: 6 } }],
    ['REDIS_URL', 'rediss://:p@h:1', { rateLimits: { redisUrl: 'rediss://:p@h:1' } }],
    ['RATE_LIMIT_MAIL_TEST', '10', { rateLimits: { mailTestPerMinute: 10 } }],
    ['UPLOAD_DIR', './uploads/resumes', { files: { uploadDir: resolve('uploads', 'resumes') } }],
    ['MAX_FILE_SIZE', '1', { files: { maxFileBytes: 1 } }],
    ['FILE_QUOTA', '1', { files: { quotaBytes: 1 } }],
    ['FILE_MIN_FREE', '0', { files: { minFreeBytes: 0 } }],
    ['FILE_RETENTION_DAYS', '0', { files: { retentionDays: 0 } }],
    ['STORAGE_DRIVER', 'webdav', { files: { storage: { driver: 'webdav', webdav: { url: 'https://d.test' } } } }, DAV],
    ['S3_ENDPOINT', 'https://s3.test', { files: { storage: { s3: { endpoint: 'https://s3.test' } } } }, S3],
    ['S3_REGION', 'eu-1', { files: { storage: { s3: { region: 'eu-1' } } } }, S3],
    ['S3_BUCKET', 'files', { files: { storage: { driver: 's3', s3: { bucket: 'files', prefix: '' } } } }, S3],
    ['S3_PREFIX', 'a/b', { files: { storage: { s3: { prefix: 'a/b' } } } }, S3],
    ['S3_PATH_STYLE', 'true', { files: { storage: { s3: { forcePathStyle: true } } } }, S3],
    [
      'S3_ACCESS_KEY_ID',
      'key',
      { files: { storage: { s3: { accessKeyId: 'key' } } } },
      { ...S3, S3_SECRET_ACCESS_KEY: 's' },
    ],
    [
      'S3_SECRET_ACCESS_KEY',
      'hush',
      { files: { storage: { s3: { secretAccessKey: 'hush' } } } },
      { ...S3, S3_ACCESS_KEY_ID: 'k' },
    ],
    ['WEBDAV_URL', 'https://dav.test/a/', { files: { storage: { webdav: { url: 'https://dav.test/a' } } } }, DAV],
    ['WEBDAV_USERNAME', 'me', { files: { storage: { webdav: { username: 'me' } } } }, { ...DAV, WEBDAV_PASSWORD: 'p' }],
    [
      'WEBDAV_PASSWORD',
      'hush',
      { files: { storage: { webdav: { password: 'hush' } } } },
      { ...DAV, WEBDAV_USERNAME: 'u' },
    ],
    ['FILE_ENCRYPTION', 'false', { files: { encryption: { isOn: false } } }],
    [
      'FILE_ENCRYPTION_KEYS',
      `new:${A_FILE_KEY}, old:${A_FILE_KEY}`,
      {
        files: {
          encryption: {
            keys: [
              { id: 'new', key: Buffer.alloc(32, 7) },
              { id: 'old', key: Buffer.alloc(32, 7) },
            ],
          },
        },
      },
    ],
    ['SCAN_POLICY', 'required', { files: { scan: { policy: 'required' } } }, { CLAMAV_HOST: 'c' }],
    ['CLAMAV_HOST', 'clamd.test', { files: { scan: { host: 'clamd.test' } } }],
    ['CLAMAV_PORT', '3311', { files: { scan: { port: 3311 } } }],
    ['BACKUP_KEY', A_FILE_KEY, { backup: { key: Buffer.alloc(32, 7) } }],
    ['SMTP_HOST', 'smtp.test', { mail: { smtp } }],
    ['SMTP_PORT', '465', { mail: { smtp: { port: 465 } } }, { SMTP_HOST: 'smtp.test' }],
    ['SMTP_TLS', 'starttls', { mail: { smtp: { tls: 'starttls' } } }, { SMTP_HOST: 'smtp.test' }],
    ['SMTP_CONNECTIONS', '50', { mail: { connections: 50 } }],
    ['SMTP_TIMEOUT_SECONDS', '5', { mail: { sendWithinMs: 5000 } }],
    ['SMTP_USERNAME', 'me', { mail: { smtp: { username: 'me' } } }, { SMTP_HOST: 'h', SMTP_PASSWORD: 'p' }],
    ['SMTP_PASSWORD', 'p w', { mail: { smtp: { password: 'p w' } } }, { SMTP_HOST: 'h', SMTP_USERNAME: 'u' }],
    ['SMTP_FROM_EMAIL', 'office@a.test', { mail: { fromEmail: 'office@a.test' } }],
    ['SMTP_FROM_NAME', 'Office', { mail: { fromName: 'Office' } }],
    ['MAIL_REPLY_TO', 'desk@practice.test', { mail: { replyTo: 'desk@practice.test' } }],
    ['DKIM_DOMAIN', 'Practice.TEST', { mail: { dkim: { domain: 'practice.test' } } }, SIGNING],
    ['DKIM_SELECTOR', 'Mail.2026-1', { mail: { dkim: { selector: 'mail.2026-1' } } }, SIGNING],
    [
      'DKIM_PRIVATE_KEY',
      SIGNING_KEY.trim().replaceAll('\n', '\\n'),
      { mail: { dkim: { privateKey: SIGNING_KEY.trim() } } },
      SIGNING,
    ],
    [
      'DKIM_PRIVATE_KEY_FILE',
      KEY_FILE,
      { mail: { dkim: { privateKey: SIGNING_KEY } } },
      { DKIM_DOMAIN: 'a.test', DKIM_SELECTOR: 'mail' },
    ],
    ['ATTORNEY_EMAIL', 'a@a.test, b@b.test,', { mail: { attorneys: ['a@a.test', 'b@b.test'] } }],
    ['ADMIN_ALERT_EMAIL', 'a@a.test, b@b.test,', { mail: { alertRecipients: ['a@a.test', 'b@b.test'] } }],
    [
      'ALERT_WEBHOOK_URL',
      'https://a.test',
      { alerts: { webhook: { url: 'https://a.test' } } },
      { ALERT_WEBHOOK_SECRET: A_FILE_KEY },
    ],
    [
      'ALERT_WEBHOOK_SECRET',
      `whsec_${A_FILE_KEY}`,
      { alerts: { webhook: { secret: Buffer.from(A_FILE_KEY, 'base64') } } },
      { ALERT_WEBHOOK_URL: 'https://a.test' },
    ],
    ['MAIL_MAX_ATTEMPTS', '20', { mail: { maxAttempts: 20 } }],
    ['MAIL_RETRY_SECONDS', '1', { mail: { retrySeconds: 1 } }],
    ['COMPANY_NAME', 'Ada & Co', { mail: { companyName: 'Ada & Co' } }],
    ['DASHBOARD_URL', 'https://app.test/', { mail: { dashboardUrl: 'https://app.test' } }],
    ['DEFAULT_LOCALE', 'DE-at', { mail: { defaultLocale: 'de-AT' } }],
    ['MAIL_TEMPLATES_DIR', './words', { mail: { templatesDir: resolve('words') } }],
    ['BRAND_COLOR_PRIMARY', '#0A1B2C', { mail: { brand: { primaryColor: '#0a1b2c' } } }],
    ['BRAND_COLOR_SUCCESS', '00ff00', { mail: { brand: { successColor: '#00ff00' } } }],
    ['LOGO_URL', 'https://a.test/logo.png?v=2', { mail: { brand: { logoUrl: 'https://a.test/logo.png?v=2' } } }],
    ['MAIL_SIGNATURE', 'Ada\\n \\nAttorney', { mail: { brand: { signature: ['Ada', 'Attorney'] } } }],
    ['COMPANY_ADDRESS', '1 Row\r\nLondon\n', { mail: { brand: { address: ['1 Row', 'London'] } } }],
  ];

  it.each(READ)('reads %s=%s', (name, text, expected, others = {}) => {
    expect(loadConfig({ ...others, [name]: text })).toMatchObject(expected);
  });

  it('has every setting in the table above', () => {
    expect(READ.map(([name]) => name)).toEqual(NAMES);
  });

  it.each(NAMES)('takes an empty or a blank %s for one that is not set', (name) => {
    expect(loadConfig({ [name]: '' })).toEqual(loadConfig({}));
    expect(loadConfig({ [name]: ' \t ' })).toEqual(loadConfig({}));
  });

  it.each(['10.0.0.1', '10.0.0.1/32', '0.0.0.0/1', '::1', '::1/128', 'fd00::/64', 'linklocal', 'uniquelocal'])(
    'believes the proxies %s',
    (proxies) => {
      expect(loadConfig({ TRUST_PROXY: proxies }).http.trustProxy).toEqual([proxies]);
    },
  );

  it.each(['true', 'TRUE', 'True', '1', 'yes', 'on', ' on '])('reads the flag %j as true', (text) => {
    expect(loadConfig({ DEBUG: text }).debug).toBe(true);
  });

  it.each(['false', 'FALSE', 'False', '0', 'no', 'off'])('reads the flag %j as false', (text) => {
    expect(loadConfig({ RATE_LIMIT_ENABLED: text }).rateLimits.enabled).toBe(false);
  });

  it('names an attorney who is listed twice once: the same mail about one lead is stored once', () => {
    const { mail } = loadConfig({ ATTORNEY_EMAIL: 'a@a.test,b@b.test,a@a.test' });

    expect(mail.attorneys).toEqual(['a@a.test', 'b@b.test']);
  });

  it('lets the attorney alone hear of leads when there is one', () => {
    expect(loadConfig({ ATTORNEY_EMAIL: 'a@a.test' }).mail.attorneys).toEqual(['a@a.test']);
  });

  it('lets the admin hear of leads when the list of attorneys names nobody', () => {
    expect(loadConfig({ ATTORNEY_EMAIL: ' , ,' }).mail.attorneys).toEqual(['admin@forecourt.test']);
  });
});

describe('a setting that cannot be read', () => {
  const MISREAD: [SettingName, string, ...string[]][] = [
    ['ENVIRONMENT', 'must be one of development, production', 'prod', 'staging', 'production,'],
    ['ROLE', 'must be one of all, http, worker', 'both', 'web'],
    ['DEBUG', 'must be true or false', 'maybe', '2', 'truee', 'untrue', 'y', 'falsehood', 'xoff'],
    ['LOG_LEVEL', 'must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL', 'TRACE', 'WARN'],
    ['REPEATED_SUBMISSION', 'must be one of conflict, neutral', 'hide'],
    ['WORKER_CONCURRENCY', 'must be a whole number from 1 to 50', '0', '51', 'four'],
    ['PORT', 'must be a whole number from 0 to 65535', '65536', '-1', '80.5', '1e3', '0x50', '８０', '8 0', '+80'],
    ['PUBLIC_URL', 'must be an address such as https://intake.example.com', 'intake.example.com', '//x', 'nonsense'],
    ['PUBLIC_URL', 'must begin with http:// or https://', 'ftp://x.test', 'javascript:alert(1)', 'file:///etc'],
    ['PUBLIC_URL', 'must not carry a user name or password', 'https://me:hush@x.test', 'https://me@x.test'],
    ['CORS_ORIGINS', 'must name exact origins; * is refused', '*', 'https://a.test,*', 'https://*.a.test'],
    [
      'CORS_ORIGINS',
      'must be origins without a path, such as https://app.example.com',
      'https://a.test/app',
      'https://a.test?x',
    ],
    ['CORS_ORIGINS', 'must be an address such as https://intake.example.com', 'null', 'a.test'],
    ['CORS_ORIGINS', 'must begin with http:// or https://', 'chrome-extension://abcdef'],
    [
      'TRUST_PROXY',
      'must list the proxies: IP addresses, CIDR ranges, or loopback, linklocal, uniquelocal',
      'true',
      '*',
      'all',
      'proxy.internal',
      '1',
      '10.0.0',
      '999.0.0.1',
      '10.0.0.0/33',
      '::/129',
      '10.0.0.0/',
      '0.0.0.0/0',
      ':::',
      '10.0.0.0/8x',
      '10.0.0.0/x8',
      '10.0.0.0/8/8',
      'myloopback',
      'loopback2',
    ],
    ['DOCS_ENABLED', 'must be true or false', 'public'],
    ['MAX_JSON_SIZE', 'must be a whole number from 1024 to 10485760', '1023', '10485761', '100kb'],
    ['MAX_JSON_DEPTH', 'must be a whole number from 1 to 100', '0', '101'],
    ['MAX_ARRAY_LENGTH', 'must be a whole number from 1 to 100000', '0', '100001'],
    ['DRAIN_SECONDS', 'must be a whole number from 0 to 300', '-1', '301', '1.5'],
    ['MIN_BODY_PROGRESS', 'must be a whole number from 1 to 65536', '0', '65537'],
    ['KEEP_ALIVE_SECONDS', 'must be a whole number from 1 to 3600', '0', '3601', '1.5'],
    ['METRICS_PORT', 'must be a whole number from 0 to 65535', '65536', '-1', 'on'],
    [
      'DATABASE_URL',
      'must look like postgresql://user:password@host:5432/database',
      'mysql://u:hush@h/d',
      'u:hush@h',
      'sqlite://x',
    ],
    ['DB_POOL_SIZE', 'must be a whole number from 0 to 500', '501', '-1'],
    ['DB_MAX_OVERFLOW', 'must be a whole number from 0 to 500', '501'],
    ['DB_POOL_TIMEOUT', 'must be a whole number from 1 to 300', '0', '301', '30s'],
    ['DB_POOL_RECYCLE', 'must be a whole number from 0 to 86400', '86401', '-1'],
    ['ALGORITHM', 'must be one of HS256, HS384, HS512, RS256, ES256', 'none', 'EdDSA', 'HS257'],
    ['JWT_PRIVATE_KEYS', 'must list keys as id:path of a PEM file', '/keys/new.pem', ':x', 'a b:/x'],
    ['REFRESH_TOKEN_EXPIRE_DAYS', 'must be a whole number from 1 to 365', '0', '366'],
    ['SESSION_EXPIRE_DAYS', 'must be a whole number from 1 to 365', '0', '366'],
    ['ACCESS_TOKEN_EXPIRE_MINUTES', 'must be a whole number from 1 to 43200', '0', '43201', '1.5'],
    ['BCRYPT_ROUNDS', 'must be a whole number from 4 to 16', '3', '17'],
    ['SECOND_FACTOR_REQUIRED_FOR', 'must be one of client, attorney, admin, superadmin', 'boss', 'admin;client'],
    ['PASSKEY_RP_ID', 'must be a domain such as practice.example', 'https://a.test', 'a', 'a b.test'],
    ['PASSWORD_MIN_LENGTH', 'must be a whole number from 8 to 72', '7', '73'],
    ['LOCKOUT_FAILURES', 'must be a whole number from 0 to 100', '-1', '101'],
    ['LOCKOUT_ACCOUNT_FAILURES', 'must be a whole number from 10 to 1000', '9', '1001'],
    ['PASSWORD_REQUIRE_COMPLEXITY', 'must be true or false', 'strict'],
    ['API_KEY_EXPIRE_DAYS', 'must be a whole number from 1 to 3650', '0', '3651'],
    ['API_KEY_MAX_DAYS', 'must be a whole number from 1 to 3650', '0', '3651'],
    ['API_KEY_NEVER_EXPIRES', 'must be true or false', 'perhaps'],
    ['REGISTRATION_MODE', 'must be one of admin, open', 'closed', 'public'],
    ['ALLOW_UNVERIFIED_SIGN_IN', 'must be true or false', 'sometimes'],
    ['MAGIC_LINK', 'must be one of off, invited, open', 'on', 'everybody'],
    ['MAGIC_LINK_EXPIRE_MINUTES', 'must be a whole number from 5 to 2880', '4', '2881'],
    ['MAGIC_LINK_SAME_BROWSER', 'must be true or false', 'lax'],
    [
      'ADMIN_USERNAME',
      'must have 3 to 50 letters, digits, dots, dashes or underscores',
      'ab',
      'a'.repeat(51),
      'a b c',
      'a@b.c',
      'ädä',
    ],
    [
      'ADMIN_EMAIL',
      'must be an e-mail address',
      'admin',
      'a@',
      '@b.test',
      'a b@c.test',
      'a@b.test,c@d.test',
      'A <a@b.test>',
    ],
    [
      'ADMIN_PASSWORD',
      'must have at least 8 characters and at most 72 bytes',
      'hush-hu',
      'h'.repeat(73),
      'ü'.repeat(37),
    ],
    ['OIDC_PROVIDERS', 'must list ids of letters and digits, such as google', '2fa', 'a-b', 'a_b'],
    ['OIDC_REQUIRED_FOR', 'must be one of client, attorney, admin, superadmin', 'boss'],
    ['OIDC_RETURN_PATHS', 'must list paths such as /leads', 'leads', '//evil.test', '/a/../b', '/a%2fb', '/a/'],
    ['RATE_LIMIT_ENABLED', 'must be true or false', 'sometimes'],
    ['RATE_LIMIT_SUBMIT', 'must be a whole number from 1 to 1000000', '0', '1000001'],
    ['RATE_LIMIT_LOGIN', 'must be a whole number from 1 to 1000000', '0', '1000001'],
    ['RATE_LIMIT_DOWNLOAD', 'must be a whole number from 1 to 1000000', '0', '1000001'],
    ['RATE_LIMIT_RECIPIENT', 'must be a whole number from 1 to 1000000', '0', '1000001'],
    ['RATE_LIMIT_ADDRESS', 'must be a whole number from 1 to 1000000', '0', '1000001'],
    ['RATE_LIMIT_READ', 'must be a whole number from 1 to 1000000', '0', '1000001'],
    ['RATE_LIMIT_WRITE', 'must be a whole number from 1 to 1000000', '0', '1000001'],
    ['RATE_LIMIT_ADMIN', 'must be a whole number from 1 to 1000000', '0', '1000001'],
    ['RATE_LIMIT_KEY', 'must be a whole number from 1 to 1000000', '0', '1000001'],
    ['REDIS_URL', 'must look like redis://user:password@host:6379', 'nonsense', 'http://:hush@h', 'redis://', 'h:6379'],
    ['RATE_LIMIT_MAIL_TEST', 'must be a whole number from 1 to 1000000', '0', '1000001'],
    ['STORAGE_DRIVER', 'must be one of disk, s3, webdav', 'ftp'],
    ['S3_ENDPOINT', 'must be an address such as https://intake.example.com', 'store'],
    ['S3_PATH_STYLE', 'must be true or false', 'maybe'],
    ['WEBDAV_URL', 'must be an address such as https://intake.example.com', 'dav'],
    ['FILE_ENCRYPTION', 'must be true or false', 'maybe', '2'],
    ['SCAN_POLICY', 'must be one of off, async, required', 'maybe'],
    ['CLAMAV_PORT', 'must be a whole number from 1 to 65535', '0', '65536'],
    [
      'FILE_ENCRYPTION_KEYS',
      'must list keys as id:key, each key 32 bytes in base64; make one with: openssl rand -base64 32',
      A_FILE_KEY,
      'a:short',
    ],
    [
      'BACKUP_KEY',
      'must be 32 bytes in base64; make one with: openssl rand -base64 32',
      'short',
      `a:${A_FILE_KEY}`,
      `${A_FILE_KEY}${A_FILE_KEY}`,
    ],
    ['FILE_QUOTA', 'must be a whole number from 1 to 999999999999999', '0', '1GB'],
    ['FILE_MIN_FREE', 'must be a whole number from 0 to 999999999999999', '-1', '1GB'],
    ['ALERT_WEBHOOK_URL', 'must begin with http:// or https://', 'ftp://a.test'],
    [
      'ALERT_WEBHOOK_SECRET',
      'must be 24 to 64 bytes in base64; make one with: openssl rand -base64 32',
      'hush',
      'whsec_',
      Buffer.alloc(65).toString('base64'),
    ],
    ['FILE_RETENTION_DAYS', 'must be a whole number from 0 to 36500', '-1', '36501', 'never'],
    ['MAX_FILE_SIZE', 'must be a whole number from 1 to 1073741824', '0', '1073741825', '5MB', '9'.repeat(16)],
    ['SMTP_PORT', 'must be a whole number from 1 to 65535', '0', '65536'],
    ['SMTP_TLS', 'must be one of auto, starttls, tls, none', 'ssl', 'true'],
    ['MAIL_REPLY_TO', 'must be an e-mail address', 'Office <o@a.test>', 'o@a.test\r\nBcc: x@y.test', 'o@a@b.test'],
    ['SMTP_CONNECTIONS', 'must be a whole number from 1 to 50', '0', '51'],
    ['SMTP_TIMEOUT_SECONDS', 'must be a whole number from 1 to 600', '0', '601'],
    ['SMTP_FROM_EMAIL', 'must be an e-mail address', 'Office <o@a.test>', 'o@a.test\r\nBcc: x@y.test', 'o@a@b.test'],
    [
      'DKIM_DOMAIN',
      'must be a domain such as practice.example',
      'practice',
      'a..test',
      '-a.test',
      'a.test; rm',
      `${'a'.repeat(64)}.test`,
    ],
    ['DKIM_SELECTOR', 'must be letters, digits, dashes and dots', 'a b', '.a', 'a..b', 'a_b', 'a'.repeat(64)],
    ['DKIM_PRIVATE_KEY', 'must be a private key in PEM, not encrypted', 'hush', SIGNING_KEY.slice(0, 300), LOCKED_KEY],
    ['DKIM_PRIVATE_KEY', 'must be an RSA key', ELLIPTIC_KEY],
    ['DKIM_PRIVATE_KEY', 'must have at least 1024 bits', pemOf(1016)],
    ['DKIM_PRIVATE_KEY_FILE', 'must be a file that can be read', join(FOLDER, 'nothing'), FOLDER],
    ['DKIM_PRIVATE_KEY_FILE', 'must be a private key in PEM, not encrypted', OTHER_FILE],
    ['ADMIN_ALERT_EMAIL', 'must be an e-mail address', 'nobody'],
    ['ATTORNEY_EMAIL', 'must be an e-mail address', 'a@a.test;b@b.test', 'a@a.test,nobody'],
    ['MAIL_MAX_ATTEMPTS', 'must be a whole number from 1 to 20', '0', '21'],
    ['MAIL_RETRY_SECONDS', 'must be a whole number from 1 to 3600', '0', '3601'],
    ['DASHBOARD_URL', 'must begin with http:// or https://', 'javascript:alert(1)'],
    ['DEFAULT_LOCALE', 'must be a language tag such as en or de-AT', 'english language', 'de_AT', '*', '../en'],
    [
      'BRAND_COLOR_PRIMARY',
      'must be a colour as six hexadecimal digits, rrggbb',
      '#fff',
      'blue',
      '#12345g',
      '#1234567',
      '#112233;x:y',
    ],
    ['BRAND_COLOR_SUCCESS', 'must be a colour as six hexadecimal digits, rrggbb', 'green'],
    ['LOGO_URL', 'must begin with https://', 'http://a.test/logo.png'],
    ['LOGO_URL', 'must begin with http:// or https://', 'data:image/png;base64,AAAA', 'javascript:alert(1)'],
    [
      'MAIL_SIGNATURE',
      'must be at most 8 lines of at most 200 characters, separated by \\n',
      'a\\n'.repeat(9),
      'a'.repeat(201),
      'a\u0000b',
    ],
    [
      'COMPANY_ADDRESS',
      'must be at most 8 lines of at most 200 characters, separated by \\n',
      '1\n2\n3\n4\n5\n6\n7\n8\n9',
    ],
  ];
  const CASES = MISREAD.flatMap(([name, says, ...texts]) => texts.map((text) => [name, text, says] as const));

  it.each(CASES)('stops the start: %s=%j', (name, text, says) => {
    expect(refusalOf({ [name]: text }).problems).toEqual([`${name} ${says}`]);
  });

  it('is possible for every setting, save those that take any text', () => {
    const covered = new Set(MISREAD.map(([name]) => name));

    expect(NAMES.filter((name) => !covered.has(name))).toEqual(FREE_TEXT);
  });

  it('is reported together with all others, each by its name', () => {
    const wrong = new Map(MISREAD.map(([name, , text = '']) => [name, text]));

    const { problems, message } = refusalOf(Object.fromEntries(wrong));

    expect(problems.map((problem) => problem.split(' ')[0]).sort()).toEqual([...wrong.keys()].sort());
    expect(message).toBe(`The settings do not allow a start:\n${problems.map((each) => `  - ${each}`).join('\n')}`);
  });

  it('is never shown, nor is any other value', () => {
    const planted = Object.fromEntries(NAMES.map((name) => [name, `hush ${name.toLowerCase()}\u0007 sesame`]));

    const error = refusalOf({ ...planted, SMTP_PASSWORD: '' });

    expect(error.problems.length).toBeGreaterThan(30);
    expect(`${error.stack ?? ''}${JSON.stringify(error)}${String(error.cause)}`).not.toMatch(/hush|sesame/);
  });
});

describe('settings that do not go together', () => {
  it.each([
    [
      'a pool of three connections',
      { DB_POOL_SIZE: '1', DB_MAX_OVERFLOW: '2' },
      'DB_POOL_SIZE and DB_MAX_OVERFLOW must together allow at least 4 connections',
    ],
    ['a short token', { METRICS_TOKEN: 't'.repeat(31) }, 'METRICS_TOKEN must be at least 32 bytes long'],
    ['metrics on the port of requests', { METRICS_PORT: '8000' }, 'METRICS_PORT must not be PORT'],
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

describe('the catalogue of settings', () => {
  it('marks what must never be shown', () => {
    expect([...SECRET_SETTINGS].sort()).toEqual([
      'ADMIN_PASSWORD',
      'ALERT_WEBHOOK_SECRET',
      'BACKUP_KEY',
      'DATABASE_URL',
      'DKIM_PRIVATE_KEY',
      'FILE_ENCRYPTION_KEYS',
      'METRICS_TOKEN',
      'REDIS_URL',
      'S3_SECRET_ACCESS_KEY',
      'SECRET_KEY',
      'SECRET_KEY_PREVIOUS',
      'SMTP_PASSWORD',
      'WEBDAV_PASSWORD',
    ]);
  });

  it.each(NAMES)('says what %s is for and shows its real default', (name) => {
    const { doc, shown, fallback, secret } = SETTINGS[name];

    expect(doc).toMatch(/^\S.{10,}[^.\s]$/);
    expect(loadConfig({ [name]: shown })).toEqual(loadConfig({}));
    expect(secret && (shown !== '' || fallback !== undefined)).toBe(false);
  });
});
