import { type DynamicModule, Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import type { Logger } from 'pino';
import { ApplicationSecret } from './application-secret.js';
import { Clock } from './clock.js';
import { Cursors } from './cursors.js';
import { ErrorFilter } from './error.filter.js';
import { Lifecycle } from './lifecycle.js';
import { LOGGER } from './logging.js';
import { Metrics } from './metrics.js';
import { RequestValidationPipe } from './request-validation.pipe.js';
import { SealedValues } from './sealed-values.js';
import { NO_TRACING, Tracing } from './tracing.js';

/**
 * What every request goes through and every module may use: the error envelope, validation, limits of bodies, clock,
 * logger, and the secret that others follow from. Owns no table and knows nothing of the product.
 */
@Global()
@Module({})
export class CommonModule {
  static with(logger: Logger, tracing: Tracing = NO_TRACING): DynamicModule {
    return {
      module: CommonModule,
      providers: [
        ApplicationSecret,
        Clock,
        Cursors,
        Lifecycle,
        Metrics,
        SealedValues,
        { provide: LOGGER, useValue: logger },
        { provide: Tracing, useValue: tracing },
        ErrorFilter,
        { provide: APP_FILTER, useExisting: ErrorFilter },
        { provide: APP_PIPE, useClass: RequestValidationPipe },
      ],
      exports: [ApplicationSecret, Clock, Cursors, Lifecycle, LOGGER, Metrics, ErrorFilter, SealedValues, Tracing],
    };
  }
}
