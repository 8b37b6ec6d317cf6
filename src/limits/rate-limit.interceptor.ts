import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import type { Observable } from 'rxjs';
import type { Actor } from '../common/actor.js';
import { RATE_LIMITED } from '../common/rate-limited.js';
import { classOf } from './rate-limit-policies.js';
import { RateLimitsService } from './rate-limits.service.js';

/** Counts requests per user, wherever they come from, as soon as the guards know who it is. */
@Injectable()
export class RateLimitInterceptor implements NestInterceptor {
  constructor(
    private readonly limits: RateLimitsService,
    private readonly reflector: Reflector,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<Request>();
    const subject = subjectOf(request.actor);
    if (this.limits.isOn && subject !== undefined && !this.reflector.get(RATE_LIMITED, context.getHandler())) {
      const response = context.switchToHttp().getResponse<Response>();
      await this.limits.takeFor(response, classOf(request.method, request.path), subject);
    }
    return next.handle();
  }
}

/** Whose requests are counted together. */
function subjectOf(actor: Actor | undefined): string | undefined {
  return actor?.kind === 'user' ? `user:${actor.id}` : undefined;
}
