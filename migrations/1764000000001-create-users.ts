import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateUsers1764000000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TYPE user_role AS ENUM ('attorney', 'admin')`);
    await queryRunner.query(`
      CREATE TABLE users (
        id uuid CONSTRAINT pk_users PRIMARY KEY,
        username varchar(50) NOT NULL,
        email varchar(255) NOT NULL CONSTRAINT ck_users_email_lower CHECK (email = lower(email)),
        hashed_password varchar(255) NOT NULL,
        role user_role NOT NULL,
        is_active boolean NOT NULL DEFAULT true,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    // User names keep their spelling and are compared without it.
    await queryRunner.query(`CREATE UNIQUE INDEX idx_user_username ON users (lower(username))`);
    await queryRunner.query(`CREATE UNIQUE INDEX idx_user_email ON users (email)`);
    // Every process keeps users for a moment (see users.service.ts); a change by whatever way makes it forget them.
    await queryRunner.query(`
      CREATE FUNCTION announce_user_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify('forecourt_user_changed', OLD.id::text);
        RETURN NULL;
      END $$`);
    await queryRunner.query(`
      CREATE TRIGGER trg_users_announce_change AFTER UPDATE OR DELETE ON users
      FOR EACH ROW EXECUTE FUNCTION announce_user_change()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE users`);
    await queryRunner.query(`DROP FUNCTION announce_user_change`);
    await queryRunner.query(`DROP TYPE user_role`);
  }
}
