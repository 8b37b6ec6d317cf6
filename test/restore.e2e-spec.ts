import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkArchive } from '../src/backup/archive-check.js';
import { PREAMBLE_BYTES } from '../src/backup/archive-key.js';
import { sectionsOf } from '../src/backup/archive-reader.js';
import { archived, type BodyOutcome, type Written } from '../src/backup/archive-writer.js';
import type { Section } from '../src/backup/archive.js';
import { SEALED_CHUNK_BYTES } from '../src/files/encryption.js';
import { FileCopiesService } from '../src/files/file-copies.service.js';
import { FilesRepository } from '../src/files/files.repository.js';
import { ADMIN, eventually, SECRET_KEY, startApp, type TestApp } from './support/app.js';
import {
  aBackup,
  anEmptyInstance,
  BACKUP_KEY,
  command,
  type EmptyInstance,
  run,
  type Settings,
} from './support/backups.js';
import { cleanUp } from './support/clean-up.js';
import { makePdf } from './support/documents.mjs';
import { aLead } from './support/leads.js';
import { makeFolder, RunningForecourt, startProgram } from './support/program.js';

const KEY = Buffer.from(BACKUP_KEY, 'base64');
const LEADS = 12;
const made = new Map<string, Buffer>();
let app: TestApp;
let settings: Settings;
let archive: string;
let bytes: Buffer;

// one instance with one archive for all tests: making them takes most of the time
beforeAll(async () => {
  app = await startApp({ ROLE: 'http', BACKUP_KEY });
  settings = { ROLE: 'http', BACKUP_KEY, SECRET_KEY, DATA_DIR: app.dataDir, DATABASE_URL: app.database.url };
  for (let index = 0; index < LEADS; index += 1) {
    const content = makePdf(60_000 + index);
    made.set(await aLead(app, { file: { bytes: content } }), content);
  }
  const kept = await aBackup(settings);
  bytes = await readFile(kept);
  // what makes folders removes them after each test
  archive = join(app.dataDir, 'kept.backup');
  await writeFile(archive, bytes);
}, 60_000);
afterAll(() => app.close());
afterEach(() => cleanUp());

async function* piecesOf(...parts: Buffer[]): AsyncGenerator<Buffer> {
  for (const part of parts) for (let at = 0; at < part.length; at += 50_000) yield part.subarray(at, at + 50_000);
}
const check = (key: Buffer, ...parts: Buffer[]): ReturnType<typeof checkArchive> =>
  checkArchive(() => Promise.resolve(piecesOf(...parts)), key);
const refusalOf = async (key: Buffer, ...parts: Buffer[]): Promise<string> =>
  check(key, ...parts).then(
    () => 'taken',
    (error: unknown) => `${(error as Error).constructor.name}: ${(error as Error).message}`,
  );
const DAMAGED = 'ArchiveRefused: The archive is damaged: it was changed, cut off or put together from others';

/** Nothing of the archive is in the database or in the storage, and no restore is said to have begun. */
async function expectUntouched({ database, settings: { DATA_DIR } }: EmptyInstance): Promise<void> {
  expect(
    await database.query(
      `SELECT (SELECT count(*)::int FROM leads) AS leads, (SELECT count(*)::int FROM users) AS users,
         (SELECT count(*)::int FROM audit_entries) AS entries, obj_description('migrations'::regclass) AS mark`,
    ),
  ).toEqual([{ leads: 0, users: 0, entries: 0, mark: null }]);
  await expect(readFile(join(DATA_DIR, 'file-encryption-key'))).rejects.toThrow('ENOENT');
}

/** Leads that are not there, or whose file does not come as it was sent. */
async function missing(there: RunningForecourt): Promise<string[]> {
  const headers = await there.signIn(ADMIN.password);
  const wrong: string[] = [];
  for (const [id, content] of made) {
    const response = await there.request(`/api/v1/leads/${id}/resume`, { headers });
    if (!response.ok || !Buffer.from(await response.arrayBuffer()).equals(content)) wrong.push(id);
  }
  return wrong;
}

/** The archive written anew with its beginning changed, as if another version had made it. */
async function rewritten(change: (section: Section) => Section): Promise<string> {
  const sections = async function* (): AsyncGenerator<Written> {
    for await (const { section, body, end } of sectionsOf(piecesOf(bytes), KEY)) {
      if (section.kind === 'end') return;
      if (section.kind !== 'table' && section.kind !== 'file') {
        yield [change(section)];
        continue;
      }
      const again = async function* (): AsyncGenerator<Buffer, BodyOutcome> {
        yield* body;
        const { rows, defect } = end();
        return { ...(rows === undefined ? {} : { rows }), ...(defect === undefined ? {} : { defect }) };
      };
      yield [change(section), again()];
    }
  };
  const pieces: Buffer[] = [];
  for await (const piece of archived(KEY, sections())) pieces.push(piece);
  const path = join(await makeFolder(), 'rewritten.backup');
  await writeFile(path, Buffer.concat(pieces));
  return path;
}

