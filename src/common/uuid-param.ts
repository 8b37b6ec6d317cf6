import { Param, type PipeTransform } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { UnprocessableFields } from './errors.js';
import { isUuid } from './uuid.js';

/** A UUID in the path, in lower case; anything else is 422 under the parameter's name. */
export function UuidParam(name: string): ParameterDecorator {
  const pipe: PipeTransform<string, string> = {
    transform(value) {
      if (!isUuid(value)) throw new UnprocessableFields({ fieldErrors: { [name]: ['Must be a UUID'] } });
      return value.toLowerCase();
    },
  };
  return (target, key, index) => {
    Param(name, pipe)(target, key, index);
    if (key === undefined) return;
    const descriptor = Object.getOwnPropertyDescriptor(target, key);
    if (descriptor !== undefined)
      ApiParam({ name, schema: { type: 'string', format: 'uuid' } })(target, key, descriptor);
  };
}
