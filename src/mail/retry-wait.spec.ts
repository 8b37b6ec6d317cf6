import { retryWaitMs } from './retry-wait.js';

describe('the wait before a repetition', () => {
  it.each([
    [2, 1, 2_000, 2_500],
    [2, 2, 4_000, 5_000],
    [2, 3, 8_000, 10_000],
    [2, 0, 2_000, 2_500],
    [1, 1, 1_000, 1_250],
    [2, 7, 128_000, 160_000],
    [2, 8, 240_000, 300_000],
    [2, 9, 240_000, 300_000],
    [3_600, 1, 240_000, 300_000],
    [2, 2_000, 240_000, 300_000],
  ])('that begins with %i s is, after failure %i, from %i to %i ms', (first, failures, least, most) => {
    const waits = Array.from({ length: 200 }, () => retryWaitMs(first, failures));

    expect(Math.min(...waits)).toBeGreaterThanOrEqual(least);
    expect(Math.max(...waits)).toBeLessThanOrEqual(most);
  });

  it('differs from message to message', () => {
    expect(new Set(Array.from({ length: 200 }, () => retryWaitMs(2, 3))).size).toBeGreaterThan(100);
  });
});
