import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, type ApiPropertyOptions } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ValidateBy, ValidateIf } from 'class-validator';
import { isUuid } from './uuid.js';
import { canonicalLanguageTag, LONGEST_LANGUAGE_TAG } from '../config/language-tag.js';

/**
 * Field decorators: one line per request field that reads, checks and documents it. Each check yields the one sentence
 * that is wrong with the value, or undefined.
 */
type Check = (value: unknown) => string | undefined;

export interface FieldOptions {
  readonly description?: string;
  readonly example?: unknown;
  readonly optional?: boolean;
  readonly default?: unknown;
}

/** The decorator that a new kind of field is made from. An absent optional field is neither read nor checked. */
export function checkedField(
  name: string,
  check: Check,
  options: FieldOptions,
  documentation: ApiPropertyOptions,
): PropertyDecorator {
  const { optional = false, description, example } = options;
  const described = {
    ...documentation,
    ...(description === undefined ? {} : { description }),
    ...(example === undefined ? {} : { example }),
    ...(options.default === undefined ? {} : { default: options.default }),
  };
  return applyDecorators(
    optional ? ApiPropertyOptional(described) : ApiProperty(described),
    ...(optional ? [ValidateIf((_: unknown, value: unknown) => value !== undefined)] : []),
    ValidateBy({
      name,
      validator: {
        validate: (value) => check(value) === undefined,
        defaultMessage: (args) => check(args?.value) ?? 'is invalid',
      },
    }),
  );
}

/** Control characters, lone surrogates, and the marks that turn the direction of text: none belongs in one line. */
const NOT_IN_A_LINE = /[\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;

const count = (text: string): number => Array.from(text).length;

/** One line of text, trimmed and in Unicode normal form C; lengths count characters (code points). */
export function LineField(
  options: FieldOptions & {
    readonly min: number;
    readonly max: number;
    readonly pattern?: { readonly regex: RegExp; readonly says: string };
  },
): PropertyDecorator {
  const { min, max, pattern } = options;
  const check: Check = (value) => {
    if (value === undefined || value === null) return 'This field is required';
    if (typeof value !== 'string') return 'Must be a text';
    if (count(value) < min || count(value) > max) return `Must have ${min} to ${max} characters`;
    if (NOT_IN_A_LINE.test(value)) return 'Must not contain control characters';
    if (pattern !== undefined && !pattern.regex.test(value)) return pattern.says;
    return undefined;
  };
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim().normalize('NFC') : value)),
    checkedField('line', check, options, { type: String, minLength: min, maxLength: max }),
  );
}

/**
 * The addresses that are accepted: dot-atoms of RFC 5322 without quotes or comments, a host name of at least two labels,
 * at most 64 + 1 + 189 characters (RFC 5321, 4.5.3.1).
 */
const EMAIL =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;

export function isEmail(value: string): boolean {
  return value.length <= 254 && value.indexOf('@') <= 64 && EMAIL.test(value);
}

/** Only A to Z: toLowerCase would also turn signs that merely look like letters, such as the Kelvin sign, into them. */
const lowerAscii = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** An e-mail address, trimmed and in lower case. */
export function EmailField(options: FieldOptions = {}): PropertyDecorator {
  const check: Check = (value) => {
    if (value === undefined || value === null || value === '') return 'This field is required';
    if (typeof value !== 'string' || !isEmail(value)) return 'Must be a valid e-mail address';
    return undefined;
  };
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? lowerAscii(value.trim()) : value)),
    checkedField('email', check, options, { type: String, format: 'email', maxLength: 254 }),
  );
}

/** A language tag (BCP 47) in canonical spelling. A form leaves it out or sends it empty. */
export function LanguageField(options: FieldOptions = {}): PropertyDecorator {
  const read = (value: unknown): unknown => {
    if (typeof value !== 'string') return value;
    return value.trim() === '' ? undefined : (canonicalLanguageTag(value.trim()) ?? value);
  };
  const check: Check = (value) => {
    if (value === undefined || value === null) return 'This field is required';
    if (typeof value === 'string' && canonicalLanguageTag(value) !== undefined) return undefined;
    return 'Must be a language tag such as en or de-AT';
  };
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => read(value)),
    checkedField('language', check, options, { type: String, maxLength: LONGEST_LANGUAGE_TAG }),
  );
}

