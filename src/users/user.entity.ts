import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Role } from './role.js';

/** An account: of the practice's staff, or of a client. */
@Entity('users')
export class User {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_users' })
  id!: string;

  /** Keeps its spelling; unique without regard to case. */
  @Column('varchar', { length: 50 })
  username!: string;

  /** In lower case. */
  @Column('varchar', { length: 255 })
  email!: string;

  /** A bcrypt hash. */
  @Column('varchar', { name: 'hashed_password', length: 255 })
  hashedPassword!: string;

  @Column('enum', { enum: Role, enumName: 'user_role' })
  role!: Role;

  @Column('boolean', { name: 'is_active', default: true })
  isActive!: boolean;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  /** When the password or role changed or the account was disabled; null when none of it ever happened. */
  @Column('timestamptz', { name: 'credentials_changed_at', nullable: true })
  credentialsChangedAt!: Date | null;
}
