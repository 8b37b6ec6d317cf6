import type { Logger } from 'pino';
import { changeLogLevel, type LogLevel } from '../common/logging.js';

/** A second signal of an impatient operator does not cut the drain short; SIGKILL does. */
export function untilStopIsAsked(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'])
      process.on(signal, () => {
        resolve();
      });
  });
}

/**
 * SIGUSR2 shows everything, and the next one only what LOG_LEVEL asks for. By a signal, because it reaches just the process
 * that somebody looks at, and works while the database or nobody's password does.
 */
export class LevelSwitch {
  private level: LogLevel;

  constructor(
    private readonly logger: Logger,
    private readonly configured: LogLevel,
  ) {
    this.level = configured;
  }

  /** Says each new level to `tell` as well. */
  listen(tell: (level: LogLevel) => void = () => undefined): void {
    // there is no such signal on Windows
    if (process.platform === 'win32') return;
    process.on('SIGUSR2', () => {
      this.set(this.level === 'DEBUG' ? this.configured : 'DEBUG');
      tell(this.level);
    });
  }

  set(level: LogLevel): void {
    this.level = level;
    changeLogLevel(this.logger, 'WARNING');
    this.logger.warn({ log_level: level }, `the log level is ${level} from here on`);
    changeLogLevel(this.logger, level);
  }

  /** Undefined while it is what LOG_LEVEL asks for. */
  get changed(): LogLevel | undefined {
    return this.level === this.configured ? undefined : this.level;
  }
}
