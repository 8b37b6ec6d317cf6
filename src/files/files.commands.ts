import type { INestApplicationContext } from '@nestjs/common';
import { type Command, type CommandOptions, UsageError } from '../common/command.js';
import { FileCheck } from './care/file-check.js';
import { FileMigration } from './care/file-migration.js';
import { FilePurge } from './care/file-purge.js';
import { FileRoom } from './care/file-room.js';
import { FileSweep, SWEPT_AFTER_MINUTES } from './care/file-sweep.js';
import { KeyRotation } from './care/key-rotation.js';
import { FileScans } from './scan/file-scans.js';
import type { StorageDriver } from './storage/file-storage.js';
import { FileStorages } from './storage/file-storages.js';

const DRY_RUN = { type: 'boolean', doc: 'only say what would be done' } as const;
const REPORT_EVERY = 100;

const isDryRun = (options: CommandOptions): boolean => options['dry-run'] === true;

function driverOf(app: INestApplicationContext, options: CommandOptions, name: 'from' | 'to'): StorageDriver {
  const { configured } = app.get(FileStorages);
  const found = configured.find((driver) => driver === options[name]);
  if (found === undefined)
    throw new UsageError(`--${name} must be one of ${configured.join(', ')}, the storages that are configured`);
  return found;
}

function minutesOf(options: CommandOptions, fallback: number): number {
  const given = options['older-than'];
  if (given === undefined) return fallback;
  if (typeof given !== 'string' || !/^\d{1,6}$/.test(given))
    throw new UsageError('--older-than must be a whole number of minutes');
  return Number(given);
}

/** Care for files by hand. What a schedule runs as well does the same here. */
export const FILE_COMMANDS: readonly Command[] = [
  {
    name: 'files:migrate',
    changes: true,
    doc: 'Moves files from one storage to another while the service runs. Cut off, it goes on when it is run again.',
    options: {
      from: { type: 'string', value: 'DRIVER', doc: 'disk, s3 or webdav' },
      to: { type: 'string', value: 'DRIVER', doc: 'disk, s3 or webdav' },
      'dry-run': DRY_RUN,
    },
    async run(app, options, say) {
      const [from, to] = [driverOf(app, options, 'from'), driverOf(app, options, 'to')];
      if (from === to) throw new UsageError('--from and --to must differ');
      const migration = app.get(FileMigration);
      const all = await migration.count(from);
      say(`${all} files lie in ${from}`);
      if (isDryRun(options)) return true;
      if (app.get(FileStorages).current.driver === from)
        say(`New files still go to ${from}: set STORAGE_DRIVER=${to} and restart, then run this again for the rest`);
      let [done, failed] = [0, 0];
      for await (const { id, outcome } of migration.run(from, to)) {
        if (outcome === 'moved' || outcome === 'gone') done += 1;
        else {
          failed += 1;
          say(`not moved: ${id} (${outcome})`);
        }
        if ((done + failed) % REPORT_EVERY === 0) say(`${done + failed} of ${all}`);
      }
      say(`${done} files are in ${to} now, ${failed} were left in ${from}`);
      return failed === 0;
    },
  },
  {
    name: 'files:rewrap',
    changes: true,
    doc: 'Wraps the keys of all files with the first of FILE_ENCRYPTION_KEYS; then the others can be taken out.',
    options: { 'dry-run': DRY_RUN },
    async run(app, options, say) {
      const rotation = app.get(KeyRotation);
      for (const { keyId, files } of await rotation.count()) say(`${files} files have their keys under ${keyId}`);
      if (isDryRun(options)) return true;
      const { rewrapped, failed } = await rotation.run(({ rewrapped: done }) => {
        if (done > 0 && done % REPORT_EVERY === 0) say(`${done} so far`);
      });
      for (const id of failed) say(`not changed, its key cannot be opened: ${id}`);
      say(`${rewrapped} keys were wrapped with ${rotation.currentId}`);
      return failed.length === 0;
    },
  },
  {
    name: 'files:rescan',
    changes: true,
    doc: 'Has files checked for malware that never were. The service does it in the background.',
    options: {
      all: { type: 'boolean', doc: 'all files, those that were found clean or infected as well' },
      'dry-run': DRY_RUN,
    },
    async run(app, options, say) {
      const isAll = options['all'] === true;
      const files = await app.get(FileScans).rescan({ isAll, isDryRun: isDryRun(options) });
      say(isDryRun(options) ? `${files} files would be scanned` : `${files} files are going to be scanned`);
      return true;
    },
  },
  {
    name: 'files:sweep',
    changes: true,
    doc: 'Removes what crashes left behind: uploads that never ended, and stored bytes that no row names. Runs by itself each hour.',
    options: {
      'older-than': { type: 'string', value: 'MINUTES', doc: `leave alone what is younger (${SWEPT_AFTER_MINUTES})` },
      'dry-run': DRY_RUN,
    },
    async run(app, options, say) {
      const olderThanMinutes = minutesOf(options, SWEPT_AFTER_MINUTES);
      const swept = await app.get(FileSweep).run({ olderThanMinutes, isDryRun: isDryRun(options) });
      for (const name of swept.abandonedUploads) say(`upload that never ended: ${name}`);
      for (const name of swept.orphanedFiles) say(`file that no row names: ${name}`);
      const total = swept.abandonedUploads.length + swept.orphanedFiles.length;
      say(isDryRun(options) ? `${total} files would be removed` : `${total} files were removed`);
      return true;
    },
  },
  {
    name: 'files:check',
    changes: false,
    doc: 'Finds files whose bytes are missing or wrong. Changes nothing. Runs by itself each day, without --hashes.',
    options: { hashes: { type: 'boolean', doc: 'read every file and compare its hash, instead of only its size' } },
    async run(app, options, say) {
      let defective = 0;
      for await (const { id, defect } of app.get(FileCheck).find({ readsContent: options['hashes'] === true })) {
        defective += 1;
        say(`${defect}: ${id}`);
      }
      say(`${defective} files are not what they should be`);
      return defective === 0;
    },
  },
  {
    name: 'files:purge',
    changes: true,
    doc: 'Destroys files that were deleted or quarantined more than FILE_RETENTION_DAYS ago. Runs by itself each hour.',
    options: { 'dry-run': DRY_RUN },
    async run(app, options, say) {
      const purge = app.get(FilePurge);
      if (isDryRun(options)) {
        for (const { id } of await purge.find()) say(`would be destroyed: ${id}`);
        return true;
      }
      say(`${await purge.run()} files were destroyed`);
      return true;
    },
  },
  {
    name: 'files:usage',
    changes: false,
    doc: 'Says how many files there are, what they take and what is free.',
    options: {},
    async run(app, _options, say) {
      const { files, usedBytes, freeBytes } = await app.get(FileRoom).usage();
      say(`${files} files with ${usedBytes} bytes; ${freeBytes} bytes are free on the disk of UPLOAD_DIR`);
      return true;
    },
  },
];
