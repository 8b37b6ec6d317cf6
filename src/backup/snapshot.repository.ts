import { Injectable } from '@nestjs/common';
import { BulkConnection } from '../database/bulk-connection.js';
import { Database } from '../database/database.js';
import type { Query } from '../database/query.js';
import type { KeySample } from '../files/key-trial.service.js';
import { LEFT_OUT } from './kept-tables.js';

export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
}

/** One moment of the database. Close it: until then PostgreSQL keeps every row version of that moment. */
export class Snapshot {
  constructor(private readonly connection: BulkConnection) {}

  get query(): Query {
    return this.connection.query;
  }

  /** Tables that are copied, each behind those that it refers to. */
  async tables(): Promise<TableShape[]> {
    const tables = await this.query<TableShape & { id: string; needs: string[] }>(
      `SELECT c.oid::text AS id, c.relname AS name,
         ARRAY(SELECT a.attname::text FROM pg_attribute AS a
               WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum) AS columns,
         ARRAY(SELECT k.confrelid::text FROM pg_constraint AS k
               WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid) AS needs
       FROM pg_class AS c
       WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'migrations'::regclass)
         AND c.relkind = 'r' AND c.relpersistence = 'p' AND NOT (c.relname = ANY ($1)) ORDER BY c.relname`,
      [Object.keys(LEFT_OUT)],
    );
    const left = new Map(tables.map((table) => [table.id, table]));
    const ordered: TableShape[] = [];
    while (left.size > 0) {
      const next = [...left.values()].filter(({ needs }) => needs.every((id) => !left.has(id)));
      if (next.length === 0)
        throw new Error(
          `Tables refer to each other in a circle: ${[...left.values()].map(({ name }) => name).join(', ')}`,
        );
      for (const { id, name, columns } of next) {
        left.delete(id);
        ordered.push({ name, columns });
      }
    }
    return ordered;
  }

  rowsOf({ name, columns }: TableShape): AsyncGenerator<Buffer, number> {
    return this.connection.rowsOf(name, columns);
  }

  /** They go on counting after a rollback, and so are no part of the moment: read them after the rows. */
  async sequences(): Promise<{ name: string; lastValue: string }[]> {
    return this.query(
      `SELECT sequencename AS name, last_value::text AS "lastValue" FROM pg_sequences
       WHERE schemaname = current_schema() AND last_value IS NOT NULL AND sequencename <> 'migrations_id_seq' ORDER BY 1`,
    );
  }

  /** One file for each key-encryption key that is needed. */
  async keySamples(): Promise<KeySample[]> {
    return this.query(
      `SELECT DISTINCT ON (key_id) id AS "fileId", key_id AS "keyId", encode(wrapped_key, 'base64') AS "wrappedKey"
       FROM files WHERE wrapped_key IS NOT NULL AND purged_at IS NULL ORDER BY key_id, id`,
    );
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}

/** Takes snapshots of the database while everybody goes on. */
@Injectable()
export class SnapshotRepository {
  constructor(private readonly database: Database) {}

  async take(): Promise<Snapshot> {
    const connection = await BulkConnection.open(this.database);
    try {
      await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const snapshot = new Snapshot(connection);
      const names = (await snapshot.tables()).map(({ name }) => `"${name}"`);
      // a migration waits; nothing else does
      await connection.query(`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`);
      return snapshot;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }
}
