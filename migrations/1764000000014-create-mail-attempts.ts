import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateMailAttempts1764000000014 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE mail_attempts (
        message_id uuid NOT NULL CONSTRAINT fk_mail_attempts_message REFERENCES mail_messages ON DELETE CASCADE,
        number integer NOT NULL,
        started_at timestamptz NOT NULL,
        ended_at timestamptz,
        outcome varchar(20),
        words text,
        CONSTRAINT pk_mail_attempts PRIMARY KEY (message_id, number),
        CONSTRAINT ck_mail_attempts_outcome
          CHECK (outcome IN ('sent', 'refused', 'postponed', 'outage', 'interrupted')),
        CONSTRAINT ck_mail_attempts_ended_at CHECK ((ended_at IS NULL) = (outcome IS NULL))
      )`);
    await queryRunner.query(`
      CREATE INDEX idx_mail_attempts_answered ON mail_attempts (ended_at)
      WHERE outcome IN ('sent', 'refused', 'postponed')`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE mail_attempts`);
  }
}
