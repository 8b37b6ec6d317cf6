import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateLeadStatusHistory1764000000004 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // The name stands beside the reference because history must stay readable after the account is gone.
    await queryRunner.query(`
      CREATE TABLE lead_status_changes (
        id uuid CONSTRAINT pk_lead_status_changes PRIMARY KEY,
        lead_id uuid NOT NULL CONSTRAINT fk_lead_status_changes_lead REFERENCES leads (id) ON DELETE CASCADE,
        from_status lead_status,
        to_status lead_status NOT NULL,
        changed_by varchar(60) NOT NULL,
        changed_by_id uuid CONSTRAINT fk_lead_status_changes_changed_by REFERENCES users (id) ON DELETE SET NULL,
        changed_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT ck_lead_status_changes_change CHECK (from_status IS DISTINCT FROM to_status)
      )`);
    await queryRunner.query(`CREATE INDEX idx_lead_status_changes_lead ON lead_status_changes (lead_id, changed_at)`);
    await queryRunner.query(`CREATE INDEX idx_lead_status_changes_changed_by ON lead_status_changes (changed_by_id)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE lead_status_changes`);
  }
}
