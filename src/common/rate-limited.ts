import { SetMetadata } from '@nestjs/common';

/** Routes with a limit of their own per caller's address, which is exact over all processes. */
export type RateLimitedRoute = 'submit' | 'login' | 'download' | 'mail_test';

export const RATE_LIMITED = Symbol('rate limited');

/** Limits this route per caller's address, instead of what is allowed to every caller. */
export const RateLimited = (name: RateLimitedRoute): MethodDecorator => SetMetadata(RATE_LIMITED, name);
