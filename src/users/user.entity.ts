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

  /** Since when it is known that mail to the address reaches the owner of the account; null while it is not. */
  @Column('timestamptz', { name: 'email_verified_at', nullable: true })
  emailVerifiedAt!: Date | null;

  /** A bcrypt hash, or what is the hash of no password. */
  @Column('varchar', { name: 'hashed_password', length: 255 })
  hashedPassword!: string;

  @Column('enum', { enum: Role, enumName: 'user_role' })
  role!: Role;

  @Column('boolean', { name: 'is_active', default: true })
  isActive!: boolean;

  /** Which sessions may go on: those of this number. It grows when all of them end at once. */
  @Column('integer', { name: 'session_epoch', default: 0 })
  sessionEpoch!: number;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
