import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { EmailField, FlagField } from '../../common/fields.js';
import { NewPasswordField, SecretField } from '../accounts/account-fields.js';
import { asksForCookies } from '../auth.dto.js';

const TOKEN = { description: 'What stands behind `#token=` in the link' };

export class LinkByEmailRequest {
  @EmailField({ example: 'ada@example.com' })
  email!: string;
}

export class UseLinkRequest {
  @SecretField(TOKEN, { minLength: 1 })
  token!: string;
}

export class ResetPasswordRequest {
  @SecretField(TOKEN, { minLength: 1 })
  token!: string;

  @NewPasswordField()
  new_password!: string;
}

export class ChangeEmailRequest {
  @EmailField({ example: 'ada@example.com' })
  new_email!: string;

  @SecretField({ description: 'Of the account' })
  password!: string;
}

export class SignInByLinkRequest {
  @SecretField(TOKEN, { minLength: 1 })
  token!: string;

  @SecretField({ optional: true, description: 'As it was answered when the link was asked for' }, { minLength: 1 })
  browser_nonce?: string;

  @Transform(({ value }: { value: unknown }) => asksForCookies(value))
  @FlagField({
    optional: true,
    description: 'Keeps the refresh token in an HttpOnly cookie instead of the answer: for pages in a browser',
  })
  cookies?: boolean;
}

const CHECK_YOUR_MAIL = 'Check your email: if a link can be sent to this address, it is on its way';

/** The same for every address. */
export class LinkRequestedResponse {
  @ApiProperty({ example: CHECK_YOUR_MAIL })
  detail!: string;
}

export class MagicLinkRequestedResponse extends LinkRequestedResponse {
  @ApiPropertyOptional({
    description: 'With MAGIC_LINK_SAME_BROWSER: keep it in the browser and send it with the token of the link',
  })
  browser_nonce?: string;
}

export function toLinkRequestedResponse(): LinkRequestedResponse {
  return { detail: CHECK_YOUR_MAIL };
}

export function toMagicLinkRequestedResponse(nonce: string | undefined): MagicLinkRequestedResponse {
  return { ...toLinkRequestedResponse(), ...(nonce === undefined ? {} : { browser_nonce: nonce }) };
}
