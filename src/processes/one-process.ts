import 'reflect-metadata';
import type { NestExpressApplication } from '@nestjs/platform-express';
import cluster from 'node:cluster';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { AppAdapter } from '../app.adapter.js';
import { greet, type Readiness } from './greeting.js';
import { closeApp, createApp } from '../app.setup.js';
import { LevelSwitch, untilStopIsAsked } from './signals.js';
import { FirstAdmin } from '../auth/accounts/first-admin.js';
import { Lifecycle } from '../common/lifecycle.js';
import { createLogger, flushed, type LogLevel } from '../common/logging.js';
import type { Config } from '../config/config.js';
import { ownPart } from '../config/environment.js';

/** More than an orderly end takes. Nobody waits for a process whose primary is gone, and nobody would end it. */
const ORPHAN_ENDS_WITHIN_MS = 20_000;

interface Surroundings {
  readonly logger: Logger;
  readonly stopAsked: Promise<void>;
  /** Nobody waits for it any more: it is to end at once, in good order. */
  readonly orphaned: Promise<void>;
  /** Takes the port before it can serve, to say so. */
  readonly answersWhileStarting: boolean;
  readonly ready: (readiness: Readiness) => void;
}

const NEVER = new Promise<void>(() => undefined);

/** Serves, works, or both, until it is told to stop; then ends the process. */
export async function runAlone(config: Config): Promise<void> {
  const logger = await createLogger(config);
  new LevelSwitch(logger, config.logLevel).listen();
  await run(config, {
    logger,
    // asked for from the first moment: a start that is cut off would leave PostgreSQL running
    stopAsked: untilStopIsAsked(),
    orphaned: NEVER,
    answersWhileStarting: true,
    ready: (readiness) => {
      greet(readiness, config, logger);
    },
  });
}

/**
 * The same for one of several; the primary greets. Its metrics have a port of their own: METRICS_PORT and its number. One that
 * took the port while it starts would refuse what the others can serve.
 */
export async function runAsOneOfSeveral(config: Config): Promise<void> {
  const { number, isFirst } = ownPart();
  const orphaned = untilPrimaryIsGone();
  const stopAsked = untilStopIsAsked();
  const logger = await createLogger(config, { pid: process.pid });
  const levels = new LevelSwitch(logger, config.logLevel);
  levels.listen();
  process.on('message', (message: { level?: LogLevel }) => {
    if (message.level !== undefined) levels.set(message.level);
  });
  const { port } = config.metrics;
  const metrics = { ...config.metrics, port: port === undefined || port === 0 ? port : port + number };
  await run(
    { ...config, metrics },
    {
      logger,
      stopAsked,
      orphaned,
      answersWhileStarting: isFirst,
      ready: (readiness) => {
        if (process.connected) process.send?.({ readiness });
      },
    },
  );
}

async function run(config: Config, surroundings: Surroundings): Promise<void> {
  const { logger, stopAsked, orphaned, answersWhileStarting, ready } = surroundings;
  const isServing = config.role !== 'worker';
  let app: NestExpressApplication | undefined;
  try {
    const adapter = new AppAdapter();
    if (isServing && answersWhileStarting) await adapter.answerWhileStarting(config.http.port, config.http.host);
    app = await createApp(config, logger, adapter);
    const started = isServing ? app.listen(config.http.port, config.http.host) : app.init();
    // who is to listen is told the port by the primary
    await Promise.race([started, orphaned]);
  } catch (error) {
    logger.fatal({ err: error }, 'Forecourt could not start');
    if (app !== undefined) await stop(app, logger);
    await flushed(logger);
    process.exit(1);
  }
  ready({
    port: isServing ? (app.getHttpServer().address() as AddressInfo | null)?.port : undefined,
    newPassword: app.get(FirstAdmin).newPassword,
  });
  await Promise.race([stopAsked, orphaned]);
  logger.info('Forecourt stops');
  app.get(Lifecycle).beginToStop();
  if (isServing) await Promise.race([sleep(config.http.drainMs), orphaned]);
  const isClean = await stop(app, logger);
  await flushed(logger);
  process.exit(isClean ? 0 : 1);
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

/**
 * The primary was killed. Node would end this process in the middle of its requests; instead it closes the port, for the next
 * primary to take, answers what it has and ends.
 */
function untilPrimaryIsGone(): Promise<void> {
  return new Promise((resolve) => {
    const { worker } = cluster;
    worker?.once('disconnect', () => {
      // read by Node right after this
      worker.exitedAfterDisconnect = true;
      setTimeout(() => process.exit(1), ORPHAN_ENDS_WITHIN_MS).unref();
      resolve();
    });
  });
}
