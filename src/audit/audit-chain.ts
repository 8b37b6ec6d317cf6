import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '../common/logging.js';
import { Transactions } from '../database/transactions.js';
import { AuditChainRepository } from './audit-chain.repository.js';
import { hashOf, NO_HASH } from './audit-hash.js';

/** Long enough for many entries to be linked by one commit. */
const LINK_AFTER_MS = 100;
/** For what a process that died left behind. */
const LOOK_EVERY_MS = 30_000;
const MOST_AT_ONCE = 500;

/**
 * Links entries into the chain right after they have committed. A transaction that linked its own entry would hold the end of the
 * chain until its commit, and all others with it; and one that is rolled back would leave a gap. So entries come in without a
 * place, and one writer at a time, under a lock that all processes share, gives places to those that it sees: what commits later
 * gets a later place, and the numbers have no gaps.
 */
@Injectable()
export class AuditChain implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger: Logger;
  private timer: NodeJS.Timeout | undefined;
  private keeper: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(
    private readonly entries: AuditChainRepository,
    private readonly transactions: Transactions,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'audit' });
  }

  onApplicationBootstrap(): void {
    this.wake();
    this.keeper = setInterval(() => {
      this.wake();
    }, LOOK_EVERY_MS);
  }

  async onModuleDestroy(): Promise<void> {
    this.closed = true;
    clearInterval(this.keeper);
    clearTimeout(this.timer);
    await this.running;
  }

  /** There is an entry to link, committed. */
  wake(): void {
    if (this.closed) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.running = this.running.then(() => this.linkAll());
    }, LINK_AFTER_MS);
  }

  private async linkAll(): Promise<void> {
    try {
      while (!this.closed && (await this.linkSome()) === MOST_AT_ONCE);
    } catch (error) {
      this.logger.warn({ err: error }, 'audit entries were not linked; it is tried again');
    }
  }

  /** Returns how many there were. */
  private async linkSome(): Promise<number> {
    return this.transactions.run(async (tx) => {
      await this.entries.lock(tx);
      const [head, unlinked] = await Promise.all([
        this.entries.headIn(tx),
        this.entries.findUnlinked(tx, MOST_AT_ONCE),
      ]);
      if (unlinked.length === 0) return 0;
      let { number, hash } = head ?? { number: 0n, hash: NO_HASH };
      const links = unlinked.map((fields) => {
        const previousHash = hash;
        number += 1n;
        hash = hashOf(number, previousHash, fields);
        return { id: fields.id, number, previousHash, hash };
      });
      await this.entries.link(tx, links);
      return links.length;
    });
  }
}
