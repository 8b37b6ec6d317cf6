import { ApiProperty } from '@nestjs/swagger';
import { ChoiceField, EmailField, FlagField, LineField } from '../../common/fields.js';
import { PageQuery, PageResponse } from '../../common/pagination.js';
import { Role } from '../../users/role.js';
import type { User } from '../../users/users.service.js';
import { NewPasswordField, UsernameField } from './account-fields.js';
import type { AccountView } from './accounts.service.js';

const ROLES = Object.values(Role);

export class ChangeUserRequest {
  @FlagField({ description: 'false locks the account out at once; true lets it in again', example: false })
  is_active!: boolean;
}

export class UserQuery extends PageQuery {
  @LineField({ min: 1, max: 100, optional: true, description: 'A part of the user name or e-mail address' })
  search?: string;

  @ChoiceField(ROLES, { optional: true, enumName: 'Role' })
  role?: Role;

  @ChoiceField(['true', 'false'], { optional: true, description: 'Only active accounts, or only disabled ones' })
  is_active?: 'true' | 'false';
}

export class CreateUserRequest {
  @UsernameField()
  username!: string;

  @EmailField({ example: 'ada@example.com' })
  email!: string;

  @NewPasswordField()
  password!: string;

  @ChoiceField(ROLES, {
    enumName: 'Role',
    description: 'admin and superadmin only by a superadmin',
    example: 'attorney',
  })
  role!: Role;
}

export class ChangeAccountRequest {
  @ChoiceField(ROLES, { optional: true, enumName: 'Role', description: 'To and from admin only by a superadmin' })
  role?: Role;

  @FlagField({ optional: true, description: 'false locks the account out at once; true lets it in again' })
  is_active?: boolean;
}

/** An account as admins see it. */
export class UserResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'ada' })
  username!: string;

  @ApiProperty({ format: 'email', example: 'ada@example.com' })
  email!: string;

  @ApiProperty({ enum: Role, enumName: 'Role' })
  role!: Role;

  @ApiProperty({ example: true })
  is_active!: boolean;

  @ApiProperty({ format: 'date-time' })
  created_at!: Date;
}

export class UserPageResponse extends PageResponse {
  @ApiProperty({ type: [UserResponse] })
  items!: UserResponse[];
}

export class AccountDetailsResponse extends UserResponse {
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Until when the account is closed to somebody who failed to sign in too often',
  })
  locked_until!: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Since when it is known that mail to the address reaches its owner; null while it is not',
  })
  email_verified_at!: Date | null;
}

export class AccountPageResponse extends PageResponse {
  @ApiProperty({ type: [AccountDetailsResponse] })
  items!: AccountDetailsResponse[];
}

export function toUserResponse(user: User): UserResponse {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    role: user.role,
    is_active: user.isActive,
    created_at: user.createdAt,
  };
}

export function toAccountDetails({ user, lockedUntil }: AccountView): AccountDetailsResponse {
  return { ...toUserResponse(user), locked_until: lockedUntil, email_verified_at: user.emailVerifiedAt };
}
