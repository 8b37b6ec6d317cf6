import { userInfo } from 'node:os';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { readOptions, UsageError } from '../src/common/command.js';
import { loadConfig } from '../src/config/config.js';
import { USER_COMMANDS } from '../src/auth/accounts/user.commands.js';
import { complexityFaults } from '../src/auth/passwords/password-rules.js';
import { anAccount, loginFrom, PASSWORD, recordsOf, statusOfLogin } from './support/accounts.js';
import { ADMIN, eventually, SECRET_KEY, startApp, type TestApp } from './support/app.js';
import { anEnrolled } from './support/factors.js';
import { get, jsonOf, tokenOf } from './support/leads.js';
import { MAIN } from './support/program.js';

const CLI = join(dirname(MAIN), 'cli.js');

let app: TestApp;
let superadmin: string;
beforeAll(async () => {
  app = await startApp({ LOCKOUT_FAILURES: '5', TRUST_PROXY: 'loopback', ROLE: 'http' });
  superadmin = await tokenOf(app);
});
afterAll(() => app.close());

interface Ending {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The built program with these arguments, as `npm run user` runs it. */
function run(args: readonly string[], input = '', settings: Record<string, string> = {}): Promise<Ending> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    DATABASE_URL: app.database.url,
    DATA_DIR: app.dataDir,
    BCRYPT_ROUNDS: '4',
    SECRET_KEY,
    ...settings,
  };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [CLI, ...args], { env, cwd: app.dataDir }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err });
    });
    child.stdin?.end(input);
  });
}

/** The same command beside the service in this process: whether all is well, and what it said. */
async function runHere(name: string, ...args: string[]): Promise<[boolean, string]> {
  const command = USER_COMMANDS.find((each) => each.name === name);
  if (command === undefined) throw new Error(`there is no command ${name}`);
  const said: string[] = [];
  const isWell = await command.run(app.app, readOptions(command, args), (line) => said.push(line));
  return [isWell, said.join('\n')];
}

const aName = (): string => `cli-${randomUUID().slice(0, 8)}`;
const idOf = async (username: string): Promise<string> => {
  const [row] = await app.database.query<{ id: string }>('SELECT id FROM users WHERE username = $1', [username]);
  return row!.id;
};

describe('user create', () => {
  it('makes an account of any role with the password of standard input, and prints no password', async () => {
    const username = aName();

    const { code, out, err } = await run(
      [
        'user',
        'create',
        '--username',
        username,
        '--email',
        `${username}@Practice.test`,
        '--role',
        'superadmin',
        '--password-stdin',
      ],
      `${PASSWORD}\n`,
    );

    expect([code, out, err]).toEqual([0, `${username} is superadmin now\n`, '']);
    expect(await statusOfLogin(app, username)).toBe(200);
    expect(await recordsOf(app, await idOf(username))).toEqual([
      { action: 'user.created', actor_name: `user:create (${userInfo().username})`, details: { role: 'superadmin' } },
    ]);
    const command = await app.database.query(
      `SELECT action, actor_kind, details FROM audit_entries WHERE target_kind = 'command' AND actor_name = $1 ORDER BY at`,
      [`user:create (${userInfo().username})`],
    );
    expect(command.slice(-2)).toEqual([
      {
        action: 'command.begun',
        actor_kind: 'system',
        details: { command: 'user:create', options: { role: 'superadmin', 'password-stdin': true } },
      },
      { action: 'command.ended', actor_kind: 'system', details: { command: 'user:create', is_well: true } },
    ]);
    expect((await runHere('user:set-role', '--name', username, '--role', 'client'))[0]).toBe(true);
  });

  it('makes a random password otherwise and prints it once', async () => {
    const username = aName();

    const [isWell, said] = await runHere(
      'user:create',
      '--username',
      username,
      '--email',
      `${username}@x.test`,
      '--role',
      'client',
    );

    const password = /^Password: (\S{16}) {3}\(shown only this once\)$/m.exec(said)?.[1];
    expect([isWell, complexityFaults(password!)]).toEqual([true, []]);
    expect(await statusOfLogin(app, username, password)).toBe(200);
  });

  it('takes no password as an argument, where every user of the machine would see it', async () => {
    const { code, err } = await run(['user', 'create', '--password', PASSWORD]);

    expect([code, err]).toEqual([2, expect.stringMatching(/--password/)]);
  });

  it('says what is wrong with a password or a name, and makes nothing', async () => {
    const username = aName();
    const args = [
      'user',
      'create',
      '--username',
      username,
      '--email',
      `${username}@x.test`,
      '--role',
      'client',
      '--password-stdin',
    ];

    const common = await run(args, 'password1\n');
    const nothing = await run(args, '');

    expect([common.code, common.out]).toEqual([1, expect.stringMatching(/password: Is among the most common/)]);
    expect([nothing.code, nothing.err]).toEqual([2, 'standard input has no password\n']);
    expect(await app.database.query('SELECT FROM users WHERE username = $1', [username])).toEqual([]);
    const taken = await runHere('user:create', '--username', 'ADMIN', '--email', 'other@x.test', '--role', 'client');
    expect(taken).toEqual([false, 'A user with this username already exists\n  username: Username already exists']);
  });

  it.each([
    [['--email', 'a@b.test', '--role', 'client'], '--username is required'],
    [['--username', 'a b', '--email', 'a@b.test', '--role', 'client'], '--username must have 3 to 50 letters'],
    [['--username', 'abc', '--email', 'nope', '--role', 'client'], '--email must be an e-mail address'],
    [['--username', 'abc', '--email', 'a@b.test', '--role', 'boss'], '--role must be one of client, attorney'],
  ])('does not understand %j', async (args, says) => {
    const attempt = runHere('user:create', ...args);

    await expect(attempt).rejects.toThrow(UsageError);
    await expect(attempt).rejects.toThrow(says);
  });
});

