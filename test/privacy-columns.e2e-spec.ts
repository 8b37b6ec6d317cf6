import { PersonsService } from '../src/persons/persons.service.js';
import { startApp, type TestApp } from './support/app.js';

/**
 * Who answers for each column that can hold words, bytes or JSON: the name of a source of `PersonalData`, or why none has to.
 * Whoever adds a column adds a line, and asks what it may say of a person.
 */
const NO_PERSON = 'tells of no person';
const HASH = 'hash of a random secret, of which nothing follows';
const WITH_ACCOUNT = 'users (goes with the account, by its foreign key)';
const SHORT = 'gone within the hour';
const STAFF = 'who works here';
/** Articles 5(2), 17(3)(b) and (e), 32 of the GDPR: the practice must be able to show what was done with personal data. */
const RECORD = 'stays: the record of what was done, which nobody may change';
const IDS = 'ids, codes and numbers alone';

const OWNERS: Readonly<Record<string, string>> = {
  'alerts.cause': IDS,
  'alerts.summary': NO_PERSON,
  'alerts.details': IDS,
  'api_keys.name': WITH_ACCOUNT,
  'api_keys.public_id': WITH_ACCOUNT,
  'api_keys.key_hash': WITH_ACCOUNT,
  'api_keys.previous_hash': WITH_ACCOUNT,
  'api_keys.scopes': WITH_ACCOUNT,
  'api_keys.allowed_addresses': WITH_ACCOUNT,
  'api_keys.last_used_ip': WITH_ACCOUNT,
  'api_keys.revoke_reason': WITH_ACCOUNT,
  'audit_entries.actor_kind': NO_PERSON,
  // of a client it is made from the id alone (nameOnRecord)
  'audit_entries.actor_name': STAFF,
  'audit_entries.ip': RECORD,
  'audit_entries.action': NO_PERSON,
  'audit_entries.target_kind': NO_PERSON,
  'audit_entries.outcome': NO_PERSON,
  'audit_entries.details': IDS,
  'audit_entries.user_agent': RECORD,
  'audit_entries.previous_hash': RECORD,
  'audit_entries.hash': RECORD,
  'erasures.person': 'stays: by it a person stays forgotten; nobody reads it without SECRET_KEY',
  'erasures.reason': NO_PERSON,
  'erasures.requested_by': 'erasures',
  'erasures.counts': IDS,
  'erasures.remains': IDS,
  'file_texts.text': 'files',
  'files.storage_key': 'files',
  'files.original_name': 'files',
  'files.media_type': NO_PERSON,
  'files.sha256': 'files',
  'files.owner_kind': NO_PERSON,
  'files.storage': NO_PERSON,
  'files.key_id': NO_PERSON,
  'files.wrapped_key': 'files',
  'files.seal': 'files',
  'files.findings': 'files',
  'files.scan_state': NO_PERSON,
  'files.scan_signature': NO_PERSON,
  'files.scan_engine': NO_PERSON,
  'files.uploaded_by': 'files',
  'files.text_state': NO_PERSON,
  'invitations.email': 'auth',
  'invitations.username': 'auth',
  'invitations.token_hash': HASH,
  'job_workers.id': NO_PERSON,
  'known_sources.source': WITH_ACCOUNT,
  'lead_consents.text_version': 'leads (goes with its lead)',
  'lead_consents.locale': 'leads (goes with its lead)',
  'lead_consents.ip': 'leads (goes with its lead)',
  'lead_status_changes.changed_by': 'leads',
  'leads.first_name': 'leads',
  'leads.last_name': 'leads',
  'leads.email': 'leads',
  'leads.resume_path': 'leads',
  'leads.locale': 'leads',
  'legal_holds.email': 'holds',
  'legal_holds.reason': 'holds',
  'legal_holds.placed_by': 'holds',
  'legal_holds.lifted_by': 'holds',
  'mail_attempts.outcome': NO_PERSON,
  'mail_attempts.words': 'mail (goes with its message)',
  'mail_messages.template': NO_PERSON,
  'mail_messages.recipient': 'mail',
  'mail_messages.data': 'mail',
  'mail_messages.about_kind': NO_PERSON,
  'mail_messages.last_error': 'mail',
  'mail_messages.locale': 'mail',
  'mail_messages.subject': 'mail',
  'mail_messages.secrets': 'mail',
  'mail_server_state.suspect': 'mail',
  'mail_server_state.last_error': 'mail',
  'mail_suppressions.address': 'mail',
  'mail_suppressions.reason': 'mail',
  'mail_suppressions.lifted_by': 'mail',
  'mailed_links.purpose': NO_PERSON,
  'mailed_links.holder': 'auth',
  'mailed_links.email': 'auth',
  'mailed_links.token_hash': HASH,
  'mailed_links.browser_hash': HASH,
  'openid_flows.provider': NO_PERSON,
  'openid_flows.state_hash': HASH,
  'openid_flows.browser_hash': HASH,
  'openid_flows.secrets': SHORT,
  'openid_flows.return_to': NO_PERSON,
  'openid_flows.code_hash': HASH,
  'openid_flows.subject': 'auth',
  'openid_flows.email': 'auth',
  'passkey_challenges.hash': HASH,
  'passkey_challenges.purpose': NO_PERSON,
  'passkey_challenges.sign_in_hash': HASH,
  'passkeys.name': WITH_ACCOUNT,
  'passkeys.credential_id': WITH_ACCOUNT,
  'passkeys.public_key': WITH_ACCOUNT,
  'passkeys.transports': WITH_ACCOUNT,
  'rate_limits.key': 'gone within the minute',
  'rate_limits.counts': NO_PERSON,
  'recovery_codes.hash': WITH_ACCOUNT,
  'refresh_tokens.hash': HASH,
  'refresh_tokens.replaced_by': HASH,
  'refresh_tokens.salt': HASH,
  'sessions.transport': WITH_ACCOUNT,
  'sessions.device': WITH_ACCOUNT,
  'sessions.user_agent': WITH_ACCOUNT,
  'sessions.ip': WITH_ACCOUNT,
  'sessions.end_reason': WITH_ACCOUNT,
  'sessions.methods': WITH_ACCOUNT,
  'sign_in_challenges.hash': HASH,
  'sign_in_challenges.method': WITH_ACCOUNT,
  'sign_in_challenges.transport': WITH_ACCOUNT,
  'sign_in_challenges.user_agent': WITH_ACCOUNT,
  // under SECRET_KEY, of what was tried, and swept (SCHEDULED.sweepSignInLocks)
  'sign_in_locks.account': 'keyed hash, soon gone',
  'sign_in_locks.source': 'keyed hash, soon gone',
  'totp_factors.name': WITH_ACCOUNT,
  'totp_factors.sealed_secret': WITH_ACCOUNT,
  'user_identities.provider': WITH_ACCOUNT,
  'user_identities.issuer': WITH_ACCOUNT,
  'user_identities.subject': WITH_ACCOUNT,
  'user_identities.email': WITH_ACCOUNT,
  'users.username': 'users',
  'users.email': 'users',
  'users.hashed_password': 'users',
};

