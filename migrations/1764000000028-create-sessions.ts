import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateSessions1764000000028 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // Grows whenever all sessions of a user end at once. A counter and no time: the clocks of two machines differ.
    await queryRunner.query(`ALTER TABLE users ADD session_epoch integer NOT NULL DEFAULT 0`);
    await queryRunner.query(`
      CREATE TABLE sessions (
        id uuid CONSTRAINT pk_sessions PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_sessions_user REFERENCES users (id) ON DELETE CASCADE,
        epoch integer NOT NULL,
        transport varchar(10) NOT NULL CONSTRAINT ck_sessions_transport CHECK (transport IN ('body', 'cookie')),
        device varchar(60) NOT NULL,
        user_agent varchar(255) NOT NULL,
        ip varchar(45) NOT NULL,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL CONSTRAINT ck_sessions_expires_at CHECK (expires_at > created_at),
        ended_at timestamptz,
        end_reason varchar(30),
        CONSTRAINT ck_sessions_ended CHECK ((ended_at IS NULL) = (end_reason IS NULL))
      )`);
    await queryRunner.query(`CREATE INDEX idx_sessions_user ON sessions (user_id, last_used_at)`);
    await queryRunner.query(`CREATE INDEX idx_sessions_over ON sessions (least(ended_at, expires_at))`);
    // Every process keeps sessions for a moment (see known-sessions.ts); an end by whatever way makes it forget them.
    await queryRunner.query(`
      CREATE FUNCTION announce_session_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify('forecourt_session_changed', OLD.id::text);
        RETURN NULL;
      END $$`);
    await queryRunner.query(`
      CREATE TRIGGER trg_sessions_announce_end AFTER UPDATE OF ended_at, expires_at, epoch ON sessions
      FOR EACH ROW EXECUTE FUNCTION announce_session_change()`);
    await queryRunner.query(`
      CREATE TRIGGER trg_sessions_announce_loss AFTER DELETE ON sessions
      FOR EACH ROW WHEN (OLD.ended_at IS NULL) EXECUTE FUNCTION announce_session_change()`);
    await queryRunner.query(`
      CREATE TABLE refresh_tokens (
        hash bytea CONSTRAINT pk_refresh_tokens PRIMARY KEY CONSTRAINT ck_refresh_tokens_hash CHECK (length(hash) = 32),
        session_id uuid NOT NULL CONSTRAINT fk_refresh_tokens_session REFERENCES sessions (id) ON DELETE CASCADE,
        issued_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        replaced_by bytea,
        salt bytea,
        CONSTRAINT ck_refresh_tokens_used CHECK (
          (used_at IS NULL) = (replaced_by IS NULL) AND (used_at IS NULL) = (salt IS NULL)
        )
      )`);
    await queryRunner.query(`CREATE INDEX idx_refresh_tokens_session ON refresh_tokens (session_id)`);
    // however many rotate at once, a session never has two tokens that are good
    await queryRunner.query(`
      CREATE UNIQUE INDEX idx_refresh_tokens_unused ON refresh_tokens (session_id) WHERE used_at IS NULL`);
    await queryRunner.query(`
      CREATE INDEX idx_refresh_tokens_used_at ON refresh_tokens (used_at) WHERE used_at IS NOT NULL`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE refresh_tokens`);
    await queryRunner.query(`DROP TABLE sessions`);
    await queryRunner.query(`DROP FUNCTION announce_session_change`);
    await queryRunner.query(`ALTER TABLE users DROP session_epoch`);
  }
}
