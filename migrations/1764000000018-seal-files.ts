import type { MigrationInterface, QueryRunner } from 'typeorm';

/** With a code over all that is stored, an encrypted file need not be decrypted to find that it is whole. */
export class SealFiles1764000000018 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE files ADD seal bytea CONSTRAINT ck_files_seal
          CHECK (seal IS NULL OR (octet_length(seal) = 16 AND key_id IS NOT NULL))`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE files DROP seal`);
  }
}
