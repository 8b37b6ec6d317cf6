import { BufferContent } from '../../test/support/content.js';
import { cpuMs } from '../../test/support/cpu-time.js';
import { zip64Docx, type ZipPart, zipOf } from '../../test/support/corpus-makers.js';
import { readZip, UnfitArchive, unpack, type ZipEntry } from './zip.js';

const read = (bytes: Buffer): Promise<ZipEntry[]> => readZip(new BufferContent(bytes));

async function contentOf(bytes: Buffer, entry: ZipEntry): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of unpack(new BufferContent(bytes), entry)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function changed(bytes: Buffer, change: (copy: Buffer, end: number, directory: number) => void): Buffer {
  const copy = Buffer.from(bytes);
  const end = copy.length - 22;
  change(copy, end, copy.readUInt32LE(end + 16));
  return copy;
}

/** Bytes that cannot be packed, always the same. */
function noise(size: number): Buffer {
  let state = 20_261_121;
  return Buffer.from(Array.from({ length: size }, () => (state = (state * 48_271) % 2_147_483_647) >> 8));
}

const DAMAGED = 'a damaged ZIP archive';
const TWO = zipOf([
  { name: 'a.txt', content: 'first' },
  { name: 'b/c.txt', content: 'second', isStored: true },
]);
const many = (count: number, nameLength = 8): ZipPart[] =>
  Array.from({ length: count }, (_, index) => ({ name: String(index).padStart(nameLength, 'x'), isStored: true }));

describe('readZip', () => {
  it('says of each entry what its name is, where its bytes are and what they are to be', async () => {
    const [first, second] = await read(TWO);

    expect(first).toEqual({
      name: 'a.txt',
      isDeflated: true,
      start: 35,
      packedBytes: 7,
      unpackedBytes: 5,
      crc: expect.any(Number),
    });
    expect(second).toMatchObject({ name: 'b/c.txt', isDeflated: false, start: 79, packedBytes: 6, unpackedBytes: 6 });
    expect(TWO.subarray(79, 85).toString()).toBe('second');
  });

  it('gives the entries in the order of their bytes, whatever that of the directory is', async () => {
    const swapped = changed(TWO, (copy, end, directory) => {
      const second = TWO.lastIndexOf('504b0102', undefined, 'hex');
      Buffer.concat([TWO.subarray(second, end), TWO.subarray(directory, second)]).copy(copy, directory);
    });

    expect(swapped.equals(TWO)).toBe(false);
    expect((await read(swapped)).map(({ name }) => name)).toEqual(['a.txt', 'b/c.txt']);
  });

  it.each<[string, Buffer, number]>([
    ['sizes behind the bytes', zipOf([{ name: 'a', content: 'x', hasDescriptor: true }]), 1],
    ['64-bit records', zip64Docx(), 3],
    ['2000 entries', zipOf(many(2000)), 2000],
    ['names of 128 KB together', zipOf(many(1280, 100)), 1280],
    [
      'a comment',
      changed(Buffer.concat([TWO, Buffer.from('hello')]), (copy) => copy.writeUInt16LE(5, TWO.length - 2)),
      2,
    ],
    ['folders', zipOf([{ name: 'a/' }, { name: 'a/b' }]), 2],
    ['dots in names', zipOf([{ name: '...' }, { name: 'a..b' }, { name: '.c' }]), 3],
    [
      '1 MiB packed to a thousandth, beside as much as saves the ratio',
      zipOf([
        { name: 'a', content: Buffer.alloc(1_048_576) },
        { name: 'b', content: noise(10_000) },
      ]),
      2,
    ],
  ])('takes an archive with %s', async (_, bytes, count) => {
    expect(await read(bytes)).toHaveLength(count);
  });

  it.each<[string, string, Buffer]>([
    ['nothing', DAMAGED, Buffer.alloc(0)],
    ['one byte', DAMAGED, Buffer.from('P')],
    ['no entries', DAMAGED, zipOf([])],
    ['another signature', DAMAGED, changed(TWO, (copy) => copy.writeUInt8(0x51, 0))],
    ['something before the first entry', DAMAGED, Buffer.concat([Buffer.from('504b0304', 'hex'), TWO])],
    ['no end', DAMAGED, TWO.subarray(0, -22)],
    ['half an end', DAMAGED, TWO.subarray(0, -1)],
    ['a directory beyond the end', DAMAGED, changed(TWO, (copy, end) => copy.writeUInt32LE(0xfffffff0, end + 16))],
    ['a directory of other entries', DAMAGED, changed(TWO, (copy, _, directory) => copy.writeUInt8(0, directory))],
    [
      'a first entry that is elsewhere',
      DAMAGED,
      changed(TWO, (copy, _, directory) => copy.writeUInt32LE(42, directory + 42)),
    ],
    [
      'bytes beyond the end',
      DAMAGED,
      changed(zipOf([{ name: 'a', content: 'x', isStored: true }]), (copy, _, directory) => {
        for (const at of [20, 24]) copy.writeUInt32LE(9999, directory + at);
      }),
    ],
    ['two different names for an entry', DAMAGED, zipOf([{ name: 'a', localName: 'b' }])],
    ['two different methods for an entry', DAMAGED, changed(TWO, (copy) => copy.writeUInt16LE(0, 8))],
    ['an entry that is encrypted in one place', DAMAGED, changed(TWO, (copy) => copy.writeUInt16LE(0x0801, 6))],
    ['an encrypted entry', 'an encrypted ZIP archive', zipOf([{ name: 'a', isEncrypted: true }])],
    ['another method', 'a ZIP archive that is packed in an unusual way', zipOf([{ name: 'a', method: 12 }])],
    ['2001 entries', 'a ZIP archive with more than 2000 entries', zipOf(many(2001))],
    ['names of more than 128 KiB together', DAMAGED, zipOf(many(1320, 100))],
    ['a name twice', 'a ZIP archive that names a file twice', zipOf([{ name: 'a' }, { name: 'a' }])],
    ['a name twice but for its case', 'a ZIP archive that names a file twice', zipOf([{ name: 'a' }, { name: 'A' }])],
    [
      'an entry in another one',
      'a ZIP archive with overlapping entries',
      zipOf([
        { name: 'z', content: zipOf([{ name: 'a' }]), isStored: true },
        { name: 'a', at: 31 },
      ]),
    ],
    ['two entries of the same bytes', DAMAGED, zipOf([{ name: 'a' }, { name: 'b', at: 0 }])],
    [
      'more than 50 MB',
      'a ZIP archive that unpacks to more than 50 MB',
      zipOf(
        Array.from({ length: 60 }, (_, index) => ({ name: `${index}`, content: noise(20_000), claims: 1_000_000 })),
      ),
    ],
    [
      'an entry that is too tight',
      'a ZIP archive that unpacks to more than 100 times its size',
      zipOf([
        { name: 'a', content: Buffer.alloc(1_048_577) },
        { name: 'b', content: noise(20_000) },
      ]),
    ],
    [
      'entries that are too tight together',
      'a ZIP archive that unpacks to more than 100 times its size',
      zipOf([
        { name: 'a', content: Buffer.alloc(900_000) },
        { name: 'b', content: Buffer.alloc(900_000) },
      ]),
    ],
    ...['../a', 'a/../b', 'a/..', './a', '/a', '\\a', 'a\\b', 'C:a', 'c:/a', 'a\0', 'a\nb', ''].map(
      (name): [string, string, Buffer] => [
        `the name ${JSON.stringify(name)}`,
        'a ZIP archive with names that lead out of it',
        zipOf([{ name }]),
      ],
    ),
  ])('refuses an archive with %s: %s', async (_, sentence, bytes) => {
    const outcome: unknown = await read(bytes).catch((error: unknown) => error);

    expect(outcome).toBeInstanceOf(UnfitArchive);
    expect((outcome as Error).message).toBe(sentence);
  });

  it('refuses an archive wherever it is cut off', async () => {
    for (let length = 0; length < TWO.length; length += 1)
      await expect(read(TWO.subarray(0, length))).rejects.toThrow(UnfitArchive);
  });

  it('asks an archive of 5 MB of end records only so long', async () => {
    const start = cpuMs();

    await expect(read(Buffer.concat([TWO, Buffer.alloc(5_000_000, Buffer.from('504b0506', 'hex'))]))).rejects.toThrow(
      UnfitArchive,
    );
    expect(cpuMs() - start).toBeLessThan(6000);
  });
});

