import { type ArgumentsHost, Catch, type ExceptionFilter, Inject, Injectable, mixin, type Type } from '@nestjs/common';
import type { Request } from 'express';
import type { Logger } from 'pino';
import { ErrorFilter } from '../common/error.filter.js';
import { AppError, TooManyRequests } from '../common/errors.js';
import { LOGGER } from '../common/logging.js';
import { isUuid } from '../common/uuid.js';
import { AuditService } from './audit.service.js';

/**
 * Puts on record that a route refused somebody, guards included, before the answer leaves. What was one request too many is
 * not recorded: it would let a stranger fill the table.
 */
export function RecordsRefusals(action: string, targetKind: string, idParam: string): Type<ExceptionFilter> {
  @Catch()
  @Injectable()
  class Filter implements ExceptionFilter {
    constructor(
      private readonly audit: AuditService,
      private readonly errors: ErrorFilter,
      @Inject(LOGGER) private readonly logger: Logger,
    ) {}

    catch(thrown: unknown, host: ArgumentsHost): void {
      const request = host.switchToHttp().getRequest<Request>();
      void this.record(thrown, request).finally(() => {
        this.errors.catch(thrown, host);
      });
    }

    private async record(thrown: unknown, request: Request): Promise<void> {
      const { actor } = request;
      if (actor === undefined || thrown instanceof TooManyRequests) return;
      const id = String(request.params[idParam]);
      try {
        await this.audit.recordAlone(actor, {
          action,
          targetKind,
          targetId: isUuid(id) ? id : null,
          outcome: 'refused',
          details: { error_code: thrown instanceof AppError ? thrown.code : 'INTERNAL_ERROR' },
        });
      } catch (error) {
        this.logger.error(
          { logger: 'audit', request_id: request.id, action, err: error },
          'a refusal was not recorded',
        );
      }
    }
  }
  return mixin(Filter);
}
