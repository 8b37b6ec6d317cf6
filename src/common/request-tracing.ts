import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { METHODS, routeOf } from './request-metrics.js';
import type { Tracing } from './tracing.js';

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Express publishes this namespace for additions to its request
  namespace Express {
    interface Request {
      /** There is one while tracing is on. */
      traceId?: string;
    }
  }
}

/** Asked every few seconds by machines. */
const PROBES = /^\/(health\/(live|ready)|metrics)$/;

/**
 * A span for each request, named by method and route template: never the address itself, which may hold a secret. It goes on
 * with the trace that a `traceparent` header names.
 */
export function requestTracing(tracing: Tracing): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    if (PROBES.test(request.path)) {
      next();
      return;
    }
    const method = METHODS.has(request.method) ? request.method : '_OTHER';
    const attributes = { 'http.request.method': method, 'forecourt.request_id': request.id ?? '' };
    const span = tracing.begin(method, { kind: 'server', attributes, from: request.get('traceparent') });
    request.traceId = span.traceId;
    response.once('close', () => {
      const route = routeOf(request);
      span.rename(`${method} ${route}`);
      span.set({ 'http.route': route, 'http.response.status_code': response.statusCode });
      if (!response.writableFinished) span.fail('aborted');
      else if (response.statusCode >= 500) span.fail(String(response.statusCode));
      span.end();
    });
    span.within(next);
  };
}
