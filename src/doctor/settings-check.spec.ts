import { randomBytes } from 'node:crypto';
import { loadConfig } from '../config/config.js';
import { risksOf } from './settings-check.js';

const WISE = {
  ENVIRONMENT: 'production',
  SECRET_KEY: randomBytes(48).toString('base64'),
  DATABASE_URL: 'postgresql://forecourt:4f1d9c77a2@db:5432/forecourt',
  PUBLIC_URL: 'https://intake.practice.law',
  DASHBOARD_URL: 'https://leads.practice.law',
  CORS_ORIGINS: 'https://leads.practice.law',
  TRUST_PROXY: 'loopback',
  SECOND_FACTOR_REQUIRED_FOR: 'admin,superadmin',
  ACCESS_TOKEN_EXPIRE_MINUTES: '15',
  SCAN_POLICY: 'async',
  CLAMAV_HOST: 'clamav',
  SMTP_HOST: 'smtp.practice.law',
  SMTP_FROM_EMAIL: 'intake@practice.law',
  ADMIN_EMAIL: 'admin@practice.law',
};
const found = (change: Record<string, string>): string[] =>
  risksOf(loadConfig({ ...WISE, ...change })).map(({ state, check }) => `${state} ${check}`);

describe('settings that allow a start', () => {
  it('may be wise', () => {
    expect(found({})).toEqual([]);
  });

  it.each([
    ['ALLOW_UNVERIFIED_SIGN_IN', 'true'],
    ['API_KEY_NEVER_EXPIRES', 'true'],
    ['FILE_ENCRYPTION', 'false'],
    ['NOTIFICATIONS_ENABLED', 'false'],
    ['SMTP_TLS', 'none'],
    ['PUBLIC_URL', 'http://intake.practice.law'],
    ['PUBLIC_URL', ''],
    ['DASHBOARD_URL', 'http://leads.practice.law'],
    ['DASHBOARD_URL', ''],
    ['CORS_ORIGINS', 'https://leads.practice.law,http://leads.practice.law'],
    ['TRUST_PROXY', ''],
    ['RATE_LIMIT_ENABLED', 'false'],
    ['LOCKOUT_FAILURES', '0'],
    ['SECOND_FACTOR_REQUIRED_FOR', 'attorney'],
    ['ACCESS_TOKEN_EXPIRE_MINUTES', '1440'],
    ['DOCS_ENABLED', 'true'],
    ['SCAN_POLICY', 'off'],
    ['DATABASE_URL', 'postgresql://forecourt:Postgres@db:5432/forecourt'],
    ['DATABASE_URL', 'postgresql://forecourt@db:5432/forecourt'],
    ['DATABASE_URL', 'postgresql://forecourt:change-me-please@db:5432/forecourt'],
  ])('are worth a thought with %s=%s', (name, value) => {
    expect(found({ [name]: value })).toEqual([`warning ${name}`]);
  });

  it.each([
    ['SMTP_HOST', ''],
    ['SMTP_FROM_EMAIL', ''],
    ['SMTP_FROM_EMAIL', 'intake@practice.example'],
    ['ADMIN_EMAIL', ''],
    ['ADMIN_EMAIL', 'admin@example.com'],
  ])('fail people with %s=%s', (name, value) => {
    expect(found({ [name]: value })).toEqual([`failed ${name}`]);
  });

  it('are nobody’s trouble in development, but for what is open anywhere', () => {
    expect(risksOf(loadConfig({}))).toEqual([]);
    expect(risksOf(loadConfig({ FILE_ENCRYPTION: 'false' })).map(({ check }) => check)).toEqual(['FILE_ENCRYPTION']);
  });
});
