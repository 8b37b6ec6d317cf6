import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The indexes of names know the status, so that leads of one status are found without a look at the others. Their names are new,
 * because there is always one that can be used.
 */
export class CoverLeadsByName1764000000063 implements MigrationInterface {
  // CREATE INDEX CONCURRENTLY cannot run in a transaction
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const column of ['first_name', 'last_name']) {
      // one that was cut off is there, and is not used
      await queryRunner.query(`DROP INDEX CONCURRENTLY IF EXISTS idx_lead_${column}_id_status`);
      await queryRunner.query(
        `CREATE INDEX CONCURRENTLY idx_lead_${column}_id_status ON leads (${column}, id) INCLUDE (status)`,
      );
      await queryRunner.query(`DROP INDEX CONCURRENTLY IF EXISTS idx_lead_${column}`);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const column of ['first_name', 'last_name']) {
      await queryRunner.query(`CREATE INDEX idx_lead_${column} ON leads (${column}, id)`);
      await queryRunner.query(`DROP INDEX idx_lead_${column}_id_status`);
    }
  }
}
