import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The language that a prospect reads, and the one of each message. What was there before was written in English. */
export class AddLocales1764000000012 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['leads', 'mail_messages']) {
      await queryRunner.query(`
        ALTER TABLE ${table}
          ADD locale varchar(35) NOT NULL DEFAULT 'en',
          ADD CONSTRAINT ck_${table}_locale CHECK (locale ~ '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$')`);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['leads', 'mail_messages']) await queryRunner.query(`ALTER TABLE ${table} DROP locale`);
  }
}
