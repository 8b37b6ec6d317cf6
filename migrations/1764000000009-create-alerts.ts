import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateAlerts1764000000009 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE alerts (
        id uuid CONSTRAINT pk_alerts PRIMARY KEY,
        cause varchar(200) NOT NULL,
        summary varchar(500) NOT NULL,
        details jsonb NOT NULL DEFAULT '{}',
        raised_at timestamptz NOT NULL DEFAULT now(),
        occurrences integer NOT NULL DEFAULT 1 CONSTRAINT ck_alerts_occurrences CHECK (occurrences > 0)
      )`);
    await queryRunner.query(`CREATE INDEX idx_alerts_cause ON alerts (cause, raised_at)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE alerts`);
  }
}
