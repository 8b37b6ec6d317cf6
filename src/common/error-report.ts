import { join, sep } from 'node:path';
import { PROJECT_ROOT } from '../config/project-root.js';
import { isDatabaseAway } from './database-away.js';
import { type DescribedError, describeError, MOST_CAUSES } from './logging.js';
import { maskEmails } from './privacy.js';

/** One error of a chain, as it may leave this machine. */
export interface ReportedError {
  readonly type: string;
  readonly message: string;
  /** As V8 writes it, with paths from the folder of the program on. */
  readonly stack: string;
}

/** What a tracker of errors is told: where something went wrong and of what kind, and nothing that somebody sent. */
export interface ErrorReport {
  readonly level: 'error' | 'fatal';
  readonly message: string;
  /** The error itself, and what caused it. */
  readonly errors: readonly ReportedError[];
  /** Names and ids to find the line of the log by. */
  readonly tags: Readonly<Record<string, string>>;
}

const TAGS = ['logger', 'request_id', 'trace_id', 'error_code', 'job', 'job_id', 'message_id'];
/** What an error is called that Forecourt answers on purpose, such as that the database is away: operators have alerts for these. */
const UNFORESEEN = 'INTERNAL_ERROR';

/** Of a line of the log; undefined when it tells of no error, or of one that was foreseen. */
export function reportOf(
  line: Readonly<Record<string, unknown>>,
  message: string,
  level: ErrorReport['level'],
): ErrorReport | undefined {
  const { err, error_code: code } = line;
  if (!(err instanceof Error) || (code !== undefined && code !== UNFORESEEN)) return undefined;
  // alerts tell operators of that, in its own words; but of a start that failed by it nobody else does
  if (level === 'error' && isCausedByDatabaseAway(err)) return undefined;
  const tags = TAGS.flatMap((name) => {
    const value = line[name];
    return typeof value === 'string' || typeof value === 'number' ? [[name, String(value)] as const] : [];
  });
  return {
    level,
    message: withoutValues(message),
    errors: chainOf(describeError(err)),
    tags: Object.fromEntries(tags),
  };
}

function isCausedByDatabaseAway(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error)) return false;
  return isDatabaseAway(error) || (depth < MOST_CAUSES && isCausedByDatabaseAway(error.cause, depth + 1));
}

function chainOf({ type = 'Error', message, stack = '', cause }: DescribedError): ReportedError[] {
  const told = { type, message: withoutValues(message), stack: framesOf(stack) };
  return cause === undefined ? [told] : [told, ...chainOf(cause)];
}

/** The lines below the message, which may go over several itself. */
function framesOf(stack: string): string {
  const frames = stack.split('\n').filter((line) => /^ {4}at /.test(line));
  return ['Error', ...frames].join('\n').replaceAll(join(PROJECT_ROOT, sep), '');
}

/** What is quoted, e-mail addresses, long numbers and whatever looks like a token may be somebody's. */
export function withoutValues(text: string): string {
  return maskEmails(text)
    .replace(/"[^"]*"|“[^”]*”|`[^`]*`|(?<!\w)'[^']*'(?!\w)/g, '"…"')
    .replace(/[\w+/=~-]{24,}/g, '…')
    .replace(/\+?\d[\d ()/-]{4,}\d/g, '…');
}