describe('an archive', () => {
  it('is taken as it is', async () => {
    expect(await check(KEY, bytes)).toMatchObject({ totals: { files: LEADS }, bytes: bytes.length, defective: [] });
  });

  it('is refused with any byte flipped', async () => {
    const places = [0, 10, 20, PREAMBLE_BYTES - 1, PREAMBLE_BYTES, bytes.length - 1, bytes.length - 17];
    for (let count = 0; count < 60; count += 1) places.push(Math.floor((bytes.length * count) / 60) + (count % 16));
    for (const place of places) {
      const flipped = Buffer.from(bytes);
      flipped[place]! ^= 1 << (place % 8);
      expect([place, await refusalOf(KEY, flipped)]).toEqual([place, expect.stringMatching(/^ArchiveRefused: /)]);
    }
  }, 60_000);

  it('is refused cut off anywhere, also where a chunk ends, and with anything behind it', async () => {
    const ends = Array.from({ length: 20 }, (_, count) => Math.floor((bytes.length * count) / 20));
    const chunks = Math.floor((bytes.length - PREAMBLE_BYTES) / SEALED_CHUNK_BYTES);
    for (let chunk = 0; chunk <= chunks; chunk += 1) ends.push(PREAMBLE_BYTES + chunk * SEALED_CHUNK_BYTES);
    for (const end of ends)
      expect([end, await refusalOf(KEY, bytes.subarray(0, end))]).toEqual([
        end,
        expect.stringMatching(/^ArchiveRefused: /),
      ]);
    expect(await refusalOf(KEY, bytes, Buffer.from('x'))).toBe(DAMAGED);
    expect(await refusalOf(KEY, bytes, bytes)).toBe(DAMAGED);
    expect(await refusalOf(KEY, Buffer.alloc(0))).toContain('or it was cut off');
  }, 60_000);

  it('is refused with two parts exchanged, one left out or one of another archive', async () => {
    const chunk = (of: Buffer, number: number): Buffer =>
      of.subarray(PREAMBLE_BYTES + number * SEALED_CHUNK_BYTES, PREAMBLE_BYTES + (number + 1) * SEALED_CHUNK_BYTES);
    const [head, rest] = [bytes.subarray(0, PREAMBLE_BYTES), bytes.subarray(PREAMBLE_BYTES + 2 * SEALED_CHUNK_BYTES)];
    const other = await readFile(await aBackup(settings));

    expect(await refusalOf(KEY, head, chunk(bytes, 0), chunk(bytes, 1), rest)).toBe('taken');
    expect(await refusalOf(KEY, head, chunk(bytes, 1), chunk(bytes, 0), rest)).toBe(DAMAGED);
    expect(await refusalOf(KEY, head, chunk(bytes, 0), rest)).toBe(DAMAGED);
    expect(await refusalOf(KEY, head, chunk(bytes, 0), chunk(other, 1), rest)).toBe(DAMAGED);
    expect(await refusalOf(KEY, other.subarray(0, PREAMBLE_BYTES), bytes.subarray(PREAMBLE_BYTES))).toBe(DAMAGED);
  }, 60_000);

  it('is refused with another key', async () => {
    expect(await refusalOf(randomBytes(32), bytes)).toContain('The key is not the one');
  });
});

