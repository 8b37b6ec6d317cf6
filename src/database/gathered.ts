import { setTimeout as sleep } from 'node:timers/promises';

/**
 * One statement for all that is asked within a few milliseconds, or while another is under way, so that in haste a round
 * trip and a commit serve many. Each call gets its own result. Where the statement for many fails, each is run again by
 * itself, so that nobody suffers from another's values: it has to bear that.
 */
export class Gathered<Item, Result> {
  private waiting: Call<Item, Result>[] = [];
  private isRunning = false;

  /** `runAll` gives one result for each item, in their order. It gets at most `most` at once; the first of them waits `forMs` for others. */
  constructor(
    private readonly runAll: (items: readonly Item[]) => Promise<readonly Result[]>,
    private readonly limits: { readonly most: number; readonly forMs: number },
  ) {}

  run(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (!this.isRunning) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.isRunning = true;
    await sleep(this.limits.forMs);
    while (this.waiting.length > 0) await this.settle(this.waiting.splice(0, this.limits.most));
    this.isRunning = false;
  }

  private async settle(calls: readonly Call<Item, Result>[]): Promise<void> {
    try {
      const results = await this.runAll(calls.map(({ item }) => item));
      if (results.length !== calls.length) throw new Error(`${calls.length} calls got ${results.length} results`);
      results.forEach((result, index) => calls[index]?.resolve(result));
    } catch (error) {
      if (calls.length === 1) calls[0]?.reject(error);
      else for (const call of calls) await this.settle([call]);
    }
  }
}

interface Call<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}
