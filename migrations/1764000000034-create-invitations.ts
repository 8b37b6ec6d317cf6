import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateInvitations1764000000034 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE invitations (
        id uuid CONSTRAINT pk_invitations PRIMARY KEY,
        email varchar(255) NOT NULL CONSTRAINT ck_invitations_email_lower CHECK (email = lower(email)),
        username varchar(50),
        role user_role NOT NULL CONSTRAINT ck_invitations_role CHECK (role IN ('client', 'attorney')),
        token_hash bytea NOT NULL CONSTRAINT ck_invitations_token_hash CHECK (length(token_hash) = 32),
        invited_by_id uuid CONSTRAINT fk_invitations_invited_by REFERENCES users ON DELETE CASCADE,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL CONSTRAINT ck_invitations_expires_at CHECK (expires_at > created_at),
        accepted_at timestamptz,
        revoked_at timestamptz,
        CONSTRAINT ck_invitations_end CHECK (accepted_at IS NULL OR revoked_at IS NULL)
      )`);
    await queryRunner.query(`CREATE UNIQUE INDEX idx_invitations_token_hash ON invitations (token_hash)`);
    await queryRunner.query(`
      CREATE UNIQUE INDEX idx_invitations_open_email ON invitations (email)
      WHERE accepted_at IS NULL AND revoked_at IS NULL`);
    await queryRunner.query(`CREATE INDEX idx_invitations_invited_by ON invitations (invited_by_id)`);
    await queryRunner.query(`CREATE INDEX idx_invitations_created_at ON invitations (created_at, id)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE invitations`);
  }
}
