import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Response } from 'express';
import type { Logger } from 'pino';
import { Clock } from '../common/clock.js';
import { TooManyRequests } from '../common/errors.js';
import { LOGGER } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { LaggingCounts } from './lagging-counts.js';
import { PostgresStore } from './postgres.store.js';
import { policiesOf, type RateLimitClass, type RateLimitPolicy } from './rate-limit-policies.js';
import type { RateLimitStore } from './rate-limit.store.js';
import { RedisStore } from './redis.store.js';
import { SharedStore } from './shared.store.js';
import { secondOf, type Usage, WINDOW_SECONDS } from './sliding-window.js';

@Injectable()
export class RateLimitsService implements OnModuleDestroy {
  private readonly policies: Readonly<Record<RateLimitClass, RateLimitPolicy>>;
  private readonly store: RateLimitStore;
  private readonly lagging: LaggingCounts;
  readonly isOn: boolean;

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(LOGGER) logger: Logger,
    database: Database,
    private readonly clock: Clock,
  ) {
    this.isOn = config.rateLimits.enabled;
    this.policies = policiesOf(config);
    const own = logger.child({ logger: 'limits' });
    const { redisUrl } = config.rateLimits;
    const store =
      redisUrl === undefined || !this.isOn
        ? new PostgresStore(database)
        : new RedisStore(redisUrl, (error) => {
            own.debug({ err: error }, 'the connection to Redis failed');
          });
    this.store = new SharedStore(store, own);
    this.lagging = new LaggingCounts(this.store, () => secondOf(this.clock.now()));
  }

  async onModuleDestroy(): Promise<void> {
    await this.lagging.close();
    await this.store.close();
  }

  /** Counts one of a class for whoever the key names, where limits are on. Throws `TooManyRequests` when that is one too many. */
  async take(name: RateLimitClass, key: string): Promise<void> {
    if (this.isOn) refuseUnlessTaken(await this.count(name, key));
  }

  /**
   * As {@link take}, and says on the answer what is left (RateLimit-Policy and RateLimit of
   * draft-ietf-httpapi-ratelimit-headers-10, as lists of structured fields), beside what it says already.
   */
  async takeFor(response: Response, name: RateLimitClass, key: string): Promise<void> {
    if (!this.isOn) return;
    const usage = await this.count(name, key);
    const { limit } = this.policies[name];
    const left = Math.max(0, limit - usage.used);
    append(response, 'RateLimit-Policy', `"${name}";q=${limit};w=${WINDOW_SECONDS}`);
    append(response, 'RateLimit', `"${name}";r=${left};t=${usage.resetSeconds}`);
    refuseUnlessTaken(usage);
  }

  private count(name: RateLimitClass, key: string): Promise<Usage> | Usage {
    const { limit, isExact } = this.policies[name];
    const fullKey = `${name}:${key}`;
    if (!isExact) return this.lagging.take(fullKey, limit);
    return this.store.take(fullKey, limit, secondOf(this.clock.now()));
  }
}

/** RFC 9110, 10.2.3. */
function refuseUnlessTaken({ isTaken, resetSeconds }: Usage): void {
  if (!isTaken) throw new TooManyRequests({ headers: { 'Retry-After': String(resetSeconds) } });
}

function append(response: Response, name: string, value: string): void {
  const before = response.getHeader(name);
  response.setHeader(name, typeof before === 'string' ? `${before}, ${value}` : value);
}
