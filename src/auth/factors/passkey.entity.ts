import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A credential of an authenticator (WebAuthn Level 3) that belongs to somebody. */
@Entity('passkeys')
export class Passkey {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_passkeys' })
  id!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  /** As its owner calls it. */
  @Column('varchar', { length: 60 })
  name!: string;

  @Column('bytea', { name: 'credential_id' })
  credentialId!: Buffer;

  /** As a COSE key. */
  @Column('bytea', { name: 'public_key' })
  publicKey!: Buffer;

  /** How often its authenticator says it was used; 0 for ever where it does not count. Text, as the driver reads a bigint. */
  @Column('bigint', { name: 'sign_count' })
  signCount!: string;

  /** How its authenticator can be reached: `usb`, `internal`. */
  @Column('varchar', { length: 20, array: true })
  transports!: string[];

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  /**
   * Whether this count can come from the one authenticator that has the key: it grows, or stays 0 (WebAuthn Level 3, 6.1.1).
   */
  isPlausible(count: number): boolean {
    const known = Number(this.signCount);
    return count > known || (count === 0 && known === 0);
  }
}
