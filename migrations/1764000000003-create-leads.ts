import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateLeads1764000000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TYPE lead_status AS ENUM ('PENDING', 'REACHED_OUT')`);
    await queryRunner.query(`
      CREATE TABLE leads (
        id uuid CONSTRAINT pk_leads PRIMARY KEY,
        first_name varchar(100) NOT NULL,
        last_name varchar(100) NOT NULL,
        email varchar(255) NOT NULL CONSTRAINT ck_leads_email_lower CHECK (email = lower(email)),
        resume_path varchar(500) NOT NULL CONSTRAINT fk_leads_resume REFERENCES files (storage_key) ON UPDATE CASCADE,
        status lead_status NOT NULL DEFAULT 'PENDING',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        reached_out_at timestamptz,
        reached_out_by_id uuid CONSTRAINT fk_leads_reached_out_by REFERENCES users (id) ON DELETE SET NULL,
        CONSTRAINT ck_leads_reached_out_at CHECK ((status = 'PENDING') = (reached_out_at IS NULL)),
        CONSTRAINT ck_leads_reached_out_by CHECK (status <> 'PENDING' OR reached_out_by_id IS NULL)
      )`);
    await queryRunner.query(`CREATE UNIQUE INDEX idx_lead_email ON leads (email)`);
    await queryRunner.query(`CREATE UNIQUE INDEX idx_lead_resume_path ON leads (resume_path)`);
    await queryRunner.query(`CREATE INDEX idx_lead_reached_out_by_id ON leads (reached_out_by_id)`);
    // One index per sort field; the id makes every order total. A lead never reached sorts below every date.
    await queryRunner.query(`CREATE INDEX idx_lead_status ON leads (status, id)`);
    await queryRunner.query(`CREATE INDEX idx_lead_created_at ON leads (created_at, id)`);
    await queryRunner.query(`CREATE INDEX idx_lead_status_created_at ON leads (status, created_at, id)`);
    await queryRunner.query(`CREATE INDEX idx_lead_updated_at ON leads (updated_at, id)`);
    await queryRunner.query(`CREATE INDEX idx_lead_reached_out_at ON leads (reached_out_at NULLS FIRST, id)`);
    await queryRunner.query(`CREATE INDEX idx_lead_first_name ON leads (first_name, id)`);
    await queryRunner.query(`CREATE INDEX idx_lead_last_name ON leads (last_name, id)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE leads`);
    await queryRunner.query(`DROP TYPE lead_status`);
  }
}
