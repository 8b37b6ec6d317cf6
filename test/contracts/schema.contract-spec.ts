import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { makeDatabase, type TestDatabase } from '../support/database.js';
import { insertLead, migrateTo } from '../support/schema.js';

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await makeDatabase();
  await migrateTo(database.url);
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

async function rowsOf(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await client.query<Record<string, unknown>>(text, values)).rows;
}

async function aUser(): Promise<string> {
  const id = randomUUID();
  await client.query(
    `INSERT INTO users (id, username, email, hashed_password, role)
     VALUES ($1::uuid, 'ada-' || left($1::text, 20), $1::text || '@practice.test', 'x', 'attorney')`,
    [id],
  );
  return id;
}

const REACH = `UPDATE leads SET status = 'REACHED_OUT', reached_out_at = now(), reached_out_by_id = $2 WHERE id = $1`;

describe('the columns of', () => {
  const TIME = 'timestamp with time zone';
  const TABLES: Record<string, [column: string, type: string, nullable: string, standard: string | null][]> = {
    leads: [
      ['id', 'uuid', 'NO', null],
      ['first_name', 'character varying(100)', 'NO', null],
      ['last_name', 'character varying(100)', 'NO', null],
      ['email', 'character varying(255)', 'NO', null],
      ['resume_path', 'character varying(500)', 'NO', null],
      ['status', 'lead_status', 'NO', "'PENDING'::lead_status"],
      ['created_at', TIME, 'NO', 'now()'],
      ['updated_at', TIME, 'NO', 'now()'],
      ['reached_out_at', TIME, 'YES', null],
      ['reached_out_by_id', 'uuid', 'YES', null],
      ['locale', 'character varying(35)', 'NO', "'en'::character varying"],
    ],
    users: [
      ['id', 'uuid', 'NO', null],
      ['username', 'character varying(50)', 'NO', null],
      ['email', 'character varying(255)', 'NO', null],
      ['hashed_password', 'character varying(255)', 'NO', null],
      ['role', 'user_role', 'NO', null],
      ['is_active', 'boolean', 'NO', 'true'],
      ['created_at', TIME, 'NO', 'now()'],
      ['session_epoch', 'integer', 'NO', '0'],
      ['email_verified_at', TIME, 'YES', null],
    ],
    sessions: [
      ['id', 'uuid', 'NO', null],
      ['user_id', 'uuid', 'NO', null],
      ['epoch', 'integer', 'NO', null],
      ['transport', 'character varying(10)', 'NO', null],
      ['device', 'character varying(60)', 'NO', null],
      ['user_agent', 'character varying(255)', 'NO', null],
      ['ip', 'character varying(45)', 'NO', null],
      ['created_at', TIME, 'NO', null],
      ['last_used_at', TIME, 'NO', null],
      ['expires_at', TIME, 'NO', null],
      ['ended_at', TIME, 'YES', null],
      ['end_reason', 'character varying(30)', 'YES', null],
      ['methods', 'ARRAY', 'NO', "'{}'::character varying[]"],
    ],
    refresh_tokens: [
      ['hash', 'bytea', 'NO', null],
      ['session_id', 'uuid', 'NO', null],
      ['issued_at', TIME, 'NO', null],
      ['expires_at', TIME, 'NO', null],
      ['used_at', TIME, 'YES', null],
      ['replaced_by', 'bytea', 'YES', null],
      ['salt', 'bytea', 'YES', null],
    ],
    mailed_links: [
      ['id', 'uuid', 'NO', null],
      ['purpose', 'character varying(20)', 'NO', null],
      ['holder', 'character varying(255)', 'NO', null],
      ['user_id', 'uuid', 'YES', null],
      ['epoch', 'integer', 'YES', null],
      ['email', 'character varying(255)', 'NO', null],
      ['token_hash', 'bytea', 'NO', null],
      ['browser_hash', 'bytea', 'YES', null],
      ['created_at', TIME, 'NO', null],
      ['expires_at', TIME, 'NO', null],
      ['used_at', TIME, 'YES', null],
      ['ended_at', TIME, 'YES', null],
    ],
    totp_factors: [
      ['id', 'uuid', 'NO', null],
      ['user_id', 'uuid', 'NO', null],
      ['name', 'character varying(60)', 'NO', null],
      ['sealed_secret', 'character varying(255)', 'NO', null],
      ['last_step', 'integer', 'YES', null],
      ['created_at', TIME, 'NO', null],
      ['confirmed_at', TIME, 'YES', null],
      ['last_used_at', TIME, 'YES', null],
    ],
    passkeys: [
      ['id', 'uuid', 'NO', null],
      ['user_id', 'uuid', 'NO', null],
      ['name', 'character varying(60)', 'NO', null],
      ['credential_id', 'bytea', 'NO', null],
      ['public_key', 'bytea', 'NO', null],
      ['sign_count', 'bigint', 'NO', null],
      ['transports', 'ARRAY', 'NO', null],
      ['created_at', TIME, 'NO', null],
      ['last_used_at', TIME, 'YES', null],
    ],
    recovery_codes: [
      ['hash', 'bytea', 'NO', null],
      ['user_id', 'uuid', 'NO', null],
      ['created_at', TIME, 'NO', null],
      ['used_at', TIME, 'YES', null],
    ],
    sign_in_challenges: [
      ['hash', 'bytea', 'NO', null],
      ['user_id', 'uuid', 'NO', null],
      ['epoch', 'integer', 'NO', null],
      ['method', 'character varying(20)', 'NO', null],
      ['transport', 'character varying(10)', 'NO', null],
      ['user_agent', 'character varying(255)', 'NO', null],
      ['attempts', 'smallint', 'NO', '0'],
      ['expires_at', TIME, 'NO', null],
    ],
    passkey_challenges: [
      ['hash', 'bytea', 'NO', null],
      ['purpose', 'character varying(20)', 'NO', null],
      ['user_id', 'uuid', 'YES', null],
      ['sign_in_hash', 'bytea', 'YES', null],
      ['expires_at', TIME, 'NO', null],
    ],
    sign_in_locks: [
      ['account', 'bytea', 'NO', null],
      ['source', 'bytea', 'NO', null],
      ['failed_at', 'ARRAY', 'NO', "'{}'::timestamp with time zone[]"],
      ['locked_until', TIME, 'YES', null],
      ['locks', 'integer', 'NO', '0'],
      ['told_at', TIME, 'YES', null],
      ['changed_at', TIME, 'NO', null],
    ],
    known_sources: [
      ['user_id', 'uuid', 'NO', null],
      ['source', 'bytea', 'NO', null],
      ['last_used_at', TIME, 'NO', null],
    ],
    invitations: [
      ['id', 'uuid', 'NO', null],
      ['email', 'character varying(255)', 'NO', null],
      ['username', 'character varying(50)', 'YES', null],
      ['role', 'user_role', 'NO', null],
      ['token_hash', 'bytea', 'NO', null],
      ['invited_by_id', 'uuid', 'YES', null],
      ['created_at', TIME, 'NO', null],
      ['expires_at', TIME, 'NO', null],
      ['accepted_at', TIME, 'YES', null],
      ['revoked_at', TIME, 'YES', null],
    ],
    files: [
      ['id', 'uuid', 'NO', null],
      ['storage_key', 'character varying(500)', 'NO', null],
      ['original_name', 'character varying(255)', 'NO', null],
      ['media_type', 'character varying(100)', 'NO', null],
      ['size_bytes', 'integer', 'NO', null],
      ['sha256', 'character(64)', 'NO', null],
      ['created_at', TIME, 'NO', 'now()'],
      ['owner_kind', 'character varying(30)', 'NO', "'lead'::character varying"],
      ['owner_id', 'uuid', 'YES', null],
      ['storage', 'character varying(10)', 'NO', "'disk'::character varying"],
      ['key_id', 'character varying(50)', 'YES', null],
      ['wrapped_key', 'bytea', 'YES', null],
      ['findings', 'ARRAY', 'NO', "'{}'::text[]"],
      ['scan_state', 'character varying(20)', 'NO', "'unscanned'::character varying"],
      ['scan_signature', 'character varying(200)', 'YES', null],
      ['scan_engine', 'character varying(200)', 'YES', null],
      ['scanned_at', TIME, 'YES', null],
      ['uploaded_by', 'character varying(60)', 'NO', "'public'::character varying"],
      ['uploaded_by_id', 'uuid', 'YES', null],
      ['deleted_at', TIME, 'YES', null],
      ['purged_at', TIME, 'YES', null],
      ['text_state', 'character varying(20)', 'NO', "'owed'::character varying"],
      ['seal', 'bytea', 'YES', null],
    ],
    file_texts: [
      ['file_id', 'uuid', 'NO', null],
      ['text', 'text', 'NO', null],
      ['extracted_at', TIME, 'NO', 'now()'],
    ],
    alerts: [
      ['id', 'uuid', 'NO', null],
      ['cause', 'character varying(200)', 'NO', null],
      ['summary', 'character varying(500)', 'NO', null],
      ['details', 'jsonb', 'NO', "'{}'::jsonb"],
      ['raised_at', TIME, 'NO', 'now()'],
      ['occurrences', 'integer', 'NO', '1'],
    ],
    job_workers: [
      ['id', 'character varying(100)', 'NO', null],
      ['started_at', TIME, 'NO', 'now()'],
      ['seen_at', TIME, 'NO', 'now()'],
    ],
    audit_entries: [
      ['id', 'uuid', 'NO', null],
      ['at', TIME, 'NO', 'now()'],
      ['actor_kind', 'character varying(20)', 'NO', null],
      ['actor_id', 'uuid', 'YES', null],
      ['actor_name', 'character varying(60)', 'YES', null],
      ['ip', 'character varying(45)', 'YES', null],
      ['request_id', 'uuid', 'YES', null],
      ['action', 'character varying(60)', 'NO', null],
      ['target_kind', 'character varying(30)', 'NO', null],
      ['target_id', 'uuid', 'YES', null],
      ['outcome', 'character varying(10)', 'NO', null],
      ['details', 'jsonb', 'NO', "'{}'::jsonb"],
      ['user_agent', 'character varying(200)', 'YES', null],
      ['number', 'bigint', 'YES', null],
      ['previous_hash', 'character(64)', 'YES', null],
      ['hash', 'character(64)', 'YES', null],
    ],
    mail_messages: [
      ['id', 'uuid', 'NO', null],
      ['template', 'character varying(100)', 'NO', null],
      ['recipient', 'character varying(255)', 'NO', null],
      ['data', 'jsonb', 'NO', null],
      ['about_kind', 'character varying(50)', 'NO', null],
      ['about_id', 'uuid', 'NO', null],
      ['state', 'mail_state', 'NO', "'queued'::mail_state"],
      ['attempts', 'integer', 'NO', '0'],
      ['deferrals', 'integer', 'NO', '0'],
      ['last_error', 'text', 'YES', null],
      ['created_at', TIME, 'NO', 'now()'],
      ['sent_at', TIME, 'YES', null],
      ['locale', 'character varying(35)', 'NO', "'en'::character varying"],
      ['subject', 'text', 'YES', null],
      ['next_attempt_at', TIME, 'YES', null],
      ['held_at', TIME, 'YES', null],
      ['is_suspect', 'boolean', 'NO', 'false'],
      ['failed_at', TIME, 'YES', null],
      ['round', 'integer', 'NO', '0'],
      ['requeued_at', TIME, 'YES', null],
      ['cancelled_at', TIME, 'YES', null],
      ['resend_number', 'integer', 'NO', '0'],
      ['resend_of', 'uuid', 'YES', null],
      ['secrets', 'jsonb', 'YES', null],
      ['request_id', 'uuid', 'YES', null],
    ],
    mail_attempts: [
      ['message_id', 'uuid', 'NO', null],
      ['number', 'integer', 'NO', null],
      ['started_at', TIME, 'NO', null],
      ['ended_at', TIME, 'YES', null],
      ['outcome', 'character varying(20)', 'YES', null],
      ['words', 'text', 'YES', null],
    ],
    mail_suppressions: [
      ['id', 'uuid', 'NO', 'gen_random_uuid()'],
      ['address', 'character varying(255)', 'NO', null],
      ['reason', 'text', 'NO', null],
      ['since', TIME, 'NO', null],
      ['lifted_at', TIME, 'YES', null],
      ['lifted_by', 'character varying(60)', 'YES', null],
    ],
    lead_consents: [
      ['lead_id', 'uuid', 'NO', null],
      ['text_version', 'character varying(50)', 'NO', null],
      ['locale', 'character varying(35)', 'NO', null],
      ['given_at', TIME, 'NO', null],
      ['ip', 'character varying(45)', 'NO', null],
    ],
    legal_holds: [
      ['id', 'uuid', 'NO', null],
      ['email', 'character varying(255)', 'NO', null],
      ['reason', 'character varying(500)', 'NO', null],
      ['placed_at', TIME, 'NO', null],
      ['placed_by', 'character varying(60)', 'NO', null],
      ['lifted_at', TIME, 'YES', null],
      ['lifted_by', 'character varying(60)', 'YES', null],
    ],
    erasures: [
      ['id', 'uuid', 'NO', null],
      ['person', 'character(64)', 'NO', null],
      ['reason', 'character varying(30)', 'NO', null],
      ['requested_at', TIME, 'NO', null],
      ['requested_by', 'character varying(60)', 'NO', null],
      ['requested_by_id', 'uuid', 'YES', null],
      ['counts', 'jsonb', 'NO', null],
      ['remains', 'jsonb', 'NO', null],
      ['completed_at', TIME, 'YES', null],
    ],
    mail_server_state: [
      ['id', 'smallint', 'NO', '1'],
      ['paused_since', TIME, 'YES', null],
      ['failures', 'integer', 'NO', '0'],
      ['next_probe_at', TIME, 'YES', null],
      ['round', 'integer', 'NO', '0'],
      ['suspect', 'character varying(255)', 'YES', null],
      ['last_error', 'text', 'YES', null],
    ],
  };

  it.each(Object.entries(TABLES))('%s are exactly these', async (table, columns) => {
    const found = await rowsOf(
      `SELECT column_name, is_nullable, column_default,
         CASE WHEN data_type = 'USER-DEFINED' THEN udt_name
           WHEN character_maximum_length IS NOT NULL THEN data_type || '(' || character_maximum_length || ')'
           ELSE data_type END AS type
       FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position`,
      [table],
    );

    expect(found).toEqual(
      columns.map(([column_name, type, is_nullable, column_default]) => ({
        column_name,
        type,
        is_nullable,
        column_default,
      })),
    );
  });

  it.each([
    ['lead_status', ['PENDING', 'REACHED_OUT']],
    ['user_role', ['client', 'attorney', 'admin', 'superadmin']],
    ['mail_state', ['queued', 'sending', 'retrying', 'sent', 'failed', 'suppressed', 'cancelled']],
  ])('type %s have these values', async (type, values) => {
    const found = await rowsOf('SELECT enumlabel FROM pg_enum WHERE enumtypid = $1::regtype ORDER BY enumsortorder', [
      type,
    ]);

    expect(found.map(({ enumlabel }) => enumlabel)).toEqual(values);
  });
});

