import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { AuditService } from '../src/audit/audit.service.js';
import { SeldomEntries } from '../src/audit/seldom-entries.js';
import { AUDIT_COMMANDS } from '../src/audit/audit.commands.js';
import { readOptions, UsageError } from '../src/common/command.js';
import { PROJECT_ROOT } from '../src/config/project-root.js';
import { Transactions } from '../src/database/transactions.js';
import { ADMIN, eventually, SECRET_KEY, startApp, type TestApp } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { aLead, login, sendJson, tokenOf } from './support/leads.js';
import { MAIN, Program, someSettings, startProgram } from './support/program.js';
import { migrateTo } from './support/schema.js';
import { makeDatabase, type TestDatabase } from './support/database.js';

const ACTOR = { kind: 'system', name: 'test' } as const;
const COUNT = `SELECT count(*)::int AS all, count(number)::int AS linked, coalesce(max(number), 0)::int AS last FROM audit_entries`;

let app: TestApp;
afterEach(() => cleanUp());
/** What a test holds open goes before the database that it is of. */
const cleanUpAll = async (): Promise<void> => {
  await cleanUp();
  await cleanUp('the whole file');
};

async function start(): Promise<void> {
  const started = await startApp({ ROLE: 'http' });
  atEnd(() => started.close(), 'the whole file');
  app = started;
}

const record = (details: Record<string, unknown> = {}): Promise<void> =>
  app.app.get(AuditService).recordAlone(ACTOR, { action: 'test.done', targetKind: 'test', targetId: null, details });

/** Resolves to the number of entries as soon as each has its place. */
async function linked(database: TestDatabase = app.database): Promise<number> {
  return eventually('every entry is linked', async () => {
    const [counts] = await database.query<{ all: number; linked: number; last: number }>(COUNT);
    return counts?.all === counts?.linked && counts?.all === counts?.last ? counts?.all : undefined;
  });
}

/** What the command says, and whether all is well. */
async function verify(...args: string[]): Promise<[boolean, string[]]> {
  const [command] = AUDIT_COMMANDS;
  const said: string[] = [];
  return [await command!.run(app.app, readOptions(command!, args), (line) => said.push(line)), said];
}

/** As somebody does who owns the table: past the triggers. */
async function tamper(statement: string): Promise<void> {
  await app.database.query(`DO $$ BEGIN SET LOCAL session_replication_role = replica; ${statement}; END $$`);
}

/** A chain of ten entries and more. */
async function aChain(): Promise<number> {
  await start();
  for (let index = 0; index < 10; index += 1) await record({ index });
  return linked();
}

