import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { Tracing } from '../common/tracing.js';
import { Database } from './database.js';
import { prepared } from './prepared.js';
import { statement } from './statement-span.js';

declare const brand: unique symbol;

/**
 * An open transaction. Services pass it on and cannot query with it; only a repository runs statements in it.
 * Every writing method takes it first and without a default, so that forgetting it does not compile.
 */
export interface Tx {
  readonly [brand]: never;
}

/** What asked for a change, as far as it is known: an `Actor`, a job, or a row that remembers it. */
export interface Cause {
  /** Undefined or null where no request is behind it. */
  readonly requestId?: string | null | undefined;
}

/** What a {@link Tx} is behind its face. */
class OpenTransaction {
  ended = false;
  readonly whenCommitted: (() => void)[] = [];

  constructor(
    readonly client: PoolClient,
    readonly cause: Cause,
    readonly tracing: Tracing,
  ) {}
}

/** What asked for what this transaction does. For platform writers (jobs, mail), whose work goes on after it. */
export function causeOf(tx: Tx): Cause {
  return (tx as unknown as OpenTransaction).cause;
}

/**
 * The rows of one statement in a transaction. For repositories and platform writers (jobs) only; ESLint keeps it out of
 * services. The text must be constant: each connection parses and plans it once. The statement is on its way when this
 * returns, so statements of one transaction run in the order in which they were asked for, awaited or not.
 */
export async function rowsIn<Row = object>(tx: Tx, text: string, values: readonly unknown[]): Promise<Row[]> {
  const { client, ended, tracing } = tx as unknown as OpenTransaction;
  if (ended) throw new Error('this transaction is over');
  const { rows } = await statement(tracing, text, () => client.query(prepared(text, values)));
  return rows as Row[];
}

/**
 * Does something small in memory as soon as the transaction has committed, before anybody hears of it; nothing when it is
 * rolled back.
 */
export function whenCommitted(tx: Tx, action: () => void): void {
  (tx as unknown as OpenTransaction).whenCommitted.push(action);
}

/**
 * Waits for writes that do not need each other's answers and were therefore sent in one go: seven round trips of a
 * submission become three. When one fails PostgreSQL refuses all that follow, so the first failure in the given order is
 * the cause, and the one that is thrown.
 */
export async function together(...writes: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(writes)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}

/** Runs a use case in one transaction: everything in it commits together or not at all. */
@Injectable()
export class Transactions {
  constructor(private readonly database: Database) {}

  /** Commits when `work` resolves, rolls back when it rejects. Keep slow and remote things out of `work`. */
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Jobs and mail of this transaction remember what asked for it. Whoever works for an actor says so; ESLint asks for it. */
  run<T>(cause: Cause, work: (tx: Tx) => Promise<T>): Promise<T>;
  run<T>(...given: [(tx: Tx) => Promise<T>] | [Cause, (tx: Tx) => Promise<T>]): Promise<T> {
    const [cause, work] = given.length === 1 ? [{}, given[0]] : given;
    return this.database.tracing.step('transaction', { 'db.system.name': 'postgresql' }, () =>
      this.runFor(cause, work),
    );
  }

  private async runFor<T>(cause: Cause, work: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await this.database.connect();
    const transaction = new OpenTransaction(client, cause, this.database.tracing);
    let reusable = false;
    try {
      await client.query('BEGIN');
      const result = await work(transaction as unknown as Tx);
      transaction.ended = true;
      const { command } = await statement(this.database.tracing, 'COMMIT', () => client.query('COMMIT'));
      reusable = true;
      // PostgreSQL answers so when a statement failed and nobody minded
      if (command !== 'COMMIT') throw new Error('a statement failed, so the transaction was rolled back');
      for (const action of transaction.whenCommitted) action();
      return result;
    } catch (error) {
      transaction.ended = true;
      if (!reusable) {
        reusable = await client.query('ROLLBACK').then(
          () => true,
          () => false,
        );
      }
      throw error;
    } finally {
      client.release(!reusable);
    }
  }
}