describe('the indexes of', () => {
  it.each([
    [
      'leads',
      [
        'CREATE INDEX idx_lead_created_at ON public.leads USING btree (created_at, id)',
        'CREATE INDEX idx_lead_first_name ON public.leads USING btree (first_name, id)',
        'CREATE INDEX idx_lead_last_name ON public.leads USING btree (last_name, id)',
        'CREATE INDEX idx_lead_reached_out_at ON public.leads USING btree (reached_out_at NULLS FIRST, id)',
        'CREATE INDEX idx_lead_reached_out_by_id ON public.leads USING btree (reached_out_by_id)',
        'CREATE INDEX idx_lead_status ON public.leads USING btree (status, id)',
        'CREATE INDEX idx_lead_status_created_at ON public.leads USING btree (status, created_at, id)',
        'CREATE INDEX idx_lead_status_email ON public.leads USING btree (status, email, id)',
        'CREATE INDEX idx_lead_status_first_name ON public.leads USING btree (status, first_name, id)',
        'CREATE INDEX idx_lead_status_last_name ON public.leads USING btree (status, last_name, id)',
        'CREATE INDEX idx_lead_status_updated_at ON public.leads USING btree (status, updated_at, id)',
        'CREATE INDEX idx_lead_updated_at ON public.leads USING btree (updated_at, id)',
        'CREATE UNIQUE INDEX idx_lead_email ON public.leads USING btree (email)',
        'CREATE UNIQUE INDEX idx_lead_resume_path ON public.leads USING btree (resume_path)',
        'CREATE UNIQUE INDEX pk_leads ON public.leads USING btree (id)',
      ],
    ],
    [
      'users',
      [
        'CREATE UNIQUE INDEX idx_user_email ON public.users USING btree (email)',
        'CREATE UNIQUE INDEX idx_user_username ON public.users USING btree (lower((username)::text))',
        'CREATE UNIQUE INDEX pk_users ON public.users USING btree (id)',
      ],
    ],
    [
      'sessions',
      [
        'CREATE INDEX idx_sessions_over ON public.sessions USING btree (LEAST(ended_at, expires_at))',
        'CREATE INDEX idx_sessions_user ON public.sessions USING btree (user_id, last_used_at)',
        'CREATE UNIQUE INDEX pk_sessions ON public.sessions USING btree (id)',
      ],
    ],
    [
      'refresh_tokens',
      [
        'CREATE INDEX idx_refresh_tokens_session ON public.refresh_tokens USING btree (session_id)',
        'CREATE INDEX idx_refresh_tokens_used_at ON public.refresh_tokens USING btree (used_at) WHERE (used_at IS NOT NULL)',
        'CREATE UNIQUE INDEX idx_refresh_tokens_unused ON public.refresh_tokens USING btree (session_id) WHERE (used_at IS NULL)',
        'CREATE UNIQUE INDEX pk_refresh_tokens ON public.refresh_tokens USING btree (hash)',
      ],
    ],
  ])('%s are exactly these', async (table, definitions) => {
    const found = await rowsOf('SELECT indexdef FROM pg_indexes WHERE tablename = $1 ORDER BY indexdef', [table]);

    expect(found.map(({ indexdef }) => indexdef)).toEqual(definitions);
  });

  it('every foreign key begin with its columns, so that a deletion searches no whole table', async () => {
    const bare = await rowsOf(`
      SELECT conname FROM pg_constraint AS key WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND NOT EXISTS (
        SELECT FROM pg_index WHERE indrelid = key.conrelid AND (indkey::smallint[])[0:cardinality(key.conkey) - 1] = key.conkey)`);

    expect(bare).toEqual([]);
  });
});

