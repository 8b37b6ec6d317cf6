import { LaggingCounts } from './lagging-counts.js';
import { MemoryStore } from './memory.store.js';
import { sumOf, usageOf } from './sliding-window.js';

describe('a sliding window', () => {
  it('counts the running second and the sixty before it', () => {
    const counts = new Map([
      [1000, 1],
      [1030, 2],
      [1060, 4],
    ]);

    expect([1060, 1061, 1090, 1091, 1121].map((second) => sumOf(counts, second))).toEqual([7, 6, 6, 4, 0]);
  });

  it('says when there is room again, and when all is free while there is room', () => {
    const counts = new Map([
      [1000, 1],
      [1030, 2],
    ]);

    expect(usageOf(counts, 1040, false)).toEqual({ isTaken: false, used: 3, resetSeconds: 21 });
    expect(usageOf(counts, 1040, true)).toEqual({ isTaken: true, used: 3, resetSeconds: 51 });
    expect(usageOf(counts, 1060, false).resetSeconds).toBe(1);
    expect(usageOf(counts, 1061, false).resetSeconds).toBe(30);
    expect(usageOf(new Map(), 1061, false).resetSeconds).toBeGreaterThanOrEqual(1);
  });
});

describe('a store in memory', () => {
  it('never lets more than the limit through within any minute, however the requests are spread', () => {
    const store = new MemoryStore();
    const taken: number[] = [];
    let seed = 7;
    for (let second = 1000; second < 2000; second += 1) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      const many = second % 60 < 2 || second % 60 > 57 ? 20 : seed % 3;
      for (let request = 0; request < many; request += 1)
        if (store.takeNow('a', 30, second).isTaken) taken.push(second);
    }

    const within = taken.map((from) => taken.filter((second) => second >= from && second < from + 60).length);
    expect(Math.max(...within)).toBe(30);
    expect(taken.length).toBeGreaterThan(15 * 25);
  });

  it('counts each key by itself and none that is refused', () => {
    const store = new MemoryStore();

    const outcomes = [1, 2, 3, 4].map(() => store.takeNow('a', 2, 1000).isTaken);

    expect(outcomes).toEqual([true, true, false, false]);
    expect(store.takeNow('b', 2, 1000)).toMatchObject({ isTaken: true, used: 1 });
    expect(store.takeNow('a', 2, 1060).isTaken).toBe(false);
    expect(store.takeNow('a', 2, 1061)).toMatchObject({ isTaken: true, used: 1 });
  });

  it('forgets who stays away, and the longest unseen beyond a hundred thousand', () => {
    const store = new MemoryStore();
    for (let key = 0; key <= 100_000; key += 1) store.takeNow(String(key), 1, 1000);

    expect(store.takeNow('0', 1, 1000).isTaken).toBe(true);
    expect(store.takeNow('100000', 1, 1000).isTaken).toBe(false);
    store.sweep(1061);
    expect(store.takeNow('100000', 1, 1000).isTaken).toBe(true);
  });
});

describe('counts that lag', () => {
  it('are exact in one process, and become one with another process’s', async () => {
    const shared = new MemoryStore();
    const [one, other] = [new LaggingCounts(shared, () => 1000), new LaggingCounts(shared, () => 1000)];
    const takenBy = (counts: LaggingCounts, many: number): number =>
      Array.from({ length: many }, () => counts.take('a', 10)).filter(({ isTaken }) => isTaken).length;

    expect([takenBy(one, 7), takenBy(other, 7)]).toEqual([7, 7]);
    await one.shareNow();
    await other.shareNow();
    expect([takenBy(other, 5), takenBy(one, 5)]).toEqual([0, 3]);
    await one.shareNow();
    expect(takenBy(one, 5)).toBe(0);
    await Promise.all([one.close(), other.close()]);
  });
});
