import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from './database.js';

declare const brand: unique symbol;

/**
 * An open transaction. Services pass it on and cannot query with it; only a repository turns it into an entity manager.
 * Every writing method takes it first and without a default, so that forgetting it does not compile.
 */
export interface Tx {
  readonly [brand]: never;
}

/** For repositories and platform writers (jobs) only; ESLint keeps it out of services. */
export function managerOf(tx: Tx): EntityManager {
  return tx as unknown as EntityManager;
}

/** Runs a use case in one transaction: everything in it commits together or not at all. */
@Injectable()
export class Transactions {
  constructor(private readonly database: Database) {}

  /** Commits when `work` resolves, rolls back when it rejects. Keep slow and remote things out of `work`. */
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.database.source.transaction((manager) => work(manager as unknown as Tx));
  }
}
