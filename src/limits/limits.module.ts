import { Global, Module } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { RateLimitGuard } from './rate-limit.guard.js';
import { RateLimitInterceptor } from './rate-limit.interceptor.js';
import { RateLimitsService } from './rate-limits.service.js';

/**
 * How often somebody may. Owns the table `rate_limits`; promises that no minute, wherever it begins, holds more than a limit, over
 * all processes as long as their store is there. Leaves which routes have limits of their own to their controllers.
 */
@Global()
@Module({
  providers: [
    RateLimitsService,
    { provide: APP_GUARD, useClass: RateLimitGuard },
    { provide: APP_INTERCEPTOR, useClass: RateLimitInterceptor },
  ],
  exports: [RateLimitsService],
})
export class LimitsModule {}
