import { ApiProperty } from '@nestjs/swagger';
import { checkedField, FlagField, LineField, UuidField, WholeNumberField } from '../../common/fields.js';
import { PageQuery, PageResponse } from '../../common/pagination.js';
import { SecretField } from '../accounts/account-fields.js';
import { Permission, SCOPES } from '../permissions.js';
import { faultOfAddress } from './allowed-addresses.js';
import type { IssuedApiKey } from './api-key-owners.js';
import type { ApiKey, ApiKeyState } from './api-key.entity.js';

const SCOPE_NAMES: readonly string[] = [...SCOPES].sort();
const MOST_ADDRESSES = 20;
const MOST_DAYS = 3650;
const MOST_OVERLAP_MINUTES = 24 * 60;

function ScopesField(): PropertyDecorator {
  return checkedField(
    'scopes',
    (value) => {
      const isList = Array.isArray(value) && value.length > 0 && value.length <= SCOPE_NAMES.length;
      const isKnown = isList && value.every((each) => typeof each === 'string' && SCOPE_NAMES.includes(each));
      return isKnown ? undefined : `Must be a list of some of: ${SCOPE_NAMES.join(', ')}`;
    },
    { description: 'What the key may do, as long as you may do it yourself', example: [Permission.LeadsRead] },
    { type: 'array', items: { type: 'string', enum: [...SCOPE_NAMES] }, minItems: 1, maxItems: SCOPE_NAMES.length },
  );
}

function AddressesField(): PropertyDecorator {
  return checkedField(
    'addresses',
    (value) => {
      if (!Array.isArray(value) || value.length > MOST_ADDRESSES)
        return `Must be a list of at most ${MOST_ADDRESSES} addresses`;
      const faults = value.map((each: unknown) => faultOfAddress(typeof each === 'string' ? each : ''));
      return faults.find((fault) => fault !== undefined);
    },
    {
      optional: true,
      description: 'Addresses and ranges (CIDR) that the key may be used from; all when it is left out or empty',
      example: ['192.0.2.0/24', '2001:db8::/48'],
    },
    { type: 'array', items: { type: 'string', maxLength: 49 }, maxItems: MOST_ADDRESSES },
  );
}

class LifetimeRequest {
  @WholeNumberField({
    min: 1,
    max: MOST_DAYS,
    optional: true,
    description: 'API_KEY_EXPIRE_DAYS when left out; never more than API_KEY_MAX_DAYS',
  })
  expires_in_days?: number;

  @FlagField({ optional: true, description: 'Only where API_KEY_NEVER_EXPIRES allows it' })
  never_expires?: boolean;

  @SecretField({ optional: true, description: 'Needed when you signed in more than ten minutes ago' })
  current_password?: string;
}

export class CreateApiKeyRequest extends LifetimeRequest {
  @LineField({ min: 1, max: 100, description: 'What it is for', example: 'Nightly export' })
  name!: string;

  @ScopesField()
  scopes!: Permission[];

  @AddressesField()
  allowed_addresses?: string[];
}

export class RotateApiKeyRequest extends LifetimeRequest {
  @WholeNumberField({
    min: 0,
    max: MOST_OVERLAP_MINUTES,
    optional: true,
    default: 0,
    description: 'For so many minutes the secret before it is good as well',
  })
  overlap_minutes: number = 0;
}

export class ApiKeyQuery extends PageQuery {
  @UuidField({ optional: true, description: 'Only keys of this user' })
  user_id?: string;
}

/** What can be told of a key. */
export class ApiKeyResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'Nightly export' })
  name!: string;

  @ApiProperty({ example: 'fck_0aB1cD2e', description: 'How the key begins' })
  prefix!: string;

  @ApiProperty({ enum: ['active', 'expired', 'revoked'] })
  state!: ApiKeyState;

  @ApiProperty({ type: [String], example: [Permission.LeadsRead] })
  scopes!: string[];

  @ApiProperty({ type: [String], description: 'Empty: it may be used from everywhere' })
  allowed_addresses!: string[];

  @ApiProperty({ format: 'date-time' })
  created_at!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When it last got another secret' })
  rotated_at!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'null: never' })
  expires_at!: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Until when the secret before it is good',
  })
  previous_valid_until!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'To the minute' })
  last_used_at!: string | null;

  @ApiProperty({ type: String, nullable: true, example: '192.0.2.7' })
  last_used_ip!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  revoked_at!: string | null;
}

export class IssuedApiKeyResponse extends ApiKeyResponse {
  @ApiProperty({
    description: 'For `X-API-Key: …` or `Authorization: Bearer …`. It is shown this once and kept nowhere.',
  })
  key!: string;
}

export class UserApiKeyResponse extends ApiKeyResponse {
  @ApiProperty({ format: 'uuid', description: 'Its owner' })
  user_id!: string;
}

export class ApiKeyPageResponse extends PageResponse {
  @ApiProperty({ type: [ApiKeyResponse] })
  items!: ApiKeyResponse[];
}

export class UserApiKeyPageResponse extends PageResponse {
  @ApiProperty({ type: [UserApiKeyResponse] })
  items!: UserApiKeyResponse[];
}

export function toApiKeyResponse(key: ApiKey, now: Date): ApiKeyResponse {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    state: key.stateAt(now),
    scopes: [...key.scopes],
    allowed_addresses: [...key.allowedAddresses],
    created_at: key.createdAt.toISOString(),
    rotated_at: key.rotatedAt?.toISOString() ?? null,
    expires_at: key.expiresAt?.toISOString() ?? null,
    previous_valid_until:
      key.previousUntil !== null && key.previousUntil > now ? key.previousUntil.toISOString() : null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
    last_used_ip: key.lastUsedIp,
    revoked_at: key.revokedAt?.toISOString() ?? null,
  };
}

export function toIssuedApiKeyResponse({ apiKey, text }: IssuedApiKey, now: Date): IssuedApiKeyResponse {
  return { ...toApiKeyResponse(apiKey, now), key: text };
}

export function toUserApiKeyResponse(key: ApiKey, now: Date): UserApiKeyResponse {
  return { ...toApiKeyResponse(key, now), user_id: key.userId };
}
