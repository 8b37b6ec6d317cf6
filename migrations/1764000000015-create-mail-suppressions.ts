import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateMailSuppressions1764000000015 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE mail_suppressions (
        id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT pk_mail_suppressions PRIMARY KEY,
        address varchar(255) NOT NULL CONSTRAINT ck_mail_suppressions_address_lower CHECK (address = lower(address)),
        reason text NOT NULL,
        since timestamptz NOT NULL,
        lifted_at timestamptz,
        lifted_by varchar(60),
        CONSTRAINT ck_mail_suppressions_lifted CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
      )`);
    await queryRunner.query(`
      CREATE UNIQUE INDEX idx_mail_suppressions_address ON mail_suppressions (address) WHERE lifted_at IS NULL`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE mail_suppressions`);
  }
}