let app: TestApp;

beforeAll(async () => {
  app = await startApp({ ROLE: 'http' });
});
afterAll(() => app.close());

it('somebody answers for every column of every table that can tell of a person, and for no other', async () => {
  const columns = await app.database.query<{ name: string }>(
    `SELECT columns.table_name || '.' || column_name AS name FROM information_schema.columns
     JOIN information_schema.tables USING (table_schema, table_name)
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'migrations'
       AND (data_type IN ('text', 'character varying', 'character', 'bytea', 'jsonb', 'json', 'inet', 'tsvector', 'xml')
         OR (data_type = 'ARRAY' AND udt_name IN ('_text', '_varchar', '_bytea', '_jsonb')))`,
  );

  expect(columns.map(({ name }) => name).sort()).toEqual(Object.keys(OWNERS).sort());
});

it('whoever answers for a column is there to be asked', () => {
  const known = app.app.get(PersonsService).sources.map(({ name }) => name);
  const reasons = [NO_PERSON, HASH, WITH_ACCOUNT, SHORT, STAFF, RECORD, IDS];
  const asked = Object.values(OWNERS).filter((owner) => !reasons.includes(owner) && /^\w+( \(|$)/.test(owner));

  expect([...new Set(asked.map((owner) => owner.split(' ')[0]))].sort()).toEqual([...known].sort());
});

it('what is said to go with an account has a foreign key that takes it along', async () => {
  const tables = new Set(
    Object.entries(OWNERS)
      .filter(([, owner]) => owner === WITH_ACCOUNT)
      .map(([column]) => column.split('.')[0]),
  );
  const taken = await app.database.query<{ name: string }>(
    `SELECT conrelid::regclass::text AS name FROM pg_constraint
     WHERE contype = 'f' AND confrelid = 'users'::regclass AND confdeltype = 'c'`,
  );
  const names = taken.map(({ name }) => name);

  expect([...tables].filter((table) => !names.includes(table!))).toEqual([]);
});
