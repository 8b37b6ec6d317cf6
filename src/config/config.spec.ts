import { resolve } from 'node:path';
import {
  A_FILE_KEY,
  DAV,
  KEY_FILE,
  NAMES,
  OKTA,
  OTLP,
  PRODUCTION,
  S3,
  SIGNING,
  SIGNING_KEY,
} from '../../test/support/settings.js';
import { type Config, loadConfig } from './config.js';
import type { SettingName } from './settings.js';

describe('loadConfig', () => {
  it('starts with no setting at all, in development', () => {
    expect(loadConfig({})).toEqual({
      isProduction: false,
      role: 'all',
      processes: 1,
      dataDir: resolve('var'),
      debug: false,
      logLevel: 'INFO',
      jobs: { concurrency: 16 },
      leads: {
        repeated: 'conflict',
        consent: { isRequired: false, textVersion: undefined, textUrl: undefined },
      },
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
      tracing: undefined,
      sentryDsn: undefined,
      metrics: { port: undefined, host: '127.0.0.1', token: undefined },
      database: {
        url: undefined,
        replicaUrls: [],
        poolMin: 20,
        poolMax: 60,
        poolTimeoutMs: 30_000,
        recycleSeconds: 3600,
      },
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
      privacy: {
        erasureNotes: { kind: 'folder', path: resolve('var/erasures') },
        retention: { leadDays: 0, mailDays: 0, sessionDays: 30 },
      },
      alerts: { webhook: undefined },
      mail: {
        isOn: true,
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
    ['WEB_CONCURRENCY', '4', { processes: 4 }],
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
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://c:4318/', { tracing: { url: 'http://c:4318/v1/traces', headers: {} } }],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http/protobuf', { tracing: { timeoutMs: 10_000 } }, OTLP],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=b%20c, x-Key=%3D', { tracing: { headers: { a: 'b c', 'x-Key': '=' } } }, OTLP],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '500', { tracing: { timeoutMs: 500 } }, OTLP],
    ['OTEL_SDK_DISABLED', 'true', { tracing: undefined }, OTLP],
    ['OTEL_SERVICE_NAME', 'intake', { tracing: { resource: { 'service.name': 'intake' } } }, OTLP],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a.b=c', { tracing: { resource: { 'a.b': 'c', 'service.name': 'forecourt' } } }, OTLP],
    ['OTEL_TRACES_SAMPLER', 'TraceIdRatio', { tracing: { sampler: 'traceidratio', share: 1 } }, OTLP],
    ['OTEL_TRACES_SAMPLER_ARG', '0.05', { tracing: { sampler: 'parentbased_always_on', share: 0.05 } }, OTLP],
    ['SENTRY_DSN', 'https://a1b2@sentry.test:9000/x/42', { sentryDsn: 'https://a1b2@sentry.test:9000/x/42' }],
    ['DATABASE_URL', 'postgres://u:p@h/d', { database: { url: 'postgres://u:p@h/d' } }],
    [
      'DATABASE_REPLICA_URLS',
      'postgres://a:b@c/d, postgresql://e/f',
      { database: { replicaUrls: ['postgres://a:b@c/d', 'postgresql://e/f'] } },
      { DATABASE_URL: 'postgres://a/b' },
    ],
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
    ['S3_PREFIX', '/a//b', { files: { storage: { s3: { prefix: 'a/b/' } } } }, S3],
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
    ['CONSENT_REQUIRED', 'true', { leads: { consent: { isRequired: true } } }, { CONSENT_TEXT_VERSION: '1' }],
    ['CONSENT_TEXT_VERSION', '2026-11.b_2', { leads: { consent: { textVersion: '2026-11.b_2' } } }],
    ['CONSENT_TEXT_URL', 'https://a.test/terms', { leads: { consent: { textUrl: 'https://a.test/terms' } } }],
    ['RETENTION_LEADS_DAYS', '1095', { privacy: { retention: { leadDays: 1095 } } }],
    ['RETENTION_MAIL_DAYS', '365', { privacy: { retention: { mailDays: 365 } } }],
    ['RETENTION_SESSIONS_DAYS', '1', { privacy: { retention: { sessionDays: 1 } } }],
    [
      'ERASURE_NOTES',
      's3://notes/a//b/',
      { privacy: { erasureNotes: { kind: 'bucket', bucket: 'notes', prefix: 'a/b/' } } },
    ],
    ['NOTIFICATIONS_ENABLED', 'false', { mail: { isOn: false } }],
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
