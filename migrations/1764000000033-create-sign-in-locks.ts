import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Accounts and sources are keyed hashes: names that nobody has are counted too, and may be anybody's secret. */
export class CreateSignInLocks1764000000033 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE sign_in_locks (
        account bytea NOT NULL CONSTRAINT ck_sign_in_locks_account CHECK (length(account) = 32),
        source bytea NOT NULL CONSTRAINT ck_sign_in_locks_source CHECK (length(source) IN (0, 32)),
        failed_at timestamptz[] NOT NULL DEFAULT '{}',
        locked_until timestamptz,
        locks integer NOT NULL DEFAULT 0 CONSTRAINT ck_sign_in_locks_locks CHECK (locks >= 0),
        told_at timestamptz,
        changed_at timestamptz NOT NULL,
        CONSTRAINT pk_sign_in_locks PRIMARY KEY (account, source)
      )`);
    await queryRunner.query(`COMMENT ON COLUMN sign_in_locks.source IS 'empty: all sources together'`);
    await queryRunner.query(`CREATE INDEX idx_sign_in_locks_changed_at ON sign_in_locks (changed_at)`);
    await queryRunner.query(`
      CREATE TABLE known_sources (
        user_id uuid NOT NULL CONSTRAINT fk_known_sources_user REFERENCES users ON DELETE CASCADE,
        source bytea NOT NULL CONSTRAINT ck_known_sources_source CHECK (length(source) = 32),
        last_used_at timestamptz NOT NULL,
        CONSTRAINT pk_known_sources PRIMARY KEY (user_id, source)
      )`);
    await queryRunner.query(`CREATE INDEX idx_known_sources_last_used_at ON known_sources (last_used_at)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE known_sources`);
    await queryRunner.query(`DROP TABLE sign_in_locks`);
  }
}
