import { timingSafeEqual } from 'node:crypto';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Permission, SCOPES } from '../permissions.js';
import { KEY_START } from './api-key-form.js';

/** Why a key was ended before its time. */
export type RevokeReason = 'revoked_by_owner' | 'revoked_by_admin' | 'password_reset' | 'disabled';

export type ApiKeyState = 'active' | 'expired' | 'revoked';

/** What a program signs its requests with, in the name of its owner and for some of what the owner may. */
@Entity('api_keys')
export class ApiKey {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_api_keys' })
  id!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @Column('varchar', { length: 100 })
  name!: string;

  /** The part of the key that may be shown, and by which it is found. */
  @Column('char', { name: 'public_id', length: 8 })
  publicId!: string;

  /** SHA-256 of the whole key. */
  @Column('bytea', { name: 'key_hash' })
  keyHash!: Buffer;

  /** Of the key before a rotation, good until {@link previousUntil}. */
  @Column('bytea', { name: 'previous_hash', nullable: true })
  previousHash!: Buffer | null;

  @Column('timestamptz', { name: 'previous_until', nullable: true })
  previousUntil!: Date | null;

  @Column('text', { array: true })
  scopes!: readonly Permission[];

  /** Addresses and ranges that it may be used from; none means all. */
  @Column('text', { name: 'allowed_addresses', array: true, default: [] })
  allowedAddresses!: readonly string[];

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'rotated_at', nullable: true })
  rotatedAt!: Date | null;

  /** Null: never. */
  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  /** Behind by a minute at most. */
  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  @Column('varchar', { name: 'last_used_ip', length: 45, nullable: true })
  lastUsedIp!: string | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  @Column('varchar', { name: 'revoke_reason', length: 30, nullable: true })
  revokeReason!: RevokeReason | null;

  /** When its owner was told that it is about to expire. */
  @Column('timestamptz', { name: 'expiry_told_at', nullable: true })
  expiryToldAt!: Date | null;

  /** What is shown of it. */
  get prefix(): string {
    return `${KEY_START}${this.publicId}`;
  }

  stateAt(now: Date): ApiKeyState {
    if (this.revokedAt !== null) return 'revoked';
    return this.expiresAt !== null && this.expiresAt <= now ? 'expired' : 'active';
  }

  /** Whether this is the hash of the key, or of the one before it while that is still good. */
  matches(hash: Buffer, now: Date): boolean {
    if (timingSafeEqual(this.keyHash, hash)) return true;
    const isOverlapping = this.previousUntil !== null && this.previousUntil > now;
    return isOverlapping && this.previousHash !== null && timingSafeEqual(this.previousHash, hash);
  }

  /** Whether it was given a permission; what its owner may now is asked elsewhere. */
  isFor(permission: Permission): boolean {
    return SCOPES.has(permission) && this.scopes.includes(permission);
  }

  /** Another secret; the one before it stays good for so long, but never longer than it was to be. */
  rotate(hash: Buffer, { now, overlapMs, expiresAt }: { now: Date; overlapMs: number; expiresAt: Date | null }): void {
    const overlapEnd = Math.min(now.getTime() + overlapMs, this.expiresAt?.getTime() ?? Infinity);
    this.previousHash = overlapMs === 0 ? null : this.keyHash;
    this.previousUntil = overlapMs === 0 ? null : new Date(overlapEnd);
    this.keyHash = hash;
    this.rotatedAt = now;
    this.expiresAt = expiresAt;
    this.expiryToldAt = null;
  }

  revoke(reason: RevokeReason, now: Date): void {
    this.revokedAt = now;
    this.revokeReason = reason;
  }
}
