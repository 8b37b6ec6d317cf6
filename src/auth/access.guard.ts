import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';
import { AuditService } from '../audit/audit.service.js';
import { type Actor, userAgentOf } from '../common/actor.js';
import { CONFIG, type Config } from '../config/config.js';
import { type Access, ACCESS, BEFORE_FACTOR } from './auth.decorators.js';
import { Forbidden, InvalidToken, NotSignedIn } from './auth.errors.js';
import { SecondFactorRequired } from './factors/factors.errors.js';
import { may, PUBLIC } from './permissions.js';
import type { SignedIn } from './tokens/jwt.strategy.js';

/**
 * Who is calling, and may they. Stands before every route; a route that does not say who may call it is closed to all.
 * Names the actor of the request.
 */
@Injectable()
export class AccessGuard extends AuthGuard('jwt') {
  constructor(
    private readonly reflector: Reflector,
    @Inject(CONFIG) private readonly config: Config,
    private readonly audit: AuditService,
  ) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const origin = { ip: request.ip ?? '', requestId: request.id ?? '', userAgent: userAgentOf(request) };
    request.actor = { kind: 'anonymous', ...origin };
    const access = this.reflector.get<Access | undefined>(ACCESS, context.getHandler());
    if (access === undefined) throw new Forbidden();
    const { openRegistration } = this.config.auth;
    if (access === 'public' || (request.headers.authorization === undefined && may(PUBLIC, access, openRegistration)))
      return true;
    await super.canActivate(context);
    const { user, sessionId, lacksFactor } = request.user as SignedIn;
    const { id, username } = user;
    request.actor = { kind: 'user', id, username, sessionId, ...origin } satisfies Actor;
    if (!may(user.role, access, openRegistration)) {
      await this.audit.recordSeldom(request.actor, {
        action: 'auth.access_refused',
        targetKind: 'permission',
        targetId: null,
        outcome: 'refused',
        details: { permission: access },
      });
      throw new Forbidden();
    }
    if (lacksFactor && !this.reflector.get<boolean | undefined>(BEFORE_FACTOR, context.getHandler()))
      throw new SecondFactorRequired();
    return true;
  }

  /** Called by the passport guard with what the strategy found. */
  override handleRequest<Found = SignedIn>(
    error: unknown,
    found: Found | false,
    _info: unknown,
    context: ExecutionContext,
  ): Found {
    if (error instanceof Error) throw error;
    if (found) return found;
    const { authorization } = context.switchToHttp().getRequest<Request>().headers;
    throw /^Bearer\s+\S/i.test(authorization ?? '') ? new InvalidToken() : new NotSignedIn();
  }
}
