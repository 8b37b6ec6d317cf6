import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Totals that are kept instead of counted: count(*) over a million leads costs a thousand times the page itself. The
 * total of a status is the sum of its slots; a session always adds to the same slot, so that submissions at the same
 * moment seldom wait for each other's row. Both rows of a status change are taken in the order of the enum, which keeps
 * two changes in opposite directions from a deadlock.
 */
export class CountLeads1764000000005 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE lead_totals (
        status lead_status NOT NULL,
        slot smallint NOT NULL,
        total bigint NOT NULL,
        CONSTRAINT pk_lead_totals PRIMARY KEY (status, slot)
      ) WITH (fillfactor = 50)`);
    await queryRunner.query(`
      INSERT INTO lead_totals
      SELECT each, slot, CASE slot WHEN 0 THEN (SELECT count(*) FROM leads WHERE status = each) ELSE 0 END
      FROM unnest(enum_range(NULL::lead_status)) AS each, generate_series(0, 31) AS slot`);
    await queryRunner.query(`
      CREATE FUNCTION count_leads() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        mine CONSTANT smallint := pg_backend_pid() % 32;
      BEGIN
        IF TG_OP = 'TRUNCATE' THEN
          UPDATE lead_totals SET total = 0;
        ELSIF TG_OP = 'INSERT' THEN
          UPDATE lead_totals SET total = total + 1 WHERE status = NEW.status AND slot = mine;
        ELSIF TG_OP = 'DELETE' THEN
          UPDATE lead_totals SET total = total - 1 WHERE status = OLD.status AND slot = mine;
        ELSIF OLD.status < NEW.status THEN
          UPDATE lead_totals SET total = total - 1 WHERE status = OLD.status AND slot = mine;
          UPDATE lead_totals SET total = total + 1 WHERE status = NEW.status AND slot = mine;
        ELSIF OLD.status > NEW.status THEN
          UPDATE lead_totals SET total = total + 1 WHERE status = NEW.status AND slot = mine;
          UPDATE lead_totals SET total = total - 1 WHERE status = OLD.status AND slot = mine;
        END IF;
        RETURN NULL;
      END $$`);
    await queryRunner.query(`
      CREATE TRIGGER trg_leads_count AFTER INSERT OR DELETE OR UPDATE OF status ON leads
      FOR EACH ROW EXECUTE FUNCTION count_leads()`);
    await queryRunner.query(`
      CREATE TRIGGER trg_leads_count_truncate AFTER TRUNCATE ON leads
      FOR EACH STATEMENT EXECUTE FUNCTION count_leads()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TRIGGER trg_leads_count_truncate ON leads`);
    await queryRunner.query(`DROP TRIGGER trg_leads_count ON leads`);
    await queryRunner.query(`DROP FUNCTION count_leads`);
    await queryRunner.query(`DROP TABLE lead_totals`);
  }
}