describe('user list', () => {
  it('prints name, address, role and state of each, without hashes', async () => {
    const someone = await anAccount(app, superadmin, 'client');
    await runHere('user:disable', '--name', someone.username);

    const [isWell, said] = await runHere('user:list', '--role', 'client');

    expect(isWell).toBe(true);
    expect(said.split('\n')).toContain(`${someone.username}\t${someone.email}\tclient\tdisabled`);
    expect(said).not.toMatch(/admin|\$2/);
    expect(await runHere('user:list', '--search', someone.username)).toEqual([
      true,
      expect.stringContaining(someone.email),
    ]);
  });
});

describe('user disable and user enable', () => {
  it('shut somebody out of the running service at once, and let them in again', async () => {
    const someone = await anAccount(app, superadmin, 'attorney');
    const me = async (): Promise<number> => (await get(app, '/api/v1/auth/me', someone.token)).status;
    expect(await me()).toBe(200);

    expect(await run(['user', 'disable', '--name', someone.email])).toEqual({
      code: 0,
      out: `${someone.username} is locked out\n`,
      err: '',
    });

    await eventually('the token is refused', async () => (await me()) === 401);
    expect((await run(['user:enable', '--name', someone.username])).code).toBe(0);
    expect(await statusOfLogin(app, someone.username)).toBe(200);
  });

  it('keep the last superadmin', async () => {
    expect(await runHere('user:disable', '--name', 'admin')).toEqual([
      false,
      'The last active superadmin can be neither disabled nor demoted',
    ]);
    expect((await runHere('user:set-role', '--name', 'admin', '--role', 'admin'))[0]).toBe(false);
    expect(await statusOfLogin(app, ADMIN.username, ADMIN.password)).toBe(200);
  });

  it('say when there is nobody of that name', async () => {
    expect(await runHere('user:enable', '--name', 'nobody')).toEqual([false, 'There is no such account']);
  });
});

describe('user reset-password', () => {
  it('sets the password of standard input; the old one is good no more', async () => {
    const someone = await anAccount(app, superadmin, 'attorney');

    const { code, out } = await run(
      ['user', 'reset-password', '--name', someone.username, '--password-stdin'],
      'herons sleep at dawn\nwhatever follows\n',
    );

    expect([code, out]).toEqual([0, `${someone.username} has a new password\n`]);
    expect(await statusOfLogin(app, someone.username, 'herons sleep at dawn')).toBe(200);
    expect(await statusOfLogin(app, someone.username)).toBe(401);
    expect((await recordsOf(app, someone.id)).at(-1)).toMatchObject({
      action: 'user.password_changed',
      actor_name: `user:reset-password (${userInfo().username})`,
    });
  });
});

