import { Injectable, SetMetadata, ValidationPipe } from '@nestjs/common';
import type { ValidationError, ValidatorOptions } from 'class-validator';
import { type FieldErrors, UnprocessableFields } from './errors.js';

const IGNORES_OTHERS = Symbol('ignores other fields');

/** For public forms, where pages and browsers add fields of their own: what is not asked for is dropped, not refused. */
export const IgnoresOtherFields = (): ClassDecorator => SetMetadata(IGNORES_OTHERS, true);

/**
 * Checks each request class as a whole: all defects are reported at once, by field, and a field that is not asked for is
 * refused. A route documented with 400 turns the 422 into it (see {@link InvalidIs400}).
 */
@Injectable()
export class RequestValidationPipe extends ValidationPipe {
  constructor() {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
      exceptionFactory: (errors) => new UnprocessableFields({ fieldErrors: toFieldErrors(errors) }),
    });
  }

  protected override validate(
    request: object,
    options?: ValidatorOptions,
  ): Promise<ValidationError[]> | ValidationError[] {
    const ignores = Reflect.getMetadata(IGNORES_OTHERS, request.constructor) === true;
    return super.validate(request, ignores ? { ...options, forbidNonWhitelisted: false } : options);
  }
}

function toFieldErrors(errors: readonly ValidationError[]): FieldErrors {
  return Object.fromEntries(
    errors.map(({ property, constraints = {} }) => [
      property,
      'whitelistValidation' in constraints ? ['This field is not expected'] : Object.values(constraints),
    ]),
  );
}
