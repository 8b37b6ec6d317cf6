import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How the refresh token travels. */
export type Transport = 'body' | 'cookie';

/** Why a session ended before its time. */
export type EndReason =
  | 'signed_out'
  | 'signed_out_everywhere'
  | 'signed_in_again'
  | 'ended_by_user'
  | 'ended_by_admin'
  | 'reuse'
  | 'password_changed'
  | 'password_reset'
  | 'email_changed'
  | 'role_changed'
  | 'factor_added'
  | 'factors_reset'
  | 'disabled';

/** One sign-in of somebody on one device, until it ends. */
@Entity('sessions')
export class Session {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_sessions' })
  id!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  /** The user's `sessionEpoch` when it began; it is over as soon as that is another one. */
  @Column('integer')
  epoch!: number;

  @Column('varchar', { length: 10 })
  transport!: Transport;

  /** How it was proved whose it is: `password`, `totp`; empty when it is from before that was kept. */
  @Column('varchar', { length: 20, array: true })
  methods!: string[];

  /** In words: `Firefox on Linux`. */
  @Column('varchar', { length: 60 })
  device!: string;

  /** As it was said, cut; empty when nothing was. */
  @Column('varchar', { name: 'user_agent', length: 255 })
  userAgent!: string;

  @Column('varchar', { length: 45 })
  ip!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  /** The sign-in or the latest refresh. */
  @Column('timestamptz', { name: 'last_used_at' })
  lastUsedAt!: Date;

  /** When it is over however much it is used. */
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;

  @Column('varchar', { name: 'end_reason', length: 30, nullable: true })
  endReason!: EndReason | null;

  /** Whether its tokens are good, as far as the session is concerned. */
  isLive(user: { readonly id: string; readonly isActive: boolean; readonly sessionEpoch: number }, now: Date): boolean {
    return (
      this.endedAt === null &&
      this.expiresAt > now &&
      this.userId === user.id &&
      user.isActive &&
      this.epoch === user.sessionEpoch
    );
  }

  /** Does nothing to one that has ended before. */
  end(reason: EndReason, now: Date): void {
    if (this.endedAt !== null) return;
    this.endedAt = now;
    this.endReason = reason;
  }
}
