import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DataSource } from 'typeorm';
import { MIGRATIONS } from '../../migrations/index.js';
import { buildLogger } from '../../src/common/logging.js';
import { loadConfig } from '../../src/config/config.js';
import { PROJECT_ROOT } from '../../src/config/project-root.js';
import { makeDataSource } from '../../src/database/data-source.js';
import { makeDatabase, type TestDatabase } from '../support/database.js';
import { migrateTo } from '../support/schema.js';

let database: TestDatabase;

/** The data source of the application, with all entities. */
async function openApplicationSource(): Promise<DataSource> {
  const files = readdirSync(join(PROJECT_ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  for (const file of files) if (file.endsWith('.entity.ts')) await import(join(PROJECT_ROOT, 'src', file));
  const config = loadConfig({ DB_POOL_SIZE: '0', DB_MAX_OVERFLOW: '4' });
  return makeDataSource(database.url, config, buildLogger('CRITICAL', process.stderr)).initialize();
}

/** Everything of ours that the database knows: tables with columns, indexes, constraints, triggers, functions, types. */
async function catalogue(): Promise<string[]> {
  const rows = await database.query<{ line: string }>(`
    WITH ours AS (
      SELECT oid, relname, relkind FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relname !~ 'migrations' AND relkind IN ('r', 'v', 'm', 'S')
    )
    SELECT concat_ws(' ', relkind, relname) AS line FROM ours
    UNION ALL SELECT concat_ws(' ', 'column', relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid))
      FROM ours JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename !~ 'migrations'
    UNION ALL SELECT concat_ws(' ', 'constraint', relname, conname, pg_get_constraintdef(c.oid)) FROM pg_constraint c JOIN ours ON conrelid = ours.oid
    UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN ours ON tgrelid = ours.oid WHERE NOT tgisinternal
    UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'type', typname, typtype, (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
      FROM pg_type t WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd', 'r')
    ORDER BY line`);
  return rows.map(({ line }) => line);
}

beforeEach(async () => {
  database = await makeDatabase();
});
afterEach(() => database.drop());

describe('the migrations', () => {
  it('are listed in the order of their times, every file of the folder', () => {
    const files = readdirSync(join(PROJECT_ROOT, 'migrations')).filter((file) => file !== 'index.ts');
    const nameOf = (file: string): string => {
      const [time = '', ...words] = basename(file, '.ts').split('-');
      return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('') + time;
    };

    expect(MIGRATIONS.map(({ name }) => name)).toEqual(files.sort().map(nameOf));
  });

  it('make the tables of the entities: nothing of a table or a column is left for TypeORM to change', async () => {
    const source = await openApplicationSource();
    await source.runMigrations();

    const { upQueries } = await source.driver.createSchemaBuilder().log();
    await source.destroy();

    // Stated by migrations alone: an entity describes the columns that it maps. Expressions, orders of NULL and
    // references to another module's table have no place in it, and TypeORM only compares them by name.
    expect(upQueries.map(({ query }) => query).sort()).toEqual(
      [
        'ALTER TABLE "alerts" DROP CONSTRAINT "ck_alerts_occurrences"',
        'ALTER TABLE "passkeys" DROP CONSTRAINT "ck_passkeys_credential_id"',
        'ALTER TABLE "passkeys" DROP CONSTRAINT "ck_passkeys_sign_count"',
        'ALTER TABLE "passkeys" DROP CONSTRAINT "fk_passkeys_user"',
        'ALTER TABLE "sessions" ALTER COLUMN "methods" DROP DEFAULT',
        'ALTER TABLE "totp_factors" DROP CONSTRAINT "ck_totp_factors_confirmed"',
        'ALTER TABLE "totp_factors" DROP CONSTRAINT "fk_totp_factors_user"',
        'DROP INDEX "public"."idx_passkeys_credential_id"',
        'DROP INDEX "public"."idx_passkeys_user"',
        'DROP INDEX "public"."idx_totp_factors_unconfirmed"',
        'DROP INDEX "public"."idx_totp_factors_user"',
        'ALTER TABLE "api_keys" DROP CONSTRAINT "ck_api_keys_expires_at"',
        'ALTER TABLE "api_keys" DROP CONSTRAINT "ck_api_keys_key_hash"',
        'ALTER TABLE "api_keys" DROP CONSTRAINT "ck_api_keys_last_used"',
        'ALTER TABLE "api_keys" DROP CONSTRAINT "ck_api_keys_previous"',
        'ALTER TABLE "api_keys" DROP CONSTRAINT "ck_api_keys_previous_hash"',
        'ALTER TABLE "api_keys" DROP CONSTRAINT "ck_api_keys_public_id"',
        'ALTER TABLE "api_keys" DROP CONSTRAINT "ck_api_keys_revoked"',
        'ALTER TABLE "api_keys" DROP CONSTRAINT "ck_api_keys_scopes"',
        'ALTER TABLE "api_keys" DROP CONSTRAINT "fk_api_keys_user"',
        'DROP INDEX "public"."idx_api_keys_created_at"',
        'DROP INDEX "public"."idx_api_keys_key_hash"',
        'DROP INDEX "public"."idx_api_keys_public_id"',
        'DROP INDEX "public"."idx_api_keys_user"',
        'DROP INDEX "public"."idx_audit_entries_api_key"',
        'ALTER TABLE "audit_entries" DROP CONSTRAINT "ck_audit_entries_link"',
        'ALTER TABLE "audit_entries" DROP CONSTRAINT "ck_audit_entries_outcome"',
        'ALTER TABLE "audit_entries" DROP CONSTRAINT "uq_audit_entries_number"',
        'ALTER TABLE "erasures" DROP CONSTRAINT "ck_erasures_completed"',
        'ALTER TABLE "erasures" DROP CONSTRAINT "ck_erasures_person"',
        'DROP INDEX "public"."idx_erasures_person"',
        'DROP INDEX "public"."idx_erasures_requested_at"',
        'ALTER TABLE "legal_holds" DROP CONSTRAINT "ck_legal_holds_email_lower"',
        'ALTER TABLE "legal_holds" DROP CONSTRAINT "ck_legal_holds_lifted"',
        'DROP INDEX "public"."idx_legal_holds_open"',
        'DROP INDEX "public"."idx_legal_holds_placed_at"',
        'ALTER TABLE "files" DROP CONSTRAINT "ck_files_purged_at"',
        'ALTER TABLE "files" DROP CONSTRAINT "ck_files_scan_state"',
        'ALTER TABLE "files" DROP CONSTRAINT "ck_files_seal"',
        'ALTER TABLE "files" DROP CONSTRAINT "ck_files_size"',
        'ALTER TABLE "files" DROP CONSTRAINT "ck_files_storage"',
        'ALTER TABLE "files" DROP CONSTRAINT "ck_files_text_state"',
        'ALTER TABLE "files" DROP CONSTRAINT "ck_files_wrapped_key"',
        'ALTER TABLE "invitations" DROP CONSTRAINT "ck_invitations_email_lower"',
        'ALTER TABLE "invitations" DROP CONSTRAINT "ck_invitations_end"',
        'ALTER TABLE "invitations" DROP CONSTRAINT "ck_invitations_expires_at"',
        'ALTER TABLE "invitations" DROP CONSTRAINT "ck_invitations_role"',
        'ALTER TABLE "invitations" DROP CONSTRAINT "ck_invitations_token_hash"',
        'ALTER TABLE "invitations" DROP CONSTRAINT "fk_invitations_invited_by"',
        'ALTER TABLE "lead_status_changes" DROP CONSTRAINT "ck_lead_status_changes_change"',
        'ALTER TABLE "lead_status_changes" DROP CONSTRAINT "fk_lead_status_changes_changed_by"',
        'ALTER TABLE "lead_status_changes" DROP CONSTRAINT "fk_lead_status_changes_lead"',
        'ALTER TABLE "leads" DROP CONSTRAINT "ck_leads_email_lower"',
        'ALTER TABLE "leads" DROP CONSTRAINT "ck_leads_locale"',
        'ALTER TABLE "leads" DROP CONSTRAINT "ck_leads_reached_out_at"',
        'ALTER TABLE "leads" DROP CONSTRAINT "ck_leads_reached_out_by"',
        'ALTER TABLE "leads" DROP CONSTRAINT "fk_leads_reached_out_by"',
        'ALTER TABLE "leads" DROP CONSTRAINT "fk_leads_resume"',
        'ALTER TABLE "mail_messages" DROP CONSTRAINT "ck_mail_messages_cancelled_at"',
        'ALTER TABLE "mail_messages" DROP CONSTRAINT "ck_mail_messages_locale"',
        'ALTER TABLE "mail_messages" DROP CONSTRAINT "ck_mail_messages_resend"',
        'ALTER TABLE "mail_messages" DROP CONSTRAINT "ck_mail_messages_secrets"',
        'ALTER TABLE "mail_messages" DROP CONSTRAINT "ck_mail_messages_sent_at"',
        'ALTER TABLE "mail_messages" DROP CONSTRAINT "fk_mail_messages_resend_of"',
        'ALTER TABLE "mail_suppressions" ALTER COLUMN "id" DROP DEFAULT',
        'ALTER TABLE "mail_suppressions" DROP CONSTRAINT "ck_mail_suppressions_address_lower"',
        'ALTER TABLE "mail_suppressions" DROP CONSTRAINT "ck_mail_suppressions_lifted"',
        'ALTER TABLE "openid_flows" DROP CONSTRAINT "ck_openid_flows_browser_hash"',
        'ALTER TABLE "openid_flows" DROP CONSTRAINT "ck_openid_flows_code"',
        'ALTER TABLE "openid_flows" DROP CONSTRAINT "ck_openid_flows_code_hash"',
        'ALTER TABLE "openid_flows" DROP CONSTRAINT "ck_openid_flows_expires_at"',
        'ALTER TABLE "openid_flows" DROP CONSTRAINT "ck_openid_flows_linking"',
        'ALTER TABLE "openid_flows" DROP CONSTRAINT "ck_openid_flows_redeemed"',
        'ALTER TABLE "openid_flows" DROP CONSTRAINT "ck_openid_flows_state_hash"',
        'ALTER TABLE "openid_flows" DROP CONSTRAINT "fk_openid_flows_identity"',
        'ALTER TABLE "openid_flows" DROP CONSTRAINT "fk_openid_flows_linking_session"',
        'ALTER TABLE "openid_flows" DROP CONSTRAINT "fk_openid_flows_linking_user"',
        'ALTER TABLE "sessions" DROP CONSTRAINT "ck_sessions_ended"',
        'ALTER TABLE "sessions" DROP CONSTRAINT "ck_sessions_expires_at"',
        'ALTER TABLE "sessions" DROP CONSTRAINT "ck_sessions_transport"',
        'ALTER TABLE "sessions" DROP CONSTRAINT "fk_sessions_user"',
        'ALTER TABLE "user_identities" DROP CONSTRAINT "ck_user_identities_subject"',
        'ALTER TABLE "user_identities" DROP CONSTRAINT "fk_user_identities_user"',
        'ALTER TABLE "users" DROP CONSTRAINT "ck_users_email_lower"',
        'DROP INDEX "public"."idx_openid_flows_code"',
        'DROP INDEX "public"."idx_openid_flows_created_at"',
        'DROP INDEX "public"."idx_openid_flows_identity"',
        'DROP INDEX "public"."idx_openid_flows_linking_session"',
        'DROP INDEX "public"."idx_openid_flows_linking_user"',
        'DROP INDEX "public"."idx_openid_flows_state"',
        'DROP INDEX "public"."idx_user_identities_subject"',
        'DROP INDEX "public"."idx_user_identities_user"',
        ...[
          'idx_alerts_cause',
          'idx_audit_entries_actor',
          'idx_audit_entries_actor_name',
          'idx_audit_entries_action',
          'idx_audit_entries_at',
          'idx_audit_entries_ip',
          'idx_audit_entries_request',
          'idx_audit_entries_target',
          'idx_audit_entries_unlinked',
          'idx_files_deleted_at',
          'idx_files_owner',
          'idx_files_scan_state',
          'idx_files_text_owed',
          'idx_invitations_created_at',
          'idx_invitations_invited_by',
          'idx_invitations_open_email',
          'idx_invitations_token_hash',
          'idx_lead_created_at',
          'idx_lead_email',
          'idx_lead_first_name',
          'idx_lead_last_name',
          'idx_lead_reached_out_at',
          'idx_lead_reached_out_by_id',
          'idx_lead_resume_path',
          'idx_lead_status',
          'idx_lead_status_changes_changed_by',
          'idx_lead_status_changes_lead',
          'idx_lead_status_created_at',
          'idx_lead_status_email',
          'idx_lead_status_first_name',
          'idx_lead_status_last_name',
          'idx_lead_status_updated_at',
          'idx_lead_updated_at',
          'idx_mail_messages_created_at',
          'idx_mail_messages_deferred',
          'idx_mail_messages_held',
          'idx_mail_messages_recipient',
          'idx_mail_messages_resend_of',
          'idx_mail_messages_sent_at',
          'idx_mail_messages_state',
          'idx_mail_messages_template',
          'idx_mail_suppressions_address',
          'idx_mail_suppressions_since',
          'idx_sessions_user',
          'idx_user_email',
        ].map((name) => `DROP INDEX "public"."${name}"`),
      ].sort(),
    );
  });

  it('can be taken back one by one, each leaving what was there before it, down to nothing, and made again', async () => {
    const levels: string[][] = [];
    for (let count = 0; count <= MIGRATIONS.length; count += 1) {
      await migrateTo(database.url, count);
      levels.push(await catalogue());
    }
    const complete = levels.at(-1)!;
    const source = await openApplicationSource();

    for (const level of levels.slice(0, -1).reverse()) {
      await source.undoLastMigration();
      expect(await catalogue()).toEqual(level);
    }
    expect(await catalogue()).toEqual([]);
    expect(await database.query('SELECT * FROM migrations')).toEqual([]);
    await source.runMigrations();
    await source.destroy();

    expect(new Set(levels.map((level) => level.join('\n'))).size).toBe(MIGRATIONS.length + 1);
    expect(await catalogue()).toEqual(complete);
  });

  it('count the leads that were there before the totals were kept', async () => {
    await migrateTo(
      database.url,
      MIGRATIONS.findIndex(({ name }) => name.startsWith('CountLeads')),
    );
    await database.query(`
      INSERT INTO files (id, storage_key, original_name, media_type, size_bytes, sha256)
      SELECT gen_random_uuid(), n, n, 'application/pdf', 1, repeat('0', 64) FROM generate_series(1, 7) AS n`);
    await database.query(`
      INSERT INTO leads (id, first_name, last_name, email, resume_path, status, reached_out_at)
      SELECT gen_random_uuid(), 'Ada', 'Lovelace', n || '@example.com', n,
        (CASE WHEN n > 5 THEN 'REACHED_OUT' ELSE 'PENDING' END)::lead_status, CASE WHEN n > 5 THEN now() END
      FROM generate_series(1, 7) AS n`);

    await migrateTo(database.url);

    expect(
      await database.query('SELECT status, sum(total)::int AS total FROM lead_totals GROUP BY status ORDER BY status'),
    ).toEqual([
      { status: 'PENDING', total: 5 },
      { status: 'REACHED_OUT', total: 2 },
    ]);
  });

  it('make the active admin who was there first the superadmin, and take it back', async () => {
    const before = MIGRATIONS.findIndex(({ name }) => name.startsWith('AddSuperadmin'));
    const roles = (): Promise<unknown[]> =>
      database.query('SELECT username, role, is_active FROM users ORDER BY username');
    await migrateTo(database.url, before);
    await database.query(`
      INSERT INTO users (id, username, email, hashed_password, role, is_active, created_at) VALUES
        (gen_random_uuid(), 'a-disabled', 'a@x.test', 'x', 'admin', false, '2026-01-01'),
        (gen_random_uuid(), 'b-second', 'b@x.test', 'x', 'admin', true, '2026-01-03'),
        (gen_random_uuid(), 'c-first', 'c@x.test', 'x', 'admin', true, '2026-01-02'),
        (gen_random_uuid(), 'd-attorney', 'd@x.test', 'x', 'attorney', true, '2026-01-01')`);
    const was = await roles();

    await migrateTo(database.url, before + 1);

    expect(await roles()).toEqual([
      { username: 'a-disabled', role: 'admin', is_active: false },
      { username: 'b-second', role: 'admin', is_active: true },
      { username: 'c-first', role: 'superadmin', is_active: true },
      { username: 'd-attorney', role: 'attorney', is_active: true },
    ]);
    await database.query(`
      INSERT INTO users (id, username, email, hashed_password, role) VALUES (gen_random_uuid(), 'e-client', 'e@x.test', 'x', 'client')`);
    const source = await openApplicationSource();
    await source.undoLastMigration();
    await source.destroy();
    // a client must not come back as an attorney who may read the leads
    expect(await roles()).toEqual([...was, { username: 'e-client', role: 'attorney', is_active: false }]);
  });

  it('carry mails of every state up, and down again as what the program of that time would take them for', async () => {
    const before = MIGRATIONS.findIndex(({ name }) => name.startsWith('DescribeMailDelivery'));
    const after = MIGRATIONS.findIndex(({ name }) => name.startsWith('LetOperatorsSteerMail')) + 1;
    const states = async (): Promise<Record<string, string>> =>
      Object.fromEntries(
        (await database.query<{ recipient: string; state: string }>('SELECT recipient, state FROM mail_messages')).map(
          ({ recipient, state }) => [recipient, state],
        ),
      );
    const old = { q: 'queued', r: 'retrying', s: 'sent', f: 'failed' };
    await migrateTo(database.url, before);
    for (const [recipient, state] of Object.entries(old))
      await database.query(
        `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, state, sent_at)
         VALUES (gen_random_uuid(), 't', $1, '{}', 'lead', gen_random_uuid(), $2, $3)`,
        [recipient, state, state === 'sent' ? new Date() : null],
      );

    await migrateTo(database.url, after);

    expect(await states()).toEqual(old);
    await database.query(`
      INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, state, cancelled_at, resend_number, resend_of)
      SELECT gen_random_uuid(), 't', made.state || made.resend_number, '{}', 'lead', gen_random_uuid(), made.state::mail_state,
        CASE made.state WHEN 'cancelled' THEN now() END, made.resend_number,
        CASE WHEN made.resend_number > 0 THEN (SELECT id FROM mail_messages WHERE recipient = 's') END
      FROM (VALUES ('cancelled', 0), ('sending', 0), ('suppressed', 0), ('queued', 1)) AS made (state, resend_number)`);
    const source = await openApplicationSource();
    for (let count = after; count > before; count -= 1) await source.undoLastMigration();
    await source.destroy();

    // what was sent again is gone, because of one cause there could be only one message
    expect(await states()).toEqual({ ...old, cancelled0: 'failed', sending0: 'retrying', suppressed0: 'failed' });
  });

  it('run again on a database that has them all, and change nothing', async () => {
    await migrateTo(database.url);
    const before = await catalogue();

    await migrateTo(database.url);

    expect(await catalogue()).toEqual(before);
    expect(await database.query('SELECT name FROM migrations ORDER BY id')).toEqual(
      MIGRATIONS.map(({ name }) => ({ name })),
    );
  });
});
