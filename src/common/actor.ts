import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

/**
 * Who is acting. The first parameter of every command: there is no ambient current user.
 * `anonymous` is a member of the public, `system` a part of Forecourt itself.
 */
export type Actor =
  | {
      readonly kind: 'anonymous';
      readonly ip: string;
      readonly requestId: string;
      readonly userAgent?: string | undefined;
    }
  | {
      readonly kind: 'user';
      readonly id: string;
      readonly username: string;
      /** The sign-in that the request's token came from; undefined for a token from before there were sessions. */
      readonly sessionId?: string | undefined;
      /** The key that a program came with, in the name of its owner; it then has no session. */
      readonly apiKeyId?: string | undefined;
      readonly ip: string;
      readonly requestId: string;
      /** As the program calls itself. */
      readonly userAgent?: string | undefined;
    }
  | {
      readonly kind: 'system';
      readonly name: string;
      /** The request that left the work behind; undefined when none did. */
      readonly requestId?: string | null | undefined;
    };

const LONGEST_USER_AGENT = 200;
/** Control characters, and what turns the direction of text: a reader of a record would be misled. */
const NOT_IN_A_LINE = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;

/** What a request says of its program: one line of at most 200 characters; undefined when it says nothing. */
export function userAgentOf({ headers }: Pick<Request, 'headers'>): string | undefined {
  const said = headers['user-agent']?.replace(NOT_IN_A_LINE, '');
  return said === undefined ? undefined : Array.from(said).slice(0, LONGEST_USER_AGENT).join('');
}

/** Where the request came from; undefined when there was none. */
export function ipOf(actor: Actor): string | undefined {
  return actor.kind === 'system' ? undefined : actor.ip;
}

/** The session of the request; undefined when it has none. */
export function sessionOf(actor: Actor): string | undefined {
  return actor.kind === 'user' ? actor.sessionId : undefined;
}

/** The key of the request; undefined for people and for parts of Forecourt. */
export function apiKeyOf(actor: Actor): string | undefined {
  return actor.kind === 'user' ? actor.apiKeyId : undefined;
}

/** Who is to see what they have written; undefined for strangers and for parts of Forecourt. */
export function readerOf(actor: Actor): string | undefined {
  return actor.kind === 'user' ? actor.id : undefined;
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
