import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a key did is asked when it leaked. The key stands in the details, which the chain of hashes covers, so that entries from
 * before there were keys keep their form.
 */
export class FindAuditEntriesOfApiKeys1764000000046 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE INDEX idx_audit_entries_api_key ON audit_entries ((details ->> 'api_key_id'), at)
      WHERE details ->> 'api_key_id' IS NOT NULL`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX idx_audit_entries_api_key`);
  }
}
