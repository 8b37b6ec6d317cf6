import { Inject, Injectable } from '@nestjs/common';
import * as client from 'openid-client';
import type { Logger } from 'pino';
import { AppError } from '../../common/errors.js';
import { LOGGER } from '../../common/logging.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { ProviderSettings } from '../../config/provider-settings.js';
import { githubConfiguration, githubPerson } from './github.js';
import { OpenidAnswerInvalid, OpenidCancelled, OpenidProviderAway, OpenidProviderNotFound } from './openid.errors.js';
import { type Person, toPerson } from './person.js';
import { ProviderConnections } from './provider-connections.js';

/** What one flow is bound to the provider's answer by. */
export interface FlowSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** The providers of the settings: where they send people, and whom they send back. */
@Injectable()
export class Providers {
  private readonly logger: Logger;

  constructor(
    private readonly connections: ProviderConnections,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'openid' });
  }

  list(): readonly ProviderSettings[] {
    return this.config.singleSignOn.providers;
  }

  /** Throws `OpenidProviderNotFound`. */
  get(id: string): ProviderSettings {
    const found = this.list().find((provider) => provider.id === id);
    if (found === undefined) throw new OpenidProviderNotFound();
    return found;
  }

  /** Where the browser has to go. Throws `OpenidProviderAway`. */
  async authorizationUrl(provider: ProviderSettings, { state, nonce, verifier }: FlowSecrets): Promise<string> {
    const configuration = await this.connect(provider);
    const [domain, ...others] = provider.allowedDomains;
    return client.buildAuthorizationUrl(configuration, {
      response_type: 'code',
      redirect_uri: this.redirectUri(provider),
      scope: provider.scopes.join(' '),
      state,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(provider.preset === 'github' ? {} : { nonce }),
      ...(provider.preset === 'google' && domain !== undefined && others.length === 0 ? { hd: domain } : {}),
    }).href;
  }

  /**
   * Whom the provider's answer is about: its state, issuer (RFC 9207), nonce and the signature of the ID token are right, and
   * the code was exchanged with the PKCE verifier. Throws `OpenidCancelled`, `OpenidAnswerInvalid` or `OpenidProviderAway`.
   */
  async personIn(
    provider: ProviderSettings,
    answer: URLSearchParams,
    { state, nonce, verifier }: FlowSecrets,
  ): Promise<Person> {
    const configuration = await this.connect(provider);
    // never made from the request: its Host header is whatever the sender likes
    const url = new URL(this.redirectUri(provider));
    url.search = answer.toString();
    const checks = { expectedState: state, pkceCodeVerifier: verifier };
    try {
      if (provider.preset === 'github') {
        const { access_token: token } = await client.authorizationCodeGrant(configuration, url, checks);
        return await githubPerson(configuration, provider, token);
      }
      const tokens = await client.authorizationCodeGrant(configuration, url, {
        ...checks,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      return await openidPerson(configuration, provider, tokens);
    } catch (error) {
      throw this.refusalFor(provider, error);
    }
  }

  private redirectUri({ id }: ProviderSettings): string {
    return `${this.config.http.publicUrl}/api/v1/auth/openid/${id}/callback`;
  }

  private async connect(provider: ProviderSettings): Promise<client.Configuration> {
    try {
      return await this.connections.get(provider, () =>
        provider.preset === 'github' ? Promise.resolve(githubConfiguration(provider)) : discover(provider),
      );
    } catch (error) {
      throw this.refusalFor(provider, error, true);
    }
  }

  private refusalFor(provider: ProviderSettings, error: unknown, isConnecting = false): AppError {
    if (error instanceof AppError) return error;
    if (error instanceof client.AuthorizationResponseError && error.error === 'access_denied')
      return new OpenidCancelled();
    // only its class and code: what the provider wrote into the rest is anybody's text
    const { name, code } = error as { name?: unknown; code?: unknown };
    this.logger.warn({ provider: provider.id, error_name: name, error_code: code }, 'a provider did not answer well');
    if (!isConnecting && !isAway(error)) return new OpenidAnswerInvalid();
    return new OpenidProviderAway({
      detail: `${provider.label} cannot be reached right now; try again shortly`,
      headers: { 'Retry-After': '10' },
    });
  }
}

async function discover({ issuer, clientId, clientSecret }: ProviderSettings): Promise<client.Configuration> {
  // the signature is checked although the token comes over TLS: a proxy that ends TLS is in many networks
  const execute = [client.enableNonRepudiationChecks];
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- production refuses such an issuer at its start
  if (issuer.startsWith('http:')) execute.push(client.allowInsecureRequests);
  return client.discovery(new URL(issuer), clientId, undefined, authenticationWith(clientSecret), {
    execute,
    timeout: ANSWER_WITHIN_SECONDS,
  });
}

const ANSWER_WITHIN_SECONDS = 10;

/** As the provider wishes; client_secret_basic when it says nothing (OpenID Connect Discovery, 3). */
function authenticationWith(secret: string | undefined): client.ClientAuth {
  if (secret === undefined) return client.None();
  const [basic, post] = [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)];
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    (methods.includes('client_secret_basic') ? basic : post)(server, ...rest);
  };
}

/** Many providers put e-mail address and groups only into what they say of the user when asked. */
async function openidPerson(
  configuration: client.Configuration,
  provider: ProviderSettings,
  tokens: Awaited<ReturnType<typeof client.authorizationCodeGrant>>,
): Promise<Person> {
  const { roles } = provider;
  const claims = tokens.claims();
  if (claims === undefined) throw new OpenidAnswerInvalid();
  const { sub } = claims;
  const isThin = claims['email'] === undefined || (roles !== undefined && claims[roles.claim] === undefined);
  if (!isThin || configuration.serverMetadata().userinfo_endpoint === undefined) return toPerson(provider, sub, claims);
  const more = await client.fetchUserInfo(configuration, tokens.access_token, sub);
  return toPerson(provider, sub, { ...more, ...claims });
}

/** Whether there was no answer, or none of a server that works. Looks at what was behind it, too. */
function isAway(error: unknown): boolean {
  for (let each = error, depth = 0; typeof each === 'object' && each !== null && depth < 5; depth += 1) {
    const { name, message, status, cause } = each as Record<string, unknown>;
    // what fetch throws when it cannot connect, and what its signal does when time is up
    if ((name === 'TypeError' && message === 'fetch failed') || name === 'TimeoutError') return true;
    if (typeof status === 'number' && status >= 500) return true;
    each = cause;
  }
  return false;
}
