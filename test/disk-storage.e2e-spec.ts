import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileNotStored } from '../src/files/files.errors.js';
import { DiskStorage } from '../src/files/storage/disk.storage.js';
import type { FileStorage, SpooledFile } from '../src/files/storage/file-storage.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { makeFolder } from './support/program.js';
import { describeWith } from './support/real-servers.js';
import { aKey, spool } from './support/spooled.js';
import { bytesUnder, listed, storageContract } from './support/storage-contract.js';

afterEach(() => cleanUp());
afterAll(() => cleanUp('the whole file'));

/** A disk of its own on every Linux, in memory. */
const OTHER_DISK = '/dev/shm';
const otherDisk =
  existsSync(OTHER_DISK) && statSync(OTHER_DISK).dev !== statSync(tmpdir()).dev ? OTHER_DISK : undefined;

const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((each) => each.isFile())
    .map(({ name }) => name);

/** A spooled file whose bytes somebody changes when its path is asked for the n-th time. */
function changing({ path, ...rest }: SpooledFile, nth: number, change: (path: string) => void): SpooledFile {
  let times = 0;
  return {
    ...rest,
    get path() {
      times += 1;
      if (times === nth) change(path);
      return path;
    },
  };
}

interface Place {
  readonly folder: string;
  readonly storage: FileStorage;
}

async function placeIn(folder: string): Promise<Place> {
  const storage = new DiskStorage(folder);
  await storage.prepare();
  return { folder, storage };
}

/** An empty folder that lives as long as all tests of this file. */
async function lastingFolder(parent: string): Promise<string> {
  const folder = await mkdtemp(join(parent, 'forecourt-disk-'));
  atEnd(() => rm(folder, { recursive: true, force: true }), 'the whole file');
  return folder;
}

function contractIn(parent: string): void {
  let folder: string | undefined;
  storageContract('keeps the contract of storages', async () => {
    folder ??= await lastingFolder(parent);
    return new DiskStorage(folder);
  });

  it('leaves nothing beside the files that it has', async () => {
    const names = await filesIn(folder!);

    expect(names.length).toBeGreaterThan(0);
    expect(names.sort()).toEqual((await listed(new DiskStorage(folder!))).map(({ key }) => key).sort());
  });
}

describe('DiskStorage', () => {
  contractIn(tmpdir());

  it('takes the spooled file itself', async () => {
    const { folder, storage } = await placeIn(await makeFolder());
    const file = await spool(1000);
    const { ino } = statSync(file.path);

    await storage.put('ab-one', file);

    expect(statSync(join(folder, 'ab', 'ab-one')).ino).toBe(ino);
    expect(existsSync(file.path)).toBe(false);
  });

  it('keeps no file that grew while it was renamed', async () => {
    const { folder, storage } = await placeIn(await makeFolder());
    const file = changing(await spool(1000), 2, (path) => {
      appendFileSync(path, 'x');
    });

    await expect(storage.put(aKey(), file)).rejects.toThrow(FileNotStored);

    expect(await filesIn(folder)).toEqual([]);
  });

  it('moves files to their folders that lay beside them once, and leaves alone what is no file of its own', async () => {
    const folder = await makeFolder();
    const key = aKey();
    for (const name of [key, 'x', 'notes of mine.txt', '.hidden']) await writeFile(join(folder, name), name);

    const { storage } = await placeIn(folder);

    expect((await listed(storage)).map((each) => each.key)).toEqual([key]);
    expect((await bytesUnder(storage, key)).toString()).toBe(key);
    expect((await filesIn(folder)).sort()).toEqual(['.hidden', key, 'notes of mine.txt', 'x'].sort());
  });

  it('lists no file that lies in the folder of another name', async () => {
    const { folder, storage } = await placeIn(await makeFolder());
    await writeFile(join(folder, 'ab', 'cd-stray'), 'x');
    await writeFile(join(folder, 'ab', 'ab-own'), 'x');

    expect((await listed(storage)).map(({ key }) => key)).toEqual(['ab-own']);
  });

  it('removes copies at the start that nobody finished for an hour, and only those', async () => {
    const folder = await makeFolder();
    await mkdir(join(folder, 'ab'));
    const [old, young] = [`.${randomUUID()}.part`, `.${randomUUID()}.part`];
    for (const [name, minutes] of [[old, 61] as const, [young, 50] as const, ['ab-old.part', 61] as const]) {
      await writeFile(join(folder, 'ab', name), 'x');
      const then = Date.now() / 1000 - minutes * 60;
      await utimes(join(folder, 'ab', name), then, then);
    }

    await placeIn(folder);

    expect((await readdir(join(folder, 'ab'))).sort()).toEqual([young, 'ab-old.part'].sort());
  });
});

describeWith(
  otherDisk,
  `another disk at ${OTHER_DISK}`,
  `it is missing, or one with ${tmpdir()}`,
)('DiskStorage on another disk than the spool', () => {
  contractIn(OTHER_DISK);

  const aPlace = async (): Promise<Place> => placeIn(await lastingFolder(OTHER_DISK));

  it('copies a file, keeps it from others and takes the spooled one away', async () => {
    const { folder, storage } = await aPlace();
    const file = await spool(700_000);

    await storage.put('ab-one', file);

    expect(statSync(join(folder, 'ab', 'ab-one')).mode & 0o777).toBe(0o600);
    expect((await readFile(join(folder, 'ab', 'ab-one'))).equals(file.bytes)).toBe(true);
    expect(existsSync(file.path)).toBe(false);
    expect(await filesIn(folder)).toEqual(['ab-one']);
  });

  it.each<[string, (path: string) => void]>([
    [
      'a bit of it changed',
      (path) => {
        writeFileSync(path, 'y'.repeat(700_000));
      },
    ],
    [
      'it grew',
      (path) => {
        appendFileSync(path, 'x');
      },
    ],
    [
      'it was cut off',
      (path) => {
        writeFileSync(path, 'x');
      },
    ],
  ])('keeps no copy of a file when, while it was copied, %s', async (_, change) => {
    const { folder, storage } = await aPlace();
    const before = await spool(50);
    await storage.put('ab-one', before);
    const file = changing(await spool(Buffer.alloc(700_000, 'x')), 3, change);

    await expect(storage.put('ab-one', file)).rejects.toThrow(FileNotStored);

    expect((await bytesUnder(storage, 'ab-one')).equals(before.bytes)).toBe(true);
    expect(await filesIn(folder)).toEqual(['ab-one']);
  });

  it('leaves no copy behind that cannot be put in its place', async () => {
    const { folder, storage } = await aPlace();
    await mkdir(join(folder, 'ab', 'ab-one'));

    await expect(storage.put('ab-one', await spool(1000))).rejects.toThrow(FileNotStored);

    expect(await filesIn(folder)).toEqual([]);
  });
});
