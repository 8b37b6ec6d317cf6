import { randomInt } from 'node:crypto';

const LONGEST_MS = 300_000;
/** Messages that failed together do not come again together. */
const JITTER = 0.25;

/**
 * Milliseconds to wait after so many failures in a row: `firstSeconds`, doubled each time, and up to a quarter more by chance;
 * at most five minutes with that.
 */
export function retryWaitMs(firstSeconds: number, failures: number): number {
  const most = Math.min(LONGEST_MS, firstSeconds * 1000 * 2 ** Math.max(0, failures - 1) * (1 + JITTER));
  const least = Math.floor(most / (1 + JITTER));
  return least + randomInt(Math.floor(most) - least + 1);
}
