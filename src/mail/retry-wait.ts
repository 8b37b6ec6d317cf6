import { randomInt } from 'node:crypto';

const LONGEST_SECONDS = 300;
/** Messages that failed together do not come again together. */
const JITTER = 0.25;

/**
 * Milliseconds to wait after so many failures in a row: `firstSeconds`, doubled each time, at most five minutes, and up to
 * a quarter more by chance.
 */
export function retryWaitMs(firstSeconds: number, failures: number): number {
  const seconds = Math.min(LONGEST_SECONDS, firstSeconds * 2 ** Math.max(0, failures - 1));
  return seconds * 1000 + randomInt(Math.floor(seconds * 1000 * JITTER) + 1);
}
