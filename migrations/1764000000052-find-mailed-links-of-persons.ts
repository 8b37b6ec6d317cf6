import type { MigrationInterface, QueryRunner } from 'typeorm';

/** By address, as an erasure looks for what is about somebody. */
export class FindMailedLinksOfPersons1764000000052 implements MigrationInterface {
  // CREATE INDEX CONCURRENTLY cannot run in a transaction
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    // one that was cut off is there, and is not used
    await queryRunner.query(`DROP INDEX CONCURRENTLY IF EXISTS idx_mailed_links_email`);
    await queryRunner.query(`CREATE INDEX CONCURRENTLY idx_mailed_links_email ON mailed_links (email)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX idx_mailed_links_email`);
  }
}
