import type { Counts, Usage } from './sliding-window.js';

/** Counts by key. */
export type CountsByKey = ReadonlyMap<string, Counts>;

/** Where counts are kept. Times come from the caller, so that the clocks of machines should agree within a second. */
export interface RateLimitStore {
  /** Counts one when there is room for it: of any number at once, exactly as many as there is room for. */
  take(key: string, limit: number, second: number): Promise<Usage>;
  /** Adds what was counted elsewhere, room or not. Returns what is counted for these keys now. */
  add(counted: CountsByKey, second: number): Promise<CountsByKey>;
  close(): Promise<void>;
}
