import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateFiles1764000000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE files (
        id uuid CONSTRAINT pk_files PRIMARY KEY,
        storage_key varchar(500) NOT NULL,
        original_name varchar(255) NOT NULL,
        media_type varchar(100) NOT NULL,
        size_bytes integer NOT NULL CONSTRAINT ck_files_size CHECK (size_bytes > 0),
        sha256 char(64) NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_files_storage_key UNIQUE (storage_key)
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE files`);
  }
}
