import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Role } from '../../users/role.js';

/** That somebody may make an account of a role, with a link that was mailed to them. */
@Entity('invitations')
export class Invitation {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_invitations' })
  id!: string;

  /** In lower case. */
  @Column('varchar', { length: 255 })
  email!: string;

  /** Of the account to be; null leaves it to whoever accepts. */
  @Column('varchar', { length: 50, nullable: true })
  username!: string | null;

  @Column('enum', { enum: Role, enumName: 'user_role' })
  role!: Role;

  /** SHA-256 of the token in the link. */
  @Column('bytea', { name: 'token_hash' })
  tokenHash!: Buffer;

  /** Null when an operator invited from the command line. */
  @Column('uuid', { name: 'invited_by_id', nullable: true })
  invitedById!: string | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'accepted_at', nullable: true })
  acceptedAt!: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  /** Neither accepted nor revoked; it may have expired. */
  get isOpen(): boolean {
    return this.acceptedAt === null && this.revokedAt === null;
  }

  isValid(now: Date): boolean {
    return this.isOpen && this.expiresAt > now;
  }
}
