import { Column, Entity, PrimaryColumn } from 'typeorm';

/** That nothing about somebody may be deleted, as in a dispute. */
@Entity('legal_holds')
export class LegalHold {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_legal_holds' })
  id!: string;

  /** In lower case. */
  @Column('varchar', { length: 255 })
  email!: string;

  @Column('varchar', { length: 500 })
  reason!: string;

  @Column('timestamptz', { name: 'placed_at' })
  placedAt!: Date;

  /** User name at that time. */
  @Column('varchar', { name: 'placed_by', length: 60 })
  placedBy!: string;

  @Column('timestamptz', { name: 'lifted_at', nullable: true })
  liftedAt!: Date | null;

  /** User name at that time. */
  @Column('varchar', { name: 'lifted_by', length: 60, nullable: true })
  liftedBy!: string | null;
}
