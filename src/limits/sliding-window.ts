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
  for (const [each, count] of counts) if (each >= firstSecondOf(second)) sum += count;
  return sum;
}

export function usageOf(counts: Counts, second: number, isTaken: boolean): Usage {
  let [oldest, newest] = [Infinity, 0];
  for (const each of counts.keys()) {
    if (each < firstSecondOf(second)) continue;
    oldest = Math.min(oldest, each);
    newest = Math.max(newest, each);
  }
  const free = (isTaken ? newest : oldest) + WINDOW_SECONDS + 1;
  const resetSeconds = Math.min(WINDOW_SECONDS + 1, Math.max(1, free - second));
  return { isTaken, used: sumOf(counts, second), resetSeconds };
}
