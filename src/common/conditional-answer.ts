import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import type { Response } from 'express';
import { createHash } from 'node:crypto';
import { map, type Observable } from 'rxjs';

/** Enough that no two answers share it: 132 bits. */
const TAG_CHARACTERS = 22;

/** Names the answer by what it says. Express compares it with If-None-Match, and says 304 without a body when it is the same. */
@Injectable()
class NamesItsAnswer implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const response = context.switchToHttp().getResponse<Response>();
    return next.handle().pipe(
      map((answer: unknown) => {
        const body = JSON.stringify(answer);
        const hash = createHash('sha256').update(body).digest('base64url');
        // weak: the bytes on the wire may be compressed
        response.setHeader('ETag', `W/"${hash.slice(0, TAG_CHARACTERS)}"`);
        // as text, which is not written out a second time
        response.type('json');
        return body;
      }),
    );
  }
}

/**
 * For routes whose answer stays the same as long as nothing happens: it has an ETag (RFC 9110, 8.8.3), so that who asks again
 * with If-None-Match only hears that nothing is new. It is found anew each time, after the same checks; what it saves is the way.
 */
export function Conditional(): MethodDecorator {
  return applyDecorators(
    UseInterceptors(NamesItsAnswer),
    ApiResponse({ status: 304, description: 'Nothing is new since the ETag in If-None-Match' }),
  );
}
