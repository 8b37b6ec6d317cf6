import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What files say, for a search, and which of them still have to be read. */
export class CreateFileTexts1764000000010 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE file_texts (
        file_id uuid CONSTRAINT pk_file_texts PRIMARY KEY
          CONSTRAINT fk_file_texts_file REFERENCES files (id) ON DELETE CASCADE,
        text text NOT NULL,
        extracted_at timestamptz NOT NULL DEFAULT now()
      )`);
    await queryRunner.query(`
      ALTER TABLE files
        ADD text_state varchar(20) NOT NULL DEFAULT 'owed',
        ADD CONSTRAINT ck_files_text_state
          CHECK (text_state IN ('owed', 'read', 'unreadable', 'encrypted', 'timeout', 'memory'))`);
    await queryRunner.query(`CREATE INDEX idx_files_text_owed ON files (created_at) WHERE text_state = 'owed'`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE files DROP text_state`);
    await queryRunner.query(`DROP TABLE file_texts`);
  }
}
