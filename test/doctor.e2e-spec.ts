import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { MIGRATIONS } from '../migrations/index.js';
import { Clock } from '../src/common/clock.js';
import { linesOf } from '../src/doctor/doctor.command.js';
import { examine } from '../src/doctor/doctor.js';
import type { Finding } from '../src/doctor/finding.js';
import { eventually } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { makeDatabase, type TestDatabase } from './support/database.js';
import { MAIN, makeFolder, Program, someSettings, startProgram } from './support/program.js';
import { type Pair, startPair } from './support/replica.js';
import { startS3 } from './support/s3rver.js';
import { migrateTo } from './support/schema.js';
import { startRawServer, startSmtp } from './support/smtp.js';

const CLI = join(dirname(MAIN), 'cli.js');
const NO_FILE = '/nonexistent/.env';
const SECRETS = ['w9-Hidden-Word', 'smtp-Hidden-Word', 'redis-Hidden-Word'] as const;

afterEach(() => cleanUp());
afterAll(() => cleanUp('the whole file'));

async function aDatabase(): Promise<TestDatabase> {
  const database = await makeDatabase();
  atEnd(() => database.drop());
  return database;
}

/** All findings of these settings, over a folder of their own and no database. */
async function examineWith(settings: Record<string, string>, clock = new Clock(), file = NO_FILE): Promise<Finding[]> {
  const environment = { PORT: '0', DATA_DIR: await makeFolder(), ...settings };
  return examine({ environment, file }, clock, pino({ level: 'silent' }));
}

/** The findings of one check: state and words. */
const about = (findings: readonly Finding[], check: string): string[] =>
  findings.filter((each) => each.check === check).map(({ state, says }) => `${state}: ${says}`);

describe('npm run doctor', () => {
  const run = async (
    settings: Record<string, string>,
    args: readonly string[] = [],
    cwd?: string,
  ): Promise<{ code: number | string; output: string }> => {
    const command: [string, ...string[]] = [process.execPath, CLI, 'doctor', ...args];
    const program = new Program(settings, { command, ...(cwd === undefined ? {} : { cwd }) });
    return { code: await program.ended, output: program.output };
  };
  /** Everything in a folder, with size and time. */
  const contentOf = async (folder: string): Promise<string[]> => {
    const names = await readdir(folder, { recursive: true });
    const lines = names.map(async (name) => {
      const stats = await stat(join(folder, name));
      return stats.isDirectory() ? name : `${name} ${stats.size}`;
    });
    return (await Promise.all(lines)).sort();
  };

  it('ends with 0 for a new folder, and leaves it as empty as it was', async () => {
    const folder = await makeFolder();

    const { code, output } = await run({ PORT: '0' }, [], folder);

    expect(output).toMatch(/^skipped {2}database +the embedded PostgreSQL is not running/m);
    expect(output.trimEnd().split('\n').at(-1)).toBe('0 failed, 0 to think about, 5 ok');
    expect(code).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });

  it('ends with 0 beside a running Forecourt, whose embedded database, files and port it finds, and changes nothing', async () => {
    const settings = await someSettings();
    const program = await startProgram(settings);
    const PORT = new URL(program.url).port;
    const files = await contentOf(join(settings.DATA_DIR, 'uploads'));

    const { code, output } = await run({ ...settings, PORT }, ['--json']);

    const { is_well: isWell, checks } = JSON.parse(output) as { is_well: boolean; checks: Finding[] };
    expect(checks.filter(({ state }) => state === 'failed' || state === 'warning')).toEqual([]);
    expect(about(checks, 'database')).toEqual([expect.stringMatching(/^ok: PostgreSQL 18\.\d+ answers$/)]);
    expect(about(checks, 'migrations')).toEqual([`ok: all ${MIGRATIONS.length} have run`]);
    expect(about(checks, 'privileges')).toEqual(['ok: the role may do what it has to']);
    expect(about(checks, 'clock')).toEqual(['ok: it agrees with that of the database']);
    expect(about(checks, 'port')).toEqual([`ok: Forecourt answers at ${PORT}`]);
    expect([code, isWell]).toEqual([0, true]);
    expect(await contentOf(join(settings.DATA_DIR, 'uploads'))).toEqual(files);
    expect(await program.stop()).toBe(0);
  });

  it('ends with 1 while the database, Redis and the mail server are away, says what to do, and shows no secret', async () => {
    const { code, output } = await run(
      await someSettings({
        DATABASE_URL: `postgresql://forecourt:${SECRETS[0]}@127.0.0.1:1/forecourt`,
        SMTP_HOST: '127.0.0.1',
        SMTP_PORT: '1',
        SMTP_USERNAME: 'intake',
        SMTP_PASSWORD: SECRETS[1],
        REDIS_URL: `redis://:${SECRETS[2]}@127.0.0.1:1`,
      }),
    );

    expect(code).toBe(1);
    expect(output).toMatch(/^failed +database +connect ECONNREFUSED 127\.0\.0\.1:1\n +→ Start PostgreSQL, or correct/m);
    expect(output).toMatch(/^failed +mail +127\.0\.0\.1:1 is not reached: .*\n +→ Correct SMTP_HOST and SMTP_PORT/m);
    expect(output).toMatch(/^failed +redis +.*ECONNREFUSED.*\n +→ Start it, or correct REDIS_URL/m);
    expect(output.trimEnd().split('\n').at(-1)).toMatch(/^3 failed, /);
    for (const secret of SECRETS) expect(output).not.toContain(secret);
  });

  it('ends with 1 for settings that do not allow a start, each by its name', async () => {
    const { code, output } = await run({ PORT: 'eighty', ENVIRONMENT: 'production' });

    expect(code).toBe(1);
    for (const problem of [
      'PORT must be a whole number from 0 to 65535',
      'SECRET_KEY is required in production',
      'DATABASE_URL is required in production',
    ])
      expect(output).toMatch(new RegExp(`^failed +settings +${problem}\\n +→ Correct it`, 'm'));
    expect(output).toMatch(/^skipped +everything else/m);
  });
});

