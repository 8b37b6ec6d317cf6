import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { userAgentOf } from '../../common/actor.js';
import type { Transport } from './session.entity.js';

/** The program that somebody signs in or refreshes with. */
export interface Client {
  readonly userAgent: string;
  readonly transport: Transport;
  /** What its cookie held before; only from a client with cookies. */
  readonly carriedToken?: string | undefined;
}

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Express publishes this namespace for additions to its request
  namespace Express {
    interface Request {
      /** Set where a request may carry its refresh token in a cookie, and does. */
      refreshCookie?: { readonly carriedToken: string | undefined };
    }
  }
}

export const CurrentClient = createParamDecorator((_: unknown, context: ExecutionContext): Client => {
  const request = context.switchToHttp().getRequest<Request>();
  const { refreshCookie } = request;
  return {
    userAgent: userAgentOf(request) ?? '',
    transport: refreshCookie === undefined ? 'body' : 'cookie',
    carriedToken: refreshCookie?.carriedToken,
  };
});
