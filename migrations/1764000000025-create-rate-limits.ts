import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What was counted within the last minute. Unlogged: after a crash it is empty, and nothing of it is worth a write to the log.
 * Rows are rewritten again and again, so there is room for that in each page.
 */
export class CreateRateLimits1764000000025 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE UNLOGGED TABLE rate_limits (
        key varchar(200) CONSTRAINT pk_rate_limits PRIMARY KEY,
        counts jsonb NOT NULL,
        was_taken boolean NOT NULL,
        last_second bigint NOT NULL
      ) WITH (fillfactor = 50)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE rate_limits`);
  }
}
