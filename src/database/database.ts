import type { ClientConfig, PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { NO_TRACING, type Tracing } from '../common/tracing.js';
import { migrationsOf } from './migration-state.js';
import { prepared } from './prepared.js';
import type { Replicas } from './replicas.js';
import { statement } from './statement-span.js';
import type { WatchedPool } from './watched-pool.js';

/**
 * The connection pool that the whole process shares. Reads and transactions go straight to it as named prepared
 * statements, because building and hydrating entities cost more than the query itself.
 */
export class Database {
  /** Undefined where there are none. */
  replicas: Replicas | undefined;

  constructor(
    readonly source: DataSource,
    /** Ends what was started for this process alone, such as the embedded server. */
    private readonly afterClose: () => Promise<void>,
    readonly tracing: Tracing = NO_TRACING,
  ) {}

  get pool(): WatchedPool {
    return (this.source.driver as unknown as { master: WatchedPool }).master;
  }

  /** For connections outside of the pool. */
  get address(): Readonly<Pick<ClientConfig, 'connectionString' | 'stream'>> {
    const { url = '' } = this.source.options as { readonly url?: string };
    return { connectionString: url, stream: this.pool.makeSocket };
  }

  /** Rows of one statement outside of any transaction. The text must be constant: it becomes a prepared statement. */
  async read<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const { rows } = await statement(this.tracing, text, () => this.pool.query(prepared(text, values)));
    return rows as Row[];
  }

  /** A connection of one's own, outside the pool's turns: for LISTEN and session locks. Release it with `true`. */
  connect(): Promise<PoolClient> {
    return this.pool.connect();
  }

  /** As {@link read}, from a replica where there is one that has all that the reader, a user, has written. */
  async readFor<Row>(reader: string | undefined, text: string, values: readonly unknown[] = []): Promise<Row[]> {
    if (this.replicas === undefined || reader === undefined) return this.read(text, values);
    return this.replicas.read(reader, text, values);
  }

  /** From now on nobody answers this reader who lacks what there is at this moment: what they have begun to read goes on without a gap. */
  async keepUp(reader: string | undefined): Promise<void> {
    if (reader !== undefined) await this.replicas?.noteWrite(reader);
  }

  async hasPendingMigrations(): Promise<boolean> {
    return (await migrationsOf((text) => this.read(text))).pending.length > 0;
  }

  async close(): Promise<void> {
    await this.replicas?.close();
    if (this.source.isInitialized) await this.source.destroy();
    await this.afterClose();
  }
}
