import { Param, type PipeTransform } from '@nestjs/common';
import { ApiParam, ApiProperty } from '@nestjs/swagger';
import { UnprocessableFields } from '../../common/errors.js';
import { FlagField, LineField } from '../../common/fields.js';
import type { ProviderSettings } from '../../config/provider-settings.js';
import { SecretField } from '../accounts/account-fields.js';
import type { UserIdentity } from './identities.service.js';

/** The id of a provider in the path; what cannot be one is 422. */
export function ProviderParam(): ParameterDecorator {
  const name = 'provider';
  const pattern = /^[a-z][a-z0-9]{0,19}$/;
  const pipe: PipeTransform<string, string> = {
    transform(value) {
      if (!pattern.test(value))
        throw new UnprocessableFields({ fieldErrors: { [name]: ['Must be the id of a provider'] } });
      return value;
    },
  };
  return (target, key, index) => {
    Param(name, pipe)(target, key, index);
    if (key === undefined) return;
    const descriptor = Object.getOwnPropertyDescriptor(target, key);
    if (descriptor !== undefined)
      ApiParam({ name, schema: { type: 'string', pattern: pattern.source }, example: 'google' })(
        target,
        key,
        descriptor,
      );
  };
}

export class BeginRequest {
  @LineField({
    min: 1,
    max: 255,
    optional: true,
    description: 'A path of the application to go on to; comes back behind the #',
    example: '/leads',
  })
  return_to?: string;
}

export class BeginLinkingRequest extends BeginRequest {
  @SecretField({ optional: true, description: 'Needed by whoever has a password' })
  current_password?: string;
}

const CODE = { description: 'What stands behind the # of the page that the browser was sent back to' };

export class ExchangeRequest {
  @SecretField(CODE, { minLength: 1 })
  code!: string;

  @FlagField({
    optional: true,
    description: 'Keeps the refresh token in an HttpOnly cookie instead of the answer: for pages in a browser',
  })
  cookies?: boolean;
}

export class LinkRequest {
  @SecretField(CODE, { minLength: 1 })
  code!: string;
}

export class ProviderResponse {
  @ApiProperty({ example: 'google' })
  id!: string;

  @ApiProperty({ example: 'Google', description: 'For the button' })
  label!: string;
}

export class ProvidersResponse {
  @ApiProperty({ type: [ProviderResponse] })
  items!: ProviderResponse[];
}

export class DepartureResponse {
  @ApiProperty({ format: 'uri', description: 'Where the browser has to go' })
  authorization_url!: string;
}

export class IdentityResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'google' })
  provider!: string;

  @ApiProperty({ type: String, format: 'email', nullable: true, description: 'As the provider last said' })
  email!: string | null;

  @ApiProperty({ format: 'date-time' })
  created_at!: Date;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  last_used_at!: Date | null;
}

export class IdentitiesResponse {
  @ApiProperty({ type: [IdentityResponse] })
  items!: IdentityResponse[];
}

export function toProvidersResponse(providers: readonly ProviderSettings[]): ProvidersResponse {
  return { items: providers.map(({ id, label }) => ({ id, label })) };
}

export function toDepartureResponse(url: string): DepartureResponse {
  return { authorization_url: url };
}

export function toIdentityResponse(identity: UserIdentity): IdentityResponse {
  return {
    id: identity.id,
    provider: identity.provider,
    email: identity.email,
    created_at: identity.createdAt,
    last_used_at: identity.lastUsedAt,
  };
}

export function toIdentitiesResponse(identities: readonly UserIdentity[]): IdentitiesResponse {
  return { items: identities.map(toIdentityResponse) };
}
