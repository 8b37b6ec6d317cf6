import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateLegalHolds1764000000050 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE legal_holds (
        id uuid CONSTRAINT pk_legal_holds PRIMARY KEY,
        email varchar(255) NOT NULL CONSTRAINT ck_legal_holds_email_lower CHECK (email = lower(email)),
        reason varchar(500) NOT NULL,
        placed_at timestamptz NOT NULL,
        placed_by varchar(60) NOT NULL,
        lifted_at timestamptz,
        lifted_by varchar(60),
        CONSTRAINT ck_legal_holds_lifted CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
      )`);
    await queryRunner.query(`CREATE UNIQUE INDEX idx_legal_holds_open ON legal_holds (email) WHERE lifted_at IS NULL`);
    await queryRunner.query(`CREATE INDEX idx_legal_holds_placed_at ON legal_holds (placed_at, id)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE legal_holds`);
  }
}