describe('the file of settings', () => {
  it('is found open to others, with a name that is no setting', async () => {
    const file = join(await makeFolder(), '.env');
    await writeFile(file, 'SMPT_HOST=mail\nSMTP_PORT=25\nPOSTGRES_PASSWORD=x\nOIDC_GOOGLE_ISSUER=x\n');
    await chmod(file, 0o640);

    expect(about(await examineWith({}, new Clock(), file), '.env')).toEqual([
      'warning: other users of this machine may read it',
      'warning: SMPT_HOST is no setting of Forecourt',
    ]);

    await writeFile(file, 'SMTP_PORT=25\n');
    await chmod(file, 0o600);
    expect(about(await examineWith({}, new Clock(), file), '.env')).toEqual(['ok: every name in it is a setting']);
  });
});

describe('the database', () => {
  const serverUrl = (): URL => new URL(process.env['TEST_DATABASE_URL'] ?? '');

  it.each<[string, (url: URL) => void, RegExp, RegExp]>([
    [
      'a wrong password',
      (url) => (url.password = SECRETS[0]),
      /^failed: password authentication failed/,
      /user and password/,
    ],
    [
      'a name that is not there',
      (url) => (url.pathname = '/nothing'),
      /^failed: database "nothing" does not exist/,
      /Make the/,
    ],
    ['an unknown host', (url) => (url.hostname = 'no-such-host.invalid'), /^failed: getaddrinfo/, /host and port/],
  ])('fails with %s', async (_, change, says, advice) => {
    const url = serverUrl();
    change(url);

    const [finding] = (await examineWith({ DATABASE_URL: url.toString() })).filter(({ check }) => check === 'database');

    expect(`${finding!.state}: ${finding!.says}`).toMatch(says);
    expect(finding!.advice).toMatch(advice);
  });

  it('fails when it takes a connection and says nothing', async () => {
    const port = await startRawServer(() => undefined);

    const findings = await examineWith({ DATABASE_URL: `postgresql://forecourt:x@127.0.0.1:${port}/forecourt` });

    expect(about(findings, 'database')).toEqual([expect.stringMatching(/^failed: .*timeout/)]);
  });

  it('is well while it is empty, to be brought up to date, or too new, each in its words', async () => {
    const database = await aDatabase();
    const migrations = async (): Promise<string[]> =>
      about(await examineWith({ DATABASE_URL: database.url }), 'migrations');
    const last = MIGRATIONS.at(-1)!.name;

    expect(await migrations()).toEqual(['ok: the database is empty; the first start fills it']);
    expect(await database.query(`SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace`)).toEqual([]);
    await migrateTo(database.url, MIGRATIONS.length - 1);
    expect(await migrations()).toEqual([`warning: 1 have not run: ${last}`]);
    await migrateTo(database.url);
    expect(await migrations()).toEqual([`ok: all ${MIGRATIONS.length} have run`]);
    await database.query(`INSERT INTO migrations (timestamp, name) VALUES (1, 'FromTomorrow')`);
    expect(await migrations()).toEqual(['failed: a newer version has run FromTomorrow']);
  });

  it('fails without the language of its triggers', async () => {
    const database = await aDatabase();
    await database.query('DROP EXTENSION plpgsql');

    expect(about(await examineWith({ DATABASE_URL: database.url }), 'extensions')).toEqual([
      'failed: plpgsql is missing',
    ]);
  });

  it('fails for a role that may not make tables, and for one that does not own them', async () => {
    const database = await aDatabase();
    const role = `r_${randomBytes(6).toString('hex')}`;
    await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    atEnd(() => database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`));
    const url = new URL(database.url);
    [url.username, url.password] = [role, 'x'];
    const privileges = async (): Promise<string[]> =>
      about(await examineWith({ DATABASE_URL: url.toString() }), 'privileges');

    expect(await privileges()).toEqual(['failed: it may not make tables; it may not make the schema of jobs']);
    await database.query(
      `GRANT CREATE ON SCHEMA public TO ${role}; GRANT CREATE ON DATABASE ${url.pathname.slice(1)} TO ${role}`,
    );
    expect(await privileges()).toEqual(['ok: the role may do what it has to']);
    await database.query(`CREATE TABLE leads (id int); GRANT ALL ON leads TO ${role}`);
    expect(await privileges()).toEqual(['failed: leads belongs to another role']);
  });

  it.each([
    ['behind', -3_000],
    ['ahead', 3_600_000],
  ])('has another clock when ours is %s', async (_, milliseconds) => {
    class SkewedClock extends Clock {
      override now(): Date {
        return new Date(super.now().getTime() + milliseconds);
      }
    }
    const database = await aDatabase();

    const [finding, ...others] = about(await examineWith({ DATABASE_URL: database.url }, new SkewedClock()), 'clock');

    expect(others).toEqual([]);
    const [, seconds] = /^warning: it is (\d+\.\d) seconds from that of the database$/.exec(finding!) ?? [];
    expect(Math.abs(Number(seconds) - Math.abs(milliseconds) / 1000)).toBeLessThan(1);
  });
});

describe('replicas', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair();
  }, 120_000);

  it('are well when they follow the primary; each other trouble is told of each, and never its address', async () => {
    const stranger = new URL(process.env['TEST_DATABASE_URL'] ?? '');
    const away = `postgresql://forecourt:${SECRETS[0]}@127.0.0.1:1/forecourt`;
    const DATABASE_REPLICA_URLS = [pair.replica.url, pair.primary.url, stranger.toString(), away].join(',');

    // a busy machine may answer late, which is told as well
    const findings = await eventually('the replica answers in time', async () => {
      const found = await examineWith({ DATABASE_URL: pair.primary.url, DATABASE_REPLICA_URLS });
      return about(found, 'replica 1')[0]?.startsWith('ok') === true && found;
    });

    expect([1, 2, 3, 4].map((number) => about(findings, `replica ${number}`)).flat()).toEqual([
      'ok: it follows the primary',
      'warning: it follows nobody: the primary answers everything',
      'warning: it is a copy of another PostgreSQL: the primary answers everything',
      expect.stringMatching(/^warning: .*ECONNREFUSED.*: the primary answers everything$/),
    ]);
    expect(JSON.stringify(findings)).not.toContain(SECRETS[0]);
  });

  it('are not looked at without a primary to compare them with, or where none are set', async () => {
    const DATABASE_URL = 'postgresql://forecourt:x@127.0.0.1:1/forecourt';

    expect(about(await examineWith({ DATABASE_URL, DATABASE_REPLICA_URLS: pair.replica.url }), 'replicas')).toEqual([
      'skipped: they are compared with the primary, which does not answer',
    ]);
    expect((await examineWith({ DATABASE_URL })).filter(({ check }) => check.startsWith('replica'))).toEqual([]);
  });
});

describe('the notes of erasures', () => {
  const notes = async (settings: Record<string, string>): Promise<string[]> =>
    about(await examineWith(settings), 'erasure notes');

  it('may have no folder yet, or one with notes', async () => {
    const ERASURE_NOTES = await makeFolder();
    expect(await notes({ ERASURE_NOTES: join(ERASURE_NOTES, 'later') })).toEqual([
      'ok: the folder is not there yet; the first erasure makes it',
    ]);
    await writeFile(join(ERASURE_NOTES, 'one'), 'x');

    expect(await notes({ ERASURE_NOTES })).toEqual(['ok: 1 is kept']);
    expect(await readdir(ERASURE_NOTES)).toEqual(['one']);
  });

  it('are in danger where the folder is none, or the bucket is not there', async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, 'file'), 'x');
    const { settings: S3 } = await startS3('notes');

    expect(await notes({ ERASURE_NOTES: join(folder, 'file') })).toEqual([expect.stringMatching(/^warning: ENOTDIR/)]);
    expect(await notes({ ...S3, ERASURE_NOTES: 's3://notes/erasures' })).toEqual(['ok: 0 are kept']);
    expect(await notes({ ...S3, ERASURE_NOTES: 's3://elsewhere/erasures' })).toEqual([
      'warning: The store of s3://elsewhere/erasures/ answered NoSuchBucket (404)',
    ]);
  });
});

