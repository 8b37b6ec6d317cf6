import { checkedField, type FieldOptions, LineField } from '../../common/fields.js';

/** Longer than any password or token that could be right. */
const MOST_SECRET_BYTES = 1024;

/** Text that is taken as it is: neither trimmed nor normalised. */
export function SecretField(
  options: FieldOptions = {},
  documentation: { readonly minLength: number; readonly format?: string } = { minLength: 1, format: 'password' },
): PropertyDecorator {
  return checkedField(
    'secret',
    (value) => {
      if (value === undefined || value === null || value === '') return 'This field is required';
      if (typeof value !== 'string') return 'Must be a text';
      if (Buffer.byteLength(value) > MOST_SECRET_BYTES) return `Must have at most ${MOST_SECRET_BYTES} bytes`;
      return undefined;
    },
    options,
    { type: String, ...documentation },
  );
}

/** A password to be; the password policy says the rest. */
export function NewPasswordField(options: FieldOptions = {}): PropertyDecorator {
  return SecretField(
    {
      description:
        'At least 8 characters (or PASSWORD_MIN_LENGTH), at most 72 bytes; none that is common or made of your own name',
      example: 'correct horse 42',
      ...options,
    },
    { minLength: 8, format: 'password' },
  );
}

const USERNAME = /^[A-Za-z0-9._-]+$/;

export function isUsername(text: string): boolean {
  return text.length >= 3 && text.length <= 50 && USERNAME.test(text);
}

export function UsernameField(options: FieldOptions = {}): PropertyDecorator {
  return LineField({
    min: 3,
    max: 50,
    pattern: { regex: USERNAME, says: 'May have letters, digits, dots, dashes and underscores' },
    example: 'ada',
    ...options,
  });
}
