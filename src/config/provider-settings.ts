import {
  domainName,
  list,
  oneOf,
  plainPath,
  providerAddress,
  providerId,
  roleName,
  type RoleName,
  roleRule,
  secretText,
  text,
} from './setting-readers.js';
import { type Environment, optional, readSetting, type SettingFamily, setting } from './setting.js';

const GROUP = 'Single sign-on';

export const SINGLE_SIGN_ON_SETTINGS = {
  OIDC_PROVIDERS: setting(
    GROUP,
    list(providerId),
    '',
    'ids of the providers that people may sign in with, comma separated, such as google,okta; the settings of each follow below',
  ),
  OIDC_REQUIRED_FOR: setting(
    GROUP,
    list(roleName),
    '',
    'roles, comma separated, whose passwords do not let them in: they must come from a provider',
  ),
  BREAK_GLASS_USERNAME: optional(
    GROUP,
    text,
    'the superadmin whose password always lets them in, with an alert; needed when OIDC_REQUIRED_FOR names superadmin',
  ),
  OIDC_RETURN_PATHS: setting(
    GROUP,
    list(plainPath),
    '/leads,/account',
    'paths of DASHBOARD_URL, comma separated, that somebody may be led to after signing in, and all below them',
  ),
};

/** The settings of one provider; in the environment each is called `OIDC_<ID>_…`. */
export const PROVIDER_SETTINGS = {
  PRESET: setting(
    GROUP,
    oneOf('openid', 'google', 'microsoft', 'github'),
    'openid',
    'what kind of provider it is; openid is any with OpenID Connect Discovery, and github speaks OAuth 2 only',
  ),
  ISSUER: optional(
    GROUP,
    providerAddress,
    'address of the provider; known for google and github, and for microsoft https://login.microsoftonline.com/<tenant>/v2.0',
  ),
  CLIENT_ID: optional(GROUP, text, 'id under which the provider knows this installation'),
  CLIENT_SECRET: optional(GROUP, secretText, 'secret of the client; none for a public client'),
  LABEL: optional(GROUP, text, 'name that people know the provider by; the preset’s or the id when unset'),
  SCOPES: optional(
    GROUP,
    list(text),
    'scopes to ask for, comma separated; openid,email,profile when unset, and read:user,user:email for github',
  ),
  ALLOWED_DOMAINS: setting(
    GROUP,
    list(domainName),
    '',
    'domains, comma separated, that people must have a verified address of (with google: the domain of their organisation)',
  ),
  PROVISION: setting(
    GROUP,
    oneOf('off', 'invited', 'domain'),
    'off',
    'who gets an account at their first arrival: nobody, those invited at their verified address, or all of ALLOWED_DOMAINS',
  ),
  ROLE_CLAIM: optional(GROUP, text, 'claim that says what somebody is; each sign-in brings the role up to date'),
  ROLE_MAP: setting(
    GROUP,
    list(roleRule),
    '',
    'value=role for values of ROLE_CLAIM, comma separated; the highest role counts, and whoever has none is refused',
  ),
};

export const PROVIDER_FAMILY = {
  prefix: 'OIDC_',
  listedIn: 'OIDC_PROVIDERS',
  settings: PROVIDER_SETTINGS,
} satisfies SettingFamily;

type ProviderValues = {
  readonly [Name in keyof typeof PROVIDER_SETTINGS]: (typeof PROVIDER_SETTINGS)[Name]['fallback'];
};

/** A provider that people may sign in with. */
export interface ProviderSettings {
  readonly id: string;
  readonly preset: ProviderValues['PRESET'];
  readonly label: string;
  /** As the provider writes it, to the last slash. */
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined means: a public client. */
  readonly clientSecret: string | undefined;
  readonly scopes: readonly string[];
  /** Empty means: all. */
  readonly allowedDomains: readonly string[];
  readonly provision: ProviderValues['PROVISION'];
  /** Undefined means: the provider says nothing of roles. */
  readonly roles:
    | { readonly claim: string; readonly rules: readonly { readonly value: string; readonly role: RoleName }[] }
    | undefined;
}

const PRESETS: Readonly<Record<ProviderValues['PRESET'], { readonly label?: string; readonly issuer?: string }>> = {
  openid: {},
  google: { label: 'Google', issuer: 'https://accounts.google.com' },
  microsoft: { label: 'Microsoft' },
  github: { label: 'GitHub', issuer: 'https://github.com' },
};

/** What the settings of all providers together must agree with. */
interface Surroundings {
  readonly ENVIRONMENT: 'development' | 'production';
  readonly OIDC_PROVIDERS: readonly string[];
  readonly OIDC_REQUIRED_FOR: readonly RoleName[];
  readonly BREAK_GLASS_USERNAME: string | undefined;
}

