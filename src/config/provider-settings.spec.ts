import { ConfigError, loadConfig } from './config.js';
import { PROVIDER_SETTINGS } from './provider-settings.js';

const OKTA = { OIDC_PROVIDERS: 'okta', OIDC_OKTA_ISSUER: 'https://okta.test', OIDC_OKTA_CLIENT_ID: 'forecourt' };
const PRODUCTION = {
  ENVIRONMENT: 'production',
  SECRET_KEY: 'q8Zr1v-K3mWt_Xy7Lp0Bn5Hd2Gj9Fs4CaE6uTi',
  DATABASE_URL: 'postgresql://forecourt:s3cr3t@db.internal:5432/forecourt',
};

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the settings of a provider', () => {
  it('are few for any provider with discovery', () => {
    expect(loadConfig(OKTA).singleSignOn.providers).toEqual([
      {
        id: 'okta',
        preset: 'openid',
        label: 'okta',
        issuer: 'https://okta.test',
        clientId: 'forecourt',
        clientSecret: undefined,
        scopes: ['openid', 'email', 'profile'],
        allowedDomains: [],
        provision: 'off',
        roles: undefined,
      },
    ]);
  });

  it('can all be set', () => {
    const { providers } = loadConfig({
      ...OKTA,
      OIDC_OKTA_ISSUER: 'https://okta.test/realms/a/',
      OIDC_OKTA_CLIENT_SECRET: 'hush',
      OIDC_OKTA_LABEL: 'The practice',
      OIDC_OKTA_SCOPES: 'openid, email, groups',
      OIDC_OKTA_ALLOWED_DOMAINS: 'Practice.test',
      OIDC_OKTA_PROVISION: 'domain',
      OIDC_OKTA_ROLE_CLAIM: 'groups',
      OIDC_OKTA_ROLE_MAP: 'cn=staff=attorney, partners=superadmin',
    }).singleSignOn;

    expect(providers).toEqual([
      {
        id: 'okta',
        preset: 'openid',
        label: 'The practice',
        issuer: 'https://okta.test/realms/a/',
        clientId: 'forecourt',
        clientSecret: 'hush',
        scopes: ['openid', 'email', 'groups'],
        allowedDomains: ['practice.test'],
        provision: 'domain',
        roles: {
          claim: 'groups',
          rules: [
            { value: 'cn=staff', role: 'attorney' },
            { value: 'partners', role: 'superadmin' },
          ],
        },
      },
    ]);
  });

  it('are fewer for Google and GitHub', () => {
    const { providers } = loadConfig({
      OIDC_PROVIDERS: 'google,hub',
      OIDC_GOOGLE_PRESET: 'google',
      OIDC_GOOGLE_CLIENT_ID: 'g',
      OIDC_HUB_PRESET: 'github',
      OIDC_HUB_CLIENT_ID: 'h',
      OIDC_HUB_CLIENT_SECRET: 's',
    }).singleSignOn;

    expect(providers).toMatchObject([
      { id: 'google', label: 'Google', issuer: 'https://accounts.google.com', scopes: ['openid', 'email', 'profile'] },
      { id: 'hub', label: 'GitHub', issuer: 'https://github.com', scopes: ['read:user', 'user:email'] },
    ]);
  });

  it.each([
    ['no address', { OIDC_OKTA_ISSUER: '' }, 'OIDC_OKTA_ISSUER is required'],
    ['no client', { OIDC_OKTA_CLIENT_ID: '' }, 'OIDC_OKTA_CLIENT_ID is required'],
    [
      'a misspelt name',
      { OIDC_OKTA_ALOWED_DOMAINS: 'a.test' },
      'OIDC_OKTA_ALOWED_DOMAINS is no setting of a provider in OIDC_PROVIDERS',
    ],
    [
      'a provider that is not listed',
      { OIDC_GOOGLE_CLIENT_ID: 'x' },
      'OIDC_GOOGLE_CLIENT_ID is no setting of a provider in OIDC_PROVIDERS',
    ],
    ['an id twice', { OIDC_PROVIDERS: 'okta,OKTA' }, 'OIDC_PROVIDERS must not list an id twice'],
    ['no openid', { OIDC_OKTA_SCOPES: 'email' }, 'OIDC_OKTA_SCOPES must list openid'],
    [
      'a domain policy without domains',
      { OIDC_OKTA_PROVISION: 'domain' },
      'OIDC_OKTA_ALLOWED_DOMAINS is required with PROVISION=domain',
    ],
    ['half of the roles', { OIDC_OKTA_ROLE_CLAIM: 'groups' }, 'OIDC_OKTA_ROLE_CLAIM and ROLE_MAP must be set together'],
    [
      'a role that there is not',
      { OIDC_OKTA_ROLE_CLAIM: 'groups', OIDC_OKTA_ROLE_MAP: 'a=boss' },
      'OIDC_OKTA_ROLE_MAP must be one of client, attorney, admin, superadmin',
    ],
    [
      'an address that all the world has accounts at',
      { OIDC_OKTA_PRESET: 'microsoft', OIDC_OKTA_ISSUER: 'https://login.microsoftonline.com/common/v2.0' },
      'OIDC_OKTA_ISSUER must name one tenant',
    ],
    ['GitHub without a secret', { OIDC_OKTA_PRESET: 'github' }, 'OIDC_OKTA_CLIENT_SECRET is required for github'],
    ['a label of two lines', { OIDC_OKTA_LABEL: 'a\nb' }, 'OIDC_OKTA_LABEL must be one line of at most 50 characters'],
    [
      'an open line in production',
      { ...PRODUCTION, OIDC_OKTA_ISSUER: 'http://okta.test' },
      'OIDC_OKTA_ISSUER must begin with https:// in production',
    ],
    [
      'a duty that locks superadmins out',
      { OIDC_REQUIRED_FOR: 'superadmin' },
      'BREAK_GLASS_USERNAME is required when OIDC_REQUIRED_FOR names superadmin',
    ],
  ])('stop the start: %s', (_, settings, problem) => {
    // of roles that cannot be read, none is left
    expect(problemsOf({ ...OKTA, ...settings })).toContain(problem);
    expect(problemsOf({ ...OKTA, ...settings })[0]).toBe(problem);
  });

  it('stop the start when there is a duty and no provider', () => {
    expect(problemsOf({ OIDC_REQUIRED_FOR: 'attorney' })).toEqual([
      'OIDC_REQUIRED_FOR needs a provider in OIDC_PROVIDERS, or nobody could sign in',
    ]);
  });

  it('keep their secret: only that one is marked, and no value is ever told', () => {
    const marked = Object.entries(PROVIDER_SETTINGS).filter(([, { secret }]) => secret);
    const planted = Object.fromEntries(
      Object.keys(PROVIDER_SETTINGS).map((part) => [`OIDC_OKTA_${part}`, `hush ${part} sesame\u0007`]),
    );

    expect(marked.map(([part]) => part)).toEqual(['CLIENT_SECRET']);
    expect(problemsOf({ ...OKTA, ...planted }).length).toBeGreaterThan(4);
    expect(problemsOf({ ...OKTA, ...planted }).join()).not.toMatch(/hush|sesame/);
  });

  it.each(Object.entries(PROVIDER_SETTINGS))('say what %s is for and show its real default', (part, { doc, shown }) => {
    const settings = { ...OKTA, [`OIDC_OKTA_${part}`]: shown };
    const unset = { ...OKTA, [`OIDC_OKTA_${part}`]: '' };

    expect(doc).toMatch(/^\S.{10,}[^.\s]$/);
    expect(problemsOf(settings)).toEqual(problemsOf(unset));
  });
});
