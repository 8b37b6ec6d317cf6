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
import { HostCookie, OwnPages } from './host-cookie.js';

/** What a route has to do with the cookie: hands it out when asked to, exchanges it, or takes it away. */
type CookieUse = 'on demand' | 'exchanged' | 'cleared';

const COOKIE_USE = Symbol('cookie use');

/** Routes that pages of other origins in CORS_ORIGINS may call with the cookie. */
export const COOKIE_PATHS: ReadonlySet<string> = new Set(
  ['login', 'login/verify', 'passkeys/verify', 'magic-link/verify', 'refresh', 'logout', 'logout-everywhere'].map(
    (name) => `/api/v1/auth/${name}`,
  ),
);

/**
 * Carries the refresh token in a cookie (SameSite=Strict), out of the reach of scripts, for clients that ask for it at their
 * sign-in. The page must be of an allowed origin as well.
 */
@Injectable()
export class RefreshCookieInterceptor implements NestInterceptor {
  private readonly cookie: HostCookie;
  private readonly ownPages: OwnPages;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly reflector: Reflector,
  ) {
    this.cookie = new HostCookie(config, 'forecourt_refresh', 'Strict');
    this.ownPages = new OwnPages(config);
  }

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const request = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    const use = this.reflector.get<CookieUse>(COOKIE_USE, context.getHandler());
    const carriedToken = this.cookie.read(request);
    if (use === 'cleared') {
      // the caller has proved with another token who it is
      if (carriedToken !== undefined) this.cookie.set(response, '', 0);
      return next.handle();
    }
    const body = request.body as Record<string, unknown>;
    const isWanted =
      use === 'on demand'
        ? asksForCookies(body['cookies']) === true
        : body['refresh_token'] === undefined && carriedToken !== undefined;
    if (!isWanted) return next.handle();
    this.ownPages.require(request);
    request.refreshCookie = { carriedToken };
    if (use === 'exchanged') body['refresh_token'] = carriedToken;
    return next.handle().pipe(
      map((answer) => (isOfTokens(answer) ? this.withoutToken(response, answer) : answer)),
      catchError((error: unknown) => {
        if (error instanceof InvalidRefreshToken) this.cookie.set(response, '', 0);
        throw error;
      }),
    );
  }

  private withoutToken(response: Response, { refresh_token: token, ...answer }: TokenResponse): TokenResponse {
    this.cookie.set(response, token ?? '', answer.refresh_expires_in);
    return answer;
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
