import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateSecondFactors1764000000039 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE totp_factors (
        id uuid CONSTRAINT pk_totp_factors PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_totp_factors_user REFERENCES users (id) ON DELETE CASCADE,
        name varchar(60) NOT NULL,
        sealed_secret varchar(255) NOT NULL,
        last_step integer,
        created_at timestamptz NOT NULL,
        confirmed_at timestamptz,
        last_used_at timestamptz,
        CONSTRAINT ck_totp_factors_confirmed CHECK ((confirmed_at IS NULL) = (last_step IS NULL))
      )`);
    await queryRunner.query(`CREATE INDEX idx_totp_factors_user ON totp_factors (user_id)`);
    await queryRunner.query(`
      CREATE UNIQUE INDEX idx_totp_factors_unconfirmed ON totp_factors (user_id) WHERE confirmed_at IS NULL`);
    await queryRunner.query(`
      CREATE TABLE recovery_codes (
        hash bytea CONSTRAINT pk_recovery_codes PRIMARY KEY CONSTRAINT ck_recovery_codes_hash CHECK (length(hash) = 32),
        user_id uuid NOT NULL CONSTRAINT fk_recovery_codes_user REFERENCES users (id) ON DELETE CASCADE,
        created_at timestamptz NOT NULL,
        used_at timestamptz
      )`);
    await queryRunner.query(`CREATE INDEX idx_recovery_codes_user ON recovery_codes (user_id)`);
    // what waits for its second step
    await queryRunner.query(`
      CREATE TABLE sign_in_challenges (
        hash bytea CONSTRAINT pk_sign_in_challenges PRIMARY KEY
          CONSTRAINT ck_sign_in_challenges_hash CHECK (length(hash) = 32),
        user_id uuid NOT NULL CONSTRAINT fk_sign_in_challenges_user REFERENCES users (id) ON DELETE CASCADE,
        epoch integer NOT NULL,
        method varchar(20) NOT NULL,
        transport varchar(10) NOT NULL CONSTRAINT ck_sign_in_challenges_transport CHECK (transport IN ('body', 'cookie')),
        user_agent varchar(255) NOT NULL,
        attempts smallint NOT NULL DEFAULT 0 CONSTRAINT ck_sign_in_challenges_attempts CHECK (attempts BETWEEN 0 AND 5),
        expires_at timestamptz NOT NULL
      )`);
    await queryRunner.query(`CREATE INDEX idx_sign_in_challenges_user ON sign_in_challenges (user_id)`);
    await queryRunner.query(`CREATE INDEX idx_sign_in_challenges_expires_at ON sign_in_challenges (expires_at)`);
    // how each sign-in was proved; a step that is added to one that goes on is announced like its end
    await queryRunner.query(`ALTER TABLE sessions ADD methods varchar(20)[] NOT NULL DEFAULT '{}'`);
    await queryRunner.query(`
      CREATE TRIGGER trg_sessions_announce_methods AFTER UPDATE OF methods ON sessions
      FOR EACH ROW EXECUTE FUNCTION announce_session_change()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TRIGGER trg_sessions_announce_methods ON sessions`);
    await queryRunner.query(`ALTER TABLE sessions DROP methods`);
    await queryRunner.query(`DROP TABLE sign_in_challenges`);
    await queryRunner.query(`DROP TABLE recovery_codes`);
    await queryRunner.query(`DROP TABLE totp_factors`);
  }
}
