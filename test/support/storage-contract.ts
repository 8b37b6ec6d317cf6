import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { FileNotFound, FileNotStored } from '../../src/files/files.errors.js';
import type { ByteRange, FileStorage, StoredObject } from '../../src/files/storage/file-storage.js';
import { aKey, spool } from './spooled.js';

export const MIB = 1024 * 1024;

export async function bytesUnder(storage: FileStorage, key: string, range?: ByteRange): Promise<Buffer> {
  return buffer(await storage.open(key, range));
}

export async function listed(storage: FileStorage): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  for await (const object of storage.list()) objects.push(object);
  return objects;
}

/** What every storage promises, whatever it is made of. `open` gives a new one on the same place each time. */
export function storageContract(name: string, open: () => Promise<FileStorage>): void {
  describe(name, () => {
    let storage: FileStorage;
    beforeAll(async () => {
      storage = await open();
      await storage.prepare();
    });

    it.each([
      ['nothing', 0],
      ['one byte', 1],
      ['64 KiB less one byte', 65_535],
      ['64 KiB', 65_536],
      ['64 KiB and one byte', 65_537],
      ['6 MB', 6_000_000],
    ])('gives back %s as it was put, byte for byte', async (_, size) => {
      const key = aKey();
      const file = await spool(size);

      await storage.put(key, file);

      expect((await bytesUnder(storage, key)).equals(file.bytes)).toBe(true);
    });

    it('gives back what it has to another instance on the same place', async () => {
      const key = aKey();
      const file = await spool(1000);
      await storage.put(key, file);

      const other = await open();
      await other.prepare();

      expect((await bytesUnder(other, key)).equals(file.bytes)).toBe(true);
    });

    it.each<[string, number, number]>([
      ['the first byte', 0, 0],
      ['the last byte', 199_999, 199_999],
      ['a part in the middle', 65_530, 131_080],
      ['everything', 0, 199_999],
    ])('gives %s when asked for it alone', async (_, start, end) => {
      const key = aKey();
      const file = await spool(200_000);
      await storage.put(key, file);

      const part = await bytesUnder(storage, key, { start, end });

      expect(part.equals(file.bytes.subarray(start, end + 1))).toBe(true);
    });

    it('puts a file in place of what was under its key', async () => {
      const key = aKey();
      await storage.put(key, await spool(70_000));
      const file = await spool(20);

      await storage.put(key, file);

      expect((await bytesUnder(storage, key)).equals(file.bytes)).toBe(true);
      expect((await storage.stat(key))?.sizeBytes).toBe(20);
    });

    it('says how large a file is and since when it is there', async () => {
      const key = aKey();
      await storage.put(key, await spool(12_345));

      const found = await storage.stat(key);

      // Node's own Date, which that of a disk is, is not the Date of a test of Jest
      expect(found).toEqual({ key, sizeBytes: 12_345, modifiedAt: expect.anything() });
      expect(Math.abs(found!.modifiedAt.getTime() - Date.now())).toBeLessThan(10_000);
    });

    it('says that a file is not there', async () => {
      const key = aKey();

      await expect(storage.open(key)).rejects.toThrow(FileNotFound);
      await expect(storage.open(key, { start: 0, end: 0 })).rejects.toThrow(FileNotFound);
      expect(await storage.stat(key)).toBeUndefined();
    });

    it.each(['', '.', '..', '../key', 'a/b', 'a\\b', '.hidden', 'a\0b', 'a%2fb', 'ä'])(
      'knows no file of the name %j',
      async (key) => {
        const file = await spool(1);

        await expect(storage.open(key)).rejects.toThrow(FileNotFound);
        await expect(storage.put(key, file)).rejects.toThrow(FileNotFound);
      },
    );

    it('removes a file, and does nothing when it is gone', async () => {
      const [key, other] = [aKey(), aKey()];
      for (const each of [key, other]) await storage.put(each, await spool(10));

      await storage.remove(key);
      await storage.remove(key);

      expect(await storage.stat(key)).toBeUndefined();
      expect(await storage.stat(other)).toBeDefined();
    });

    it('lists every file with its size, and nothing else', async () => {
      for (const { key } of await listed(storage)) await storage.remove(key);
      const keys = Array.from({ length: 5 }, aKey);
      for (const [size, key] of keys.entries()) await storage.put(key, await spool(size));
      await storage.check();

      const found = await listed(storage);

      expect(new Map(found.map(({ key, sizeBytes }) => [key, sizeBytes]))).toEqual(
        new Map(keys.map((key, size) => [key, size])),
      );
      expect(found).toHaveLength(5);
      for (const { modifiedAt } of found) expect(Math.abs(modifiedAt.getTime() - Date.now())).toBeLessThan(60_000);
    });

    it('takes 16 files at once', async () => {
      // in one new folder, where a storage has folders
      const files = await Promise.all(
        Array.from({ length: 16 }, async (_, index) => ({ key: `zz${index}-${aKey()}`, file: await spool(300_000) })),
      );

      await Promise.all(files.map(({ key, file }) => storage.put(key, file)));

      for (const { key, file } of files) expect((await bytesUnder(storage, key)).equals(file.bytes)).toBe(true);
    });

    it.each<[string, (bytes: Buffer) => Buffer]>([
      ['a bit of it was changed', (bytes) => Buffer.concat([Buffer.from([bytes[0]! ^ 1]), bytes.subarray(1)])],
      [
        'its last byte was changed',
        (bytes) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! ^ 1])]),
      ],
      ['its last byte is missing', (bytes) => bytes.subarray(0, -1)],
      ['it is empty', () => Buffer.alloc(0)],
      ['a byte was added', (bytes) => Buffer.concat([bytes, randomBytes(1)])],
    ])('takes no file that is not what its hash says: %s', async (_, change) => {
      const [key, taken] = [aKey(), aKey()];
      const before = await spool(50);
      await storage.put(taken, before);
      const file = await spool(200_000);
      await writeFile(file.path, change(file.bytes));

      await expect(storage.put(key, file)).rejects.toThrow(FileNotStored);
      await expect(storage.put(taken, file)).rejects.toThrow(FileNotStored);

      expect(await storage.stat(key)).toBeUndefined();
      expect((await listed(storage)).map((each) => each.key)).not.toContain(key);
      expect((await bytesUnder(storage, taken)).equals(before.bytes)).toBe(true);
    });

    it('takes no file that is gone', async () => {
      const key = aKey();

      await expect(storage.put(key, { ...(await spool(10)), path: '/nowhere' })).rejects.toThrow(FileNotStored);

      expect(await storage.stat(key)).toBeUndefined();
    });
  });
}
