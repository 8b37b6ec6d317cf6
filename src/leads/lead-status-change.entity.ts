import { Column, Entity, PrimaryColumn } from 'typeorm';
import { LeadStatus } from './lead-status.js';

/** One line of a lead's story: who moved it from where to where, and when. The first line has no `from`. */
@Entity('lead_status_changes')
export class LeadStatusChange {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_lead_status_changes' })
  id!: string;

  @Column('uuid', { name: 'lead_id' })
  leadId!: string;

  @Column('enum', { name: 'from_status', enum: LeadStatus, enumName: 'lead_status', nullable: true })
  fromStatus!: LeadStatus | null;

  @Column('enum', { name: 'to_status', enum: LeadStatus, enumName: 'lead_status' })
  toStatus!: LeadStatus;

  /** The user name at that time, or what stands for the public. */
  @Column('varchar', { name: 'changed_by', length: 60 })
  changedBy!: string;

  @Column('uuid', { name: 'changed_by_id', nullable: true })
  changedById!: string | null;

  @Column('timestamptz', { name: 'changed_at', default: () => 'now()' })
  changedAt!: Date;
}
