import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { catchError, map, type Observable } from 'rxjs';
import { ApiErrors } from '../../common/api-errors.js';
import { CONFIG, type Config } from '../../config/config.js';
import { asksForCookies, type TokenResponse } from '../auth.dto.js';
import { CrossSiteRequest, InvalidRefreshToken } from '../auth.errors.js';

/** What a route has to do with the cookie: hands it out when asked to, exchanges it, or takes it away. */
type CookieUse = 'on demand' | 'exchanged' | 'cleared';

const COOKIE_USE = Symbol('cookie use');
const NAME = 'forecourt_refresh';

/** Routes that pages of other origins in CORS_ORIGINS may call with the cookie. */
export const COOKIE_PATHS: ReadonlySet<string> = new Set(
  ['login', 'login/verify', 'passkeys/verify', 'magic-link/verify', 'refresh', 'logout', 'logout-everywhere'].map(
    (name) => `/api/v1/auth/${name}`,
  ),
);

/**
 * Carries the refresh token in a cookie, out of the reach of scripts, for clients that ask for it at their sign-in. The
 * cookie is `__Host-`, HttpOnly, Secure and SameSite=Strict; in development without TLS it lacks the prefix and Secure.
 * SameSite lets other hosts of the same site through, so the page must be of an allowed origin as well.
 */
@Injectable()
export class RefreshCookieInterceptor implements NestInterceptor {
  private readonly isSecure: boolean;
  private readonly name: string;
  private readonly origins: ReadonlySet<string>;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reflector: Reflector,
  ) {
    const { publicUrl, corsOrigins } = config.http;
    this.isSecure = config.isProduction || publicUrl.startsWith('https:');
    this.name = this.isSecure ? `__Host-${NAME}` : NAME;
    this.origins = new Set([new URL(publicUrl).origin, ...corsOrigins]);
  }

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const request = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    const use = this.reflector.get<CookieUse>(COOKIE_USE, context.getHandler());
    const carriedToken = this.tokenIn(request);
    if (use === 'cleared') {
      // the caller has proved with another token who it is
      if (carriedToken !== undefined) this.set(response, '', 0);
      return next.handle();
    }
    const body = request.body as Record<string, unknown>;
    const isWanted =
      use === 'on demand'
        ? asksForCookies(body['cookies']) === true
        : body['refresh_token'] === undefined && carriedToken !== undefined;
    if (!isWanted) return next.handle();
    this.requireOwnPage(request);
    request.refreshCookie = { carriedToken };
    if (use === 'exchanged') body['refresh_token'] = carriedToken;
    return next.handle().pipe(
      map((answer) => (isOfTokens(answer) ? this.withoutToken(response, answer) : answer)),
      catchError((error: unknown) => {
        if (error instanceof InvalidRefreshToken) this.set(response, '', 0);
        throw error;
      }),
    );
  }

  /** Throws `CrossSiteRequest` unless a browser says that one of our pages asks (OWASP, Cross-Site Request Forgery Prevention). */
  private requireOwnPage({ headers }: Request): void {
    const { origin } = headers;
    if (origin === undefined ? headers['sec-fetch-site'] === 'same-origin' : this.isOwn(origin, headers.host)) return;
    throw new CrossSiteRequest();
  }

  private isOwn(origin: string, host: string | undefined): boolean {
    if (this.origins.has(origin)) return true;
    // whatever name a developer's machine goes by
    return !this.config.isProduction && host !== undefined && origin === `http://${host}`;
  }

  private tokenIn({ headers }: Request): string | undefined {
    const start = `${this.name}=`;
    const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
    const token = pairs.find((pair) => pair.startsWith(start))?.slice(start.length);
    return token === '' ? undefined : token;
  }

  private withoutToken(response: Response, { refresh_token: token, ...answer }: TokenResponse): TokenResponse {
    this.set(response, token ?? '', answer.refresh_expires_in);
    return answer;
  }

  private set(response: Response, value: string, seconds: number): void {
    const secure = this.isSecure ? '; Secure' : '';
    response.append(
      'Set-Cookie',
      `${this.name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly${secure}; SameSite=Strict`,
    );
  }
}

/** Not so while a second factor is due. */
function isOfTokens(answer: unknown): answer is TokenResponse {
  return typeof answer === 'object' && answer !== null && 'access_token' in answer;
}

/** Stands above `@Accepts`, whose body it looks into. */
const cookie = (use: CookieUse): MethodDecorator =>
  applyDecorators(SetMetadata(COOKIE_USE, use), UseInterceptors(RefreshCookieInterceptor));

/** Hands the refresh token out as a cookie when the body asks for it. */
export const GivesRefreshCookie = (): MethodDecorator =>
  applyDecorators(cookie('on demand'), ApiErrors(CrossSiteRequest));
/** Takes the refresh token from the cookie when the body has none, and gives its successor the same way. */
export const ExchangesRefreshCookie = (): MethodDecorator =>
  applyDecorators(cookie('exchanged'), ApiErrors(CrossSiteRequest));
export const ClearsRefreshCookie = (): MethodDecorator => cookie('cleared');
