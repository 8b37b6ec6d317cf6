import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ChoiceField, EmailField, FlagField, LineField } from '../common/fields.js';
import type { User } from '../users/users.service.js';
import { NewPasswordField, SecretField, UsernameField } from './accounts/account-fields.js';
import { SECOND_FACTORS, type SecondFactor } from './factors/second-factor.js';
import type { SignInChallenge } from './factors/sign-in-challenges.js';
import { OAuth2Extras } from './oauth2-extras.dto.js';

/** Whether a sign-in asks for cookies; a form says so as text. What is neither yes nor no is left as it is. */
export function asksForCookies(value: unknown): unknown {
  return value === 'true' ? true : value === 'false' ? false : value;
}

export class LoginRequest extends OAuth2Extras {
  @LineField({ min: 1, max: 255, description: 'User name or e-mail address', example: 'admin' })
  username!: string;

  @SecretField()
  password!: string;

  @Transform(({ value }: { value: unknown }) => asksForCookies(value))
  @FlagField({
    optional: true,
    description: 'Keeps the refresh token in an HttpOnly cookie instead of the answer: for pages in a browser',
  })
  cookies?: boolean;

  @ChoiceField(['password', ''], { optional: true, description: 'As the OAuth2 password flow sends it' })
  grant_type?: string;
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

/** That the first factor was right and another one is due. */
export class SecondFactorDue {
  @ApiProperty({ description: 'For `POST /auth/login/verify`; opens nothing by itself' })
  challenge_token!: string;

  @ApiProperty({ enum: SECOND_FACTORS, enumName: 'SecondFactor', isArray: true, description: 'What may be shown' })
  methods!: SecondFactor[];

  @ApiProperty({ type: 'integer', example: 300, description: 'Lifetime in seconds' })
  expires_in!: number;
}

export class SecondFactorResponse {
  @ApiProperty()
  second_factor!: SecondFactorDue;
}

/** What every way to sign in answers. */
export type SignInResponse = TokenResponse | SecondFactorResponse;

/** Documents a {@link SignInResponse}. */
export const ApiSignInResponse = (): MethodDecorator & ClassDecorator =>
  applyDecorators(
    ApiExtraModels(TokenResponse, SecondFactorResponse),
    ApiOkResponse({
      description: 'Signed in; or, for an account with a second factor, what it takes to show it',
      schema: { oneOf: [{ $ref: getSchemaPath(TokenResponse) }, { $ref: getSchemaPath(SecondFactorResponse) }] },
    }),
  );

export function toSignInResponse({ challengeToken, methods, expiresInSeconds }: SignInChallenge): SecondFactorResponse {
  return {
    second_factor: { challenge_token: challengeToken, methods: [...methods], expires_in: expiresInSeconds },
  };
}

export class RegisterRequest {
  @UsernameField()
  username!: string;

  @EmailField({ example: 'ada@example.com' })
  email!: string;

  @NewPasswordField()
  password!: string;
}

export class ChangePasswordRequest {
  @SecretField()
  current_password!: string;

  @NewPasswordField()
  new_password!: string;
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
