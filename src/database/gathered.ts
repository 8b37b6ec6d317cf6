import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * One statement for all that is asked in one turn of the event loop, or while another is under way: nobody waits for
 * company, and in haste a round trip and a commit serve many. Each call gets its own result. Where the statement for many
 * fails, each is run again by itself, so that nobody suffers from another's values: it has to bear that.
 */
export class Gathered<Item, Result> {
  private waiting: Call<Item, Result>[] = [];
  private isRunning = false;

  /** `runAll` gives one result for each item, in their order. It gets at most `most` at once. */
  constructor(
    private readonly runAll: (items: readonly Item[]) => Promise<readonly Result[]>,
    private readonly most: number,
  ) {}

  run(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (!this.isRunning) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.isRunning = true;
    await nextTurn();
    while (this.waiting.length > 0) await this.settle(this.waiting.splice(0, this.most));
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