describe('storage and disk', () => {
  it('fail where UPLOAD_DIR is a file', async () => {
    const UPLOAD_DIR = join(await makeFolder(), 'uploads');
    await writeFile(UPLOAD_DIR, 'x');

    const findings = await examineWith({ UPLOAD_DIR });

    expect(about(findings, 'storage disk')).toEqual([`failed: ${UPLOAD_DIR} is no folder`]);
    expect(about(findings, 'disk')).toEqual([`failed: ${UPLOAD_DIR} is no folder`]);
  });

  it('fail where files cannot be written into UPLOAD_DIR', async () => {
    const UPLOAD_DIR = await makeFolder();
    // a folder in its place by name only: not even root writes into it
    await writeFile(join(UPLOAD_DIR, '.incoming'), 'x');

    expect(about(await examineWith({ UPLOAD_DIR }), 'storage disk')).toEqual([
      expect.stringMatching(/^failed: ENOTDIR/),
    ]);
  });

  it('leave nothing in a folder that they tried', async () => {
    const UPLOAD_DIR = await makeFolder();
    await mkdir(join(UPLOAD_DIR, '.incoming'));

    expect(about(await examineWith({ UPLOAD_DIR }), 'storage disk')).toEqual([
      'ok: takes, gives back and deletes files',
    ]);
    expect(await readdir(UPLOAD_DIR, { recursive: true })).toEqual(['.incoming']);
  });

  it('fail when less is free than is to stay free, and warn of it before', async () => {
    const free = (await import('node:fs')).statfsSync('/tmp');
    const bytes = free.bavail * free.bsize;

    expect(about(await examineWith({ FILE_MIN_FREE: '999999999999999' }), 'disk')).toEqual([
      expect.stringMatching(/^failed: \d+ MB are free at DATA_DIR, less than 953674322 MB: uploads are refused$/),
    ]);
    expect(about(await examineWith({ FILE_MIN_FREE: String(Math.floor(bytes * 0.75)) }), 'disk')).toEqual([
      expect.stringMatching(/^warning: \d+ MB are free at DATA_DIR; from \d+ MB down uploads are refused$/),
    ]);
  });

  it('try each store that is set: one that answers, one without the bucket, one that is away', async () => {
    const S3 = { ...(await startS3('forecourt')).settings, S3_BUCKET: 'forecourt' };
    const s3 = async (change: Record<string, string>): Promise<string[]> =>
      about(await examineWith({ ...S3, ...change }), 'storage s3');

    expect(await s3({})).toEqual(['ok: takes, gives back and deletes files; new ones go elsewhere']);
    expect(await s3({ STORAGE_DRIVER: 's3' })).toEqual(['ok: takes, gives back and deletes files']);
    expect(await s3({ S3_BUCKET: 'elsewhere' })).toEqual([expect.stringMatching(/^failed: /)]);
    expect(await s3({ S3_ENDPOINT: 'http://127.0.0.1:1' })).toEqual([expect.stringMatching(/^failed: .*ECONNREFUSED/)]);
    expect(about(await examineWith({ WEBDAV_URL: 'http://127.0.0.1:1/dav' }), 'storage webdav')).toEqual([
      expect.stringMatching(/^failed: /),
    ]);
  });
});

