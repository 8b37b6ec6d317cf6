import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Request } from 'express';
import { mergeMap, type Observable } from 'rxjs';
import { Database } from './database.js';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whoever has changed something sees it in whatever they read next, wherever that is read. */
@Injectable()
export class WriteMarksInterceptor implements NestInterceptor {
  constructor(private readonly database: Database) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { actor, method } = context.switchToHttp().getRequest<Request>();
    const { replicas } = this.database;
    if (replicas === undefined || actor?.kind !== 'user' || READS.has(method)) return next.handle();
    return next.handle().pipe(
      mergeMap(async (answer: unknown) => {
        await replicas.noteWrite(actor.id);
        return answer;
      }),
    );
  }
}
