import 'reflect-metadata';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { AppAdapter } from './app.adapter.js';
import { closeApp, createApp } from './app.setup.js';
import { FirstAdmin } from './auth/accounts/first-admin.js';
import { Lifecycle } from './common/lifecycle.js';
import { changeLogLevel, createLogger, flushed, type LogLevel } from './common/logging.js';
import { type Config, ConfigError, loadConfig } from './config/config.js';
import { readEnvironment } from './config/environment.js';

async function main(): Promise<void> {
  const config = loadConfig(readEnvironment());
  const logger = await createLogger(config);
  changeLevelWhenAsked(logger, config.logLevel);
  // asked for from the first moment: a start that is cut off would leave PostgreSQL running
  const stopAsked = untilStopIsAsked();
  let app: NestExpressApplication | undefined;
  try {
    const adapter = new AppAdapter();
    if (config.role !== 'worker') await adapter.answerWhileStarting(config.http.port, config.http.host);
    app = await createApp(config, logger, adapter);
    if (config.role === 'worker') await app.init();
    else await app.listen(config.http.port, config.http.host);
  } catch (error) {
    logger.fatal({ err: error }, 'Forecourt could not start');
    if (app !== undefined) await stop(app, logger);
    await flushed(logger);
    process.exit(1);
  }
  greet(app, config, logger);
  await stopAsked;
  logger.info('Forecourt stops');
  app.get(Lifecycle).beginToStop();
  if (config.role !== 'worker') await sleep(config.http.drainMs);
  const isClean = await stop(app, logger);
  await flushed(logger);
  process.exit(isClean ? 0 : 1);
}

/** What a person who just started Forecourt needs to know; the admin's new password is shown this once. */
function greet(app: NestExpressApplication, config: Config, logger: Logger): void {
  if (config.role === 'worker') {
    logger.info({ role: config.role }, 'Forecourt runs background jobs');
    return;
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  const address = config.http.port === 0 ? `http://localhost:${port}` : config.http.publicUrl;
  logger.info({ port, role: config.role }, `Forecourt listens on port ${port}`);
  if (config.isProduction) return;
  const { newPassword } = app.get(FirstAdmin);
  const lines = [
    `  Forecourt      ${address}`,
    ...(config.http.docsEnabled ? [`  API docs       ${address}/docs`] : []),
    ...(config.mail.smtp === undefined ? [`  Mail inbox     ${address}/dev/mail`] : []),
    `  Admin          ${config.admin.username}`,
    ...(newPassword === undefined ? [] : [`  Password       ${newPassword}   (shown only this once)`]),
  ];
  process.stdout.write(`\n${lines.join('\n')}\n\n`);
}

/**
 * SIGUSR2 shows everything, and the next one only what LOG_LEVEL asks for. By a signal, because it reaches just the process
 * that somebody looks at, and works while the database or nobody's password does.
 */
function changeLevelWhenAsked(logger: Logger, configured: LogLevel): void {
  // there is no such signal on Windows
  if (process.platform === 'win32') return;
  let level = configured;
  process.on('SIGUSR2', () => {
    level = level === 'DEBUG' ? configured : 'DEBUG';
    changeLogLevel(logger, 'WARNING');
    logger.warn({ log_level: level }, `the log level is ${level} from here on`);
    changeLogLevel(logger, level);
  });
}

/** A second signal of an impatient operator does not cut the drain short; SIGKILL does. */
function untilStopIsAsked(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'])
      process.on(signal, () => {
        resolve();
      });
  });
}

async function stop(app: NestExpressApplication, logger: Logger): Promise<boolean> {
  try {
    await closeApp(app);
    logger.info('Forecourt has stopped');
    return true;
  } catch (error) {
    logger.fatal({ err: error }, 'Forecourt did not stop cleanly');
    return false;
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
  process.exit(1);
}
