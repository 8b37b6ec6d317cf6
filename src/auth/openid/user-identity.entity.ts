import { Column, Entity, PrimaryColumn } from 'typeorm';

/** That somebody whom a provider knows under a subject is the owner of an account. */
@Entity('user_identities')
export class UserIdentity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_user_identities' })
  id!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  /** The id in the settings that it came by. */
  @Column('varchar', { length: 20 })
  provider!: string;

  @Column('varchar', { length: 255 })
  issuer!: string;

  /** Unique at its issuer and never given to anybody else (OpenID Connect Core, 2). */
  @Column('varchar', { length: 255 })
  subject!: string;

  /** As the provider last said, for people to recognise it by; nobody is ever found by it. */
  @Column('varchar', { length: 255, nullable: true })
  email!: string | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;
}
