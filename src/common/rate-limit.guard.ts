import {
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  SetMetadata,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { isIPv6 } from 'node:net';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { CONFIG, type Config } from '../config/config.js';
import { TooManyRequests } from './errors.js';

/** The limited kinds of request. */
export type RateLimitName = 'submit' | 'login' | 'download' | 'mail-test';

const LIMITED = Symbol('rate limited');
const WINDOW_SECONDS = 60;

/** Limits this route per caller's address. */
export const RateLimited = (name: RateLimitName): MethodDecorator => applyDecorators(SetMetadata(LIMITED, name));

/**
 * Counts requests per address and minute. Says on each answer how much is left (RateLimit, RateLimit-Policy:
 * draft-ietf-httpapi-ratelimit-headers) and refuses with 429 and Retry-After (RFC 9110, 10.2.3). The address is the
 * socket's, unless TRUST_PROXY names the proxy whose word is taken.
 */
@Injectable()
export class RateLimitGuard implements CanActivate {
  private readonly limiters: Readonly<Record<RateLimitName, RateLimiterMemory>>;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reflector: Reflector,
  ) {
    const limiter = (keyPrefix: RateLimitName, points: number): RateLimiterMemory =>
      new RateLimiterMemory({ keyPrefix, points, duration: WINDOW_SECONDS });
    const { submitPerMinute, loginPerMinute, downloadPerMinute, mailTestPerMinute } = config.rateLimits;
    this.limiters = {
      submit: limiter('submit', submitPerMinute),
      login: limiter('login', loginPerMinute),
      download: limiter('download', downloadPerMinute),
      'mail-test': limiter('mail-test', mailTestPerMinute),
    };
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const name = this.reflector.get<RateLimitName | undefined>(LIMITED, context.getHandler());
    if (name === undefined || !this.config.rateLimits.enabled) return true;
    const { ip = '' } = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    const limiter = this.limiters[name];
    const outcome = await limiter.consume(clientOf(ip)).catch((refused: unknown) => refused);
    if (!(outcome instanceof RateLimiterRes)) throw outcome;
    const resetSeconds = Math.max(1, Math.ceil(outcome.msBeforeNext / 1000));
    response.setHeader('RateLimit-Policy', `"${name}";q=${limiter.points};w=${WINDOW_SECONDS}`);
    response.setHeader('RateLimit', `"${name}";r=${outcome.remainingPoints};t=${resetSeconds}`);
    if (outcome.consumedPoints > limiter.points)
      throw new TooManyRequests({ headers: { 'Retry-After': String(resetSeconds) } });
    return true;
  }
}

/** One subscriber holds a whole /64 of IPv6 addresses; an IPv4 address may come in IPv6's clothes. */
function clientOf(ip: string): string {
  const address = ip.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    groups.push(...Array<string>(Math.max(0, 8 - groups.length - after.length)).fill('0'), ...after);
  }
  return groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':');
}
