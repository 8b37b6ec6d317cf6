import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ChoiceField } from '../../common/fields.js';
import { PageResponse } from '../../common/pagination.js';
import { SecretField } from '../accounts/account-fields.js';
import { OAuth2Extras } from '../oauth2-extras.dto.js';
import type { Session } from './session.entity.js';

export class RefreshRequest extends OAuth2Extras {
  @ApiPropertyOptional({ description: 'Left out by a client whose cookie holds it' })
  @SecretField()
  refresh_token!: string;

  @ChoiceField(['refresh_token'], { optional: true, description: 'As OAuth2 clients send it' })
  grant_type?: string;
}

/** A sign-in that goes on. */
export class SessionResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'Firefox on Linux', description: 'As the client described itself' })
  device!: string;

  @ApiProperty({ example: '192.0.2.7', description: 'Of the sign-in or the latest refresh' })
  ip!: string;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;

  @ApiProperty({ format: 'date-time', description: 'The sign-in or the latest refresh' })
  last_used_at!: string;

  @ApiProperty({ format: 'date-time', description: 'When it is over however much it is used' })
  expires_at!: string;

  @ApiProperty({
    type: [String],
    example: ['password', 'totp'],
    description: 'How it was proved whose it is, at the sign-in and since',
  })
  methods!: string[];

  @ApiProperty({ description: 'Whether this very request belongs to it' })
  is_current!: boolean;
}

export class SessionPageResponse extends PageResponse {
  @ApiProperty({ type: [SessionResponse] })
  items!: SessionResponse[];
}

/** `currentId`: the session of the request. */
export function toSessionResponse(session: Session, currentId: string | undefined): SessionResponse {
  return {
    id: session.id,
    device: session.device,
    ip: session.ip,
    created_at: session.createdAt.toISOString(),
    last_used_at: session.lastUsedAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
    methods: session.methods,
    is_current: session.id === currentId,
  };
}
