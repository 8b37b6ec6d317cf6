import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Links each entry to the one before by its hash. Entries come in unlinked and are linked by the program, those that are there
 * already at its next start; that one change is all that the database allows.
 */
export class ChainAuditEntries1764000000024 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE audit_entries
        ADD user_agent varchar(200),
        ADD number bigint CONSTRAINT uq_audit_entries_number UNIQUE,
        ADD previous_hash char(64),
        ADD hash char(64),
        ADD CONSTRAINT ck_audit_entries_link
          CHECK ((number IS NULL) = (previous_hash IS NULL) AND (number IS NULL) = (hash IS NULL))`);
    await queryRunner.query(`CREATE INDEX idx_audit_entries_unlinked ON audit_entries (at, id) WHERE number IS NULL`);
    await queryRunner.query(`CREATE INDEX idx_audit_entries_actor_name ON audit_entries (lower(actor_name), at)`);
    await queryRunner.query(`CREATE INDEX idx_audit_entries_action ON audit_entries (action COLLATE "C", at)`);
    await queryRunner.query(`CREATE INDEX idx_audit_entries_ip ON audit_entries (ip, at)`);
    await queryRunner.query(`CREATE INDEX idx_audit_entries_request ON audit_entries (request_id)`);
    await queryRunner.query(`DROP TRIGGER trg_audit_entries_keep ON audit_entries`);
    await queryRunner.query(`
      CREATE TRIGGER trg_audit_entries_keep BEFORE DELETE OR TRUNCATE ON audit_entries
      FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_entries()`);
    // as exact as a time in the program, so that lists can go on from an entry; *<> compares the bytes: for = the numbers 1 and 1.0 in a JSON value are the same
    await queryRunner.query(`
      CREATE FUNCTION link_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        unlinked audit_entries := NEW;
      BEGIN
        unlinked.number := NULL;
        unlinked.previous_hash := NULL;
        unlinked.hash := NULL;
        IF TG_OP = 'INSERT' AND NEW.number IS NOT NULL
          OR TG_OP = 'UPDATE' AND (NEW.number IS NULL OR unlinked *<> OLD) THEN
          RAISE EXCEPTION 'audit entries are only ever added' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF TG_OP = 'INSERT' THEN
          NEW.at := date_trunc('milliseconds', NEW.at);
        END IF;
        RETURN NEW;
      END $$`);
    await queryRunner.query(`
      CREATE TRIGGER trg_audit_entries_link BEFORE INSERT OR UPDATE ON audit_entries
      FOR EACH ROW EXECUTE FUNCTION link_audit_entry()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TRIGGER trg_audit_entries_link ON audit_entries`);
    await queryRunner.query(`DROP FUNCTION link_audit_entry`);
    await queryRunner.query(`DROP TRIGGER trg_audit_entries_keep ON audit_entries`);
    await queryRunner.query(`
      CREATE TRIGGER trg_audit_entries_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
      FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_entries()`);
    for (const name of ['request', 'ip', 'action', 'actor_name', 'unlinked'])
      await queryRunner.query(`DROP INDEX idx_audit_entries_${name}`);
    await queryRunner.query(`ALTER TABLE audit_entries DROP user_agent, DROP number, DROP previous_hash, DROP hash`);
  }
}
