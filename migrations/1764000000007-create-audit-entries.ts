import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateAuditEntries1764000000007 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE audit_entries (
        id uuid CONSTRAINT pk_audit_entries PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(),
        actor_kind varchar(20) NOT NULL,
        actor_id uuid,
        actor_name varchar(60),
        ip varchar(45),
        request_id uuid,
        action varchar(60) NOT NULL,
        target_kind varchar(30) NOT NULL,
        target_id uuid,
        outcome varchar(10) NOT NULL CONSTRAINT ck_audit_entries_outcome CHECK (outcome IN ('done', 'refused')),
        details jsonb NOT NULL DEFAULT '{}'
      )`);
    await queryRunner.query(`CREATE INDEX idx_audit_entries_at ON audit_entries (at, id)`);
    await queryRunner.query(`CREATE INDEX idx_audit_entries_actor ON audit_entries (actor_id, at)`);
    await queryRunner.query(`CREATE INDEX idx_audit_entries_target ON audit_entries (target_kind, target_id, at)`);
    await queryRunner.query(`
      CREATE FUNCTION keep_audit_entries() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'audit entries are only ever added' USING ERRCODE = 'integrity_constraint_violation';
      END $$`);
    await queryRunner.query(`
      CREATE TRIGGER trg_audit_entries_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
      FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_entries()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE audit_entries`);
    await queryRunner.query(`DROP FUNCTION keep_audit_entries`);
  }
}
