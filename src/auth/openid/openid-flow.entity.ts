import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One way of somebody's browser to a provider and back: begun, returned, redeemed, each once. */
@Entity('openid_flows')
export class OpenidFlow {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_openid_flows' })
  id!: string;

  @Column('varchar', { length: 20 })
  provider!: string;

  /** SHA-256, as all hashes here. */
  @Column('bytea', { name: 'state_hash' })
  stateHash!: Buffer;

  /** Of what the cookie of the browser holds that began it. */
  @Column('bytea', { name: 'browser_hash' })
  browserHash!: Buffer;

  /** Nonce and PKCE verifier, sealed. */
  @Column('text')
  secrets!: string;

  @Column('varchar', { name: 'return_to', length: 255, nullable: true })
  returnTo!: string | null;

  /** Whoever wants to link an identity to their account; null for a sign-in. */
  @Column('uuid', { name: 'linking_user_id', nullable: true })
  linkingUserId!: string | null;

  @Column('uuid', { name: 'linking_session_id', nullable: true })
  linkingSessionId!: string | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  /** Until when the browser may come back. */
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'returned_at', nullable: true })
  returnedAt!: Date | null;

  /** Of the code that the browser was handed on its return. */
  @Column('bytea', { name: 'code_hash', nullable: true })
  codeHash!: Buffer | null;

  @Column('timestamptz', { name: 'code_expires_at', nullable: true })
  codeExpiresAt!: Date | null;

  /** Who signs in. */
  @Column('uuid', { name: 'identity_id', nullable: true })
  identityId!: string | null;

  /** What is to be linked. */
  @Column('varchar', { length: 255, nullable: true })
  subject!: string | null;

  @Column('varchar', { length: 255, nullable: true })
  email!: string | null;

  @Column('timestamptz', { name: 'redeemed_at', nullable: true })
  redeemedAt!: Date | null;
}
