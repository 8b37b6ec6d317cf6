import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Express publishes this namespace for additions to its request
  namespace Express {
    interface Request {
      /** One UUID per request: in the X-Request-ID header, in an error's envelope and in every log line about it. */
      id?: string;
    }
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isRequestId(text: string): boolean {
  return UUID.test(text);
}

/** Gives each request its id. A proxy's X-Request-ID is kept when it is a UUID, so that a stranger cannot write into the log. */
export function requestId(request: Request, response: Response, next: NextFunction): void {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && isRequestId(given) ? given.toLowerCase() : randomUUID();
  request.id = id;
  response.setHeader('X-Request-ID', id);
  next();
}
