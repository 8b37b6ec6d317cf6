import { Param, type PipeTransform } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { UnprocessableFields } from './errors.js';

/** A positive 63-bit number in the path, as text because JavaScript's numbers end earlier; anything else is 422. */
export function NumberParam(name: string): ParameterDecorator {
  const pipe: PipeTransform<string, string> = {
    transform(value) {
      if (!/^[1-9]\d{0,17}$/.test(value))
        throw new UnprocessableFields({ fieldErrors: { [name]: ['Must be a positive whole number'] } });
      return value;
    },
  };
  return (target, key, index) => {
    Param(name, pipe)(target, key, index);
    if (key === undefined) return;
    const descriptor = Object.getOwnPropertyDescriptor(target, key);
    if (descriptor !== undefined)
      ApiParam({ name, schema: { type: 'integer', format: 'int64', minimum: 1 } })(target, key, descriptor);
  };
}
