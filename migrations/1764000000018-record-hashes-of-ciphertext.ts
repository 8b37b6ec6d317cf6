import type { MigrationInterface, QueryRunner } from 'typeorm';

/** With the hash of what is stored, an encrypted file need not be decrypted to find that it is whole. */
export class RecordHashesOfCiphertext1764000000018 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE files ADD sealed_sha256 char(64)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE files DROP sealed_sha256`);
  }
}