/** One value of a closed list. */
export function ChoiceField(
  choices: readonly string[],
  options: FieldOptions & { readonly enumName?: string } = {},
): PropertyDecorator {
  const says = `Must be one of: ${choices.join(', ')}`;
  const check: Check = (value) => {
    if (value === undefined) return 'This field is required';
    return typeof value === 'string' && choices.includes(value) ? undefined : says;
  };
  const documentation = {
    enum: [...choices],
    ...(options.enumName === undefined ? {} : { enumName: options.enumName }),
  };
  return checkedField('choice', check, options, documentation);
}

/** A whole number of a query string. */
export function WholeNumberField(
  options: FieldOptions & { readonly min: number; readonly max: number },
): PropertyDecorator {
  const { min, max } = options;
  const check: Check = (value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : `Must be a whole number from ${min} to ${max}`;
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value,
    ),
    checkedField('wholeNumber', check, options, { type: 'integer', minimum: min, maximum: max }),
  );
}

const LONGEST_CURSOR = 2000;
const CURSOR = new RegExp(`^[A-Za-z0-9_-]{1,${LONGEST_CURSOR}}$`);
export const NOT_A_CURSOR = 'Must be the next_cursor of a page of this list, with the same order and filters';
/** Stands for a cursor beside a page number. */
const BESIDE_PAGE = Symbol('a cursor beside a page number');

/** Where a walk through a list goes on; whether it is one of ours shows when it is opened. */
export function CursorField(options: Pick<FieldOptions, 'description'>): PropertyDecorator {
  const check: Check = (value) => {
    if (value === BESIDE_PAGE) return 'Cannot be combined with page';
    return typeof value === 'string' && CURSOR.test(value) ? undefined : NOT_A_CURSOR;
  };
  return applyDecorators(
    Transform(({ value, obj }: { value: unknown; obj: object }) => (Object.hasOwn(obj, 'page') ? BESIDE_PAGE : value)),
    checkedField('cursor', check, { ...options, optional: true }, { type: String, maxLength: LONGEST_CURSOR }),
  );
}

/** True or false in a JSON body. */
export function FlagField(options: FieldOptions = {}): PropertyDecorator {
  const check: Check = (value) => (typeof value === 'boolean' ? undefined : 'Must be true or false');
  return checkedField('flag', check, options, { type: Boolean });
}

/** A box of a form that is ticked (on, true, yes, 1) or not (off, false, no, 0, empty, absent). */
export function TickField(options: FieldOptions = {}): PropertyDecorator {
  const read = (value: unknown): unknown => {
    if (typeof value !== 'string') return value;
    const said = value.trim();
    if (/^(on|true|yes|1)$/i.test(said)) return true;
    return /^(off|false|no|0)?$/i.test(said) ? false : value;
  };
  const check: Check = (value) => (typeof value === 'boolean' ? undefined : 'Must be true or false');
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => read(value)),
    checkedField('tick', check, { optional: true, ...options }, { type: Boolean }),
  );
}

/** A UUID, in lower case. */
export function UuidField(options: FieldOptions = {}): PropertyDecorator {
  const check: Check = (value) => (typeof value === 'string' && isUuid(value) ? undefined : 'Must be a UUID');
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value)),
    checkedField('uuid', check, options, { type: String, format: 'uuid' }),
  );
}

/** A point in time with its zone (RFC 3339), between the years 1970 and 9999; a `Date` once it was read. */
export function TimeField(options: FieldOptions = {}): PropertyDecorator {
  const check: Check = (value) =>
    value instanceof Date ? undefined : 'Must be a time with its zone, such as 2026-01-31T10:30:00Z';
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? (readTime(value) ?? value) : value)),
    checkedField('time', check, options, { type: String, format: 'date-time' }),
  );
}

const RFC_3339 = /^(19[789]\d|[2-9]\d{3})-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/i;

function readTime(text: string): Date | undefined {
  const time = RFC_3339.test(text) ? new Date(text) : undefined;
  return time === undefined || Number.isNaN(time.getTime()) ? undefined : time;
}
