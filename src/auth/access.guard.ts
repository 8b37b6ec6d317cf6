import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';
import { AuditService } from '../audit/audit.service.js';
import { type Actor, userAgentOf } from '../common/actor.js';
import { CONFIG, type Config } from '../config/config.js';
import type { User } from '../users/users.service.js';
import { ApiKeyAccess, keyIn } from './api-keys/api-key-access.js';
import type { ApiKey } from './api-keys/api-key.entity.js';
import { type Access, ACCESS, BEFORE_FACTOR } from './auth.decorators.js';
import { Forbidden, InvalidToken, NotSignedIn } from './auth.errors.js';
import { SecondFactorRequired } from './factors/factors.errors.js';
import { may, nameOnRecord, PUBLIC } from './permissions.js';
import { JwtStrategy, type SignedIn } from './tokens/jwt.strategy.js';

/** Whose request it is, by a token or by a key. */
interface Caller {
  readonly user: User;
  readonly sessionId?: string | undefined;
  /** Their role needs a second factor, and they came without one. A key was made with what was needed then. */
  readonly lacksFactor?: boolean;
  readonly apiKey?: ApiKey;
}

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
    private readonly apiKeys: ApiKeyAccess,
    private readonly tokens: JwtStrategy,
  ) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const origin = { ip: request.ip ?? '', requestId: request.id ?? '', userAgent: userAgentOf(request) };
    const anonymous = { kind: 'anonymous', ...origin } as const;
    request.actor = anonymous;
    const access = this.reflector.get<Access | undefined>(ACCESS, context.getHandler());
    if (access === undefined) throw new Forbidden();
    const { openRegistration } = this.config.auth;
    if (access === 'public') return true;
    const key = keyIn(request);
    const isStranger = key === undefined && request.headers.authorization === undefined;
    if (isStranger && may(PUBLIC, access, openRegistration)) return true;
    const { user, sessionId, lacksFactor, apiKey }: Caller =
      key === undefined ? await this.bearerOf(context) : await this.apiKeys.admit(anonymous, key);
    const { id } = user;
    const username = nameOnRecord(user);
    request.actor = { kind: 'user', id, username, sessionId, apiKeyId: apiKey?.id, ...origin } satisfies Actor;
    // a key was given less than its owner may, or its owner may less by now
    if (!may(user.role, access, openRegistration) || apiKey?.isFor(access) === false) {
      await this.audit.recordSeldom(request.actor, {
        action: 'auth.access_refused',
        targetKind: 'permission',
        targetId: null,
        outcome: 'refused',
        details: { permission: access },
      });
      throw new Forbidden();
    }
    if (lacksFactor === true && this.reflector.get<boolean | undefined>(BEFORE_FACTOR, context.getHandler()) !== true)
      throw new SecondFactorRequired();
    return true;
  }

  private async bearerOf(context: ExecutionContext): Promise<Caller> {
    const request = context.switchToHttp().getRequest<Request>();
    const recognised = await this.tokens.recognise(request);
    if (recognised !== null) return recognised;
    await super.canActivate(context);
    return request.user as SignedIn;
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
