import * as client from 'openid-client';
import type { ProviderSettings } from '../../config/provider-settings.js';
import { OpenidAnswerInvalid } from './openid.errors.js';
import { addressIn, issuerOf, type Person } from './person.js';

const ANSWER_WITHIN_SECONDS = 10;

/**
 * GitHub is no OpenID provider: there is nothing to discover and no ID token.
 * https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
 */
export function githubConfiguration(provider: ProviderSettings): client.Configuration {
  const { clientId, clientSecret } = provider;
  const issuer = issuerOf(provider);
  const metadata: client.ServerMetadata = {
    issuer: `${issuer}/login/oauth`,
    authorization_endpoint: `${issuer}/login/oauth/authorize`,
    token_endpoint: `${issuer}/login/oauth/access_token`,
    code_challenge_methods_supported: ['S256'],
  };
  const configuration = new client.Configuration(metadata, clientId, undefined, client.ClientSecretPost(clientSecret));
  configuration.timeout = ANSWER_WITHIN_SECONDS;
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- production refuses such an issuer at its start
  if (issuer.startsWith('http:')) client.allowInsecureRequests(configuration);
  return configuration;
}

/** The owner of a token, by their number: names can be changed and taken by others. Throws `OpenidAnswerInvalid`. */
export async function githubPerson(
  configuration: client.Configuration,
  provider: ProviderSettings,
  token: string,
): Promise<Person> {
  const issuer = issuerOf(provider);
  // GitHub Enterprise Server has its API below its own address
  const api = issuer === 'https://github.com' ? 'https://api.github.com' : `${issuer}/api/v3`;
  const user = await read(configuration, `${api}/user`, token);
  const addresses = await read(configuration, `${api}/user/emails`, token);
  const { id, login } = (user ?? {}) as { id?: unknown; login?: unknown };
  if (!Number.isSafeInteger(id) || !Array.isArray(addresses)) throw new OpenidAnswerInvalid();
  const primary = (addresses as Record<string, unknown>[]).find(
    (each) => each['primary'] === true && each['verified'] === true,
  );
  const email = addressIn(primary?.['email']);
  return {
    issuer,
    subject: String(id),
    email,
    isEmailVerified: email !== null,
    username: typeof login === 'string' ? login : null,
    claims: {},
  };
}

async function read(configuration: client.Configuration, address: string, token: string): Promise<unknown> {
  const headers = new Headers({ Accept: 'application/vnd.github+json' });
  const response = await client.fetchProtectedResource(
    configuration,
    token,
    new URL(address),
    'GET',
    undefined,
    headers,
  );
  if (!response.ok) throw new OpenidAnswerInvalid({ cause: new Error(`status ${response.status}`) });
  return response.json();
}
