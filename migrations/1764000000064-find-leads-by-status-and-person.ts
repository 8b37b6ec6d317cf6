import type { MigrationInterface, QueryRunner } from 'typeorm';

const NAMES = ['first_name', 'last_name'];

/**
 * A page of one status in the order of names or addresses is found as every other page is: without a look at the leads of the
 * other status, however far back it is. The indexes that merely knew the status go.
 */
export class FindLeadsByStatusAndPerson1764000000064 implements MigrationInterface {
  // CREATE INDEX CONCURRENTLY cannot run in a transaction
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    const create = async (name: string, columns: string): Promise<void> => {
      // one that was cut off is there, and is not used
      await queryRunner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
      await queryRunner.query(`CREATE INDEX CONCURRENTLY ${name} ON leads (${columns})`);
    };
    for (const column of [...NAMES, 'email']) await create(`idx_lead_status_${column}`, `status, ${column}, id`);
    for (const column of NAMES) {
      await create(`idx_lead_${column}`, `${column}, id`);
      await queryRunner.query(`DROP INDEX CONCURRENTLY IF EXISTS idx_lead_${column}_id_status`);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const column of NAMES) {
      await queryRunner.query(`CREATE INDEX idx_lead_${column}_id_status ON leads (${column}, id) INCLUDE (status)`);
      await queryRunner.query(`DROP INDEX idx_lead_${column}`);
    }
    for (const column of [...NAMES, 'email']) await queryRunner.query(`DROP INDEX idx_lead_status_${column}`);
  }
}
