import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { ServiceUnavailable } from '../common/errors.js';
import { LOGGER } from '../common/logging.js';
import { Database } from '../database/database.js';
import { FilesService } from '../files/files.service.js';

export type CheckName = 'database' | 'migrations' | 'storage';
export type CheckResult = 'ok' | 'failed';

const CHECK_WITHIN_MS = 3000;

/** Whether this process can do its work. */
@Injectable()
export class HealthService {
  private readonly logger: Logger;

  constructor(
    private readonly database: Database,
    private readonly files: FilesService,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'health' });
  }

  /** The result of every check. Throws `ServiceUnavailable`, naming the failed ones, when not all are ok. */
  async checkReadiness(): Promise<Record<CheckName, CheckResult>> {
    const checks: Record<CheckName, () => Promise<unknown>> = {
      database: () => this.database.read('SELECT 1'),
      migrations: async () => {
        if (await this.database.hasPendingMigrations()) throw new Error('migrations are pending');
      },
      storage: () => this.files.check(),
    };
    const names = Object.keys(checks) as CheckName[];
    const results = await Promise.all(names.map(async (name) => [name, await this.run(name, checks[name])] as const));
    const failed = results.filter(([, result]) => result === 'failed').map(([name]) => name);
    if (failed.length > 0) throw new ServiceUnavailable({ detail: `Not ready: ${failed.join(', ')}` });
    return Object.fromEntries(results) as Record<CheckName, CheckResult>;
  }

  private async run(name: CheckName, check: () => Promise<unknown>): Promise<CheckResult> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${CHECK_WITHIN_MS} ms`));
      }, CHECK_WITHIN_MS);
    });
    try {
      await Promise.race([check(), late]);
      return 'ok';
    } catch (error) {
      this.logger.warn({ check: name, err: error }, 'a readiness check failed');
      return 'failed';
    } finally {
      clearTimeout(timer);
    }
  }
}
