import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Of one status by the last change: most leads that changed long ago are of the other status. */
export class FindLeadsByStatusAndChange1764000000062 implements MigrationInterface {
  // CREATE INDEX CONCURRENTLY cannot run in a transaction
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    // one that was cut off is there, and is not used
    await queryRunner.query(`DROP INDEX CONCURRENTLY IF EXISTS idx_lead_status_updated_at`);
    await queryRunner.query(`CREATE INDEX CONCURRENTLY idx_lead_status_updated_at ON leads (status, updated_at, id)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX idx_lead_status_updated_at`);
  }
}
