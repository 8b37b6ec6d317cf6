import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../src/config/config.js';
import { SETTINGS, type SettingName } from '../../src/config/settings.js';

export const NAMES = Object.keys(SETTINGS) as SettingName[];

/** What production needs and nothing more. */
export const PRODUCTION = {
  ENVIRONMENT: 'production',
  SECRET_KEY: 'q8Zr1v-K3mWt_Xy7Lp0Bn5Hd2Gj9Fs4CaE6uTi',
  DATABASE_URL: 'postgresql://forecourt:s3cr3t@db.internal:5432/forecourt',
};

export const S3 = { STORAGE_DRIVER: 's3', S3_BUCKET: 'b' };
export const DAV = { STORAGE_DRIVER: 'webdav', WEBDAV_URL: 'https://d.test' };
export const OTLP = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' };
export const OKTA = { OIDC_OKTA_ISSUER: 'https://okta.test', OIDC_OKTA_CLIENT_ID: 'forecourt' };
export const A_FILE_KEY = Buffer.alloc(32, 7).toString('base64');

export const pemOf = (bits: number): string =>
  generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
export const SIGNING_KEY = pemOf(1024);
export const ELLIPTIC_KEY = generateKeyPairSync('ed25519')
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
export const LOCKED_KEY = generateKeyPairSync('rsa', { modulusLength: 1024 })
  .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hush' })
  .toString();
export const SIGNING = { DKIM_DOMAIN: 'a.test', DKIM_SELECTOR: 'mail', DKIM_PRIVATE_KEY: SIGNING_KEY };

export const FOLDER = mkdtempSync(join(tmpdir(), 'forecourt-config-'));
export const KEY_FILE = join(FOLDER, 'key.pem');
export const OTHER_FILE = join(FOLDER, 'other.txt');
writeFileSync(KEY_FILE, SIGNING_KEY);
writeFileSync(OTHER_FILE, 'no key at all');
afterAll(() => {
  rmSync(FOLDER, { recursive: true });
});

/** Settings that take any text; the rules about some of them stand in the tests of combinations. */
export const FREE_TEXT: readonly SettingName[] = [
  'DATA_DIR',
  'HOST',
  'METRICS_HOST',
  'METRICS_TOKEN',
  'OTEL_SERVICE_NAME',
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

/** What is said of settings that are refused. */
export function refusalOf(environment: Record<string, string>): ConfigError {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the settings were accepted');
}
