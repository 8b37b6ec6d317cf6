import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The type is made anew instead of extended: a value that was added to a type cannot be used in the same transaction. The
 * admin who was there first becomes the superadmin, so that an updated installation has exactly one; the others stay what
 * they are, and the superadmin may promote them.
 */
export class AddSuperadminAndClient1764000000032 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await replaceRoles(queryRunner, ['client', 'attorney', 'admin', 'superadmin'], 'role::text');
    await queryRunner.query(`
      UPDATE users SET role = 'superadmin'
      WHERE id = (SELECT id FROM users WHERE role = 'admin' AND is_active ORDER BY created_at, id LIMIT 1)`);
  }

  /** Before this there was no role for clients; they must not come back as attorneys, so they come back disabled. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`UPDATE users SET is_active = false WHERE role = 'client'`);
    await replaceRoles(
      queryRunner,
      ['attorney', 'admin'],
      `CASE role::text WHEN 'superadmin' THEN 'admin' WHEN 'client' THEN 'attorney' ELSE role::text END`,
    );
  }
}

async function replaceRoles(queryRunner: QueryRunner, roles: readonly string[], mapping: string): Promise<void> {
  await queryRunner.query(`ALTER TYPE user_role RENAME TO user_role_before`);
  await queryRunner.query(`CREATE TYPE user_role AS ENUM (${roles.map((role) => `'${role}'`).join(', ')})`);
  await queryRunner.query(`ALTER TABLE users ALTER role TYPE user_role USING (${mapping})::user_role`);
  await queryRunner.query(`DROP TYPE user_role_before`);
}
