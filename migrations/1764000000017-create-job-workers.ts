import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which processes run jobs, and when they last said so. */
export class CreateJobWorkers1764000000017 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE job_workers (
        id varchar(100) CONSTRAINT pk_job_workers PRIMARY KEY,
        started_at timestamptz NOT NULL DEFAULT now(),
        seen_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE job_workers`);
  }
}