describe('a restore', () => {
  it('of a damaged archive, with a wrong key or of newer code changes nothing, and the right one then works', async () => {
    const target = await anEmptyInstance();
    const flipped = Buffer.from(bytes);
    flipped[bytes.length - 100_000]! ^= 1;
    const damaged = join(await makeFolder(), 'damaged');
    await writeFile(damaged, flipped);
    const newer = await rewritten((section) =>
      section.kind === 'beginning' ? { ...section, migrations: [...section.migrations, 'FromTheFuture9'] } : section,
    );
    const restore = (from: string, more: Settings = {}): Promise<[number | string, string]> =>
      run({ ...target.settings, ...more }, 'restore', '--from', from);

    expect(await restore(damaged)).toEqual([1, expect.stringContaining('The archive is damaged')]);
    await expectUntouched(target);
    expect(await restore(archive, { BACKUP_KEY: randomBytes(32).toString('base64') })).toEqual([
      1,
      expect.stringContaining('The key is not the one'),
    ]);
    expect(await restore(newer)).toEqual([1, expect.stringContaining('made by a newer version')]);
    expect(await restore(archive, { SECRET_KEY: randomBytes(40).toString('base64') })).toEqual([
      1,
      expect.stringContaining('SECRET_KEY is not the one of the archive'),
    ]);
    expect(await restore('/nowhere')).toEqual([1, expect.stringContaining('ENOENT')]);
    await expectUntouched(target);

    expect(await restore(archive)).toEqual([0, expect.stringContaining('Restored')]);
  }, 180_000);

  it('refuses an instance that is not empty, and leaves it as it was', async () => {
    const before = await app.database.query('SELECT count(*) FROM leads');
    expect(await run(settings, 'restore', '--from', archive)).toEqual([
      1,
      expect.stringMatching(/The instance is not empty \(.*leads.*\): restore into a new database/),
    ]);
    expect(await app.database.query('SELECT count(*) FROM leads')).toEqual(before);
    // a new database beside files of somebody else
    const target = await anEmptyInstance({ UPLOAD_DIR: app.uploadDir });
    expect(await run(target.settings, 'restore', '--from', archive)).toEqual([
      1,
      expect.stringContaining('The disk storage has files already'),
    ]);
  }, 120_000);

  it('goes on without a SECRET_KEY that is lost only when it is told to', async () => {
    const target = await anEmptyInstance({ SECRET_KEY: randomBytes(40).toString('base64') });

    expect((await run(target.settings, 'restore', '--from', archive, '--secret-key-lost'))[0]).toBe(0);

    expect(await missing(await startProgram(target.settings))).toEqual([]);
  }, 120_000);

  it('of an older archive brings its rows to where the code is', async () => {
    let last = '';
    const older = await rewritten((section) => {
      if (section.kind !== 'beginning') return section;
      last = section.migrations.at(-1) ?? '';
      return { ...section, migrations: section.migrations.slice(0, -1) };
    });
    const target = await anEmptyInstance();

    expect((await run(target.settings, 'restore', '--from', older))[0]).toBe(0);

    expect(await target.database.query('SELECT name FROM migrations ORDER BY id DESC LIMIT 1')).toEqual([
      { name: last },
    ]);
    expect(await target.database.query('SELECT count(*)::int AS leads FROM leads')).toEqual([{ leads: LEADS }]);
  }, 120_000);

  it('that is killed at any moment leaves an empty instance that does not start, and is begun anew by the next one', async () => {
    const target = await anEmptyInstance();
    const leads = (): Promise<unknown> => target.database.query('SELECT count(*)::int AS leads FROM leads');
    const isMarked = async (): Promise<boolean> =>
      target.database
        .query(`SELECT FROM migrations WHERE obj_description('migrations'::regclass) LIKE '%begun%' LIMIT 1`)
        .then(
          (rows) => rows.length > 0,
          () => false,
        );
    let killed = 0;
    for (const afterMs of [0, 30, 90, 200]) {
      const program = command(target.settings, 'restore', '--from', archive);
      await eventually('it has begun', async () => program.hasEnded || (await isMarked()));
      await sleep(afterMs);
      program.signal('SIGKILL');
      if ((await program.ended) !== 'SIGKILL') break;
      killed += 1;
      // the end of its connection rolls back; a commit that was under way may have been done
      if ((await isMarked()) && killed === 1) {
        expect(await leads()).toEqual([{ leads: 0 }]);
        const service = new RunningForecourt(target.settings);
        expect([await service.ended, service.output]).toEqual([
          1,
          expect.stringContaining('A restore was begun here and did not end'),
        ]);
      }
      if (!(await isMarked())) break;
    }
    expect(killed).toBeGreaterThan(0);
    if (await isMarked())
      expect(await run(target.settings, 'restore', '--from', archive)).toEqual([
        0,
        expect.stringContaining('An earlier restore was begun here and did not end: it is begun anew'),
      ]);

    expect(await leads()).toEqual([{ leads: LEADS }]);
    expect((await run(target.settings, 'files:check', '--hashes'))[0]).toBe(0);
    expect(await missing(await startProgram(target.settings))).toEqual([]);
  }, 240_000);

  it('fills an instance once, of four at the same time', async () => {
    const target = await anEmptyInstance();

    const ends = await Promise.all(Array.from({ length: 4 }, () => run(target.settings, 'restore', '--from', archive)));

    expect(ends.map(([code]) => code).sort()).toEqual([0, 1, 1, 1]);
    expect(ends.filter(([, said]) => said.includes('The instance is not empty'))).toHaveLength(3);
    expect(await target.database.query('SELECT count(*)::int AS leads FROM leads')).toEqual([{ leads: LEADS }]);
  }, 180_000);
});

describe('the copy of a file', () => {
  it('that was destroyed since the moment of the backup is gone, and no defect', async () => {
    await aLead(app);
    const [row] = await app.database.query<{ id: string }>('SELECT id FROM files ORDER BY created_at DESC LIMIT 1');
    const file = await app.app.get(FilesRepository, { strict: false }).findById(row?.id ?? '');
    await app.database.query(
      'UPDATE files SET deleted_at = now(), purged_at = now(), wrapped_key = NULL WHERE id = $1',
      [row?.id],
    );
    await rm(app.pathOf(file?.storageKey ?? ''));

    const copy = app.app.get(FileCopiesService, { strict: false }).copy(file!);

    expect(await copy.next()).toEqual({ done: true, value: 'gone' });
  });
});
