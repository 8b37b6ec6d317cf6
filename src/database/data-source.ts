import type { Logger } from 'pino';
import { DataSource, getMetadataArgsStorage, type Logger as StatementLogger } from 'typeorm';
import { MIGRATIONS } from '../../migrations/index.js';
import type { Config } from '../config/config.js';
import { ServerWatch } from './server-watch.js';
import { WatchedPool } from './watched-pool.js';

/**
 * The data source of all entities that the program has loaded (each `*.entity.ts` announces itself by its decorator)
 * and of the listed migrations. The schema is never synchronised from the entities.
 */
export function makeDataSource(url: string, config: Config, logger: Logger): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    driver: { Pool: WatchedPool },
    applicationName: 'forecourt',
    entities: getMetadataArgsStorage().tables.map(({ target }) => target),
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: config.debug,
    logger: new DebugStatementLogger(logger.child({ logger: 'sql' })),
    poolErrorHandler: (error: unknown) => {
      logger.warn({ logger: 'database', err: error }, 'an idle database connection was lost');
    },
    extra: {
      watch: new ServerWatch(url, logger.child({ logger: 'database' })),
      min: config.database.poolMin,
      max: config.database.poolMax,
      connectionTimeoutMillis: config.database.poolTimeoutMs,
      maxLifetimeSeconds: config.database.recycleSeconds,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      // a connection sends what it is given at once and PostgreSQL answers in order; see `together`
      pipeline: true,
    },
  });
}

/** Statements at level DEBUG, never with their values: those are people's data. */
class DebugStatementLogger implements StatementLogger {
  constructor(private readonly logger: Logger) {}

  logQuery(query: string): void {
    this.logger.debug(query);
  }

  logQueryError(_error: string | Error, query: string): void {
    this.logger.debug({ statement: query }, 'a statement failed');
  }

  logQuerySlow(time: number, query: string): void {
    this.logger.warn({ statement: query, duration_ms: time }, 'a statement was slow');
  }

  logSchemaBuild(message: string): void {
    this.logger.debug(message);
  }

  logMigration(message: string): void {
    this.logger.info(message);
  }

  log(_level: 'log' | 'info' | 'warn', message: unknown): void {
    this.logger.debug(String(message));
  }
}
