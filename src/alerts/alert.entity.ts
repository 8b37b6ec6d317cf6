import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Something that an operator should look at. */
@Entity('alerts')
export class Alert {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_alerts' })
  id!: string;

  /** What kind of thing happened, such as `file.infected`. */
  @Column('varchar', { length: 200 })
  cause!: string;

  /** One sentence for a person, without personal data. */
  @Column('varchar', { length: 500 })
  summary!: string;

  /** Ids, codes and numbers of the first occurrence. */
  @Column('jsonb', { default: {} })
  details!: Readonly<Record<string, unknown>>;

  /** Of the first occurrence. */
  @Column('timestamptz', { name: 'raised_at', default: () => 'now()' })
  raisedAt!: Date;

  /** How often it happened within the hour that began then. */
  @Column('integer', { default: 1 })
  occurrences!: number;
}
