import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How far a replica must have come before it answers somebody who has written. Unlogged: after a crash it is empty, and the row of
 * nobody, which is put in again then, stands for all that was written before.
 */
export class CreateWriteMarks1764000000060 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE UNLOGGED TABLE write_marks (
        user_id uuid CONSTRAINT pk_write_marks PRIMARY KEY,
        lsn pg_lsn NOT NULL
      ) WITH (fillfactor = 50)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE write_marks`);
  }
}
