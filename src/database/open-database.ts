import type { PoolClient } from 'pg';
import type { Logger } from 'pino';
import { NO_TRACING, type Tracing } from '../common/tracing.js';
import type { Config } from '../config/config.js';
import { Database } from './database.js';
import { makeDataSource } from './data-source.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { exclusively } from './locks.js';
import { DatabaseTooNew, migrationsOf } from './migration-state.js';
import { Replicas } from './replicas.js';

/** The oldest PostgreSQL that is supported, as `server_version_num`. */
export const OLDEST_POSTGRES = 140_000;

/**
 * Connects to the configured PostgreSQL, or starts the embedded one, and brings the schema up to date under a lock that
 * all processes on the database share. Throws with a sentence for the operator when that is not possible.
 */
export async function openDatabase(config: Config, logger: Logger, tracing: Tracing = NO_TRACING): Promise<Database> {
  const embedded = config.database.url === undefined ? await startEmbeddedPostgres(config.dataDir, logger) : undefined;
  const source = makeDataSource(embedded?.url ?? config.database.url ?? '', config, logger);
  const database = new Database(source, async () => embedded?.stop(), tracing);
  try {
    await source.initialize();
    // A connection may break while it is lent out; whoever uses it learns it from the failing statement.
    const watch = (client: PoolClient): void => {
      client.on('error', (error) => {
        logger.warn({ logger: 'database', err: error }, 'a database connection was lost');
      });
    };
    database.pool.on('connect', watch);
    const first = await database.connect(); // the data source made it before anybody could watch
    watch(first);
    first.release();
    const [row] = await database.read<{ version: number }>(
      `SELECT current_setting('server_version_num')::int AS version`,
    );
    if ((row?.version ?? 0) < OLDEST_POSTGRES) throw new Error('PostgreSQL 14 or newer is needed');
    await exclusively(database, 'migrations', async () => {
      const { unknown } = await migrationsOf((text) => database.read(text));
      if (unknown.length > 0) throw new DatabaseTooNew(unknown);
      await source.runMigrations();
    });
    const { replicaUrls, poolMax } = config.database;
    if (replicaUrls.length > 0)
      database.replicas = new Replicas(
        replicaUrls,
        poolMax,
        (text, values) => database.read(text, values),
        logger.child({ logger: 'database' }),
      );
    return database;
  } catch (error) {
    await database.close();
    if (error instanceof DatabaseTooNew) throw error;
    throw new Error('The database could not be opened', { cause: error });
  }
}
