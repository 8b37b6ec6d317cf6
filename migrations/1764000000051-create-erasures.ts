import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tombstones of erased persons: whom they are about only shows to who has the address and SECRET_KEY. */
export class CreateErasures1764000000051 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE erasures (
        id uuid CONSTRAINT pk_erasures PRIMARY KEY,
        person char(64) NOT NULL CONSTRAINT ck_erasures_person CHECK (person ~ '^[0-9a-f]{64}$'),
        reason varchar(30) NOT NULL,
        requested_at timestamptz NOT NULL,
        requested_by varchar(60) NOT NULL,
        requested_by_id uuid,
        counts jsonb NOT NULL,
        remains jsonb NOT NULL,
        completed_at timestamptz,
        CONSTRAINT ck_erasures_completed CHECK (completed_at IS NULL OR remains = '{}')
      )`);
    await queryRunner.query(`CREATE INDEX idx_erasures_person ON erasures (person, requested_at)`);
    await queryRunner.query(`CREATE INDEX idx_erasures_requested_at ON erasures (requested_at, id)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE erasures`);
  }
}
