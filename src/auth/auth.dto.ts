import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { checkedField, ChoiceField, EmailField, type FieldOptions, FlagField, LineField } from '../common/fields.js';
import type { User } from '../users/users.service.js';
import { MOST_PASSWORD_BYTES } from './password-hasher.js';

/** Text that is taken as it is: neither trimmed nor normalised. */
export function SecretField(
  options: FieldOptions & { readonly min: number; readonly maxBytes: number },
): PropertyDecorator {
  const { min, maxBytes } = options;
  return checkedField(
    'secret',
    (value) => {
      if (value === undefined || value === null || value === '') return 'This field is required';
      if (typeof value !== 'string') return 'Must be a text';
      if (Array.from(value).length < min) return `Must have at least ${min} characters`;
      if (Buffer.byteLength(value) > maxBytes) return `Must have at most ${maxBytes} bytes`;
      return undefined;
    },
    options,
    { type: String, format: 'password', minLength: min },
  );
}

/** Whether a sign-in asks for cookies; a form says so as text. What is neither yes nor no is left as it is. */
export function asksForCookies(value: unknown): unknown {
  return value === 'true' ? true : value === 'false' ? false : value;
}

export class LoginRequest {
  @LineField({ min: 1, max: 255, description: 'User name or e-mail address', example: 'admin' })
  username!: string;

  @SecretField({ min: 1, maxBytes: 1024 })
  password!: string;

  @Transform(({ value }: { value: unknown }) => asksForCookies(value))
  @FlagField({
    optional: true,
    description: 'Keeps the refresh token in an HttpOnly cookie instead of the answer: for pages in a browser',
  })
  cookies?: boolean;

  // What OAuth2 clients send beside (RFC 6749, 4.3.2); none of it matters here.
  @ChoiceField(['password', ''], { optional: true, description: 'As the OAuth2 password flow sends it' })
  grant_type?: string;

  @LineField({ min: 0, max: 255, optional: true })
  scope?: string;

  @LineField({ min: 0, max: 255, optional: true })
  client_id?: string;

  @LineField({ min: 0, max: 255, optional: true })
  client_secret?: string;
}

export class TokenResponse {
  @ApiProperty({ description: 'A JSON Web Token for the header `Authorization: Bearer …`' })
  access_token!: string;

  @ApiProperty({ example: 'bearer' })
  token_type!: 'bearer';

  @ApiProperty({ type: 'integer', example: 86400, description: 'Lifetime in seconds (RFC 6749, 5.1)' })
  expires_in!: number;

  @ApiPropertyOptional({ description: 'Good once, for `POST /auth/refresh`; absent when it is in the cookie' })
  refresh_token?: string;

  @ApiProperty({ type: 'integer', example: 604800, description: 'Lifetime of the refresh token in seconds' })
  refresh_expires_in!: number;
}

export class RegisterRequest {
  @LineField({
    min: 3,
    max: 50,
    pattern: { regex: /^[A-Za-z0-9._-]+$/, says: 'May have letters, digits, dots, dashes and underscores' },
    example: 'ada',
  })
  username!: string;

  @EmailField({ example: 'ada@example.com' })
  email!: string;

  @SecretField({
    min: 8,
    maxBytes: MOST_PASSWORD_BYTES,
    description: 'At least 8 characters, at most 72 bytes',
    example: 'correct horse 42',
  })
  password!: string;
}

export class AccountResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'ada' })
  username!: string;

  @ApiProperty({ format: 'email', example: 'ada@example.com' })
  email!: string;

  @ApiProperty({ example: true })
  is_active!: boolean;
}

export class RegisteredResponse extends AccountResponse {
  @ApiProperty({ format: 'date-time' })
  created_at!: string;
}

export function toAccountResponse({ id, username, email, isActive }: User): AccountResponse {
  return { id, username, email, is_active: isActive };
}

export function toRegisteredResponse(user: User): RegisteredResponse {
  return { ...toAccountResponse(user), created_at: user.createdAt.toISOString() };
}
