import type { Logger } from 'pino';
import type { Clock } from '../common/clock.js';
import { type Config, ConfigError, loadConfig } from '../config/config.js';
import type { Environment } from '../config/setting.js';
import { checkDatabase } from './database-check.js';
import { type Finding, failed, fine, findingsWithin, skipped } from './finding.js';
import { checkNotes } from './notes-check.js';
import { checkReplicas } from './replicas-check.js';
import { checkFile, risksOf } from './settings-check.js';
import { checkDisks, checkStorages } from './storage-check.js';
import { checkMail, checkNode, checkPort, checkRedis, checkScanner } from './surroundings-check.js';

const EACH_WITHIN_MS = 20_000;

export interface Patient {
  readonly environment: Environment;
  /** The file that a part of the environment came from, if it is there. */
  readonly file: string;
}

/**
 * Looks at everything that a start needs, one thing independent of the other. Leaves nothing behind: what it writes, a small
 * file in each storage, it deletes again.
 */
export async function examine({ environment, file }: Patient, clock: Clock, logger: Logger): Promise<Finding[]> {
  const about = await findingsWithin(EACH_WITHIN_MS, '.env', 'Make it a file that Forecourt may read', () =>
    checkFile(file),
  );
  let config: Config;
  try {
    config = loadConfig(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [
      ...error.problems.map((problem) => failed('settings', problem, 'Correct it in .env or in the environment')),
      ...about,
      skipped('everything else', 'it depends on the settings: correct them first'),
    ];
  }
  const settings = fine(
    'settings',
    `every one can be read; ENVIRONMENT=${config.isProduction ? 'production' : 'development'}`,
  );
  const others = await Promise.all([
    findingsWithin(EACH_WITHIN_MS, 'database', 'See why PostgreSQL is slow', () => checkDatabase(config, clock)),
    findingsWithin(EACH_WITHIN_MS, 'replicas', 'See why PostgreSQL is slow', () => checkReplicas(config)),
    findingsWithin(EACH_WITHIN_MS, 'storage', 'See why the storage is slow', () => checkStorages(config, logger)),
    findingsWithin(EACH_WITHIN_MS, 'erasure notes', 'See why the place of ERASURE_NOTES is slow', () =>
      checkNotes(config),
    ),
    findingsWithin(EACH_WITHIN_MS, 'disk', 'Make DATA_DIR and UPLOAD_DIR folders that Forecourt may write', () =>
      checkDisks(config),
    ),
    findingsWithin(EACH_WITHIN_MS, 'mail', 'Correct SMTP_HOST and SMTP_PORT', () => checkMail(config, clock)),
    findingsWithin(EACH_WITHIN_MS, 'redis', 'Correct REDIS_URL', () => checkRedis(config)),
    findingsWithin(EACH_WITHIN_MS, 'clamav', 'Correct CLAMAV_HOST and CLAMAV_PORT', () => checkScanner(config)),
    findingsWithin(EACH_WITHIN_MS, 'port', 'Correct HOST and PORT', () => checkPort(config)),
  ]);
  return [settings, ...risksOf(config), ...about, ...others.flat(), checkNode(config)];
}