describe('user unlock', () => {
  it('lets somebody try again who failed too often', async () => {
    const someone = await anAccount(app, superadmin, 'attorney');
    for (let time = 0; time < 5; time += 1) await loginFrom(app, '198.51.100.9', someone.username, 'wrong');
    expect((await loginFrom(app, '198.51.100.9', someone.username, PASSWORD)).status).toBe(401);
    expect((await runHere('user:list', '--search', someone.username))[1]).toMatch(/locked to somebody until 2/);

    expect(await runHere('user:unlock', '--name', someone.username)).toEqual([
      true,
      `${someone.username} is not locked any more`,
    ]);

    expect((await loginFrom(app, '198.51.100.9', someone.username, PASSWORD)).status).toBe(200);
    expect(await runHere('user:unlock', '--name', someone.username)).toEqual([
      true,
      `${someone.username} was not locked`,
    ]);
  });
});

describe('user verify-email', () => {
  it('takes an address for verified, once, and says who did', async () => {
    const someone = await anAccount(app, superadmin, 'client');
    await app.database.query('UPDATE users SET email_verified_at = NULL WHERE id = $1', [someone.id]);
    const verifiedAt = async (): Promise<unknown> => {
      const page = await jsonOf<{ items: { email_verified_at: string | null }[] }>(
        await get(app, `/api/v1/admin/users?search=${someone.username}`, superadmin),
      );
      return page.items[0]?.email_verified_at;
    };
    expect(await verifiedAt()).toBeNull();

    const answer = [true, `${someone.email} is verified`];
    expect(await runHere('user:verify-email', '--name', someone.username)).toEqual(answer);

    const since = await verifiedAt();
    expect(since).toMatch(/Z$/);
    expect((await recordsOf(app, someone.id)).at(-1)).toMatchObject({
      action: 'user.email_verified',
      actor_name: `user:verify-email (${userInfo().username})`,
    });
    expect(await runHere('user:verify-email', '--name', someone.email)).toEqual(answer);
    expect(await verifiedAt()).toBe(since);
    expect(await runHere('user:verify-email', '--name', 'nobody')).toEqual([false, 'There is no such account']);
  });
});

describe('user reset-mfa', () => {
  it('takes all second factors from an account, ends its sessions and tells the owner', async () => {
    const person = await anEnrolled(app, superadmin);

    expect(await runHere('user:reset-mfa', '--name', person.username)).toEqual([
      true,
      `${person.username} has no second factor any more`,
    ]);

    expect((await get(app, '/api/v1/auth/me', person.token)).status).toBe(401);
    expect(await tokenOf(app, person.username, PASSWORD)).toEqual(expect.any(String));
    expect((await recordsOf(app, person.id)).at(-1)).toEqual({
      action: 'factor.all_removed',
      actor_name: expect.stringMatching(/^user:reset-mfa \(.+\)$/),
      details: { factors: 1 },
    });
    const mails = await app.database.query(
      `SELECT template FROM mail_messages WHERE recipient = $1 AND template = 'factors_reset'`,
      [person.email],
    );
    expect(mails).toHaveLength(1);
  });

  it('works in the built program, and says when there was none or nobody', async () => {
    const { username } = await anAccount(app, superadmin, 'client');

    const { code, out, err } = await run(['user', 'reset-mfa', '--name', username]);

    expect([code, out.trim(), err]).toEqual([0, `${username} had no second factor`, '']);
    expect(await runHere('user:reset-mfa', '--name', 'nobody-here')).toEqual([false, 'There is no such account']);
  });
});

describe('secrets', () => {
  it('prints lines for .env that a production takes, new ones each time, without settings or a database', async () => {
    const [one, other] = await Promise.all([run(['secrets'], '', { DATABASE_URL: 'nonsense' }), run(['secrets'])]);

    expect([one.code, one.err]).toEqual([0, '']);
    const values = Object.fromEntries(
      one.out
        .trim()
        .split('\n')
        .map((line) => [line.split('=')[0]!, line.slice(line.indexOf('=') + 1)]),
    );
    const config = loadConfig({
      ...values,
      ENVIRONMENT: 'production',
      DATABASE_URL: 'postgresql://u:p@db/f',
      ALERT_WEBHOOK_URL: 'https://hook.test',
      SMTP_HOST: 'mail.test',
      PUBLIC_URL: 'https://a.test',
      DASHBOARD_URL: 'https://b.test',
    });
    expect(config.files.encryption.keys).toHaveLength(1);
    expect(complexityFaults(config.admin.password!)).toEqual([]);
    const linesOf = ({ out }: Ending): string[] => out.trim().split('\n');
    expect(linesOf(one)).toHaveLength(5);
    expect(linesOf(one).filter((line) => linesOf(other).includes(line))).toEqual([]);
  });
});
