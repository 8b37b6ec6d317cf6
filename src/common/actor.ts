import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

/**
 * Who is acting. The first parameter of every command: there is no ambient current user.
 * `anonymous` is a member of the public, `system` a part of Forecourt itself.
 */
export type Actor =
  | { readonly kind: 'anonymous'; readonly ip: string; readonly requestId: string; readonly userAgent?: string }
  | {
      readonly kind: 'user';
      readonly id: string;
      readonly username: string;
      /** The sign-in that the request's token came from; undefined for a token from before there were sessions. */
      readonly sessionId?: string | undefined;
      readonly ip: string;
      readonly requestId: string;
      /** As the program calls itself. */
      readonly userAgent?: string;
    }
  | { readonly kind: 'system'; readonly name: string };

/** Where the request came from; undefined when there was none. */
export function ipOf(actor: Actor): string | undefined {
  return actor.kind === 'system' ? undefined : actor.ip;
}

/** The session of the request; undefined when it has none. */
export function sessionOf(actor: Actor): string | undefined {
  return actor.kind === 'user' ? actor.sessionId : undefined;
}

/** How a record names the actor. */
export function nameOf(actor: Actor): string {
  if (actor.kind === 'user') return actor.username;
  return actor.kind === 'system' ? `system:${actor.name}` : 'public';
}

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Express publishes this namespace for additions to its request
  namespace Express {
    interface Request {
      /** Set by the access guard before any handler runs. */
      actor?: Actor;
    }
  }
}

/** The caller, as the access guard found it. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): Actor => {
  const { actor } = context.switchToHttp().getRequest<Request>();
  if (actor === undefined) throw new Error('the access guard did not run');
  return actor;
});
