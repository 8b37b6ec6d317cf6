import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { checkedField, type FieldOptions } from './fields.js';

/** RFC 3339 with seconds and an offset. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i;

/** A moment of a query string, such as 2026-01-31T10:30:00Z. */
export function TimeField(options: FieldOptions = {}): PropertyDecorator {
  const read = (value: unknown): unknown => {
    if (typeof value !== 'string' || !INSTANT.test(value)) return value;
    const time = new Date(value);
    return Number.isNaN(time.getTime()) ? value : time;
  };
  const check = (value: unknown): string | undefined =>
    value instanceof Date ? undefined : 'Must be a time with its offset, such as 2026-01-31T10:30:00Z';
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => read(value)),
    checkedField('time', check, options, { type: String, format: 'date-time' }),
  );
}
