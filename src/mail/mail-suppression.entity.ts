import { Column, Entity, PrimaryColumn } from 'typeorm';

/** That an address gets no mail, or got none for a while. */
@Entity('mail_suppressions')
export class MailSuppression {
  /** Made by the database. */
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_mail_suppressions' })
  id!: string;

  /** In lower case. */
  @Column('varchar', { length: 255 })
  address!: string;

  /** What its server said. */
  @Column('text')
  reason!: string;

  @Column('timestamptz')
  since!: Date;

  @Column('timestamptz', { name: 'lifted_at', nullable: true })
  liftedAt!: Date | null;

  /** User name at that time. */
  @Column('varchar', { name: 'lifted_by', length: 60, nullable: true })
  liftedBy!: string | null;
}
