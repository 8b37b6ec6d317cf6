import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreatePasskeys1764000000040 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE passkeys (
        id uuid CONSTRAINT pk_passkeys PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_passkeys_user REFERENCES users (id) ON DELETE CASCADE,
        name varchar(60) NOT NULL,
        credential_id bytea NOT NULL CONSTRAINT ck_passkeys_credential_id CHECK (length(credential_id) BETWEEN 1 AND 1023),
        public_key bytea NOT NULL,
        sign_count bigint NOT NULL CONSTRAINT ck_passkeys_sign_count CHECK (sign_count >= 0),
        transports varchar(20)[] NOT NULL,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz
      )`);
    await queryRunner.query(`CREATE UNIQUE INDEX idx_passkeys_credential_id ON passkeys (credential_id)`);
    await queryRunner.query(`CREATE INDEX idx_passkeys_user ON passkeys (user_id)`);
    await queryRunner.query(`
      CREATE TABLE passkey_challenges (
        hash bytea CONSTRAINT pk_passkey_challenges PRIMARY KEY
          CONSTRAINT ck_passkey_challenges_hash CHECK (length(hash) = 32),
        purpose varchar(20) NOT NULL
          CONSTRAINT ck_passkey_challenges_purpose CHECK (purpose IN ('register', 'sign_in', 'second_step')),
        user_id uuid CONSTRAINT fk_passkey_challenges_user REFERENCES users (id) ON DELETE CASCADE,
        sign_in_hash bytea,
        expires_at timestamptz NOT NULL,
        CONSTRAINT ck_passkey_challenges_user CHECK ((user_id IS NULL) = (purpose = 'sign_in')),
        CONSTRAINT ck_passkey_challenges_sign_in CHECK ((sign_in_hash IS NOT NULL) = (purpose = 'second_step'))
      )`);
    await queryRunner.query(`CREATE INDEX idx_passkey_challenges_user ON passkey_challenges (user_id)`);
    await queryRunner.query(`CREATE INDEX idx_passkey_challenges_expires_at ON passkey_challenges (expires_at)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE passkey_challenges`);
    await queryRunner.query(`DROP TABLE passkeys`);
  }
}
