import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Why somebody is forgotten: the cases of Article 17(1) of the GDPR. A closed list, so that nobody writes a name into it. */
export const ERASURE_REASONS = [
  'not_needed',
  'consent_withdrawn',
  'objection',
  'unlawful',
  'legal_obligation',
  'request',
] as const;
export type ErasureReason = (typeof ERASURE_REASONS)[number];

/** What is left of somebody: who forgot them, when and why, and what stands for them (see `PersonKey`). */
@Entity('erasures')
export class Erasure {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_erasures' })
  id!: string;

  @Column('char', { length: 64 })
  person!: string;

  @Column('varchar', { length: 30 })
  reason!: ErasureReason;

  @Column('timestamptz', { name: 'requested_at' })
  requestedAt!: Date;

  /** User name at that time. */
  @Column('varchar', { name: 'requested_by', length: 60 })
  requestedBy!: string;

  @Column('uuid', { name: 'requested_by_id', nullable: true })
  requestedById!: string | null;

  /** Rows that were removed or changed, by the name of the source. */
  @Column('jsonb')
  counts!: Readonly<Record<string, number>>;

  /** Ids of what is still to be removed outside of the database, by the name of the source; empty when it is done. */
  @Column('jsonb')
  remains!: Readonly<Record<string, readonly string[]>>;

  @Column('timestamptz', { name: 'completed_at', nullable: true })
  completedAt!: Date | null;
}