/** The settings of all providers that are listed; what is wrong with them is added to the problems. */
export function readProviders(environment: Environment, values: Surroundings, problems: string[]): ProviderSettings[] {
  const ids = values.OIDC_PROVIDERS;
  if (new Set(ids).size < ids.length) problems.push('OIDC_PROVIDERS must not list an id twice');
  problems.push(...unknownNames(environment, ids, values));
  if (values.OIDC_REQUIRED_FOR.length > 0 && ids.length === 0)
    problems.push('OIDC_REQUIRED_FOR needs a provider in OIDC_PROVIDERS, or nobody could sign in');
  if (values.OIDC_REQUIRED_FOR.includes('superadmin') && values.BREAK_GLASS_USERNAME === undefined)
    problems.push('BREAK_GLASS_USERNAME is required when OIDC_REQUIRED_FOR names superadmin');
  return ids.map((id) => readProvider(environment, id, values.ENVIRONMENT === 'production', problems));
}

const nameOf = (id: string, part: string): string => `${PROVIDER_FAMILY.prefix}${id.toUpperCase()}_${part}`;

/** A misspelt name would leave a door open that its owner believes shut. */
function unknownNames(environment: Environment, ids: readonly string[], values: object): string[] {
  const known = new Set(ids.flatMap((id) => Object.keys(PROVIDER_SETTINGS).map((part) => nameOf(id, part))));
  return Object.keys(environment)
    .filter((name) => name.startsWith(PROVIDER_FAMILY.prefix) && !(name in values) && !known.has(name))
    .map((name) => `${name} is no setting of a provider in OIDC_PROVIDERS`);
}

function readProvider(
  environment: Environment,
  id: string,
  isProduction: boolean,
  problems: string[],
): ProviderSettings {
  const read = Object.fromEntries(
    Object.entries(PROVIDER_SETTINGS).map(([part, each]) => [
      part,
      readSetting<unknown>(each, nameOf(id, part), environment, problems),
    ]),
  ) as ProviderValues;
  const preset = PRESETS[read.PRESET];
  const issuer = read.ISSUER ?? preset.issuer;
  const wrong = problemsOfProvider(read, issuer, isProduction);
  problems.push(...wrong.map(([part, problem]) => `${nameOf(id, part)} ${problem}`));
  return {
    id,
    preset: read.PRESET,
    label: read.LABEL ?? preset.label ?? id,
    issuer: issuer ?? '',
    clientId: read.CLIENT_ID ?? '',
    clientSecret: read.CLIENT_SECRET,
    scopes: read.SCOPES ?? (read.PRESET === 'github' ? ['read:user', 'user:email'] : ['openid', 'email', 'profile']),
    allowedDomains: read.ALLOWED_DOMAINS,
    provision: read.PROVISION,
    roles: read.ROLE_CLAIM === undefined ? undefined : { claim: read.ROLE_CLAIM, rules: read.ROLE_MAP },
  };
}

function problemsOfProvider(
  values: ProviderValues,
  issuer: string | undefined,
  isProduction: boolean,
): [keyof ProviderValues, string][] {
  const problems: [keyof ProviderValues, string][] = [];
  if (issuer === undefined) problems.push(['ISSUER', 'is required']);
  else if (isProduction && !issuer.startsWith('https:'))
    problems.push(['ISSUER', 'must begin with https:// in production']);
  // everybody in the world has an account there, and says of it what they like
  else if (values.PRESET === 'microsoft' && /\/(common|organizations|consumers)(\/|$)/.test(issuer))
    problems.push(['ISSUER', 'must name one tenant']);
  if (values.CLIENT_ID === undefined) problems.push(['CLIENT_ID', 'is required']);
  if (values.PRESET === 'github' && values.CLIENT_SECRET === undefined)
    problems.push(['CLIENT_SECRET', 'is required for github']);
  if (values.PRESET !== 'github' && values.SCOPES?.includes('openid') === false)
    problems.push(['SCOPES', 'must list openid']);
  if (values.PROVISION === 'domain' && values.ALLOWED_DOMAINS.length === 0)
    problems.push(['ALLOWED_DOMAINS', 'is required with PROVISION=domain']);
  if ((values.ROLE_CLAIM === undefined) !== (values.ROLE_MAP.length === 0))
    problems.push(['ROLE_CLAIM', 'and ROLE_MAP must be set together']);
  if (values.LABEL !== undefined && (values.LABEL.length > 50 || /\p{Cc}/u.test(values.LABEL)))
    problems.push(['LABEL', 'must be one line of at most 50 characters']);
  return problems;
}
