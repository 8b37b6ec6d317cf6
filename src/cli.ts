import 'reflect-metadata';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { pino } from 'pino';
import { AlertsModule } from './alerts/alerts.module.js';
import { AUDIT_COMMANDS } from './audit/audit.commands.js';
import { AuditService } from './audit/audit.service.js';
import { AuditModule } from './audit/audit.module.js';
import { AuthPersonsModule } from './auth/auth-persons.module.js';
import { BACKUP_COMMANDS } from './backup/backup.commands.js';
import { BackupModule } from './backup/backup.module.js';
import { RestoreModule } from './backup/restore.module.js';
import { KEY_COMMANDS } from './auth/tokens/keys.commands.js';
import { KeysModule } from './auth/tokens/keys.module.js';
import { AccountsModule } from './auth/accounts/accounts.module.js';
import { SECRETS } from './auth/accounts/secrets.command.js';
import { USER_COMMANDS } from './auth/accounts/user.commands.js';
import { FactorsModule } from './auth/factors/factors.module.js';
import {
  type Command,
  type CommandOptions,
  helpOf,
  type LoneCommand,
  readOptions,
  recordedOptions,
  UsageError,
} from './common/command.js';
import { operatorOf } from './common/operator.js';
import { CommonModule } from './common/common.module.js';
import { buildLogger, flushed, NestLogger } from './common/logging.js';
import { type Config, ConfigError, loadConfig } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { readEnvironment } from './config/environment.js';
import { DatabaseModule } from './database/database.module.js';
import { DOCTOR } from './doctor/doctor.command.js';
import { FILE_COMMANDS } from './files/files.commands.js';
import { FilesModule } from './files/files.module.js';
import { JOB_COMMANDS } from './jobs/jobs.commands.js';
import { JobsModule } from './jobs/jobs.module.js';
import { LeadsModule } from './leads/leads.module.js';
import { LimitsModule } from './limits/limits.module.js';
import { PRIVACY_COMMANDS } from './privacy/privacy.commands.js';
import { PrivacyModule } from './privacy/privacy.module.js';

const COMMANDS: readonly (Command | LoneCommand)[] = [
  ...FILE_COMMANDS,
  ...JOB_COMMANDS,
  ...KEY_COMMANDS,
  ...USER_COMMANDS,
  ...AUDIT_COMMANDS,
  ...BACKUP_COMMANDS,
  ...PRIVACY_COMMANDS,
  SECRETS,
  DOCTOR,
];

/** What commands may use: no HTTP, and no background work of its own. */
@Module({})
class CommandsModule {}

const WORKING = [
  BackupModule,
  JobsModule,
  AlertsModule,
  AuditModule,
  FilesModule,
  KeysModule,
  AccountsModule,
  FactorsModule,
  AuthPersonsModule,
  LimitsModule,
  LeadsModule,
  PrivacyModule,
];

async function main(given: readonly string[]): Promise<number> {
  // `user create` is `user:create`
  const isInTwoWords = COMMANDS.some((each) => each.name === given.slice(0, 2).join(':'));
  const [name, ...rest] = isInTwoWords ? [given.slice(0, 2).join(':'), ...given.slice(2)] : given;
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined) {
    print(`Commands:\n\n${COMMANDS.map(helpOf).join('\n\n')}`);
    return name === undefined || name === 'help' || name === '--help' ? 0 : 2;
  }
  if (rest.includes('--help')) {
    print(helpOf(command));
    return 0;
  }
  const options = readOptions(command, rest);
  // a server that says nothing may still hold a connection
  if ('runAlone' in command) process.exit((await command.runAlone(options, print)) ? 0 : 1);
  // the jobs that a command asks for are the service's to run
  const config: Config = { ...loadConfig(readEnvironment()), role: 'http' };
  const alone = command.runWithoutDatabase?.(options, config, print);
  if (alone !== undefined) return (await alone) ? 0 : 1;
  // what the command says is on standard output alone
  const logger = buildLogger(config.debug ? 'DEBUG' : 'WARNING', pino.destination({ dest: 2, sync: true }));
  const app = await NestFactory.createApplicationContext(
    {
      module: CommandsModule,
      imports: [
        ConfigModule.with(config),
        CommonModule.with(logger),
        DatabaseModule,
        ...(command.fillsInstance === true ? [RestoreModule] : WORKING),
      ],
    },
    { logger: new NestLogger(logger.child({ logger: 'nest' })), abortOnError: false },
  );
  try {
    return (await runOnRecord(app, command, options)) ? 0 : 1;
  } finally {
    await app.close();
    await flushed(logger);
  }
}

/**
 * A command that changes something is on record before it begins and at its end, beside what it records itself: one that is
 * cut off has no end.
 */
async function runOnRecord(app: INestApplicationContext, command: Command, options: CommandOptions): Promise<boolean> {
  if (!command.changes || command.fillsInstance === true || options['dry-run'] === true)
    return command.run(app, options, print);
  const record = (action: string, details: object): Promise<void> =>
    app.get(AuditService).recordAlone(operatorOf(command.name), {
      action,
      targetKind: 'command',
      targetId: null,
      details: { command: command.name, ...details },
    });
  let isWell = false;
  await record('command.begun', { options: recordedOptions(command, options) });
  try {
    isWell = await command.run(app, options, print);
  } finally {
    await record('command.ended', { is_well: isWell });
  }
  return isWell;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The sentence, and why, without stacks: an operator reads it. */
function sentencesOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error && !(error instanceof UsageError) ? `: ${sentencesOf(error.cause)}` : '';
  return `${error.message}${cause}`;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${sentencesOf(error)}\n`);
  process.exitCode = error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
}
