import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateMailMessages1764000000006 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TYPE mail_state AS ENUM ('queued', 'retrying', 'sent', 'failed')`);
    await queryRunner.query(`
      CREATE TABLE mail_messages (
        id uuid CONSTRAINT pk_mail_messages PRIMARY KEY,
        template varchar(100) NOT NULL,
        recipient varchar(255) NOT NULL,
        data jsonb NOT NULL,
        about_kind varchar(50) NOT NULL,
        about_id uuid NOT NULL,
        state mail_state NOT NULL DEFAULT 'queued',
        attempts integer NOT NULL DEFAULT 0,
        deferrals integer NOT NULL DEFAULT 0,
        last_error text,
        created_at timestamptz NOT NULL DEFAULT now(),
        sent_at timestamptz,
        CONSTRAINT uq_mail_messages_cause UNIQUE (about_kind, about_id, template, recipient),
        CONSTRAINT ck_mail_messages_sent_at CHECK ((state = 'sent') = (sent_at IS NOT NULL))
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE mail_messages`);
    await queryRunner.query(`DROP TYPE mail_state`);
  }
}