describe('the mail server', () => {
  const mail = async (settings: Record<string, string>): Promise<string[]> =>
    about(await examineWith(settings), 'mail');

  it('is well with sign-in, warns without encryption, and fails where TLS is asked for in vain', async () => {
    const open = await startSmtp();

    expect(await mail(open.settings)).toEqual([`warning: 127.0.0.1:${open.port} answers, without encryption`]);
    expect(await mail({ ...open.settings, SMTP_TLS: 'starttls' })).toEqual([
      expect.stringMatching(/^failed: 127\.0\.0\.1:\d+ does not encrypt as it should: /),
    ]);
    expect(open.arrived).toEqual([]);
  });

  it('fails where it refuses the password, which is not shown', async () => {
    const closed = await startSmtp({
      options: {
        authOptional: false,
        allowInsecureAuth: true,
        hideSTARTTLS: true,
        onAuth: ({ password }, _session, done) => {
          done(password === SECRETS[1] ? new Error(`no entry with ${password}`) : null, { user: 'intake' });
        },
      },
    });
    const settings = { ...closed.settings, SMTP_TLS: 'none', SMTP_USERNAME: 'intake', SMTP_PASSWORD: SECRETS[1] };

    const [finding] = await mail(settings);

    expect(finding).toMatch(/^failed: 127\.0\.0\.1:\d+ does not let us in: /);
    expect(finding).not.toContain(SECRETS[1]);
    expect(await mail({ ...settings, SMTP_PASSWORD: 'right' })).toEqual([
      expect.stringMatching(/^warning: .* answers, without encryption$/),
    ]);
  });

  it('fails when it says nothing', async () => {
    const SMTP_PORT = await startRawServer(() => undefined);

    expect(await mail({ SMTP_HOST: '127.0.0.1', SMTP_PORT })).toEqual([
      expect.stringMatching(/^failed: 127\.0\.0\.1:\d+ is not reached: /),
    ]);
  });
});

