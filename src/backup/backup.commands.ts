import { type Command, type CommandOptions, UsageError } from '../common/command.js';
import { CONFIG, type Config } from '../config/config.js';
import { sentenceOf } from './archive.js';
import { type CheckedArchive, checkArchive } from './archive-check.js';
import { givenKey } from './archive-key.js';
import { sourceAt } from './archive-places.js';
import { BackupService } from './backup.service.js';
import { RestoreService } from './restore.service.js';

const KEY_FILE = { type: 'string', value: 'FILE', doc: 'a file with the key, in place of BACKUP_KEY' } as const;

const textOf = (options: CommandOptions, name: string): string | undefined => {
  const given = options[name];
  return typeof given === 'string' ? given : undefined;
};

function sayDefective(defective: CheckedArchive['defective'], say: (line: string) => void): number {
  const wrong = defective.filter(({ defect }) => defect !== 'gone');
  for (const { id, defect } of wrong) say(`${defect}: ${id}`);
  return wrong.length;
}

async function verify(
  from: string,
  options: CommandOptions,
  config: Config,
  say: (line: string) => void,
): Promise<boolean> {
  if (options['to'] !== undefined) throw new UsageError('--verify and --to do not go together');
  const source = sourceAt(from, config);
  const archive = await checkArchive(source, await givenKey(config, textOf(options, 'key-file')));
  say(`Whole: ${sentenceOf(archive.totals)}, made at ${archive.beginning.madeAt}`);
  say(`${archive.bytes} bytes, SHA-256 ${archive.sha256}`);
  const wrong = sayDefective(archive.defective, say);
  if (wrong > 0) say(`${wrong} files were not what they should be when it was made`);
  return true;
}

/** Everything that an instance knows, in one file, and back. */
export const BACKUP_COMMANDS: readonly Command[] = [
  {
    name: 'backup',
    changes: true,
    doc: 'Makes one encrypted archive of database and files while the service runs, or checks one. See README, Back up and restore.',
    options: {
      to: { type: 'string', value: 'PLACE', doc: 'a folder, or s3://bucket/folder by the S3_ settings' },
      verify: {
        type: 'string',
        value: 'ARCHIVE',
        doc: 'reads a file or s3:// address to its end instead, without a database',
      },
      'key-file': KEY_FILE,
    },
    runWithoutDatabase(options, config, say) {
      const from = textOf(options, 'verify');
      if (from !== undefined) return verify(from, options, config, say);
      if (textOf(options, 'to') === undefined) throw new UsageError('say --to or --verify');
      return undefined;
    },
    async run(app, options, say) {
      const key = await givenKey(app.get<Config>(CONFIG), textOf(options, 'key-file'));
      const made = await app.get(BackupService).make(textOf(options, 'to') ?? '', key);
      say(made.at);
      say(sentenceOf(made.totals));
      say(`${made.bytes} bytes, SHA-256 ${made.sha256}`);
      say(`Keep apart, the archive does not have it: ${made.keptApart.join(', ')}`);
      const wrong = sayDefective(made.defective, say);
      if (wrong > 0) say(`${wrong} files are not what they should be, and so are their copies: see files:check`);
      return wrong === 0;
    },
  },
  {
    name: 'restore',
    changes: true,
    fillsInstance: true,
    doc: 'Fills an empty instance from an archive, before its first start. Cut off, it begins anew when it is run again.',
    options: {
      from: { type: 'string', value: 'ARCHIVE', doc: 'a file, or s3://bucket/folder/name by the S3_ settings' },
      'key-file': KEY_FILE,
      'secret-key-lost': { type: 'boolean', doc: 'goes on without the old SECRET_KEY: second factors are lost' },
    },
    runWithoutDatabase(options) {
      if (textOf(options, 'from') === undefined) throw new UsageError('say --from');
      return undefined;
    },
    async run(app, options, say) {
      const config = app.get<Config>(CONFIG);
      const source = sourceAt(textOf(options, 'from') ?? '', config);
      const key = await givenKey(config, textOf(options, 'key-file'));
      const isSecretKeyLost = options['secret-key-lost'] === true;
      const { totals, defective } = await app.get(RestoreService).fill(source, key, { isSecretKeyLost }, say);
      say(`Restored: ${sentenceOf(totals)}`);
      const wrong = sayDefective(defective, say);
      if (wrong > 0) say(`${wrong} files were not what they should be when the archive was made`);
      say('Before the first start: npm run privacy:reapply forgets again whoever was forgotten since the backup');
      say('Everybody signs in anew. What was revoked since the backup is valid again: look through users and API keys');
      say(
        'Legal holds that were placed since the backup are gone: place them again within a day, when retention goes on',
      );
      return true;
    },
  },
];
