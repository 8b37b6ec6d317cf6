import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What delivery needs to know of a message. The type of the states is made anew, because PostgreSQL lets nobody use a value
 * in the transaction that adds it.
 */
export class DescribeMailDelivery1764000000013 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await this.replaceStates(
      queryRunner,
      ['queued', 'sending', 'retrying', 'sent', 'failed', 'suppressed'],
      'state::text',
    );
    // the defaults are for copies of the program that still run without these columns
    await queryRunner.query(`
      ALTER TABLE mail_messages
        ADD subject text,
        ADD next_attempt_at timestamptz,
        ADD held_at timestamptz,
        ADD is_suspect boolean NOT NULL DEFAULT false,
        ADD failed_at timestamptz`);
    await queryRunner.query(`UPDATE mail_messages SET failed_at = created_at WHERE state = 'failed'`);
    await queryRunner.query(`
      CREATE INDEX idx_mail_messages_held ON mail_messages (deferrals, created_at, id) WHERE held_at IS NOT NULL`);
    await queryRunner.query(`CREATE INDEX idx_mail_messages_deferred ON mail_messages (recipient) WHERE deferrals > 0`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX idx_mail_messages_deferred`);
    await queryRunner.query(`DROP INDEX idx_mail_messages_held`);
    await queryRunner.query(`
      ALTER TABLE mail_messages
        DROP subject, DROP next_attempt_at, DROP held_at, DROP is_suspect, DROP failed_at`);
    await this.replaceStates(
      queryRunner,
      ['queued', 'retrying', 'sent', 'failed'],
      `CASE state WHEN 'sending' THEN 'retrying' WHEN 'suppressed' THEN 'failed' ELSE state::text END`,
    );
  }

  /** `asText` gives the new state of a row. */
  private async replaceStates(queryRunner: QueryRunner, states: readonly string[], asText: string): Promise<void> {
    await queryRunner.query(`ALTER TYPE mail_state RENAME TO mail_state_before`);
    await queryRunner.query(`CREATE TYPE mail_state AS ENUM (${states.map((each) => `'${each}'`).join(', ')})`);
    await queryRunner.query(`
      ALTER TABLE mail_messages
        DROP CONSTRAINT ck_mail_messages_sent_at,
        ALTER state DROP DEFAULT,
        ALTER state TYPE mail_state USING (${asText})::mail_state`);
    await queryRunner.query(`
      ALTER TABLE mail_messages
        ALTER state SET DEFAULT 'queued',
        ADD CONSTRAINT ck_mail_messages_sent_at CHECK ((state = 'sent') = (sent_at IS NOT NULL))`);
    await queryRunner.query(`DROP TYPE mail_state_before`);
  }
}
