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
      readonly ip: string;
      readonly requestId: string;
      /** As the program calls itself. */
      readonly userAgent?: string;
    }
  | { readonly kind: 'system'; readonly name: string };

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
