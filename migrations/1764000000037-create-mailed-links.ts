import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateMailedLinks1764000000037 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE mailed_links (
        id uuid CONSTRAINT pk_mailed_links PRIMARY KEY,
        purpose varchar(20) NOT NULL CONSTRAINT ck_mailed_links_purpose
          CHECK (purpose IN ('verify_email', 'reset_password', 'change_email', 'sign_in')),
        holder varchar(255) NOT NULL,
        user_id uuid CONSTRAINT fk_mailed_links_user REFERENCES users ON DELETE CASCADE,
        epoch integer,
        email varchar(255) NOT NULL CONSTRAINT ck_mailed_links_email_lower CHECK (email = lower(email)),
        token_hash bytea NOT NULL CONSTRAINT ck_mailed_links_token_hash CHECK (length(token_hash) = 32),
        browser_hash bytea CONSTRAINT ck_mailed_links_browser_hash CHECK (length(browser_hash) = 32),
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL CONSTRAINT ck_mailed_links_expires_at CHECK (expires_at > created_at),
        used_at timestamptz,
        ended_at timestamptz,
        CONSTRAINT ck_mailed_links_user CHECK ((user_id IS NULL) = (epoch IS NULL)),
        CONSTRAINT ck_mailed_links_end CHECK (used_at IS NULL OR ended_at IS NULL)
      )`);
    await queryRunner.query(
      `COMMENT ON COLUMN mailed_links.holder IS 'the id of the account, or the address where there is none'`,
    );
    await queryRunner.query(`COMMENT ON COLUMN mailed_links.ended_at IS 'when a newer one took its place'`);
    await queryRunner.query(`CREATE UNIQUE INDEX idx_mailed_links_token_hash ON mailed_links (token_hash)`);
    await queryRunner.query(`
      CREATE UNIQUE INDEX idx_mailed_links_open ON mailed_links (purpose, holder)
      WHERE used_at IS NULL AND ended_at IS NULL`);
    await queryRunner.query(`CREATE INDEX idx_mailed_links_holder ON mailed_links (holder, purpose, created_at)`);
    await queryRunner.query(`CREATE INDEX idx_mailed_links_user ON mailed_links (user_id)`);
    await queryRunner.query(`CREATE INDEX idx_mailed_links_expires_at ON mailed_links (expires_at)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE mailed_links`);
  }
}
