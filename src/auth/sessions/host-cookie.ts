import type { Request, Response } from 'express';
import type { Config } from '../../config/config.js';
import { CrossSiteRequest } from '../auth.errors.js';

/**
 * A cookie out of the reach of scripts, and of other hosts: `__Host-`, HttpOnly, Secure. In development without TLS it lacks
 * the prefix and Secure.
 */
export class HostCookie {
  private readonly isSecure: boolean;
  private readonly name: string;

  constructor(
    { isProduction, http }: Config,
    name: string,
    private readonly sameSite: 'Strict' | 'Lax',
  ) {
    this.isSecure = isProduction || http.publicUrl.startsWith('https:');
    this.name = this.isSecure ? `__Host-${name}` : name;
  }

  /** Undefined when the request has none, or an empty one. */
  read({ headers }: Request): string | undefined {
    const start = `${this.name}=`;
    const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
    const value = pairs.find((pair) => pair.startsWith(start))?.slice(start.length);
    return value === '' ? undefined : value;
  }

  /** For no seconds it is taken away. */
  set(response: Response, value: string, seconds: number): void {
    const secure = this.isSecure ? '; Secure' : '';
    response.append(
      'Set-Cookie',
      `${this.name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly${secure}; SameSite=${this.sameSite}`,
    );
  }
}

/** Which pages may call routes that a cookie opens. SameSite lets other hosts of the same site through. */
export class OwnPages {
  private readonly origins: ReadonlySet<string>;

  constructor(private readonly config: Config) {
    const { publicUrl, corsOrigins } = config.http;
    this.origins = new Set([new URL(publicUrl).origin, ...corsOrigins]);
  }

  /** Throws `CrossSiteRequest` unless a browser says that one of our pages asks (OWASP, Cross-Site Request Forgery Prevention). */
  require({ headers }: Request): void {
    const { origin } = headers;
    if (origin === undefined ? headers['sec-fetch-site'] === 'same-origin' : this.isOwn(origin, headers.host)) return;
    throw new CrossSiteRequest();
  }

  private isOwn(origin: string, host: string | undefined): boolean {
    if (this.origins.has(origin)) return true;
    // whatever name a developer's machine goes by
    return !this.config.isProduction && host !== undefined && origin === `http://${host}`;
  }
}
