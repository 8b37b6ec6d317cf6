import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Metrics } from './metrics.js';

const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
export const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/**
 * Times every request by method, route template and class of status. `aborted` is a client that went away before its answer;
 * whatever a stranger makes up is one method (`other`) and one route (`unmatched`), so that nobody can make series.
 */
export function requestMetrics(metrics: Metrics): RequestHandler {
  const inFlight = metrics.gauge('forecourt_http_requests_in_flight', 'Requests that are not answered yet');
  inFlight.set(0);
  const durations = metrics.histogram(
    'forecourt_http_request_duration_seconds',
    'From the head of a request to the end of its answer',
    BUCKETS_SECONDS,
    { names: ['method', 'route', 'status'] },
  );
  return (request: Request, response: Response, next: NextFunction) => {
    const began = performance.now();
    inFlight.inc();
    response.once('close', () => {
      inFlight.dec();
      durations.observe(
        {
          method: METHODS.has(request.method) ? request.method : 'other',
          route: routeOf(request),
          status: response.writableFinished ? `${Math.floor(response.statusCode / 100)}xx` : 'aborted',
        },
        (performance.now() - began) / 1000,
      );
    });
    next();
  };
}

/** The template of the route that answered, once one did; never the address itself. */
export function routeOf(request: Request): string {
  const route = (request.route as { path?: unknown } | undefined)?.path;
  return typeof route === 'string' ? route : 'unmatched';
}
