import { ApiProperty } from '@nestjs/swagger';
import { ChoiceField, EmailField } from '../../common/fields.js';
import { PageResponse } from '../../common/pagination.js';
import { Role } from '../../users/role.js';
import { NewPasswordField, SecretField, UsernameField } from '../accounts/account-fields.js';
import { INVITABLE } from '../permissions.js';
import type { Invitation } from './invitations.service.js';

export class InviteRequest {
  @EmailField({ example: 'ada@example.com' })
  email!: string;

  @ChoiceField(INVITABLE, { description: 'An admin is invited as an attorney and promoted by a superadmin' })
  role!: Role;

  @UsernameField({ optional: true, description: 'Suggested; whoever accepts may choose another' })
  username?: string;
}

export class AcceptInvitationRequest {
  @SecretField({ description: 'What stands behind `#token=` in the link' }, { minLength: 1 })
  token!: string;

  @UsernameField({ optional: true, description: 'Needed when the invitation suggests none' })
  username?: string;

  @NewPasswordField()
  password!: string;
}

export class InvitationResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ format: 'email', example: 'ada@example.com' })
  email!: string;

  @ApiProperty({ type: String, nullable: true, example: 'ada' })
  username!: string | null;

  @ApiProperty({ enum: Role, enumName: 'Role' })
  role!: Role;

  @ApiProperty({ format: 'date-time' })
  created_at!: Date;

  @ApiProperty({ format: 'date-time' })
  expires_at!: Date;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  accepted_at!: Date | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  revoked_at!: Date | null;
}

export class InvitationPageResponse extends PageResponse {
  @ApiProperty({ type: [InvitationResponse] })
  items!: InvitationResponse[];
}

export function toInvitationResponse(invitation: Invitation): InvitationResponse {
  return {
    id: invitation.id,
    email: invitation.email,
    username: invitation.username,
    role: invitation.role,
    created_at: invitation.createdAt,
    expires_at: invitation.expiresAt,
    accepted_at: invitation.acceptedAt,
    revoked_at: invitation.revokedAt,
  };
}
