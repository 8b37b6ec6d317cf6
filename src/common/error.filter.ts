import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { Clock } from './clock.js';
import {
  AppError,
  BodyTooLarge,
  type FieldErrors,
  InternalError,
  MalformedRequest,
  MethodNotAllowed,
  RouteNotFound,
  ServiceUnavailable,
  UnsupportedMediaType,
} from './errors.js';
import { isDatabaseAway } from './database-away.js';
import { LOGGER } from './logging.js';

/** The body of every answer that is an error. */
export interface ErrorEnvelope {
  readonly detail: string;
  readonly error_code: string;
  readonly timestamp: string;
  readonly request_id: string;
  readonly field_errors?: FieldErrors;
}

export function toEnvelope(error: AppError, requestId: string, now: Date): ErrorEnvelope {
  return {
    detail: error.detail,
    error_code: error.code,
    timestamp: now.toISOString(),
    request_id: requestId,
    ...(error.fieldErrors === undefined ? {} : { field_errors: error.fieldErrors }),
  };
}

/** What is away is looked for all the time; whoever knows better says so themselves. */
const COME_BACK = { 'Retry-After': '5' };

/**
 * Turns whatever was thrown into the one envelope. What Forecourt did not foresee becomes a fixed sentence; the log
 * has the rest, under the same request id.
 */
@Catch()
@Injectable()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger: Logger;

  constructor(
    @Inject(LOGGER) logger: Logger,
    private readonly clock: Clock,
  ) {
    this.logger = logger.child({ logger: 'errors' });
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const error = this.toAppError(thrown, request);
    const requestId = request.id ?? '';
    if (request.destroyed && !request.complete) {
      this.logger.debug({ request_id: requestId }, 'the client went away in the middle of its request');
      response.destroy();
      return;
    }
    if (error.status >= 500) {
      const line = { request_id: requestId, error_code: error.code, err: error.cause ?? thrown };
      this.logger.error(line, `answered ${error.status}: ${error.code}`);
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const headers = error.status === 503 ? { ...COME_BACK, ...error.headers } : error.headers;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.status(error.status).json(toEnvelope(error, requestId, this.clock.now()));
  }

  private toAppError(thrown: unknown, request: Request): AppError {
    if (thrown instanceof AppError) return thrown;
    if (isDatabaseAway(thrown)) return new ServiceUnavailable({ cause: thrown });
    const status = statusOf(thrown);
    if (status === 404) return unmatched(request);
    if (status === 413) return new BodyTooLarge();
    if (status === 415) return new UnsupportedMediaType();
    if (status !== undefined && status >= 400 && status < 500) return new MalformedRequest();
    return new InternalError({ cause: thrown });
  }
}

/** The status that Nest or an Express middleware (http-errors) chose. */
function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  if (thrown instanceof URIError) return 400;
  const status = (thrown as { statusCode?: unknown } | null)?.statusCode;
  return thrown instanceof Error && typeof status === 'number' ? status : undefined;
}

interface Layer {
  readonly route?: { readonly methods?: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

/** No route answered: 405 with Allow when the address exists for other methods, else 404. */
function unmatched(request: Request): AppError {
  const { stack } = (request.app as unknown as { router: { stack: readonly Layer[] } }).router;
  const methods = new Set<string>();
  for (const layer of stack) {
    if (layer.route?.methods === undefined || !layer.match(request.path)) continue;
    for (const method of Object.keys(layer.route.methods)) methods.add(method.toUpperCase());
  }
  if (methods.size === 0 || methods.has('_ALL')) return new RouteNotFound();
  if (methods.has('GET')) methods.add('HEAD');
  return new MethodNotAllowed({ headers: { Allow: [...methods].sort().join(', ') } });
}
