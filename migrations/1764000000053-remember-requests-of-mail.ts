import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A message names the request that caused it, however much later it is delivered. */
export class RememberRequestsOfMail1764000000053 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE mail_messages ADD COLUMN request_id uuid`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE mail_messages DROP COLUMN request_id`);
  }
}
