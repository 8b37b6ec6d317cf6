import { setTimeout as sleep } from 'node:timers/promises';
import { Gathered } from './gathered.js';

const WAIT_MS = 5;

/** Runs that end when they are told to. */
function aGathered(most = 10): {
  gathered: Gathered<number, string>;
  runs: { items: number[]; end: (results?: string[]) => void; fail: () => void }[];
} {
  const runs: { items: number[]; end: (results?: string[]) => void; fail: () => void }[] = [];
  const gathered = new Gathered<number, string>(
    (items) =>
      new Promise((resolve, reject) => {
        runs.push({
          items: [...items],
          end: (results = items.map((item) => `result ${item}`)) => {
            resolve(results);
          },
          fail: () => {
            reject(new Error(`failed: ${items.join(', ')}`));
          },
        });
      }),
    { most, forMs: WAIT_MS },
  );
  return { gathered, runs };
}

/** Long enough for the next run to begin, however busy the machine: timers of one length end in their order. */
const turn = (): Promise<void> => sleep(WAIT_MS).then(() => sleep(WAIT_MS));

describe('Gathered', () => {
  it('runs together what is asked in a short time, and what is asked meanwhile', async () => {
    const { gathered, runs } = aGathered();
    const calls = [1, 2].map((item) => gathered.run(item));
    await turn();
    calls.push(...[3, 4, 5].map((item) => gathered.run(item)));
    await turn();
    expect(runs.map(({ items }) => items)).toEqual([[1, 2]]);

    runs[0]!.end();
    await turn();
    expect(runs.map(({ items }) => items)).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    runs[1]!.end();
    expect(await Promise.all(calls)).toEqual([1, 2, 3, 4, 5].map((item) => `result ${item}`));
    void gathered.run(6);
    await turn();
    expect(runs.map(({ items }) => items)).toEqual([[1, 2], [3, 4, 5], [6]]);
  });

  it('gives no run more than it may have', async () => {
    const { gathered, runs } = aGathered(2);
    const calls = [1, 2, 3].map((item) => gathered.run(item));
    for (let index = 0; index < 2; index += 1) {
      await turn();
      runs[index]!.end();
    }
    await Promise.all(calls);
    expect(runs.map(({ items }) => items)).toEqual([[1, 2], [3]]);
  });

  it('runs each by itself where many failed together, and fails those that fail again', async () => {
    const { gathered, runs } = aGathered();
    const outcomes = Promise.allSettled([1, 2].map((item) => gathered.run(item)));
    await turn();
    runs[0]!.fail();
    await turn();
    runs[1]!.fail();
    await turn();
    runs[2]!.end();

    expect(runs.map(({ items }) => items)).toEqual([[1, 2], [1], [2]]);
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  it('fails a call that got no answer of its own', async () => {
    const { gathered, runs } = aGathered();
    const call = gathered.run(1);
    const failed = expect(call).rejects.toThrow('1 calls got 0 results');
    await turn();
    runs[0]!.end([]);
    await failed;
  });
});
