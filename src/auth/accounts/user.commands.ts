import type { INestApplicationContext } from '@nestjs/common';
import { type Command, type CommandOptions, UsageError } from '../../common/command.js';
import { AppError } from '../../common/errors.js';
import { isEmail } from '../../common/fields.js';
import { operatorOf } from '../../common/operator.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Role } from '../../users/role.js';
import { UserNotFound } from '../../users/users.errors.js';
import { FactorResets } from '../factors/factor-resets.js';
import { randomPassword } from '../passwords/random-password.js';
import { isUsername } from './account-fields.js';
import { type AccountView, AccountsService } from './accounts.service.js';

const PAGE = 100;

const WHOM = { type: 'string', value: 'NAME', doc: 'user name or e-mail address', isPersonal: true } as const;
const FROM_STDIN = {
  type: 'boolean',
  doc: 'read the password from standard input; else a random one is printed, this once',
} as const;
const ROLES = Object.values(Role);

function textOf(options: CommandOptions, name: string): string {
  const given = options[name];
  if (typeof given !== 'string' || given.trim() === '') throw new UsageError(`--${name} is required`);
  return given.trim();
}

function roleOf(options: CommandOptions): Role {
  const role = ROLES.find((each) => each === options['role']);
  if (role === undefined) throw new UsageError(`--role must be one of ${ROLES.join(', ')}`);
  return role;
}

/** The first line of standard input. */
async function readLine(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  const [line = ''] = text.split(/\r?\n/);
  if (line === '') throw new UsageError('standard input has no password');
  return line;
}

interface ChosenPassword {
  readonly password: string;
  readonly isRandom: boolean;
}

async function passwordFor(app: INestApplicationContext, options: CommandOptions): Promise<ChosenPassword> {
  if (options['password-stdin'] === true) return { password: await readLine(), isRandom: false };
  return { password: randomPassword(app.get<Config>(CONFIG).auth.minPasswordLength), isRandom: true };
}

async function find(app: INestApplicationContext, options: CommandOptions): Promise<AccountView> {
  return app.get(AccountsService).getByName(textOf(options, 'name'));
}

/** What is refused is said with everything that is to be changed. */
async function saying(say: (line: string) => void, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    say(error instanceof UserNotFound ? 'There is no such account' : error.detail);
    for (const [field, faults] of Object.entries(error.fieldErrors ?? {}))
      for (const fault of faults) say(`  ${field}: ${fault}`);
    return false;
  }
}

const tell = (say: (line: string) => void, { password, isRandom }: ChosenPassword): void => {
  if (isRandom) say(`Password: ${password}   (shown only this once)`);
};

