import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, ApiPropertyOptional, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import type { FieldErrors, Refusal } from './errors.js';

/** The error envelope as the API document shows it. */
export class ErrorResponse {
  @ApiProperty({ description: 'A sentence for a person', example: 'A lead with this email already exists' })
  detail!: string;

  @ApiProperty({ description: 'A stable code for a program', example: 'LEAD_EMAIL_DUPLICATE' })
  error_code!: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-31T10:30:00.000Z' })
  timestamp!: string;

  @ApiProperty({ format: 'uuid', description: 'The same as in the X-Request-ID header and in the server log' })
  request_id!: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    example: { email: ['Email already exists'] },
    description: 'Messages by the name of the request field',
  })
  field_errors?: FieldErrors;
}

const DOCUMENTED = Symbol('documented refusals');

/** The refusals that a route declares; the contract test compares them with what is documented. */
export function refusalsOf(handler: object): readonly Refusal[] {
  return (Reflect.getMetadata(DOCUMENTED, handler) as Refusal[] | undefined) ?? [];
}

/** Documents the refusals of a route: one response per status, one example per code. */
export function ApiErrors(...refusals: Refusal[]): MethodDecorator {
  const byStatus = new Map<number, Refusal[]>();
  for (const each of refusals) byStatus.set(each.status, [...(byStatus.get(each.status) ?? []), each]);
  return applyDecorators(
    ApiExtraModels(ErrorResponse),
    declare(refusals),
    ...[...byStatus].map(([status, each]) =>
      ApiResponse({
        status,
        description: each.map(({ code }) => code).join(', '),
        content: {
          'application/json': {
            schema: { $ref: getSchemaPath(ErrorResponse) },
            examples: Object.fromEntries(each.map((one) => [one.code, { value: exampleOf(one) }])),
          },
        },
      }),
    ),
  );
}

function declare(refusals: readonly Refusal[]): MethodDecorator {
  return (_target, _key, descriptor) => {
    const handler = descriptor.value as object;
    Reflect.defineMetadata(DOCUMENTED, [...refusalsOf(handler), ...refusals], handler);
  };
}

function exampleOf(refusal: Refusal): Record<string, unknown> {
  return {
    detail: refusal.detail,
    error_code: refusal.code,
    timestamp: '2026-01-31T10:30:00.000Z',
    request_id: '3f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b',
  };
}