describe('a list of 3,000 leads', () => {
  beforeAll(async () => {
    await client.query(`
      INSERT INTO files (id, storage_key, original_name, media_type, size_bytes, sha256)
      SELECT gen_random_uuid(), 'list-' || n, 'cv.pdf', 'application/pdf', 1, repeat('0', 64) FROM generate_series(1, 3000) AS n`);
    await client.query(`
      INSERT INTO leads (id, first_name, last_name, email, resume_path, status, created_at, updated_at, reached_out_at)
      SELECT gen_random_uuid(), md5(n::text), md5((n + 1)::text), 'list-' || n || '@example.com', 'list-' || n,
        (CASE WHEN n % 20 <> 0 THEN 'REACHED_OUT' ELSE 'PENDING' END)::lead_status,
        now() - n * interval '1 minute', now() - (n * 7 % 3000) * interval '1 minute',
        CASE WHEN n % 20 <> 0 THEN now() - n * interval '1 second' END
      FROM generate_series(1, 3000) AS n`);
    await client.query('ANALYZE leads');
  });
  afterAll(() => client.query(`DELETE FROM leads WHERE resume_path LIKE 'list-%'`));

  it.each([
    ['created_at', '', 'idx_lead_created_at'],
    ['updated_at', '', 'idx_lead_updated_at'],
    ['reached_out_at', '', 'idx_lead_reached_out_at'],
    ['first_name', '', 'idx_lead_first_name'],
    ['last_name', '', 'idx_lead_last_name'],
    ['email', '', 'idx_lead_email'],
    ['status', '', 'idx_lead_status'],
    ['created_at', `WHERE status = 'PENDING'`, 'idx_lead_status_created_at'],
    ['updated_at', `WHERE status = 'PENDING'`, 'idx_lead_status_updated_at'],
    ['first_name', `WHERE status = 'PENDING'`, 'idx_lead_status_first_name'],
    ['last_name', `WHERE status = 'PENDING'`, 'idx_lead_status_last_name'],
    ['email', `WHERE status = 'PENDING'`, 'idx_lead_status_email'],
  ])('in the order of %s %s is read from %s, both ways, without sorting it all', async (column, where, index) => {
    const orders = column === 'reached_out_at' ? ['ASC NULLS FIRST', 'DESC NULLS LAST'] : ['ASC', 'DESC'];

    for (const order of orders) {
      const plan = await rowsOf(
        `EXPLAIN SELECT * FROM leads AS t ${where} ORDER BY t.${column} ${order}, t.id ${order.split(' ')[0] ?? ''} LIMIT 50`,
      );
      const text = plan.map((line) => line['QUERY PLAN']).join('\n');

      expect(text).toMatch(new RegExp(`Index Scan( Backward)? using ${index} `));
      expect(text).not.toMatch(/(^|-> +)(Sort|Seq Scan)/m);
    }
  });
});

