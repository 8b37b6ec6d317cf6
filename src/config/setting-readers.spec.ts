import { join } from 'node:path';
import {
  A_FILE_KEY,
  ELLIPTIC_KEY,
  FOLDER,
  FREE_TEXT,
  LOCKED_KEY,
  NAMES,
  OTHER_FILE,
  SIGNING_KEY,
  pemOf,
  refusalOf,
} from '../../test/support/settings.js';
import { type SettingName } from './settings.js';

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
    ['RETENTION_LEADS_DAYS', 'must be a whole number from 0 to 36500', '36501', '-1', '3y', '1.5'],
    ['RETENTION_MAIL_DAYS', 'must be a whole number from 0 to 36500', '36501', '-1', 'never'],
    ['RETENTION_SESSIONS_DAYS', 'must be a whole number from 1 to 3650', '0', '3651'],
    ['ERASURE_NOTES', 'must be a folder, or look like s3://bucket/folder', 's3://', 's3://B_/x', 'https://a.test/x'],
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
