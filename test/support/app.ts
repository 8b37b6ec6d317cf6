import type { NestExpressApplication } from '@nestjs/platform-express';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildLogger } from '../../src/common/logging.js';
import { loadConfig } from '../../src/config/config.js';
import { closeApp, createApp } from '../../src/app.setup.js';
import { makeDatabase, type TestDatabase } from './database.js';

export const ADMIN = { username: 'admin', password: 'a good admin password' };
export const SECRET_KEY = 'test-only-0123456789-abcdefghijklmnopqrstuvwxyz';

export interface TestApp {
  readonly url: string;
  readonly app: NestExpressApplication;
  readonly database: TestDatabase;
  readonly dataDir: string;
  readonly uploadDir: string;
  /** Every line that was logged, parsed. */
  readonly log: Record<string, unknown>[];
  /** Keys of the files that are kept, and the names of temporary ones. */
  storedFiles(): Promise<string[]>;
  /** Where the file of this key lies. */
  pathOf(key: string): string;
  request(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/**
 * The real application on a real port and a database of its own. Rate limits and lockout are off unless a test turns them on. One at a
 * time per test file: passport keeps its strategies in the process, so a second application takes over the first one's.
 */
export async function startApp(settings: Record<string, string> = {}): Promise<TestApp> {
  const database = await makeDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'forecourt-app-'));
  const config = loadConfig({
    DATA_DIR: dataDir,
    DATABASE_URL: database.url,
    PORT: '0',
    HOST: '127.0.0.1',
    SECRET_KEY,
    ADMIN_PASSWORD: ADMIN.password,
    BCRYPT_ROUNDS: '4',
    DB_POOL_SIZE: '2',
    DB_MAX_OVERFLOW: '30',
    RATE_LIMIT_ENABLED: 'false',
    LOCKOUT_FAILURES: '0',
    LOG_LEVEL: 'DEBUG',
    ATTORNEY_EMAIL: 'attorney@practice.test',
    ...settings,
  });
  const log: Record<string, unknown>[] = [];
  const logger = buildLogger(config.logLevel, {
    write(line: string) {
      log.push(JSON.parse(line) as Record<string, unknown>);
      if (process.env['TEST_LOG'] !== undefined) process.stderr.write(line);
    },
  });
  const app = await createApp(config, logger);
  try {
    await app.listen(config.http.port, config.http.host);
  } catch (error) {
    await app.close();
    await database.drop();
    throw error;
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    app,
    database,
    dataDir,
    uploadDir: config.files.uploadDir,
    log,
    async storedFiles() {
      const entries = await readdir(config.files.uploadDir, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
        .sort();
    },
    pathOf: (key) => join(config.files.uploadDir, key.slice(0, 2), key),
    request: (path, init) => fetch(`${url}${path}`, init),
    async close() {
      await closeApp(app);
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Waits until a condition holds; fails with its name after ten seconds. */
export async function eventually<T>(
  what: string | (() => string),
  probe: () => Promise<T | undefined | false>,
  withinMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline)
      throw new Error(`not within ${withinMs} ms: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
