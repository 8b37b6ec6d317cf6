import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiConsumes } from '@nestjs/swagger';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { catchError, type Observable } from 'rxjs';
import { CONFIG, type Config } from '../config/config.js';
import { BodyTooLarge, InvalidFields, MalformedRequest, UnprocessableFields, UnsupportedMediaType } from './errors.js';

const ACCEPTS = Symbol('accepts');
const INVALID_IS_400 = Symbol('invalid is 400');

type BodyKind = 'json' | 'form' | 'multipart';

const MEDIA_TYPES: Readonly<Record<BodyKind, string>> = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  multipart: 'multipart/form-data',
};

/** The codings that a body may be packed in (RFC 9110, 8.4); without any it may always come. */
const CODINGS: Readonly<Record<BodyKind, string>> = {
  json: 'gzip, deflate, br',
  form: 'gzip, deflate, br',
  // a form holds documents, which are packed already
  multipart: 'identity',
};

/** This route answers invalid fields with 400, as its contract says; all others answer 422. */
export const InvalidIs400 = (): MethodDecorator => SetMetadata(INVALID_IS_400, true);

/**
 * Reads the body of a request after its sender was let in, so that a stranger cannot make the server parse anything,
 * and within the limits of size, depth and array length.
 */
@Injectable()
export class RequestBodyInterceptor implements NestInterceptor {
  private readonly parsers: Readonly<Record<'json' | 'form', RequestHandler>>;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reflector: Reflector,
  ) {
    const limit = config.http.maxJsonBytes;
    this.parsers = {
      json: express.json({ limit, type: MEDIA_TYPES.json }),
      form: express.urlencoded({ limit, type: MEDIA_TYPES.form, extended: false, parameterLimit: 20 }),
    };
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<Request>();
    const handler = context.getHandler();
    const invalidIs400 = this.reflector.get<boolean | undefined>(INVALID_IS_400, handler) === true;
    const kinds = this.reflector.get<BodyKind[] | undefined>(ACCEPTS, handler) ?? [];
    try {
      await this.read(request, context.switchToHttp().getResponse<Response>(), kinds);
    } catch (error) {
      throw invalidIs400 ? as400(error) : error;
    }
    if (!invalidIs400) return next.handle();
    return next.handle().pipe(
      catchError((error: unknown) => {
        throw as400(error);
      }),
    );
  }

  private async read(request: Request, response: Response, kinds: readonly BodyKind[]): Promise<void> {
    if (!hasBody(request)) {
      request.body = {};
      return;
    }
    const kind = kinds.find((each) => request.is(MEDIA_TYPES[each]) !== false);
    if (kind === undefined)
      throw new UnsupportedMediaType({
        detail: `Send the body as ${kinds.map((each) => MEDIA_TYPES[each]).join(' or ')}`,
      });
    if (kind === 'multipart') {
      if (isPacked(request)) throw unknownCoding(kind);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      this.parsers[kind](request, response, (error?: unknown) => {
        if (error === undefined || error === null) resolve();
        else reject(toRefusal(error as Error, kind));
      });
    });
    this.checkShape(request.body);
  }

  private checkShape(body: unknown): void {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new UnprocessableFields({ detail: 'The body must be a JSON object' });
    }
    const { maxJsonDepth, maxArrayLength } = this.config.http;
    const level = [body];
    for (let depth = 1, current = level; current.length > 0; depth += 1) {
      if (depth > maxJsonDepth)
        throw new UnprocessableFields({ detail: `The body is nested deeper than ${maxJsonDepth} levels` });
      const below: object[] = [];
      for (const value of current) {
        if (Array.isArray(value) && value.length > maxArrayLength) {
          throw new UnprocessableFields({ detail: `An array of the body has more than ${maxArrayLength} items` });
        }
        for (const child of Object.values(value) as unknown[])
          if (typeof child === 'object' && child !== null) below.push(child);
      }
      current = below;
    }
  }
}

/** Whether a request announces a body. */
export function hasBody(request: Request): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

function isPacked(request: Request): boolean {
  const codings = (request.headers['content-encoding'] ?? '').toLowerCase().split(',');
  return codings.some((each) => !['', 'identity'].includes(each.trim()));
}

/** The header says what would have been taken: RFC 9110, 15.5.16. */
function unknownCoding(kind: BodyKind): UnsupportedMediaType {
  const detail =
    kind === 'multipart' ? 'Send the form without packing it' : `Pack the body as ${CODINGS[kind]} or not at all`;
  return new UnsupportedMediaType({ detail, headers: { 'Accept-Encoding': CODINGS[kind] } });
}

/** What body-parser threw, in our words. https://expressjs.com/en/resources/middleware/body-parser.html#errors */
function toRefusal(error: Error, kind: BodyKind): Error {
  const { type, status } = error as { type?: string; status?: number };
  if (type === 'entity.too.large') return new BodyTooLarge();
  if (type === 'encoding.unsupported') return unknownCoding(kind);
  if (type === 'charset.unsupported') return new UnsupportedMediaType();
  if (type === 'entity.parse.failed') return new UnprocessableFields({ detail: 'The body is not valid JSON' });
  if (status !== undefined && status < 500) return new MalformedRequest();
  return error;
}

function as400(error: unknown): unknown {
  if (!(error instanceof UnprocessableFields)) return error;
  const { detail, fieldErrors } = error;
  return new InvalidFields({ detail, ...(fieldErrors === undefined ? {} : { fieldErrors }) });
}

/**
 * Which kinds of body a route reads; a route without it reads none. Multipart bodies are left to the upload interceptor, which
 * stands above this decorator. Not for all routes at once: an interceptor costs a tenth of a small read even where it has
 * nothing to do.
 */
export const Accepts = (...kinds: BodyKind[]): MethodDecorator =>
  applyDecorators(
    SetMetadata(ACCEPTS, kinds),
    UseInterceptors(RequestBodyInterceptor),
    ApiConsumes(...kinds.map((kind) => MEDIA_TYPES[kind])),
  );
