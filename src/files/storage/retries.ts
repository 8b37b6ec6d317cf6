import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

const ATTEMPTS = 4;
const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 5000;

/** Failures of the connection that say nothing about the request. */
const CONNECTION_ERRORS = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

export function isConnectionError(error: unknown): boolean {
  const { code, name } = error as NodeJS.ErrnoException;
  // HPE: what came back was no HTTP, as from a server that breaks off
  return name === 'TimeoutError' || (code !== undefined && (CONNECTION_ERRORS.has(code) || code.startsWith('HPE_')));
}

/** Whether the same request may be answered otherwise a little later: an overload, a lock, a server that is being restarted. */
export function isPassingStatus(status: number): boolean {
  return [408, 423, 429, 500, 502, 503, 504].includes(status);
}

/**
 * Does the work, at most four times, as long as it fails in a way that may pass. The waits double and vary, so that many who
 * failed together do not come back together (AWS Architecture Blog, "Exponential Backoff And Jitter").
 */
export async function withRetries<T>(
  what: string,
  log: Logger,
  mayPass: (error: unknown) => boolean,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !mayPass(error)) throw error;
      const longestMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
      const delayMs = Math.round(longestMs * (0.5 + Math.random() / 2));
      log.warn({ reason: reasonOf(error), attempt, delayMs }, `${what} failed and is tried again`);
      await sleep(delayMs);
    }
  }
}

/** What may be logged of a failure: the errors of the S3 client carry signatures and keys in their fields. */
export function reasonOf(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException;
  return code ?? (name === 'Error' ? message : name);
}
