import { greet } from './greeting.js';
import { Places } from './places.js';
import { LevelSwitch, untilStopIsAsked } from './signals.js';
import { createLogger, flushed } from '../common/logging.js';
import type { Config } from '../config/config.js';

/**
 * Starts WEB_CONCURRENCY processes of one ROLE that share the port, and puts another in the place of each that dies. Serves
 * nothing itself: whatever happens to it, no request is in its hands. Ends when it is told to stop and all have ended.
 */
export async function runPrimary(config: Config): Promise<void> {
  const logger = await createLogger(config, { pid: process.pid });
  const levels = new LevelSwitch(logger, config.logLevel);
  const stopAsked = untilStopIsAsked();
  const places = new Places(config.processes, logger, () => levels.changed);
  levels.listen((level) => {
    places.setLevel(level);
  });
  const started = places.start().then(
    (readiness) => {
      greet(readiness, config, logger);
      return true;
    },
    (error: unknown) => {
      logger.fatal({ err: error }, 'Forecourt could not start');
      return false;
    },
  );
  // the stop may come in the middle of the start
  const isUp = await Promise.race([started, stopAsked.then(() => true)]);
  if (isUp) await stopAsked;
  const isClean = await places.stop();
  await flushed(logger);
  process.exit(isUp && isClean ? 0 : 1);
}
