import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiErrors } from './api-errors.js';
import { TooManyRequests } from './errors.js';

/** Routes with a limit of their own per caller's address, which is exact over all processes. */
export type RateLimitedRoute = 'submit' | 'login' | 'download' | 'mail_test';

export const RATE_LIMITED = Symbol('rate limited');

/** Limits this route per caller's address, instead of what is allowed to every caller. */
export const RateLimited = (name: RateLimitedRoute): MethodDecorator =>
  applyDecorators(SetMetadata(RATE_LIMITED, name), ApiErrors(TooManyRequests));
