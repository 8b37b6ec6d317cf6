import type { CountsByKey, RateLimitStore } from './rate-limit.store.js';
import { type Counts, isCounted, sumOf, type Usage, usageOf } from './sliding-window.js';

const MOST_KEYS = 100_000;

/** In this process alone. */
export class MemoryStore implements RateLimitStore {
  private readonly windows = new Map<string, Map<number, number>>();

  take(key: string, limit: number, second: number): Promise<Usage> {
    return Promise.resolve(this.takeNow(key, limit, second));
  }

  takeNow(key: string, limit: number, second: number): Usage {
    const window = this.windowOf(key, second);
    const isTaken = sumOf(window, second) < limit;
    if (isTaken) window.set(second, (window.get(second) ?? 0) + 1);
    return usageOf(window, second, isTaken);
  }

  add(counted: CountsByKey, second: number): Promise<CountsByKey> {
    for (const [key, counts] of counted) {
      const window = this.windowOf(key, second);
      for (const [each, count] of counts) window.set(each, (window.get(each) ?? 0) + count);
    }
    return Promise.resolve(new Map([...counted.keys()].map((key) => [key, this.windowOf(key, second)])));
  }

  close(): Promise<void> {
    this.windows.clear();
    return Promise.resolve();
  }

  /** Says that this is all there is for these keys. */
  replace(all: CountsByKey): void {
    for (const [key, counts] of all) this.windows.set(key, new Map(counts));
  }

  /** Forgets what no longer counts. */
  sweep(second: number): void {
    for (const key of this.windows.keys())
      if (sumOf(this.windowOf(key, second), second) === 0) this.windows.delete(key);
  }

  private windowOf(key: string, second: number): Map<number, number> {
    let window = this.windows.get(key);
    if (window === undefined) {
      const [oldest] = this.windows.keys();
      if (oldest !== undefined && this.windows.size >= MOST_KEYS) this.windows.delete(oldest);
      window = new Map();
      this.windows.set(key, window);
    }
    for (const each of window.keys()) if (!isCounted(each, second)) window.delete(each);
    return window;
  }
}

/** What both sides have counted, together. */
export function mergedCounts(one: Counts, other: Counts): Counts {
  const merged = new Map(one);
  for (const [second, count] of other) merged.set(second, (merged.get(second) ?? 0) + count);
  return merged;
}
