import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import type { Observable } from 'rxjs';
import { apiKeyOf } from '../common/actor.js';
import { RATE_LIMITED } from '../common/rate-limited.js';
import { classOf } from './rate-limit-policies.js';
import { RateLimitsService } from './rate-limits.service.js';

/** Counts requests per user or API key, wherever they come from, as soon as the guards know who it is. */
@Injectable()
export class RateLimitInterceptor implements NestInterceptor {
  constructor(
    private readonly limits: RateLimitsService,
    private readonly reflector: Reflector,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<Request>();
    if (this.limits.isOn) await this.count(request, context);
    return next.handle();
  }

  private async count(request: Request, context: ExecutionContext): Promise<void> {
    const { actor, method, path } = request;
    if (actor?.kind !== 'user') return;
    const response = context.switchToHttp().getResponse<Response>();
    const apiKeyId = apiKeyOf(actor);
    if (apiKeyId !== undefined) await this.limits.takeFor(response, 'key', apiKeyId);
    else if (!this.reflector.get(RATE_LIMITED, context.getHandler()))
      await this.limits.takeFor(response, classOf(method, path), `user:${actor.id}`);
  }
}
