import {
  ApiExtraModels,
  ApiProperty,
  ApiPropertyOptional,
  ApiResponse,
  type ApiResponseSchemaHost,
  getSchemaPath,
} from '@nestjs/swagger';
import { type ErrorEnvelope, toEnvelope } from './error.filter.js';
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

/** Documents the refusals of a route: one response per status, one example per code. Several of these add up. */
export function ApiErrors(...refusals: Refusal[]): MethodDecorator {
  return (target, key, descriptor) => {
    const handler = descriptor.value as object;
    const known = refusalsOf(handler);
    const fresh = refusals.filter((each) => !known.includes(each));
    const all = [...known, ...fresh].sort((one, other) => one.status - other.status);
    Reflect.defineMetadata(DOCUMENTED, all, handler);
    ApiExtraModels(ErrorResponse)(target, key, descriptor);
    for (const status of new Set(fresh.map((each) => each.status))) {
      const sharing = all.filter((each) => each.status === status);
      const added = fresh.filter((each) => each.status === status);
      // swagger adds each description to those before, and lets the content replace the content before
      const description = added.map(({ code }) => code).join(', ');
      ApiResponse({ status, description, content: contentOf(sharing) })(target, key, descriptor);
    }
  };
}

function contentOf(refusals: readonly Refusal[]): NonNullable<ApiResponseSchemaHost['content']> {
  return {
    'application/json': {
      schema: { $ref: getSchemaPath(ErrorResponse) },
      examples: Object.fromEntries(refusals.map((each) => [each.code, { value: exampleOf(each) }])),
    },
  };
}

const EXAMPLE_TIME = new Date(Date.UTC(2026, 0, 31, 10, 30));
const EXAMPLE_ID = '3f0d9f5e-6c1b-4b52-9a54-0f7a3c1d2e4b';

function exampleOf(refusal: Refusal): ErrorEnvelope {
  const envelope = toEnvelope(new refusal(), EXAMPLE_ID, EXAMPLE_TIME);
  if (refusal.code !== 'VALIDATION_ERROR') return envelope;
  return { ...envelope, field_errors: { name_of_the_field: ['This field is required'] } };
}
