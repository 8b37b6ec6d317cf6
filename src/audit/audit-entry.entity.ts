import { Column, Entity, PrimaryColumn } from 'typeorm';

export type AuditOutcome = 'done' | 'refused';

/** That somebody did, saw or took something, or tried to. Never changed and never removed; the database refuses both. */
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

  @Column('varchar', { length: 10 })
  outcome!: AuditOutcome;

  /** Ids, codes and numbers; no personal data. */
  @Column('jsonb', { default: {} })
  details!: Readonly<Record<string, unknown>>;
}
