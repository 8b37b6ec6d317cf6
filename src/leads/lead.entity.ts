import { Column, Entity, PrimaryColumn } from 'typeorm';
import { canFollow, LeadStatus } from './lead-status.js';
import { InvalidStatusTransition } from './leads.errors.js';

/** A person who asked the practice for help. */
@Entity('leads')
export class Lead {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_leads' })
  id!: string;

  @Column('varchar', { name: 'first_name', length: 100 })
  firstName!: string;

  @Column('varchar', { name: 'last_name', length: 100 })
  lastName!: string;

  /** In lower case; one lead per address. */
  @Column('varchar', { length: 255 })
  email!: string;

  /** The storage key of the résumé; refers to files.storage_key. */
  @Column('varchar', { name: 'resume_path', length: 500 })
  resumePath!: string;

  /** The language tag of the mails to this person. */
  @Column('varchar', { length: 35, default: 'en' })
  locale!: string;

  @Column('enum', { enum: LeadStatus, enumName: 'lead_status', default: LeadStatus.Pending })
  status!: LeadStatus;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  /** Null exactly while the lead is PENDING; the database says the same (ck_leads_reached_out_at). */
  @Column('timestamptz', { name: 'reached_out_at', nullable: true })
  reachedOutAt!: Date | null;

  @Column('uuid', { name: 'reached_out_by_id', nullable: true })
  reachedOutById!: string | null;

  get fullName(): string {
    return `${this.firstName} ${this.lastName}`;
  }

  /** Throws `InvalidStatusTransition` for a step that is not allowed, staying put included. */
  moveTo(status: LeadStatus, userId: string | null, now: Date): void {
    if (!canFollow(this.status, status)) throw InvalidStatusTransition.between(this.status, status);
    this.status = status;
    this.updatedAt = now;
    this.reachedOutAt = status === LeadStatus.Pending ? null : now;
    this.reachedOutById = status === LeadStatus.Pending ? null : userId;
  }
}