describe('a list of 3,000 mails', () => {
  const LEAD = randomUUID();
  beforeAll(async () => {
    await client.query(
      `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, state, created_at, sent_at)
       SELECT gen_random_uuid(), CASE WHEN n % 100 = 0 THEN 'alert' ELSE 'prospect_confirmation' END, n || '@example.com', '{}',
         'lead', CASE n WHEN 7 THEN $1::uuid ELSE gen_random_uuid() END,
         (CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'sent' END)::mail_state, now() - n * interval '1 minute',
         CASE WHEN n % 50 <> 0 THEN now() - n * interval '1 minute' END
       FROM generate_series(1, 3000) AS n`,
      [LEAD],
    );
    await client.query(
      `INSERT INTO mail_attempts SELECT id, 1, created_at, created_at, CASE state WHEN 'sent' THEN 'sent' ELSE 'outage' END
       FROM mail_messages WHERE about_kind = 'lead'`,
    );
    await client.query('ANALYZE mail_messages, mail_attempts');
  });
  afterAll(() => client.query('DELETE FROM mail_messages'));

  it.each([
    ['all', 'true', 'idx_mail_messages_created_at'],
    ['in a state', `state = 'failed'`, 'idx_mail_messages_state'],
    ['of a template', `template = 'alert'`, 'idx_mail_messages_template'],
    ['to a recipient', `lower(recipient) = lower('7@EXAMPLE.com')`, 'idx_mail_messages_recipient'],
    ['about something', `about_kind = 'lead' AND about_id = '${LEAD}'`, 'uq_mail_messages_cause'],
    ['of a time', `created_at >= now() - interval '3 hours' AND created_at < now()`, 'idx_mail_messages_created_at'],
    ['sent since', `sent_at > now() - interval '1 hour'`, 'idx_mail_messages_sent_at'],
  ])('%s is read from an index', async (_, where, index) => {
    const order = index.endsWith('sent_at') ? '' : 'ORDER BY t.created_at DESC, t.id DESC LIMIT 50';
    const plan = await rowsOf(`EXPLAIN SELECT * FROM mail_messages AS t WHERE ${where} ${order}`);
    const text = plan.map((line) => line['QUERY PLAN']).join('\n');

    expect(text).toMatch(new RegExp(`Index Scan( Backward)? (using|on) ${index}\\b`));
    expect(text).not.toContain('Seq Scan');
  });

  it.each([
    [`outcome IN ('sent', 'refused', 'postponed')`, 'idx_mail_attempts_answered'],
    [`outcome IN ('outage', 'interrupted')`, 'idx_mail_attempts_unanswered'],
  ])('its attempts of the last hour with %s are read from an index', async (where, index) => {
    const plan = await rowsOf(
      `EXPLAIN SELECT outcome FROM mail_attempts WHERE ended_at > now() - interval '1 hour' AND ${where}`,
    );

    expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toContain(index);
  });
});

