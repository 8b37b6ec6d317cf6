import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What all processes know of the mail server, in one row that is always there. */
export class CreateMailServerState1764000000016 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE mail_server_state (
        id smallint NOT NULL DEFAULT 1 CONSTRAINT pk_mail_server_state PRIMARY KEY
          CONSTRAINT ck_mail_server_state_one_row CHECK (id = 1),
        paused_since timestamptz,
        failures integer NOT NULL DEFAULT 0,
        next_probe_at timestamptz,
        round integer NOT NULL DEFAULT 0,
        suspect varchar(255),
        last_error text,
        CONSTRAINT ck_mail_server_state_paused CHECK (
          paused_since IS NOT NULL OR (failures = 0 AND next_probe_at IS NULL AND suspect IS NULL))
      )`);
    await queryRunner.query(`INSERT INTO mail_server_state DEFAULT VALUES`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE mail_server_state`);
  }
}