describe('unpack', () => {
  it.each<[string, Buffer, Partial<ZipPart>]>([
    ['nothing', Buffer.alloc(0), {}],
    ['nothing, stored', Buffer.alloc(0), { isStored: true }],
    ['a few bytes', Buffer.from('hello'), {}],
    ['a few bytes, stored', Buffer.from('hello'), { isStored: true }],
    ['64 KiB of noise', noise(65_536), {}],
    ['64 KiB of zeros', Buffer.alloc(65_536), {}],
    ['64 KiB and a byte of zeros', Buffer.alloc(65_537), {}],
    ['300 KB of noise', noise(300_000), {}],
    ['300 KB, stored', noise(300_000), { isStored: true }],
    ['bytes whose sizes stand behind them', noise(1000), { hasDescriptor: true }],
  ])('gives back %s', async (_, content, options) => {
    const bytes = zipOf([
      { name: 'a', content, ...options },
      { name: 'b', content: noise(4000) },
    ]);
    const [entry] = await read(bytes);

    expect((await contentOf(bytes, entry!)).equals(content)).toBe(true);
  });

  it.each<[string, string, Buffer, Partial<ZipEntry>]>([
    [
      'there is more than was promised',
      'a ZIP archive that lies about its sizes',
      Buffer.alloc(1000),
      { unpackedBytes: 999 },
    ],
    [
      'there is much more than was promised',
      'a ZIP archive that lies about its sizes',
      Buffer.alloc(1_000_000),
      { unpackedBytes: 10 },
    ],
    [
      'there is more than was promised of much',
      'a ZIP archive that lies about its sizes',
      Buffer.alloc(200_000),
      { unpackedBytes: 199_999 },
    ],
    ['there is less than was promised', DAMAGED, Buffer.alloc(1000), { unpackedBytes: 1001 }],
    ['its checksum is another', DAMAGED, Buffer.alloc(1000), { crc: 1 }],
    ['its packed bytes are cut off', DAMAGED, noise(1000), { packedBytes: 900 }],
    ['its packed bytes are cut off, of much', DAMAGED, noise(200_000), { packedBytes: 190_000 }],
    ['its packed bytes stand elsewhere', DAMAGED, noise(1000), { start: 0 }],
    ['its packed bytes stand beyond the end', DAMAGED, noise(1000), { start: 1_000_000 }],
    ['its bytes are not packed', DAMAGED, noise(1000), { isDeflated: false, unpackedBytes: 2000 }],
  ])('refuses an entry when %s: %s', async (_, sentence, content, promise) => {
    const bytes = zipOf([
      { name: 'a', content },
      { name: 'b', content: noise(60_000) },
    ]);
    const entry = (await read(bytes))[0]!;

    const outcome: unknown = await contentOf(bytes, { ...entry, ...promise }).catch((error: unknown) => error);

    expect(outcome).toBeInstanceOf(UnfitArchive);
    expect((outcome as Error).message).toBe(sentence);
  });
});
