import type { LoggerService } from '@nestjs/common';
import { destination, pino, type Logger, type DestinationStream } from 'pino';
import type { Config } from '../config/config.js';
import { maskEmails } from './privacy.js';

/** Injection token of the process's {@link Logger}. */
export const LOGGER = Symbol('logger');

export type LogLevel = keyof typeof PINO_LEVEL;

const PINO_LEVEL = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error', CRITICAL: 'fatal' } as const;
const LEVEL_NAME: Readonly<Record<string, string>> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
};

/**
 * One JSON line per event on standard output in production; readable text in development where pino-pretty is
 * installed. Every string of a line is free of e-mail addresses, and an error is written without what a database
 * driver attaches to it (values, statements). `everywhere` stands in every line.
 */
export async function createLogger(
  config: Pick<Config, 'isProduction' | 'logLevel'>,
  everywhere: Record<string, unknown> | null = null,
): Promise<Logger> {
  const stream = config.isProduction
    ? destination({ sync: false, maxWrite: WHOLE_WRITE_BYTES })
    : await readableStream();
  return buildLogger(config.logLevel, stream, everywhere);
}

/** PIPE_BUF of Linux: so much is written to a pipe as a whole, so that lines of several processes stay lines. */
const WHOLE_WRITE_BYTES = 4096;

/** What can still change of a logger. Its children have a level of their own from the day they were made. */
interface Changing {
  /** The least severe level that is written. */
  least: number;
  /** What each line says beside its own. */
  common: () => object;
  /** Who hears of errors beside the log. */
  listener: ErrorListener | undefined;
}

/** Hears of each line of level ERROR or above, before anything of it is masked. Must not throw. */
export interface ErrorListener {
  tell(line: Readonly<Record<string, unknown>>, message: string, level: 'error' | 'fatal'): void;
  /** Resolves soon. */
  flush(): Promise<void>;
}

const CHANGING = new WeakMap<Logger, Changing>();
const NOTHING = {};
const ERROR = pino.levels.values['error'] ?? 0;

export function buildLogger(
  level: LogLevel,
  stream: DestinationStream,
  everywhere: Record<string, unknown> | null = null,
): Logger {
  const changing: Changing = { least: severityOf(level), common: () => NOTHING, listener: undefined };
  const logger = pino(
    {
      level: 'debug',
      base: everywhere,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: LEVEL_NAME[label] ?? label }) },
      serializers: { err: (error: unknown) => describeError(error) },
      messageKey: 'message',
      // pino adds the line's own to it
      mixin: () => ({ ...changing.common() }),
      hooks: {
        streamWrite: maskLine,
        logMethod(line, write, severity) {
          if (severity >= changing.least) write.apply(this, line);
          if (severity < ERROR || changing.listener === undefined) return;
          const [object, message] = line as [unknown, unknown];
          if (typeof object !== 'object' || object === null) return;
          const told = { ...this.bindings(), ...changing.common(), ...object };
          const words = typeof message === 'string' ? message : '';
          changing.listener.tell(told, words, severity > ERROR ? 'fatal' : 'error');
        },
      },
    },
    stream,
  );
  CHANGING.set(logger, changing);
  return logger;
}

/** From now on, for a logger of {@link buildLogger} and everything that was or will be derived from it. */
export function changeLogLevel(logger: Logger, level: LogLevel): void {
  changingOf(logger).least = severityOf(level);
}

/** From now on each line of it, and of everything derived from it, says what is said here at that moment as well. */
export function addToLines(logger: Logger, common: () => object): void {
  changingOf(logger).common = common;
}

/** From now on somebody hears of the errors of it, and of everything derived from it. */
export function tellErrors(logger: Logger, listener: ErrorListener): void {
  changingOf(logger).listener = listener;
}

function changingOf(logger: Logger): Changing {
  const changing = CHANGING.get(logger);
  if (changing === undefined) throw new Error('this logger was derived from another');
  return changing;
}

function severityOf(level: LogLevel): number {
  return pino.levels.values[PINO_LEVEL[level]] ?? 0;
}

const JSON_ESCAPE = /(\\u[0-9a-f]{4}|\\.)/i;

/** Masks what stands between the escapes of a JSON line; half an escape would make the line unreadable. */
function maskLine(line: string): string {
  if (!line.includes('@')) return line;
  return line
    .split(JSON_ESCAPE)
    .map((part, index) => (index % 2 === 0 ? maskEmails(part) : part))
    .join('');
}

/** Resolves when everything that was logged and told has left: before that, the end of the process would swallow it. */
export async function flushed(logger: Logger): Promise<void> {
  await changingOf(logger).listener?.flush();
  await new Promise<void>((resolve) => {
    logger.flush(() => {
      resolve();
    });
  });
}

async function readableStream(): Promise<DestinationStream> {
  try {
    const { default: pretty } = await import('pino-pretty');
    return pretty({
      sync: true,
      colorize: process.stdout.isTTY,
      messageKey: 'message',
      ignore: 'request_id',
      customPrettifiers: {
        // the two names that it does not know
        level: (level, _key, _log, { labelColorized, colors }) => {
          if (level === LEVEL_NAME['warn']) return colors.yellow(level);
          return level === LEVEL_NAME['fatal'] ? colors.bgRed(level) : labelColorized;
        },
      },
      translateTime: 'SYS:HH:MM:ss.l',
    });
  } catch {
    return destination({ sync: true });
  }
}

/** Errors of a chain of causes that are told; a chain may lead back to its beginning. */
export const MOST_CAUSES = 5;

export interface DescribedError {
  readonly type?: string;
  readonly message: string;
  readonly code?: string | number;
  readonly constraint?: string;
  readonly stack?: string;
  readonly cause?: DescribedError;
}

/** What a log line tells of an error: type, message, stack, code and the chain of causes. Nothing else is copied. */
export function describeError(error: unknown, depth = 0): DescribedError {
  if (!(error instanceof Error)) return { message: maskEmails(String(error)) };
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return {
    type: error.constructor.name,
    message: maskEmails(error.message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(typeof constraint === 'string' ? { constraint } : {}),
    stack: maskEmails(error.stack ?? ''),
    ...(error.cause === undefined || depth >= MOST_CAUSES ? {} : { cause: describeError(error.cause, depth + 1) }),
  };
}

/** Nest's own messages through the process's logger. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, context?: unknown): void {
    this.logger.debug({ logger: context }, String(message));
  }

  warn(message: unknown, context?: unknown): void {
    this.logger.warn({ logger: context }, String(message));
  }

  /** Nest calls it with a stack as text, or with the error itself, and its own context last. */
  error(message: unknown, ...rest: unknown[]): void {
    const context = rest.at(-1);
    const stack = rest.length > 1 ? rest[0] : undefined;
    this.logger.error({ logger: context, err: message instanceof Error ? message : undefined, stack }, String(message));
  }

  fatal(message: unknown, context?: unknown): void {
    this.logger.fatal({ logger: context }, String(message));
  }

  debug(message: unknown, context?: unknown): void {
    this.logger.debug({ logger: context }, String(message));
  }

  verbose(message: unknown, context?: unknown): void {
    this.logger.trace({ logger: context }, String(message));
  }
}