describe('the database itself refuses', () => {
  let lead: string;
  let user: string;
  beforeEach(async () => {
    [lead, user] = [await insertLead(client), await aUser()];
  });

  it.each([
    [
      'a time of contact for a pending lead',
      `UPDATE leads SET reached_out_at = now() WHERE id = $1`,
      'ck_leads_reached_out_at',
    ],
    [
      'a contacted lead without its time',
      `UPDATE leads SET status = 'REACHED_OUT' WHERE id = $1`,
      'ck_leads_reached_out_at',
    ],
    [
      'a pending lead that somebody contacted',
      `UPDATE leads SET reached_out_by_id = $2 WHERE id = $1`,
      'ck_leads_reached_out_by',
    ],
    [
      'capitals in the address of a lead',
      `UPDATE leads SET email = 'Ada@example.com' WHERE id = $1`,
      'ck_leads_email_lower',
    ],
    [
      'a second lead of the same address',
      `INSERT INTO leads SELECT gen_random_uuid(), 'A', 'B', email, 'x' FROM leads WHERE id = $1`,
      'idx_lead_email',
    ],
    [
      'a second lead with the same résumé',
      `INSERT INTO leads SELECT gen_random_uuid(), 'A', 'B', 'b@example.com', resume_path FROM leads WHERE id = $1`,
      'idx_lead_resume_path',
    ],
    ['a lead whose language is none', `UPDATE leads SET locale = 'de_AT' WHERE id = $1`, 'ck_leads_locale'],
    [
      'a mail in a language that is none',
      `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, locale) VALUES ($1, 't', 'r', '{}', 'lead', $1, '')`,
      'ck_mail_messages_locale',
    ],
    ['a résumé that is no file', `UPDATE leads SET resume_path = 'nothing' WHERE id = $1`, 'fk_leads_resume'],
    ['the loss of a file that a lead names', `DELETE FROM files WHERE storage_key = $1`, 'fk_leads_resume'],
    [
      'an attorney who does not exist',
      `UPDATE leads SET status = 'REACHED_OUT', reached_out_at = now(), reached_out_by_id = gen_random_uuid() WHERE id = $1`,
      'fk_leads_reached_out_by',
    ],
    [
      'the same user name in another spelling',
      `INSERT INTO users (id, username, email, hashed_password, role) SELECT gen_random_uuid(), upper(username), 'o@x.test', 'x', role FROM users WHERE id = $2`,
      'idx_user_username',
    ],
    [
      'a second account of the same address',
      `INSERT INTO users (id, username, email, hashed_password, role) SELECT gen_random_uuid(), 'other', email, 'x', role FROM users WHERE id = $2`,
      'idx_user_email',
    ],
    [
      'capitals in the address of an account',
      `UPDATE users SET email = 'A@x.test' WHERE id = $2`,
      'ck_users_email_lower',
    ],
    ['an empty file', `UPDATE files SET size_bytes = 0 WHERE storage_key = $1`, 'ck_files_size'],
    [
      'two files under one key',
      `INSERT INTO files SELECT gen_random_uuid(), storage_key, 'a', 'b', 1, sha256 FROM files WHERE storage_key = $1`,
      'uq_files_storage_key',
    ],
    [
      'a step that leads nowhere',
      `INSERT INTO lead_status_changes VALUES (gen_random_uuid(), $1, 'PENDING', 'PENDING', 'x')`,
      'ck_lead_status_changes_change',
    ],
    [
      'the story of no lead',
      `INSERT INTO lead_status_changes VALUES (gen_random_uuid(), gen_random_uuid(), NULL, 'PENDING', 'x')`,
      'fk_lead_status_changes_lead',
    ],
    [
      'a sent mail without its time',
      `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, state) VALUES ($1, 't', 'r', '{}', 'lead', $1, 'sent')`,
      'ck_mail_messages_sent_at',
    ],
    [
      'a mail that waits but was sent',
      `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, sent_at) VALUES ($1, 't', 'r', '{}', 'lead', $1, now())`,
      'ck_mail_messages_sent_at',
    ],
    [
      'the same mail twice',
      `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id) SELECT gen_random_uuid(), 't', 'r', '{}', 'lead', $1::uuid FROM generate_series(1, 2)`,
      'uq_mail_messages_cause',
    ],
    [
      'a mail that repeats none',
      `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, resend_number) VALUES ($1, 't', 'r', '{}', 'lead', $1, 1)`,
      'ck_mail_messages_resend',
    ],
    [
      'a mail that repeats one that is not there',
      `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, resend_number, resend_of) VALUES ($1, 't', 'r', '{}', 'lead', $1, 1, gen_random_uuid())`,
      'fk_mail_messages_resend_of',
    ],
    [
      'two mails that repeat the same one',
      `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, resend_number, resend_of)
       SELECT CASE n WHEN 0 THEN $1::uuid ELSE gen_random_uuid() END, 't', 'r', '{}', 'lead', $1::uuid, n, CASE WHEN n > 0 THEN $1::uuid END
       FROM generate_series(0, 2) AS n`,
      'idx_mail_messages_resend_of',
    ],
    [
      'a cancelled mail without its time',
      `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, state) VALUES ($1, 't', 'r', '{}', 'lead', $1, 'cancelled')`,
      'ck_mail_messages_cancelled_at',
    ],
    [
      'an attempt at no mail',
      `INSERT INTO mail_attempts VALUES (gen_random_uuid(), 1, now())`,
      'fk_mail_attempts_message',
    ],
    [
      'two attempts of one number',
      `WITH mail AS (INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id) VALUES ($1, 't', 'r', '{}', 'lead', $1))
       INSERT INTO mail_attempts SELECT $1::uuid, 1, now() FROM generate_series(1, 2)`,
      'pk_mail_attempts',
    ],
    [
      'an attempt that ended nohow',
      `INSERT INTO mail_attempts VALUES ($1, 1, now(), now())`,
      'ck_mail_attempts_ended_at',
    ],
    [
      'an unknown end of an attempt',
      `INSERT INTO mail_attempts VALUES ($1, 1, now(), now(), 'lost')`,
      'ck_mail_attempts_outcome',
    ],
    [
      'an address that is suppressed twice',
      `INSERT INTO mail_suppressions (address, reason, since) SELECT 'a@b.test', 'x', now() FROM generate_series(1, 2)`,
      'idx_mail_suppressions_address',
    ],
    [
      'capitals in an address that is suppressed',
      `INSERT INTO mail_suppressions (address, reason, since) VALUES ('A@b.test', 'x', now())`,
      'ck_mail_suppressions_address_lower',
    ],
    [
      'a suppression that nobody lifted',
      `INSERT INTO mail_suppressions (address, reason, since, lifted_at) VALUES ('a@b.test', 'x', now(), now())`,
      'ck_mail_suppressions_lifted',
    ],
    ['a second mail server', `INSERT INTO mail_server_state (id) VALUES (2)`, 'ck_mail_server_state_one_row'],
    [
      'a probe of a mail server that is not away',
      `UPDATE mail_server_state SET next_probe_at = now()`,
      'ck_mail_server_state_paused',
    ],
  ])('%s', async (_, statement, constraint) => {
    const values = { $1: lead, $2: user };
    const text = statement.replace(/\$[12]/g, (place) => `'${values[place as '$1']}'`);

    await expect(client.query(text)).rejects.toMatchObject({ code: expect.stringMatching(/^23/), constraint });
  });

  it.each([
    ['a status that does not exist', `UPDATE leads SET status = 'X' WHERE id = $1`, '22P02'],
    ['a lead without a status', `UPDATE leads SET status = NULL WHERE id = $1`, '23502'],
    ['a lead without a first name', `UPDATE leads SET first_name = NULL WHERE id = $1`, '23502'],
    ['a lead without an address', `UPDATE leads SET email = NULL WHERE id = $1`, '23502'],
    ['a lead without a résumé', `UPDATE leads SET resume_path = NULL WHERE id = $1`, '23502'],
    ['a first name of 101 characters', `UPDATE leads SET first_name = repeat('a', 101) WHERE id = $1`, '22001'],
    ['an address of 256 characters', `UPDATE leads SET email = repeat('a', 256) WHERE id = $1`, '22001'],
  ])('%s', async (_, statement, code) => {
    await expect(client.query(statement, [lead])).rejects.toMatchObject({ code });
  });

  it('nothing that is in order: a lead there and back', async () => {
    const revert = `UPDATE leads SET status = 'PENDING', reached_out_at = NULL, reached_out_by_id = NULL WHERE id = $1`;

    await client.query(REACH, [lead, user]);
    await client.query(revert, [lead]);

    expect(await rowsOf('SELECT status, reached_out_at FROM leads WHERE id = $1', [lead])).toEqual([
      { status: 'PENDING', reached_out_at: null },
    ]);
  });

  it('nothing when an account goes: its leads and its story stay, without it', async () => {
    await client.query(REACH, [lead, user]);
    await client.query(
      `INSERT INTO lead_status_changes VALUES (gen_random_uuid(), $1, 'PENDING', 'REACHED_OUT', 'ada', $2)`,
      [lead, user],
    );

    await client.query('DELETE FROM users WHERE id = $1', [user]);

    expect(await rowsOf('SELECT status, reached_out_by_id FROM leads WHERE id = $1', [lead])).toEqual([
      { status: 'REACHED_OUT', reached_out_by_id: null },
    ]);
    expect(
      await rowsOf('SELECT changed_by, changed_by_id FROM lead_status_changes WHERE lead_id = $1', [lead]),
    ).toEqual([{ changed_by: 'ada', changed_by_id: null }]);
  });

  it('nothing when a lead goes: its story goes with it', async () => {
    await client.query(`INSERT INTO lead_status_changes VALUES (gen_random_uuid(), $1, NULL, 'PENDING', 'public')`, [
      lead,
    ]);

    await client.query('DELETE FROM leads WHERE id = $1', [lead]);

    expect(await rowsOf('SELECT * FROM lead_status_changes WHERE lead_id = $1', [lead])).toEqual([]);
  });
});
