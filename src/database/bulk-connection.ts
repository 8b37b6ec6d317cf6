import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Database } from './database.js';
import { type Query, queryOf } from './query.js';

/**
 * A connection of one's own for rows in bulk (COPY), which the shared ones with their pipeline do not speak. What its transaction
 * takes long for is nobody's limit. Close it.
 */
export class BulkConnection {
  private constructor(private readonly client: pg.Client) {
    this.query = queryOf(client);
  }

  static async open(database: Database): Promise<BulkConnection> {
    const client = new pg.Client({ ...database.address, application_name: 'forecourt-copy', keepAlive: true });
    // whoever uses it learns it from the failing statement
    client.on('error', () => undefined);
    await client.connect();
    const connection = new BulkConnection(client);
    for (const limit of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'])
      await connection.query(`SET ${limit} = 0`);
    return connection;
  }

  readonly query: Query;

  /** Columns of a table as COPY writes them. Returns the number of rows at the end. */
  async *rowsOf(table: string, columns: readonly string[]): AsyncGenerator<Buffer, number> {
    const stream = this.client.query(copyTo(`COPY ${nameOf(table, columns)} TO STDOUT`));
    yield* stream as AsyncIterable<Buffer>;
    return stream.rowCount;
  }

  /** Adds rows as {@link rowsOf} gave them. Returns their number. */
  async addRows(table: string, columns: readonly string[], rows: AsyncIterable<Buffer>): Promise<number> {
    const stream = this.client.query(copyFrom(`COPY ${nameOf(table, columns)} FROM STDIN`));
    await pipeline(Readable.from(rows, { objectMode: false }), stream as Writable);
    return stream.rowCount;
  }

  /** What was not committed is rolled back. */
  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

const nameOf = (table: string, columns: readonly string[]): string =>
  `${pg.escapeIdentifier(table)} (${columns.map((column) => pg.escapeIdentifier(column)).join(', ')})`;
