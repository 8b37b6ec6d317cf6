import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { networkOf } from '../common/network.js';
import { RATE_LIMITED, type RateLimitedRoute } from '../common/rate-limited.js';
import { RateLimitsService } from './rate-limits.service.js';

/**
 * Counts requests per caller's address, before anybody asks who it is. The address is the socket's, unless TRUST_PROXY names the
 * proxy whose word is taken. What is not the API (health, documentation) is not counted.
 */
@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(
    private readonly limits: RateLimitsService,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (!this.limits.isOn) return true;
    const request = context.switchToHttp().getRequest<Request>();
    const own = this.reflector.get<RateLimitedRoute | undefined>(RATE_LIMITED, context.getHandler());
    if (own === undefined && !request.path.startsWith('/api/')) return true;
    const response = context.switchToHttp().getResponse<Response>();
    await this.limits.takeFor(response, own ?? 'address', networkOf(request.ip ?? ''));
    return true;
  }
}
