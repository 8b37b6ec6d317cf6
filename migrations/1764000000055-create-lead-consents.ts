import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What somebody who submitted agreed to, when, and where from: goes with the lead that it was given for. */
export class CreateLeadConsents1764000000055 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE lead_consents (
        lead_id uuid CONSTRAINT pk_lead_consents PRIMARY KEY
          CONSTRAINT fk_lead_consents_lead REFERENCES leads (id) ON DELETE CASCADE,
        text_version varchar(50) NOT NULL,
        locale varchar(35) NOT NULL,
        given_at timestamptz NOT NULL,
        ip varchar(45) NOT NULL
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE lead_consents`);
  }
}
