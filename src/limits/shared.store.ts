import type { Logger } from 'pino';
import { within } from '../common/within.js';
import { MemoryStore } from './memory.store.js';
import type { CountsByKey, RateLimitStore } from './rate-limit.store.js';
import type { Usage } from './sliding-window.js';

/** A database under load is slow and not away. */
const ANSWER_WITHIN_MS = 5000;
const TRY_AGAIN_AFTER_MS = 5000;
const WARN_EVERY_MS = 60_000;

/**
 * The store of all processes, and this process's own memory while that one is away: then each process grants the whole limit.
 * It is tried again after five seconds by whoever counts next.
 */
export class SharedStore implements RateLimitStore {
  private readonly memory = new MemoryStore();
  private awayUntil = -Infinity;
  private warnAgainAt = -Infinity;
  private isAway = false;

  constructor(
    private readonly store: RateLimitStore,
    private readonly logger: Logger,
  ) {}

  take(key: string, limit: number, second: number): Promise<Usage> {
    return this.tryTo(
      () => this.store.take(key, limit, second),
      () => this.memory.take(key, limit, second),
    );
  }

  add(counted: CountsByKey, second: number): Promise<CountsByKey> {
    return this.tryTo(
      () => this.store.add(counted, second),
      () => this.memory.add(counted, second),
    );
  }

  async close(): Promise<void> {
    await this.store.close();
  }

  private async tryTo<T>(work: () => Promise<T>, otherwise: () => Promise<T>): Promise<T> {
    if (performance.now() < this.awayUntil) return otherwise();
    try {
      const result = await within(ANSWER_WITHIN_MS, work());
      if (this.isAway) this.logger.info('rate limits are shared again');
      this.isAway = false;
      return result;
    } catch (error) {
      this.isAway = true;
      this.awayUntil = performance.now() + TRY_AGAIN_AFTER_MS;
      if (performance.now() >= this.warnAgainAt) {
        this.warnAgainAt = performance.now() + WARN_EVERY_MS;
        this.logger.warn({ err: error }, 'rate limits are kept by each process for itself: their store is away');
      }
      return otherwise();
    }
  }
}
