import { ApiProperty } from '@nestjs/swagger';
import { FlagField } from '../common/fields.js';
import { PageResponse } from '../common/pagination.js';
import { Role } from './role.js';
import type { User } from './user.entity.js';

export class ChangeUserRequest {
  @FlagField({ description: 'false locks the account out at once; true lets it in again', example: false })
  is_active!: boolean;
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
