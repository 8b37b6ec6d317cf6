import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATES = ['queued', 'sending', 'retrying', 'sent', 'failed', 'suppressed'];

/**
 * What an operator may do to a message, and the indexes of the lists in which it is found. The type of the states is made anew,
 * because PostgreSQL lets nobody use a value in the transaction that adds it.
 */
export class LetOperatorsSteerMail1764000000020 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await this.replaceStates(queryRunner, [...STATES, 'cancelled'], 'state::text');
    // the defaults are for copies of the program that still run without these columns
    await queryRunner.query(`
      ALTER TABLE mail_messages
        ADD round integer NOT NULL DEFAULT 0,
        ADD requeued_at timestamptz,
        ADD cancelled_at timestamptz,
        ADD resend_number integer NOT NULL DEFAULT 0,
        ADD resend_of uuid CONSTRAINT fk_mail_messages_resend_of REFERENCES mail_messages ON DELETE CASCADE,
        ADD CONSTRAINT ck_mail_messages_cancelled_at CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL)),
        ADD CONSTRAINT ck_mail_messages_resend CHECK ((resend_number > 0) = (resend_of IS NOT NULL)),
        DROP CONSTRAINT uq_mail_messages_cause,
        ADD CONSTRAINT uq_mail_messages_cause UNIQUE (about_kind, about_id, template, recipient, resend_number)`);
    await queryRunner.query(`
      CREATE UNIQUE INDEX idx_mail_messages_resend_of ON mail_messages (resend_of) WHERE resend_of IS NOT NULL`);
    await queryRunner.query(`CREATE INDEX idx_mail_messages_created_at ON mail_messages (created_at, id)`);
    await queryRunner.query(`CREATE INDEX idx_mail_messages_state ON mail_messages (state, created_at, id)`);
    await queryRunner.query(`CREATE INDEX idx_mail_messages_template ON mail_messages (template, created_at, id)`);
    await queryRunner.query(`
      CREATE INDEX idx_mail_messages_recipient ON mail_messages (lower(recipient), created_at, id)`);
    await queryRunner.query(
      `CREATE INDEX idx_mail_messages_sent_at ON mail_messages (sent_at) WHERE sent_at IS NOT NULL`,
    );
    // with idx_mail_attempts_answered every end of an attempt is in one index, and what goes well in no more than that
    await queryRunner.query(`
      CREATE INDEX idx_mail_attempts_unanswered ON mail_attempts (ended_at) WHERE outcome IN ('outage', 'interrupted')`);
    await queryRunner.query(`CREATE INDEX idx_mail_suppressions_since ON mail_suppressions (since, id)`);
  }

  /** What was sent again is forgotten, because the same cause could make a message only once. */
  async down(queryRunner: QueryRunner): Promise<void> {
    for (const name of ['mail_suppressions_since', 'mail_attempts_unanswered'])
      await queryRunner.query(`DROP INDEX idx_${name}`);
    for (const name of ['sent_at', 'recipient', 'template', 'state', 'created_at', 'resend_of'])
      await queryRunner.query(`DROP INDEX idx_mail_messages_${name}`);
    await queryRunner.query(`DELETE FROM mail_messages WHERE resend_number > 0`);
    await queryRunner.query(`UPDATE mail_messages SET failed_at = cancelled_at WHERE state = 'cancelled'`);
    await queryRunner.query(`
      ALTER TABLE mail_messages
        DROP CONSTRAINT uq_mail_messages_cause,
        ADD CONSTRAINT uq_mail_messages_cause UNIQUE (about_kind, about_id, template, recipient),
        DROP CONSTRAINT ck_mail_messages_resend,
        DROP CONSTRAINT ck_mail_messages_cancelled_at,
        DROP resend_of, DROP resend_number, DROP cancelled_at, DROP requeued_at, DROP round`);
    await this.replaceStates(queryRunner, STATES, `CASE state WHEN 'cancelled' THEN 'failed' ELSE state::text END`);
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
