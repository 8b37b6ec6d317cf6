import { randomUUID } from 'node:crypto';
import { Clock } from './clock.js';
import { toEnvelope } from './error.filter.js';
import type { AppError } from './errors.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** A refusal where the application does not answer itself: the envelope and every header of the answer, which is the last. */
export function rawRefusal(refused: AppError): {
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
} {
  const id = randomUUID();
  const body = JSON.stringify(toEnvelope(refused, id, new Clock().now()));
  return {
    body,
    headers: [
      ...SECURITY_HEADERS,
      ...Object.entries(refused.headers),
      ['X-Request-ID', id],
      ['Content-Type', 'application/json; charset=utf-8'],
      ['Content-Length', String(Buffer.byteLength(body))],
      ['Connection', 'close'],
    ],
  };
}
