import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestApp } from './app.js';
import { bearer } from './leads.js';
import { freePort } from './ports.js';

export const PUBLIC_URL = 'https://intake.practice.test';
export const DASHBOARD_URL = 'https://app.practice.test';

export interface Told {
  readonly accounts?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly lie?: string;
  readonly tokenStatus?: number;
}

export interface RealProvider {
  readonly issuer: string;
  tell(told: Told): Promise<void>;
  stop(): Promise<void>;
}

/** A real OpenID provider on a port of its own, which knows Forecourt as a client with a secret and insists on PKCE. */
export async function startOpenidProvider(id = 'okta', port?: number): Promise<RealProvider> {
  const issuer = `http://127.0.0.1:${port ?? (await freePort())}`;
  const redirectUri = `${PUBLIC_URL}/api/v1/auth/openid/${id}/callback`;
  const child: ChildProcess = fork(join(__dirname, 'openid-provider.mjs'), [issuer, redirectUri], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
  });
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`the provider did not start: ${complaints}`))),
  ]);
  return {
    issuer,
    async tell(told) {
      const heard = once(child, 'message');
      child.send(told);
      await heard;
    },
    async stop() {
      if (child.exitCode !== null) return;
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    },
  };
}

/** The settings of an application that knows this provider as `okta`. */
export const settingsFor = (issuer: string, more: Record<string, string> = {}): Record<string, string> => ({
  PUBLIC_URL,
  DASHBOARD_URL,
  CORS_ORIGINS: DASHBOARD_URL,
  OIDC_PROVIDERS: 'okta',
  OIDC_OKTA_ISSUER: issuer,
  OIDC_OKTA_CLIENT_ID: 'forecourt',
  OIDC_OKTA_CLIENT_SECRET: 'planted-client-secret',
  OIDC_OKTA_LABEL: 'The office',
  ...more,
});

/** Keeps cookies as a browser does, for one host. */
class Cookies {
  private readonly values = new Map<string, string>();

  take(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.values.delete(name);
      else this.values.set(name, value);
    }
  }

  get header(): { Cookie: string } {
    return { Cookie: [...this.values].map(([name, value]) => `${name}=${value}`).join('; ') };
  }
}

/** Somebody's browser: its cookies here and at the provider, and the pages of the dashboard in it. */
export class Browser {
  readonly here = new Cookies();
  private there = new Cookies();

  constructor(private readonly app: TestApp) {}

  /** As a page of the dashboard does. */
  async post(path: string, body: object, token?: string, more: Record<string, string> = {}): Promise<Response> {
    const response = await this.app.request(path, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Origin: DASHBOARD_URL,
        ...this.here.header,
        ...(token === undefined ? {} : bearer(token)),
        ...more,
      },
      body: JSON.stringify(body),
    });
    this.here.take(response);
    return response;
  }

  /** Where a sign-in begins: the provider's address. */
  async begin(body: object = {}, provider = 'okta'): Promise<URL> {
    const response = await this.post(`/api/v1/auth/openid/${provider}`, body);
    return urlIn(response);
  }

  async beginLinking(token: string, body: object, provider = 'okta'): Promise<URL> {
    return urlIn(await this.post(`/api/v1/auth/identities/${provider}`, body, token));
  }

  /** Signs in at the provider's own pages; where it sends the browser back to. */
  async visit(address: URL, login: string): Promise<URL> {
    this.there = new Cookies();
    let url = address;
    let form: URLSearchParams | undefined;
    for (let step = 0; step < 12; step += 1) {
      const response: Response = await fetch(url, {
        redirect: 'manual',
        headers: this.there.header,
        ...(form === undefined ? {} : { method: 'POST', body: form }),
      });
      form = undefined;
      this.there.take(response);
      const location = response.headers.get('location');
      if (location !== null) {
        url = new URL(location, url);
        if (url.origin === PUBLIC_URL) return url;
        continue;
      }
      const page = await response.text();
      const [, action] = /<form[^>]+action="([^"]+)"/.exec(page) ?? [];
      if (action === undefined) throw new Error(`the provider answered ${response.status}: ${page.slice(0, 500)}`);
      url = new URL(action, url);
      form = new URLSearchParams({ prompt: 'login', login, password: 'any' });
    }
    throw new Error('the provider sends in circles');
  }

  /** Follows the provider back to the application; what stands behind the # of the page it ends at. */
  async arrive(callback: URL, headers: Record<string, string> = {}): Promise<Record<string, string>> {
    const response = await this.app.request(`${callback.pathname}${callback.search}`, {
      redirect: 'manual',
      headers: { ...this.here.header, ...headers },
    });
    this.here.take(response);
    const location = response.headers.get('location') ?? '';
    if (response.status !== 303) throw new Error(`answered ${response.status}: ${await response.text()}`);
    const url = new URL(location);
    if (`${url.origin}${url.pathname}` !== `${DASHBOARD_URL}/sign-in/complete` || url.search !== '')
      throw new Error(`sent to ${location}`);
    return Object.fromEntries(new URLSearchParams(url.hash.slice(1)));
  }

  exchange(code: string | undefined, more: object = {}): Promise<Response> {
    return this.post('/api/v1/auth/openid/exchange', { code, ...more });
  }

  /** All the way there and back. */
  async travel(login: string, body: object = {}): Promise<Record<string, string>> {
    return this.arrive(await this.visit(await this.begin(body), login));
  }
}

async function urlIn(response: Response): Promise<URL> {
  const answer = (await response.json()) as { authorization_url?: string };
  if (answer.authorization_url === undefined) throw new Error(`answered ${response.status}: ${JSON.stringify(answer)}`);
  return new URL(answer.authorization_url);
}