/** Accounts by hand, for whoever has the machine. What is done is on record as that of the command and of whoever runs it. */
export const USER_COMMANDS: readonly Command[] = [
  {
    name: 'user:create',
    changes: true,
    doc: 'Makes an account.',
    options: {
      username: { type: 'string', value: 'NAME', doc: 'user name', isPersonal: true },
      email: { type: 'string', value: 'ADDRESS', doc: 'e-mail address', isPersonal: true },
      role: { type: 'string', value: 'ROLE', doc: ROLES.join(', ') },
      'password-stdin': FROM_STDIN,
    },
    async run(app, options, say) {
      const [username, email, role] = [
        textOf(options, 'username'),
        textOf(options, 'email').toLowerCase(),
        roleOf(options),
      ];
      if (!isUsername(username))
        throw new UsageError('--username must have 3 to 50 letters, digits, dots, dashes or underscores');
      if (!isEmail(email)) throw new UsageError('--email must be an e-mail address');
      const chosen = await passwordFor(app, options);
      return saying(say, async () => {
        await app
          .get(AccountsService)
          .create(operatorOf('user:create'), { username, email, role, password: chosen.password });
        say(`${username} is ${role} now`);
        tell(say, chosen);
      });
    },
  },
  {
    name: 'user:list',
    changes: false,
    doc: 'Lists accounts: user name, address, role, and whether they are disabled or locked.',
    options: {
      search: { type: 'string', value: 'TEXT', doc: 'only those with this in their name or address' },
      role: { type: 'string', value: 'ROLE', doc: 'only those of this role' },
    },
    async run(app, options, say) {
      const search = options['search'] === undefined ? undefined : textOf(options, 'search');
      const role = options['role'] === undefined ? undefined : roleOf(options);
      for (let page = 1; ; page += 1) {
        const { rows } = await app.get(AccountsService).list({ search, role }, page, PAGE);
        for (const { user, lockedUntil } of rows) {
          const state = [
            ...(user.isActive ? [] : ['disabled']),
            ...(lockedUntil === null ? [] : [`locked to somebody until ${lockedUntil.toISOString()}`]),
          ];
          say([user.username, user.email, user.role, ...state].join('\t'));
        }
        if (rows.length < PAGE) return true;
      }
    },
  },
  {
    name: 'user:disable',
    changes: true,
    doc: 'Locks an account out at once. The last active superadmin stays.',
    options: { name: WHOM },
    run: (app, options, say) => setActive(app, options, say, false),
  },
  {
    name: 'user:enable',
    changes: true,
    doc: 'Lets a disabled account in again.',
    options: { name: WHOM },
    run: (app, options, say) => setActive(app, options, say, true),
  },
  {
    name: 'user:set-role',
    changes: true,
    doc: 'Changes a role. The last active superadmin stays.',
    options: { name: WHOM, role: { type: 'string', value: 'ROLE', doc: ROLES.join(', ') } },
    async run(app, options, say) {
      const role = roleOf(options);
      return saying(say, async () => {
        const { user } = await find(app, options);
        await app.get(AccountsService).change(operatorOf('user:set-role'), user.id, { role });
        say(`${user.username} is ${role} now`);
      });
    },
  },
  {
    name: 'user:reset-password',
    changes: true,
    doc: 'Gives an account another password, and ends what was signed in with the old one.',
    options: { name: WHOM, 'password-stdin': FROM_STDIN },
    async run(app, options, say) {
      return saying(say, async () => {
        const { user } = await find(app, options);
        const chosen = await passwordFor(app, options);
        await app.get(AccountsService).resetPassword(operatorOf('user:reset-password'), user.id, chosen.password);
        say(`${user.username} has a new password`);
        tell(say, chosen);
      });
    },
  },
  {
    name: 'user:reset-mfa',
    changes: true,
    doc: 'Takes all second factors from an account and ends its sessions, for whoever has lost them. A mail tells the owner.',
    options: { name: WHOM },
    async run(app, options, say) {
      return saying(say, async () => {
        const { user } = await find(app, options);
        const removed = await app.get(FactorResets).reset(operatorOf('user:reset-mfa'), user.id);
        say(removed === 0 ? `${user.username} had no second factor` : `${user.username} has no second factor any more`);
      });
    },
  },
  {
    name: 'user:verify-email',
    changes: true,
    doc: 'Takes the address of an account for verified, for whoever gets no mail there yet has shown whose it is.',
    options: { name: WHOM },
    async run(app, options, say) {
      return saying(say, async () => {
        const { user } = await find(app, options);
        await app.get(AccountsService).verifyEmail(operatorOf('user:verify-email'), user.id);
        say(`${user.email} is verified`);
      });
    },
  },
  {
    name: 'user:unlock',
    changes: true,
    doc: 'Forgets failed sign-ins at an account, so that everybody may try again.',
    options: { name: WHOM },
    async run(app, options, say) {
      return saying(say, async () => {
        const { user, lockedUntil } = await find(app, options);
        await app.get(AccountsService).unlock(operatorOf('user:unlock'), user.id);
        say(lockedUntil === null ? `${user.username} was not locked` : `${user.username} is not locked any more`);
      });
    },
  },
];

async function setActive(
  app: INestApplicationContext,
  options: CommandOptions,
  say: (line: string) => void,
  isActive: boolean,
): Promise<boolean> {
  return saying(say, async () => {
    const { user } = await find(app, options);
    await app.get(AccountsService).change(operatorOf(isActive ? 'user:enable' : 'user:disable'), user.id, { isActive });
    say(`${user.username} is ${isActive ? 'let in' : 'locked out'}`);
  });
}
