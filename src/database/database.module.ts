import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import type { Logger } from 'pino';
import { LOGGER } from '../common/logging.js';
import { Tracing } from '../common/tracing.js';
import { CONFIG, type Config } from '../config/config.js';
import { Announcements } from './announcements.js';
import { Database } from './database.js';
import { openDatabase } from './open-database.js';
import { PoolMetrics } from './pool.metrics.js';
import { ReplicaMetrics } from './replica.metrics.js';
import { Transactions } from './transactions.js';
import { WriteMarksInterceptor } from './write-marks.interceptor.js';

/**
 * PostgreSQL. Owns the connection pool, the embedded server, replicas (table `write_marks`), migrations and transactions; promises that the schema is
 * up to date before anything uses it and that the pool outlives every request. Leaves tables to the modules that own them.
 */
@Global()
@Module({
  providers: [
    {
      provide: Database,
      useFactory: (config: Config, logger: Logger, tracing: Tracing) => openDatabase(config, logger, tracing),
      inject: [CONFIG, LOGGER, Tracing],
    },
    Transactions,
    Announcements,
    PoolMetrics,
    ReplicaMetrics,
    { provide: APP_INTERCEPTOR, useClass: WriteMarksInterceptor },
  ],
  exports: [Database, Transactions, Announcements],
})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(@Inject(Database) private readonly database: Database) {}

  /** Runs after the HTTP server and the job runner are done. */
  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
  }
}
