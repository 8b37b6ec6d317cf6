import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a file belongs to, where and how it is stored, what was found in it, and its end. */
export class DescribeFiles1764000000008 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // the defaults are for copies of the program that still run without these columns
    await queryRunner.query(`
      ALTER TABLE files
        ADD owner_kind varchar(30) NOT NULL DEFAULT 'lead',
        ADD owner_id uuid,
        ADD storage varchar(10) NOT NULL DEFAULT 'disk',
        ADD key_id varchar(50),
        ADD wrapped_key bytea,
        ADD findings text[] NOT NULL DEFAULT '{}',
        ADD scan_state varchar(20) NOT NULL DEFAULT 'unscanned',
        ADD scan_signature varchar(200),
        ADD scan_engine varchar(200),
        ADD scanned_at timestamptz,
        ADD uploaded_by varchar(60) NOT NULL DEFAULT 'public',
        ADD uploaded_by_id uuid,
        ADD deleted_at timestamptz,
        ADD purged_at timestamptz,
        ADD CONSTRAINT ck_files_storage CHECK (storage IN ('disk', 's3', 'webdav')),
        ADD CONSTRAINT ck_files_scan_state CHECK (scan_state IN ('unscanned', 'pending', 'clean', 'infected')),
        ADD CONSTRAINT ck_files_wrapped_key CHECK (wrapped_key IS NULL OR key_id IS NOT NULL),
        ADD CONSTRAINT ck_files_purged_at CHECK (purged_at IS NULL OR (deleted_at IS NOT NULL AND wrapped_key IS NULL))`);
    await queryRunner.query(`
      UPDATE files SET owner_id = leads.id FROM leads WHERE leads.resume_path = files.storage_key`);
    await queryRunner.query(`CREATE INDEX idx_files_owner ON files (owner_kind, owner_id)`);
    await queryRunner.query(`CREATE INDEX idx_files_deleted_at ON files (deleted_at) WHERE purged_at IS NULL`);
    await queryRunner.query(`CREATE INDEX idx_files_scan_state ON files (scan_state) WHERE scan_state <> 'clean'`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE files
        DROP owner_kind, DROP owner_id, DROP storage, DROP key_id, DROP wrapped_key, DROP findings, DROP scan_state,
        DROP scan_signature, DROP scan_engine, DROP scanned_at, DROP uploaded_by, DROP uploaded_by_id, DROP deleted_at,
        DROP purged_at`);
  }
}
