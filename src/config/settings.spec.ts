import { NAMES } from '../../test/support/settings.js';
import { loadConfig } from './config.js';
import { SECRET_SETTINGS, SETTINGS } from './settings.js';

describe('the catalogue of settings', () => {
  it('marks what must never be shown', () => {
    expect([...SECRET_SETTINGS].sort()).toEqual([
      'ADMIN_PASSWORD',
      'ALERT_WEBHOOK_SECRET',
      'BACKUP_KEY',
      'DATABASE_REPLICA_URLS',
      'DATABASE_URL',
      'DKIM_PRIVATE_KEY',
      'FILE_ENCRYPTION_KEYS',
      'METRICS_TOKEN',
      'OTEL_EXPORTER_OTLP_HEADERS',
      'REDIS_URL',
      'S3_SECRET_ACCESS_KEY',
      'SECRET_KEY',
      'SECRET_KEY_PREVIOUS',
      'SENTRY_DSN',
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
