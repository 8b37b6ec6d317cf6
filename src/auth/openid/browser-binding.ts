import {
  applyDecorators,
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { type Observable, tap } from 'rxjs';
import { ApiErrors } from '../../common/api-errors.js';
import { newRandomSecret } from '../../common/random-secret.js';
import { CONFIG, type Config } from '../../config/config.js';
import { CrossSiteRequest } from '../auth.errors.js';
import { HostCookie, OwnPages } from '../sessions/host-cookie.js';
import { FLOW_MINUTES } from './openid-flows.js';

/** Where on its way to the provider and back a route meets the browser. */
type Stage = 'leaves' | 'returns' | 'redeems';

const STAGE = Symbol('stage');
const SECRET = /^[A-Za-z0-9_-]{43}$/;

/** Routes that pages of other origins in CORS_ORIGINS may call with the cookie. */
export const BINDING_PATHS = /^\/api\/v1\/auth\/(openid|identities)(\/[a-z0-9]+)?$/;

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Express publishes this namespace for additions to its request
  namespace Express {
    interface Request {
      /** What only this browser knows; set where a flow begins, goes on or ends. */
      boundBrowser?: string | undefined;
    }
  }
}

/**
 * Binds a flow to the browser that began it (RFC 9700, 4.7; ASVS 5.0, 10.2.1), by a cookie that comes along when the provider
 * sends the browser back, so SameSite=Lax. Flows of one browser share it. Nobody can use a state or a code in another browser.
 */
@Injectable()
export class BrowserBindingInterceptor implements NestInterceptor {
  private readonly cookie: HostCookie;
  private readonly ownPages: OwnPages;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly reflector: Reflector,
  ) {
    this.cookie = new HostCookie(config, 'forecourt_openid', 'Lax');
    this.ownPages = new OwnPages(config);
  }

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const request = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    const stage = this.reflector.get<Stage>(STAGE, context.getHandler());
    if (stage !== 'returns') this.ownPages.require(request);
    const carried = this.cookie.read(request);
    const known = carried !== undefined && SECRET.test(carried) ? carried : undefined;
    if (stage !== 'leaves') {
      request.boundBrowser = known;
      return next.handle();
    }
    const secret = known ?? newRandomSecret().text;
    request.boundBrowser = secret;
    return next.handle().pipe(
      tap(() => {
        this.cookie.set(response, secret, FLOW_MINUTES * 60);
      }),
    );
  }
}

const at = (stage: Stage): MethodDecorator =>
  applyDecorators(SetMetadata(STAGE, stage), UseInterceptors(BrowserBindingInterceptor));

/** Gives the browser its cookie. Stands above `@Accepts`. */
export const BrowserLeaves = (): MethodDecorator => applyDecorators(at('leaves'), ApiErrors(CrossSiteRequest));
/** Called by the provider's redirect, from wherever. */
export const BrowserReturns = (): MethodDecorator => at('returns');
/** Stands above `@Accepts`. */
export const BrowserRedeems = (): MethodDecorator => applyDecorators(at('redeems'), ApiErrors(CrossSiteRequest));

/** What the browser's cookie holds; undefined when it has none. */
export const BoundBrowser = createParamDecorator(
  (_: unknown, context: ExecutionContext): string | undefined =>
    context.switchToHttp().getRequest<Request>().boundBrowser,
);

/** The query as it came: providers add to it what they like, and nothing of it is dropped before it was checked. */
export const ProviderAnswer = createParamDecorator(
  (_: unknown, context: ExecutionContext): URLSearchParams =>
    new URLSearchParams(context.switchToHttp().getRequest<Request>().originalUrl.split('?')[1] ?? ''),
);
