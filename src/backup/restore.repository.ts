import { Injectable } from '@nestjs/common';
import { BulkConnection } from '../database/bulk-connection.js';
import { Database } from '../database/database.js';
import { isMarked, mark, unmark } from '../database/restore-mark.js';
import { migrationsOf } from '../database/migration-state.js';
import type { Query } from '../database/query.js';
import { goBackTo, goForward, knows } from '../database/schema-level.js';
import { addCopiesOfJobs, countJobs, type JobCopy } from '../jobs/copies.jobs.js';
import { BORN_FILLED, PASSING } from './kept-tables.js';

/** Rows of a table that came from an archive, in one transaction with all others. */
export class Filling {
  private readonly filled = new Map<string, number>();

  constructor(private readonly connection: BulkConnection) {}

  get query(): Query {
    return this.connection.query;
  }

  /** Triggers keep still: what they would do is in the archive already. References are checked. */
  async addRows(table: string, columns: readonly string[], rows: AsyncIterable<Buffer>): Promise<void> {
    const name = `"${table.replaceAll('"', '""')}"`;
    await this.query(`ALTER TABLE ${name} DISABLE TRIGGER USER`);
    if (BORN_FILLED.includes(table)) await this.query(`DELETE FROM ${name}`);
    await this.connection.addRows(table, columns, rows);
    await this.query(`ALTER TABLE ${name} ENABLE TRIGGER USER`);
    this.filled.set(table, await this.countRows(name));
  }

  countOf(table: string): number {
    return this.filled.get(table) ?? 0;
  }

  async addJobs(jobs: readonly JobCopy[]): Promise<void> {
    await addCopiesOfJobs(this.query, jobs);
  }

  countJobs(): Promise<number> {
    return countJobs(this.query);
  }

  async advance(sequence: string, lastValue: string): Promise<void> {
    await this.query(`SELECT setval(quote_ident($1)::regclass, $2::bigint)`, [sequence, lastValue]);
  }

  /** Says where the files of these rows lie now, whatever they lay in before. */
  async placeFilesIn(storage: string): Promise<void> {
    await this.query(`UPDATE files SET storage = $1 WHERE purged_at IS NULL`, [storage]);
  }

  /** Everything at once, and with it the end of the restore. */
  async commit(): Promise<void> {
    await unmark(this.query);
    await this.query('COMMIT');
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  private async countRows(name: string): Promise<number> {
    const [row] = await this.query<{ rows: string }>(`SELECT count(*)::text AS rows FROM ${name}`);
    return Number(row?.rows);
  }
}

/** The database of an instance that is to be filled. */
@Injectable()
export class RestoreRepository {
  private readonly query: Query = (text, values) => this.database.read(text, values);

  constructor(private readonly database: Database) {}

  /** Whether an earlier restore has begun and not ended. */
  isMarked(): Promise<boolean> {
    return isMarked(this.query);
  }

  mark(): Promise<void> {
    return mark(this.query);
  }

  /** Tables with rows that no migration put there, and `jobs` when there are some. */
  async filledTables(): Promise<string[]> {
    const tables = await this.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class
       WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'migrations'::regclass)
         AND relkind = 'r' AND relpersistence = 'p' AND NOT (relname = ANY ($1)) ORDER BY 1`,
      [[...BORN_FILLED, ...PASSING]],
    );
    const filled: string[] = [];
    for (const { name } of tables) {
      const rows = await this.query(`SELECT FROM "${name.replaceAll('"', '""')}" LIMIT 1`);
      if (rows.length > 0) filled.push(name);
    }
    return (await countJobs(this.query)) > 0 ? [...filled, 'jobs'] : filled;
  }

  knows(migrations: readonly string[]): boolean {
    return knows(this.database, migrations);
  }

  /** Gives the schema just these migrations, where the instance is empty. */
  async takeSchemaTo(migrations: readonly string[]): Promise<void> {
    await goBackTo(this.database, migrations.length);
    const { done } = await migrationsOf(this.query);
    if (done.join() !== migrations.join()) throw new Error('The schema could not be brought to where it was');
  }

  /** Brings the schema, and the rows in it, up to date. */
  async bringUpToDate(): Promise<void> {
    await goForward(this.database);
  }

  /** Close it. */
  async begin(): Promise<Filling> {
    const connection = await BulkConnection.open(this.database);
    await connection.query('BEGIN');
    return new Filling(connection);
  }
}
