import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Links of invitations lay in plain text before; those of settled messages are removed, and previews show none. */
export class SealSecretsOfMail1764000000036 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE mail_messages ADD COLUMN secrets jsonb
        CONSTRAINT ck_mail_messages_secrets CHECK (secrets IS NULL OR state IN ('queued', 'sending', 'retrying'))`);
    await queryRunner.query(`
      UPDATE mail_messages SET data = data - 'accept_url'
      WHERE template = 'invitation' AND state NOT IN ('queued', 'sending', 'retrying')`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE mail_messages DROP COLUMN secrets`);
  }
}
