import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';

export type Reading = { readonly value: unknown } | { readonly says: unknown };

/** What becomes of a request class with one field: the value read, or the one sentence about it. */
export function readField(Class: new () => object, field: string, body: object): Reading {
  const instance = plainToInstance(Class, body);
  const [error, ...others] = validateSync(instance);
  if (error === undefined) return { value: (instance as Record<string, unknown>)[field] };
  expect([others.length, error.property, Object.keys(error.constraints ?? {}).length]).toEqual([0, field, 1]);
  return { says: Object.values(error.constraints ?? {})[0] };
}
