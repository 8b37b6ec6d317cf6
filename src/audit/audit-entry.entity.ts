import { Column, Entity, PrimaryColumn } from 'typeorm';

export type AuditOutcome = 'done' | 'refused';

/**
 * That somebody did, saw or took something, or tried to. Added, linked into the chain once, and then never changed and never
 * removed; the database refuses all else.
 */
@Entity('audit_entries')
export class AuditEntry {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_audit_entries' })
  id!: string;

  @Column('timestamptz', { default: () => 'now()' })
  at!: Date;

  @Column('varchar', { name: 'actor_kind', length: 20 })
  actorKind!: string;

  /** No reference: the entry outlives the account. */
  @Column('uuid', { name: 'actor_id', nullable: true })
  actorId!: string | null;

  /** As it was then. */
  @Column('varchar', { name: 'actor_name', length: 60, nullable: true })
  actorName!: string | null;

  @Column('varchar', { length: 45, nullable: true })
  ip!: string | null;

  @Column('uuid', { name: 'request_id', nullable: true })
  requestId!: string | null;

  /** Such as `lead.resume_downloaded`. */
  @Column('varchar', { length: 60 })
  action!: string;

  @Column('varchar', { name: 'target_kind', length: 30 })
  targetKind!: string;

  /** No reference: the entry outlives what it is about. */
  @Column('uuid', { name: 'target_id', nullable: true })
  targetId!: string | null;

  /** What the program of whoever acted calls itself. */
  @Column('varchar', { name: 'user_agent', length: 200, nullable: true })
  userAgent!: string | null;

  @Column('varchar', { length: 10 })
  outcome!: AuditOutcome;

  /** Ids, codes and numbers; no personal data. */
  @Column('jsonb', { default: {} })
  details!: Readonly<Record<string, unknown>>;

  /** The place in the chain, from 1 without gaps, as decimal digits; null for the moment until it is linked. */
  @Column('bigint', { nullable: true })
  number!: string | null;

  /** Of the entry before; 64 zeros for the first one. */
  @Column('char', { name: 'previous_hash', length: 64, nullable: true })
  previousHash!: string | null;

  /** SHA-256 over all of the above, in hexadecimal digits; audit-hash.ts says how. */
  @Column('char', { length: 64, nullable: true })
  hash!: string | null;
}
