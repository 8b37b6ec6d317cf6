import { Column, Entity, PrimaryColumn } from 'typeorm';

/** For so long an authenticator app may be confirmed. */
const TO_BE_CONFIRMED_WITHIN_MS = 15 * 60_000;

/** An authenticator app that knows a secret of somebody. */
@Entity('totp_factors')
export class TotpFactor {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_totp_factors' })
  id!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  /** As its owner calls it. */
  @Column('varchar', { length: 60 })
  name!: string;

  /** Sealed for {@link purpose}. */
  @Column('varchar', { name: 'sealed_secret', length: 255 })
  sealedSecret!: string;

  /** The time step of the last code that was taken; null until it is confirmed. */
  @Column('integer', { name: 'last_step', nullable: true })
  lastStep!: number | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  /** Null until a code of the app has shown that it has the secret. */
  @Column('timestamptz', { name: 'confirmed_at', nullable: true })
  confirmedAt!: Date | null;

  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  get purpose(): string {
    return `totp/${this.id}`;
  }

  mayBeConfirmed(now: Date): boolean {
    return this.confirmedAt === null && now.getTime() - this.createdAt.getTime() < TO_BE_CONFIRMED_WITHIN_MS;
  }

  confirm(step: number, now: Date): void {
    this.confirmedAt = now;
    this.lastUsedAt = now;
    this.lastStep = step;
  }
}
