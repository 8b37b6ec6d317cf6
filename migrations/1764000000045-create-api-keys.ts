import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateApiKeys1764000000045 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE api_keys (
        id uuid CONSTRAINT pk_api_keys PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_api_keys_user REFERENCES users (id) ON DELETE CASCADE,
        name varchar(100) NOT NULL,
        public_id char(8) NOT NULL CONSTRAINT ck_api_keys_public_id CHECK (public_id ~ '^[0-9A-Za-z]{8}$'),
        key_hash bytea NOT NULL CONSTRAINT ck_api_keys_key_hash CHECK (length(key_hash) = 32),
        previous_hash bytea CONSTRAINT ck_api_keys_previous_hash CHECK (length(previous_hash) = 32),
        previous_until timestamptz,
        scopes text[] NOT NULL CONSTRAINT ck_api_keys_scopes CHECK (cardinality(scopes) > 0),
        allowed_addresses text[] NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL,
        rotated_at timestamptz,
        expires_at timestamptz CONSTRAINT ck_api_keys_expires_at CHECK (expires_at > created_at),
        last_used_at timestamptz,
        last_used_ip varchar(45),
        revoked_at timestamptz,
        revoke_reason varchar(30),
        expiry_told_at timestamptz,
        CONSTRAINT ck_api_keys_previous CHECK ((previous_hash IS NULL) = (previous_until IS NULL)),
        CONSTRAINT ck_api_keys_last_used CHECK ((last_used_at IS NULL) = (last_used_ip IS NULL)),
        CONSTRAINT ck_api_keys_revoked CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL))
      )`);
    await queryRunner.query(`CREATE UNIQUE INDEX idx_api_keys_public_id ON api_keys (public_id)`);
    await queryRunner.query(`CREATE UNIQUE INDEX idx_api_keys_key_hash ON api_keys (key_hash)`);
    await queryRunner.query(`CREATE INDEX idx_api_keys_user ON api_keys (user_id, created_at, id)`);
    await queryRunner.query(`CREATE INDEX idx_api_keys_created_at ON api_keys (created_at, id)`);
    await queryRunner.query(`CREATE INDEX idx_api_keys_over ON api_keys (least(revoked_at, expires_at))`);
    // Every process keeps keys for a moment (see known-api-keys.ts). The time of its last use is no reason to forget one.
    await queryRunner.query(`
      CREATE FUNCTION announce_api_key_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify('forecourt_api_key_changed', OLD.public_id::text);
        RETURN NULL;
      END $$`);
    await queryRunner.query(`
      CREATE TRIGGER trg_api_keys_announce_change
      AFTER UPDATE OF user_id, public_id, key_hash, previous_hash, previous_until, scopes, allowed_addresses, expires_at, revoked_at
      ON api_keys FOR EACH ROW EXECUTE FUNCTION announce_api_key_change()`);
    await queryRunner.query(`
      CREATE TRIGGER trg_api_keys_announce_loss AFTER DELETE ON api_keys
      FOR EACH ROW WHEN (OLD.revoked_at IS NULL) EXECUTE FUNCTION announce_api_key_change()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE api_keys`);
    await queryRunner.query(`DROP FUNCTION announce_api_key_change`);
  }
}
