import { MemoryStore, mergedCounts } from './memory.store.js';
import type { CountsByKey, RateLimitStore } from './rate-limit.store.js';
import type { Counts, Usage } from './sliding-window.js';

const SHARE_EVERY_MS = 1000;

/**
 * Counts in memory, without waiting for anybody, and tells the other processes once a second in one go. A limit that is kept so
 * can be exceeded by what the other processes let through within that second.
 */
export class LaggingCounts {
  private readonly memory = new MemoryStore();
  /** Not told yet. */
  private untold = new Map<string, Map<number, number>>();
  private timer: NodeJS.Timeout | undefined;
  private sharing: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: RateLimitStore,
    private readonly secondNow: () => number,
  ) {}

  take(key: string, limit: number): Usage {
    const second = this.secondNow();
    const usage = this.memory.takeNow(key, limit, second);
    if (!usage.isTaken) return usage;
    let counts = this.untold.get(key);
    if (counts === undefined) this.untold.set(key, (counts = new Map<number, number>()));
    counts.set(second, (counts.get(second) ?? 0) + 1);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.shareNow();
    }, SHARE_EVERY_MS);
    return usage;
  }

  /** Tells what was counted, and learns what the others have. */
  shareNow(): Promise<void> {
    this.sharing = this.sharing.then(() => this.share());
    return this.sharing;
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.sharing;
  }

  private async share(): Promise<void> {
    const telling = this.untold;
    if (telling.size === 0) return;
    this.untold = new Map();
    const second = this.secondNow();
    const all: CountsByKey = await this.store.add(telling, second);
    // what was counted meanwhile is not in the answer
    const merged = [...all].map(([key, counts]): readonly [string, Counts] => [
      key,
      mergedCounts(counts, this.untold.get(key) ?? new Map()),
    ]);
    this.memory.replace(new Map(merged));
    this.memory.sweep(second);
  }
}