describe('what is set beside them', () => {
  const redis = (reply: (command: string) => string): Promise<string> =>
    startRawServer((socket) => {
      socket.on('data', (chunk) => socket.write(reply(chunk.toString())));
    });

  it('is looked at only where it is set', async () => {
    const checks = (await examineWith({})).map(({ check }) => check);

    expect(checks).not.toContain('redis');
    expect(checks).not.toContain('clamav');
  });

  it('fails when Redis refuses the password or is none', async () => {
    const refusing = await redis(() => '-WRONGPASS invalid username-password pair\r\n');
    const [finding] = about(await examineWith({ REDIS_URL: `redis://:${SECRETS[2]}@127.0.0.1:${refusing}` }), 'redis');
    expect(finding).toMatch(/^failed: .*WRONGPASS/);
    expect(finding).not.toContain(SECRETS[2]);
  });

  it('fails while clamd is away or is none, and is well when it answers', async () => {
    const clamav = async (CLAMAV_PORT: string): Promise<string[]> =>
      about(await examineWith({ SCAN_POLICY: 'required', CLAMAV_HOST: '127.0.0.1', CLAMAV_PORT }), 'clamav');

    expect(await clamav('1')).toEqual([expect.stringMatching(/^failed: .*ECONNREFUSED/)]);
    expect(await clamav(await startRawServer((socket) => socket.end('HTTP/1.1 400 Bad Request\0')))).toEqual([
      expect.stringMatching(/^failed: .*unexpected answer of clamd/),
    ]);
    expect(await clamav(await startRawServer((socket) => socket.end('PONG\0')))).toEqual(['ok: clamd answers']);
  });

  it('fails when another program holds the port, or HOST is no address of this machine', async () => {
    const server = createServer((_request, response) => response.end('{"status":"ok"}')).listen(0, '127.0.0.1');
    atEnd(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const PORT = String((server.address() as AddressInfo).port);

    expect(about(await examineWith({ HOST: '127.0.0.1', PORT }), 'port')).toEqual([
      `failed: another program holds ${PORT}`,
    ]);
    expect(about(await examineWith({ HOST: '192.0.2.1', PORT }), 'port')).toEqual([
      expect.stringMatching(/^failed: .*EADDRNOTAVAIL/),
    ]);
  });
});

describe('the table', () => {
  it('keeps what a server says on one line, without signs that steer a terminal', () => {
    const says = 'no\r\n\u001b[2Jfailed  all';

    const lines = linesOf([{ check: 'mail', state: 'warning', says, advice: 'Ask' }]);

    expect(lines).toEqual([
      'warning  mail  no [2Jfailed  all',
      '               → Ask',
      '',
      '0 failed, 1 to think about, 0 ok',
    ]);
  });
});
