/** Every limit is so many within a minute. */
export const WINDOW_SECONDS = 60;

/** How much was counted in which second, by the second since 1970. */
export type Counts = ReadonlyMap<number, number>;

/** The second in which a time lies. */
export const secondOf = (time: Date): number => Math.floor(time.getTime() / 1000);

/**
 * The first second that still counts: the running one and the sixty before it. A little more than a minute, so that no minute,
 * wherever it begins, holds more than the limit; a window that begins anew with each minute would let twice as much through
 * around its edge.
 */
export const firstSecondOf = (second: number): number => second - WINDOW_SECONDS;

/** How far the clocks of machines may be apart before limits notice. */
const APART_AT_MOST_SECONDS = 600;

/**
 * The last second that is believed: other machines' clocks may be ahead, and were their counts forgotten here, and ours there,
 * nobody would be limited who asks both in turn. What was counted later than that comes from before a clock was set back, and
 * would keep its caller out until then.
 */
export const lastSecondOf = (second: number): number => second + APART_AT_MOST_SECONDS;

export const isCounted = (each: number, second: number): boolean =>
  each >= firstSecondOf(second) && each <= lastSecondOf(second);

export interface Usage {
  /** Whether there was room for this one; only then it was counted. */
  readonly isTaken: boolean;
  /** Within the window, this one included. */
  readonly used: number;
  /** Until there is room for one more than now, or until all is free when there is room. From 1 to 61. */
  readonly resetSeconds: number;
}

export function sumOf(counts: Counts, second: number): number {
  let sum = 0;
  for (const [each, count] of counts) if (isCounted(each, second)) sum += count;
  return sum;
}

export function usageOf(counts: Counts, second: number, isTaken: boolean): Usage {
  let [oldest, newest] = [Infinity, 0];
  for (const each of counts.keys()) {
    if (!isCounted(each, second)) continue;
    oldest = Math.min(oldest, each);
    newest = Math.max(newest, each);
  }
  const free = (isTaken ? newest : oldest) + WINDOW_SECONDS + 1;
  const resetSeconds = Math.min(WINDOW_SECONDS + 1, Math.max(1, free - second));
  return { isTaken, used: sumOf(counts, second), resetSeconds };
}