describe('the chain', () => {
  afterEach(cleanUpAll);

  it('links every entry to the one before, from 1 without gaps', async () => {
    const count = await aChain();

    const links = await app.database.query<{ number: string; previous_hash: string; hash: string }>(
      'SELECT number, previous_hash, hash FROM audit_entries ORDER BY number',
    );
    expect(links.map(({ number }) => Number(number))).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    expect(links.map((link) => link.previous_hash)).toEqual([
      '0'.repeat(64),
      ...links.slice(0, -1).map((link) => link.hash),
    ]);
    expect(await verify()).toEqual([true, [`Verified up to ${count}:${links.at(-1)!.hash}`]]);
  });

  it('takes in what 16 transactions at once commit, and nothing of what is rolled back', async () => {
    await start();
    const before = await linked();
    const [transactions, audit] = [app.app.get(Transactions), app.app.get(AuditService)];
    const event = { action: 'test.done', targetKind: 'test', targetId: null };

    const outcomes = await Promise.allSettled(
      Array.from({ length: 160 }, (_, index) =>
        transactions.run(async (tx) => {
          await audit.record(tx, ACTOR, event);
          if (index % 4 === 0) throw new Error('changed its mind');
        }),
      ),
    );

    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(40);
    expect(await linked()).toBe(before + 120);
    expect((await verify())[0]).toBe(true);
  });

  it('gives a transaction that takes long a later place, and lets nobody wait for it', async () => {
    await start();
    await linked();
    const client = new pg.Client({ connectionString: app.database.url });
    await client.connect();
    atEnd(() => client.end());
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO audit_entries (id, at, actor_kind, action, target_kind, outcome)
       VALUES ($1, now() - interval '1 hour', 'system', 'test.slow', 'test', 'done')`,
      [randomUUID()],
    );

    await record();
    const count = await linked();
    await client.query('COMMIT');
    await record();

    expect(await linked()).toBe(count + 2);
    const [slow] = await app.database.query(`SELECT number::int FROM audit_entries WHERE action = 'test.slow'`);
    expect(slow).toEqual({ number: count + 1 });
    expect((await verify())[0]).toBe(true);
  });

  it('is one chain however many processes write it', async () => {
    await start();
    const settings = await someSettings({
      DATABASE_URL: app.database.url,
      SECRET_KEY,
      ADMIN_PASSWORD: ADMIN.password,
      DB_POOL_SIZE: '2',
      ROLE: 'http',
    });
    const others = await Promise.all([startProgram(settings), startProgram(settings)]);
    const before = await linked();

    await Promise.all(
      [app, ...others].flatMap((each) =>
        Array.from({ length: 16 }, async () => {
          const body = new URLSearchParams({ username: ADMIN.username, password: ADMIN.password });
          const response = await each.request('/api/v1/auth/login', { method: 'POST', body });
          if (response.status !== 200) throw new Error(`not signed in: ${response.status}`);
        }),
      ),
    );

    expect(await linked()).toBe(before + 48);
    expect((await verify())[0]).toBe(true);
  }, 120_000);

  it('takes in what was there before it, and what a process that died left behind', async () => {
    const database = await makeDatabase();
    await migrateTo(database.url);
    await database.query(
      `INSERT INTO audit_entries (id, at, actor_kind, action, target_kind, outcome, details)
       SELECT gen_random_uuid(), now() - make_interval(secs => n), 'system', 'test.old', 'test', 'done', jsonb_build_object('n', n)
       FROM generate_series(1, 1203) AS n`,
    );
    const settings = await someSettings({ DATABASE_URL: database.url, SECRET_KEY, ADMIN_PASSWORD: ADMIN.password });
    atEnd(() => database.drop());

    await startProgram(settings);

    expect(await linked(database)).toBeGreaterThanOrEqual(1203);
    const [oldest] = await database.query(`SELECT details FROM audit_entries WHERE number = 1`);
    expect(oldest).toEqual({ details: { n: 1203 } });
  });
});

describe('the database', () => {
  beforeAll(() => aChain());
  afterAll(() => cleanUp('the whole file'));

  const ID = `(SELECT id FROM audit_entries WHERE number = 3)`;
  it.each([
    `UPDATE audit_entries SET outcome = 'refused' WHERE id = ${ID}`,
    `UPDATE audit_entries SET details = '{"index": 2.0}' WHERE details = '{"index": 2}'`,
    `UPDATE audit_entries SET number = NULL, previous_hash = NULL, hash = NULL WHERE id = ${ID}`,
    `UPDATE audit_entries SET hash = repeat('1', 64) WHERE id = ${ID}`,
    `UPDATE audit_entries SET number = number WHERE id = ${ID}`,
    `DELETE FROM audit_entries WHERE id = ${ID}`,
    `TRUNCATE audit_entries`,
    `INSERT INTO audit_entries (id, actor_kind, action, target_kind, outcome, number, previous_hash, hash)
     VALUES (gen_random_uuid(), 'system', 'x', 'x', 'done', 1000, repeat('1', 64), repeat('1', 64))`,
  ])('refuses %s', async (statement) => {
    await expect(app.database.query(statement)).rejects.toThrow('audit entries are only ever added');

    expect((await verify())[0]).toBe(true);
  });

  it('lets a new entry be linked, and nothing else of it be changed with that', async () => {
    const database = await makeDatabase();
    atEnd(() => database.drop());
    await migrateTo(database.url);
    await database.query(
      `INSERT INTO audit_entries (id, actor_kind, action, target_kind, outcome) VALUES (gen_random_uuid(), 'system', 'x', 'x', 'done')`,
    );
    const link = `number = 1, previous_hash = repeat('0', 64), hash = repeat('1', 64)`;

    await expect(database.query(`UPDATE audit_entries SET ${link}, outcome = 'refused'`)).rejects.toThrow('only ever');
    await expect(database.query(`UPDATE audit_entries SET number = 1`)).rejects.toThrow('ck_audit_entries_link');
    await database.query(`UPDATE audit_entries SET ${link}`);

    expect(await database.query('SELECT outcome, number::int FROM audit_entries')).toEqual([
      { outcome: 'done', number: 1 },
    ]);
  });

  it('that was set up as README says keeps the program itself from changing the record', async () => {
    const role = `forecourt_${randomUUID().slice(0, 8)}`;
    const owner = `${role}_audit`;
    const database = await makeDatabase();
    const name = new URL(database.url).pathname.slice(1);
    await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    atEnd(async () => {
      await database.query(`REASSIGN OWNED BY ${role}, ${owner} TO CURRENT_USER`);
      await database.query(`DROP OWNED BY ${role}, ${owner}`);
      await database.query(`DROP ROLE ${role}, ${owner}`);
      await database.drop();
    });
    await database.query(`GRANT CREATE ON DATABASE ${name} TO ${role}`);
    await database.query(`GRANT CREATE, USAGE ON SCHEMA public TO ${role}`);
    const url = new URL(database.url);
    [url.username, url.password] = [role, 'x'];
    const settings = await someSettings({
      DATABASE_URL: url.toString(),
      SECRET_KEY,
      ADMIN_PASSWORD: ADMIN.password,
      DB_POOL_SIZE: '2',
    });
    await (await startProgram(settings)).stop();

    const [, statements] = /```sql\n([^`]*audit_entries[^`]*)```/.exec(
      readFileSync(join(PROJECT_ROOT, 'README.md'), 'utf8'),
    )!;
    await database.query(statements!.replaceAll('forecourt_app', role).replaceAll('forecourt_audit', owner));

    const program = await startProgram(settings);
    await program.signIn(ADMIN.password);
    await linked(database);
    const client = new pg.Client({ connectionString: url.toString() });
    await client.connect();
    atEnd(() => client.end());
    for (const statement of [
      `UPDATE audit_entries SET outcome = 'refused'`,
      'DELETE FROM audit_entries',
      'TRUNCATE audit_entries',
      'DROP TABLE audit_entries',
      'ALTER TABLE audit_entries DISABLE TRIGGER ALL',
      'DROP TRIGGER trg_audit_entries_link ON audit_entries',
      'CREATE OR REPLACE FUNCTION link_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$',
      'CREATE OR REPLACE FUNCTION keep_audit_entries() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
      'DROP FUNCTION link_audit_entry() CASCADE',
      'SET session_replication_role = replica',
    ])
      await expect(client.query(statement)).rejects.toThrow(/permission denied|must be owner/);
    // and by privilege before any trigger: the linking columns alone may be written
    await expect(client.query(`UPDATE audit_entries SET number = number`)).rejects.toThrow('only ever added');
  }, 120_000);
});

describe('audit:verify does not understand', () => {
  beforeAll(() => start());
  afterAll(() => cleanUp('the whole file'));

  it.each(['', '5', '0:0', `x:${'1'.repeat(64)}`, `5:${'g'.repeat(64)}`])('--expect=%s', async (given) => {
    await expect(verify(`--expect=${given}`)).rejects.toThrow(UsageError);
  });
});

describe('audit:verify', () => {
  afterEach(cleanUpAll);

  const CHANGES: [what: string, statement: string, says: RegExp][] = [
    [
      'a changed outcome',
      `UPDATE audit_entries SET outcome = 'refused' WHERE number = 5`,
      /^entry 5 .* is not what it was/,
    ],
    [
      'a changed time, by the smallest step',
      `UPDATE audit_entries SET at = at + interval '1 microsecond' WHERE number = 5`,
      /^entry 5 /,
    ],
    [
      'a number in the details that compares as equal',
      `UPDATE audit_entries SET details = replace(details::text, '}', '.0}')::jsonb WHERE number = 5`,
      /^entry 5 /,
    ],
    ['a removed entry', `DELETE FROM audit_entries WHERE number = 5`, /^entry 5 is missing/],
    ['removed entries', `DELETE FROM audit_entries WHERE number BETWEEN 5 AND 7`, /^entries 5 to 7 are missing/],
    ['a removed beginning', `DELETE FROM audit_entries WHERE number = 1`, /^entry 1 is missing/],
    [
      'entries that changed places',
      `UPDATE audit_entries SET number = 100 WHERE number = 5;
       UPDATE audit_entries SET number = 5 WHERE number = 6;
       UPDATE audit_entries SET number = 6 WHERE number = 100`,
      /^entry 5 .* does not follow/,
    ],
    [
      'an entry put in',
      `UPDATE audit_entries SET number = -number - 1 WHERE number >= 5;
       UPDATE audit_entries SET number = -number WHERE number < 0;
       INSERT INTO audit_entries SELECT gen_random_uuid(), at, actor_kind, actor_id, actor_name, ip, request_id, action,
         target_kind, target_id, outcome, details, user_agent, 5, hash, repeat('1', 64) FROM audit_entries WHERE number = 4`,
      /^entry 5 .* is not what it was/,
    ],
    [
      'a changed entry with a hash that fits it no more',
      `UPDATE audit_entries SET hash = repeat('1', 64) WHERE number = 5`,
      /^entry 5 /,
    ],
  ];

  it.each(CHANGES)('finds %s, and says where all was still well', async (_, statement, says) => {
    await aChain();
    await tamper(statement);

    const [isWell, [upTo, defect]] = await verify();

    expect(isWell).toBe(false);
    expect(defect!.replace('Not as it was: ', '')).toMatch(says);
    expect(upTo).toMatch(says.source.includes('1 is') ? /^No entry is verified/ : /^Verified up to 4:[0-9a-f]{64}$/);
  });

  it('finds a cut end, and a chain that was made anew, by what somebody noted', async () => {
    const count = await aChain();
    const [, [said]] = await verify();
    const [, note] = /^Verified up to (\d+:[0-9a-f]{64})$/.exec(said!)!;
    await record();
    await linked();
    expect((await verify('--expect', note!))[0]).toBe(true);
    expect(await verify('--expect', `${count}:${'1'.repeat(64)}`)).toEqual([
      false,
      [expect.any(String), expect.stringMatching(/^Not as it was: entry \d+ .* is not the one that was expected$/)],
    ]);

    await tamper(`DELETE FROM audit_entries WHERE number >= ${count}`);

    expect((await verify())[0]).toBe(true);
    expect(await verify('--expect', note!)).toEqual([
      false,
      [
        expect.any(String),
        `Not as it was: the chain ends with entry ${count - 1}, before entry ${count} that was expected`,
      ],
    ]);
  });

  it('is a command, with 0 for a whole chain and 1 for another', async () => {
    await aChain();
    const settings = await someSettings({ DATABASE_URL: app.database.url, SECRET_KEY });
    const run = async (): Promise<[number | string, string]> => {
      const command = [process.execPath, join(dirname(MAIN), 'cli.js'), 'audit:verify'] as const;
      const program = new Program(settings, { command: [...command] });
      return [await program.ended, program.output];
    };

    expect(await run()).toEqual([0, expect.stringMatching(/^Verified up to \d+:[0-9a-f]{64}\n$/)]);
    await tamper(`UPDATE audit_entries SET actor_name = 'eve' WHERE number = 2`);
    expect(await run()).toEqual([1, expect.stringMatching(/\nNot as it was: entry 2 /)]);
  });
});

describe('on record', () => {
  afterEach(cleanUpAll);

  const entries = (action: string): Promise<Record<string, unknown>[]> =>
    app.database.query(
      `SELECT actor_kind, actor_name, outcome, target_kind, target_id, details, ip, user_agent FROM audit_entries
       WHERE action = $1 ORDER BY at, id`,
      [action],
    );
  const adminId = async (): Promise<string> => {
    const [admin] = await app.database.query<{ id: string }>(`SELECT id FROM users WHERE username = 'admin'`);
    return admin!.id;
  };

  it('is a sign-in, with the address and the program of whoever signed in', async () => {
    await start();
    const agent = `Test/1 ${'x'.repeat(300)}`;

    await app.request('/api/v1/auth/login', {
      method: 'POST',
      headers: { 'User-Agent': agent },
      body: new URLSearchParams({ username: ADMIN.username, password: ADMIN.password }),
    });

    expect(await entries('auth.signed_in')).toEqual([
      {
        actor_kind: 'user',
        actor_name: 'admin',
        outcome: 'done',
        target_kind: 'user',
        target_id: await adminId(),
        details: { method: 'password', session_id: expect.any(String) },
        ip: '127.0.0.1',
        user_agent: agent.slice(0, 200),
      },
    ]);
  });

  it('that is not, lets nobody in', async () => {
    await start();
    await app.database.query('ALTER TABLE audit_entries RENAME TO audit_entries_away');

    const response = await login(app, ADMIN.username, ADMIN.password);

    await app.database.query('ALTER TABLE audit_entries_away RENAME TO audit_entries');
    expect(response.status).toBe(500);
  });

  it('is a refused sign-in: once a minute for each account and source, then how often', async () => {
    await start();

    for (let round = 0; round < 5; round += 1) await login(app, ADMIN.username, 'wrong');
    await Promise.all(Array.from({ length: 16 }, () => login(app, 'nobody', 'wrong')));
    await login(app, 'NOBODY', 'wrong');

    const refused = { actor_kind: 'anonymous', actor_name: null, outcome: 'refused', target_kind: 'user' };
    const written = await entries('auth.sign_in_refused');
    const blind = { name_hash: expect.stringMatching(/^[0-9a-f]{32}$/) };
    expect(written).toHaveLength(2);
    expect(written).toEqual([
      expect.objectContaining({ ...refused, target_id: await adminId(), details: {} }),
      expect.objectContaining({ ...refused, target_id: null, details: blind }),
    ]);
    await app.app.get(SeldomEntries).writeAll();
    const again = (await entries('auth.sign_in_refused')).slice(2);
    expect(again.map(({ details }) => details)).toEqual(
      expect.arrayContaining([
        { again: 4, since: expect.any(String) },
        { ...blind, again: 16, since: expect.any(String) },
      ]),
    );
    expect(JSON.stringify(await app.database.query('SELECT * FROM audit_entries'))).not.toMatch(/nobody/i);
  });

  it('are a registration, the first admin’s included, and whoever is locked out or let in again', async () => {
    await start();
    const token = await tokenOf(app);
    const account = { username: 'ada', email: 'ada@practice.test', password: 'a fine password' };
    const created = await sendJson(app, 'POST', '/api/v1/auth/register', account, token);
    const { id } = (await created.json()) as { id: string };
    for (const is_active of [false, false, true])
      await sendJson(app, 'PATCH', `/api/v1/users/${id}`, { is_active }, token);

    expect(await entries('user.created')).toMatchObject([
      { actor_kind: 'system', actor_name: 'first-admin', details: { role: 'superadmin' } },
      { actor_name: 'admin', target_id: id, details: { role: 'attorney' } },
    ]);
    expect(await entries('user.disabled')).toMatchObject([{ actor_name: 'admin', target_id: id }]);
    expect(await entries('user.enabled')).toMatchObject([{ actor_name: 'admin', target_id: id }]);
  });

  it('is each change of a lead’s status, and none that is refused', async () => {
    await start();
    const token = await tokenOf(app);
    const id = await aLead(app);

    const change = (status: string): Promise<Response> =>
      sendJson(app, 'PATCH', `/api/v1/leads/${id}`, { status }, token);
    await Promise.all(Array.from({ length: 16 }, () => change('REACHED_OUT')));

    expect(await entries('lead.status_changed')).toMatchObject([
      { actor_name: 'admin', target_kind: 'lead', target_id: id, details: { from: 'PENDING', to: 'REACHED_OUT' } },
    ]);
  });

  it('is who was refused what they may not, once a minute', async () => {
    await start();
    const account = { username: 'ada', email: 'ada@practice.test', password: 'a fine password' };
    await sendJson(app, 'POST', '/api/v1/auth/register', account, await tokenOf(app));
    const token = await tokenOf(app, account.username, account.password);

    for (let round = 0; round < 3; round += 1)
      await app.request('/api/v1/users', { headers: { Authorization: `Bearer ${token}` } });

    expect(await entries('auth.access_refused')).toMatchObject([
      { actor_name: 'ada', outcome: 'refused', target_kind: 'permission', details: { permission: 'users:read' } },
    ]);
  });
});
