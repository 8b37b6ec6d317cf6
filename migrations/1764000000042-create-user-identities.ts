import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateUserIdentities1764000000042 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE user_identities (
        id uuid CONSTRAINT pk_user_identities PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_user_identities_user REFERENCES users ON DELETE CASCADE,
        provider varchar(20) NOT NULL,
        issuer varchar(255) NOT NULL,
        subject varchar(255) NOT NULL CONSTRAINT ck_user_identities_subject CHECK (subject <> ''),
        email varchar(255),
        created_at timestamptz NOT NULL,
        last_used_at timestamptz
      )`);
    await queryRunner.query(`CREATE UNIQUE INDEX idx_user_identities_subject ON user_identities (issuer, subject)`);
    await queryRunner.query(`CREATE INDEX idx_user_identities_user ON user_identities (user_id, created_at)`);
    await queryRunner.query(`
      CREATE TABLE openid_flows (
        id uuid CONSTRAINT pk_openid_flows PRIMARY KEY,
        provider varchar(20) NOT NULL,
        state_hash bytea NOT NULL CONSTRAINT ck_openid_flows_state_hash CHECK (length(state_hash) = 32),
        browser_hash bytea NOT NULL CONSTRAINT ck_openid_flows_browser_hash CHECK (length(browser_hash) = 32),
        secrets text NOT NULL,
        return_to varchar(255),
        linking_user_id uuid CONSTRAINT fk_openid_flows_linking_user REFERENCES users ON DELETE CASCADE,
        linking_session_id uuid CONSTRAINT fk_openid_flows_linking_session REFERENCES sessions ON DELETE CASCADE,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL CONSTRAINT ck_openid_flows_expires_at CHECK (expires_at > created_at),
        returned_at timestamptz,
        code_hash bytea CONSTRAINT ck_openid_flows_code_hash CHECK (length(code_hash) = 32),
        code_expires_at timestamptz,
        identity_id uuid CONSTRAINT fk_openid_flows_identity REFERENCES user_identities ON DELETE CASCADE,
        subject varchar(255),
        email varchar(255),
        redeemed_at timestamptz,
        CONSTRAINT ck_openid_flows_code CHECK (
          (code_hash IS NULL) = (code_expires_at IS NULL)
          AND (code_hash IS NULL OR (returned_at IS NOT NULL AND (identity_id IS NULL) = (subject IS NOT NULL)))
        ),
        CONSTRAINT ck_openid_flows_linking CHECK (linking_user_id IS NOT NULL OR linking_session_id IS NULL),
        CONSTRAINT ck_openid_flows_redeemed CHECK (redeemed_at IS NULL OR code_hash IS NOT NULL)
      )`);
    await queryRunner.query(`CREATE UNIQUE INDEX idx_openid_flows_state ON openid_flows (state_hash)`);
    await queryRunner.query(`CREATE UNIQUE INDEX idx_openid_flows_code ON openid_flows (code_hash)`);
    await queryRunner.query(`CREATE INDEX idx_openid_flows_created_at ON openid_flows (created_at)`);
    await queryRunner.query(`CREATE INDEX idx_openid_flows_linking_user ON openid_flows (linking_user_id)`);
    await queryRunner.query(`CREATE INDEX idx_openid_flows_linking_session ON openid_flows (linking_session_id)`);
    await queryRunner.query(`CREATE INDEX idx_openid_flows_identity ON openid_flows (identity_id)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE openid_flows`);
    await queryRunner.query(`DROP TABLE user_identities`);
  }
}
