import { Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { EntityManager } from 'typeorm';
import { Database, prepared } from './database.js';

declare const brand: unique symbol;

/**
 * An open transaction. Services pass it on and cannot query with it; only a repository runs statements in it.
 * Every writing method takes it first and without a default, so that forgetting it does not compile.
 */
export interface Tx {
  readonly [brand]: never;
}

/**
 * The rows of one statement in a transaction. For repositories and platform writers (jobs) only; ESLint keeps it out of
 * services. The text must be constant: it goes to TypeORM's connection as a prepared statement, which spares PostgreSQL the
 * parsing and us the query runner: a fifth of a submission.
 */
export async function rowsIn<Row = object>(tx: Tx, text: string, values: readonly unknown[]): Promise<Row[]> {
  const { queryRunner } = tx as unknown as EntityManager;
  if (queryRunner === undefined) throw new Error('this is no open transaction');
  const client = (await queryRunner.connect()) as PoolClient;
  const { rows } = await client.query(prepared(text, values));
  return rows as Row[];
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
