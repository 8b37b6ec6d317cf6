import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';

/**
 * One line per request when it is over: id, method, route template (never the address itself, which may hold a
 * secret), status and duration in milliseconds. `aborted` marks a client that went away before its answer.
 */
export function requestLog(root: Logger): RequestHandler {
  const logger = root.child({ logger: 'http' });
  return (request: Request, response: Response, next: NextFunction) => {
    const started = performance.now();
    response.once('close', () => {
      const route = (request.route as { path?: string } | undefined)?.path;
      const { actor } = request;
      const line = {
        request_id: request.id,
        ...(request.traceId === undefined ? {} : { trace_id: request.traceId }),
        method: request.method,
        route: route ?? 'unmatched',
        status: response.statusCode,
        duration_ms: Math.round((performance.now() - started) * 10) / 10,
        ...(actor?.kind === 'user' ? { user_id: actor.id, api_key_id: actor.apiKeyId } : {}),
        ...(response.writableFinished ? {} : { aborted: true }),
      };
      logger.info(line, `${request.method} ${line.route} ${line.status}`);
    });
    next();
  };
}
