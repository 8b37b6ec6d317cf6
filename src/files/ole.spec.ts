import { BufferContent } from '../../test/support/content.js';
import { cpuMs } from '../../test/support/cpu-time.js';
import { makeDoc, makeDocx, makeOle, makePdf } from '../../test/support/documents.mjs';
import type { Content } from './content.js';
import { Finding } from './finding.js';
import { inspectDoc } from './ole.js';

const NONE = 0xffffffff;
const END = 0xfffffffe;
const STORAGE = 1;
const STREAM = 2;
const ROOT = 5;

interface Entry {
  readonly name: string;
  readonly type: number;
  readonly left?: number;
  readonly right?: number;
  readonly child?: number;
}

/** A directory entry of a compound file. [MS-CFB] 2.6.1 */
function entryOf({ name, type, left = NONE, right = NONE, child = NONE }: Entry): Buffer {
  const bytes = Buffer.alloc(128);
  bytes.write(name, 'utf16le');
  bytes.writeUInt16LE(name.length * 2 + 2, 64);
  bytes.set([type, 1], 66);
  [left, right, child].forEach((value, index) => bytes.writeUInt32LE(value, 68 + index * 4));
  return bytes;
}

/** A compound file made of the allocation table's sectors, then the directory's. `chain` says what follows each sector. */
function compoundFile(
  entries: readonly Entry[],
  { shift = 9, chain = (sector: number, last: number) => (sector === last ? END : sector + 1) } = {},
): Buffer {
  const sectorBytes = 1 << shift;
  const directorySectors = Math.ceil((entries.length * 128) / sectorBytes);
  const perTable = sectorBytes / 4;
  let tables = 1;
  while (tables * perTable < tables + directorySectors) tables += 1;
  const header = Buffer.alloc(sectorBytes);
  header.write('d0cf11e0a1b11ae1', 'hex');
  header.writeUInt16LE(shift, 30);
  header.writeUInt32LE(tables, 44);
  header.writeUInt32LE(tables, 48);
  header.fill(0xff, 76, 512);
  for (let table = 0; table < tables; table += 1) header.writeUInt32LE(table, 76 + table * 4);
  const table = Buffer.alloc(tables * sectorBytes, 0xff);
  const last = tables + directorySectors - 1;
  for (let sector = tables; sector <= last; sector += 1) table.writeUInt32LE(chain(sector, last), sector * 4);
  const directory = Buffer.alloc(directorySectors * sectorBytes);
  entries.forEach((entry, index) => entryOf(entry).copy(directory, index * 128));
  return Buffer.concat([header, table, directory]);
}

/** A root with the stream WordDocument, at the end of a directory of so many entries. */
const withEntries = (count: number): Entry[] => [
  { name: 'Root Entry', type: ROOT, child: count - 1 },
  ...Array.from({ length: count - 2 }, () => ({ name: '', type: 0 })),
  { name: 'WordDocument', type: STREAM },
];

const isDoc = async (content: Content): Promise<boolean> => (await inspectDoc(content))?.isOfType === true;
const check = (bytes: Buffer): Promise<boolean> => isDoc(new BufferContent(bytes));

/** A copy with some bytes changed. */
function changed(bytes: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
}

describe('inspectDoc', () => {
  it.each([
    ['a Word document', makeDoc()],
    ['one whose stream stands in the second sector of the directory', makeOle('WordDocument', 2)],
    ['one whose stream stands in the hundredth sector of the directory', makeOle('WordDocument', 100)],
    ['one of version 4, with sectors of 4096 bytes', compoundFile(withEntries(40), { shift: 12 })],
    ['one whose allocation table has several sectors', compoundFile(withEntries(4 * 600))],
    ['one whose directory has 1024 sectors', compoundFile(withEntries(4 * 1024))],
    [
      'one whose stream is a grandchild of the directory tree',
      compoundFile([
        { name: 'Root Entry', type: ROOT, child: 2 },
        { name: 'Data', type: STREAM },
        { name: '1Table', type: STREAM, left: 1, right: 3 },
        { name: 'ObjectPool', type: STORAGE, right: 4 },
        { name: 'WordDocument', type: STREAM },
      ]),
    ],
    [
      'one whose stream stands to the left of its neighbour',
      compoundFile([
        { name: 'Root Entry', type: ROOT, child: 1 },
        { name: '1Table', type: STREAM, left: 3, right: 2 },
        { name: 'Data', type: STREAM },
        { name: 'WordDocument', type: STREAM },
      ]),
    ],
    [
      'one whose stream is the last of many neighbours',
      compoundFile([
        { name: 'Root Entry', type: ROOT, child: 1 },
        ...Array.from({ length: 50 }, (_, index) => ({ name: `Data${index}`, type: STREAM, right: index + 2 })),
        { name: 'WordDocument', type: STREAM },
      ]),
    ],
  ])('says yes to %s', async (_, bytes) => {
    expect(await check(bytes)).toBe(true);
  });

  it.each([
    ['an Excel workbook', makeOle('Workbook')],
    ['a PowerPoint presentation', makeOle('PowerPoint Document')],
    ['an installer', makeOle('_StreamData')],
    ['a longer name', makeOle('WordDocument2')],
    ['a shorter name', makeOle('WordDocumen')],
    ['another spelling', makeOle('worddocument')],
    ['the name with a NUL in the middle', makeOle('Word\0ocument')],
    [
      'a folder of that name',
      compoundFile([
        { name: 'Root Entry', type: ROOT, child: 1 },
        { name: 'WordDocument', type: STORAGE },
      ]),
    ],
    [
      'a workbook with a Word document inside',
      compoundFile([
        { name: 'Root Entry', type: ROOT, child: 1 },
        { name: 'Workbook', type: STREAM, right: 2 },
        { name: 'MBD0018D4CE', type: STORAGE, child: 3 },
        { name: 'WordDocument', type: STREAM },
      ]),
    ],
    [
      'a stream that was deleted from the directory tree',
      compoundFile([
        { name: 'Root Entry', type: ROOT, child: 1 },
        { name: 'Workbook', type: STREAM },
        { name: 'WordDocument', type: STREAM },
      ]),
    ],
    ['a PDF', makePdf()],
    ['a DOCX', makeDocx()],
    ['a program', Buffer.concat([Buffer.from('MZ'), makeDoc()])],
    ['the name as plain text', Buffer.from('WordDocument', 'utf16le')],
    ['nothing', Buffer.alloc(0)],
    ['the signature alone', makeDoc().subarray(0, 8)],
    ['a header cut off before its end', makeDoc().subarray(0, 511)],
    ['a header alone', makeDoc().subarray(0, 512)],
    ['a file without its directory', makeDoc().subarray(0, 1024)],
    ['a file cut off in its directory', makeDoc().subarray(0, 1535)],
    ['only zeros', Buffer.alloc(8192)],
    ['another signature', changed(makeDoc(), (copy) => copy.writeUInt8(0xd1, 0))],
  ])('says no to %s', async (_, bytes) => {
    expect(await check(bytes)).toBe(false);
  });

  it.each([0, 1, 7, 8, 10, 11, 13, 31, 32, 0xffff])(
    'says no to sectors of 2 to the power of %i bytes',
    async (shift) => {
      expect(await check(changed(makeDoc(), (copy) => copy.writeUInt16LE(shift, 30)))).toBe(false);
    },
  );

  it.each([10, 11, 13, 14])(
    'says no to a document that is whole but has sectors of 2 to the power of %i bytes',
    async (shift) => {
      expect(await check(compoundFile(withEntries(40), { shift }))).toBe(false);
    },
  );

  it.each([
    ['nowhere', NONE],
    ['the end of a chain', END],
    ['the allocation table', 0],
    ['the last sector', 9],
    ['the sector after the last', 10],
    ['far beyond the file', 0x7fffffff],
    ['the largest number there is', 0xfffffffa],
  ])('says no to a directory that begins at %s', async (_, sector) => {
    expect(await check(changed(makeDoc(), (copy) => copy.writeUInt32LE(sector, 48)))).toBe(false);
  });

  it.each([
    ['nowhere', NONE],
    ['beyond the file', 0x00ffffff],
    ['the largest number there is', 0xfffffffa],
  ])('says no when the allocation table stands at %s and the directory has two sectors', async (_, sector) => {
    expect(await check(changed(makeOle('WordDocument', 2), (copy) => copy.writeUInt32LE(sector, 76)))).toBe(false);
  });

  it.each<[string, (sector: number, last: number) => number]>([
    ['leads to itself', (sector) => sector],
    ['goes round in a circle', (sector, last) => (sector === last - 1 ? last - 3 : sector + 1)],
    ['leads into the allocation table', () => 0],
    ['leads beyond the file', () => 0x00fffff0],
    ['ends nowhere', () => NONE],
    ['is marked as another thing', () => 0xfffffffd],
  ])('says no, after few reads, when the chain of the directory %s', async (_, chain) => {
    const bytes = compoundFile(withEntries(24), { chain });

    const content = new BufferContent(bytes);
    const reads = jest.spyOn(content, 'read');

    expect(await isDoc(content)).toBe(false);
    expect(reads.mock.calls.length).toBeLessThanOrEqual(1 + 2 * 1024);
  });

  it('follows a directory of more than 1024 sectors no further', async () => {
    const bytes = compoundFile(withEntries(4 * 1025));

    const content = new BufferContent(bytes);
    const reads = jest.spyOn(content, 'read');

    expect(await isDoc(content)).toBe(false);
    expect(reads.mock.calls.length).toBeLessThanOrEqual(1 + 2 * 1024);
  });

  it('says no to more sectors of the allocation table than its header lists', async () => {
    const beyond = 109 * 128;
    const bytes = Buffer.concat([makeDoc(), Buffer.alloc(beyond * 512)]);
    const doc = changed(bytes, (copy) => {
      entryOf({ name: 'Root Entry', type: ROOT }).copy(copy, (beyond + 1) * 512);
      copy.writeUInt32LE(beyond, 48);
    });

    expect(await check(doc)).toBe(false);
  });

  it.each<[string, number, number]>([
    ['child', 76, 1],
    ['left neighbour', 68, 0],
    ['right neighbour', 72, 0],
    ['child just behind the directory', 76, 4],
    ['child a little behind the directory', 76, 9],
    ['child far outside', 76, 0xfffffff0],
  ])('is led neither in a circle nor astray by the %s of the root', async (_, offset, target) => {
    const bytes = compoundFile([
      { name: 'Root Entry', type: ROOT, child: 1 },
      { name: 'Workbook', type: STREAM, left: 1, right: 0, child: 1 },
    ]);

    expect(await check(changed(bytes, (copy) => copy.writeUInt32LE(target, 1024 + offset)))).toBe(false);
  });

  it('does not go round in a circle to a short stream that claims to stand far behind its end', async () => {
    const bytes = changed(
      compoundFile([
        { name: 'Root Entry', type: ROOT, child: 1 },
        { name: 'WordDocument', type: STREAM },
      ]),
      (copy) => {
        copy.writeUInt32LE(4096, 56);
        // sector 2 is followed by itself, and holds the short streams
        copy.writeUInt32LE(2, 512 + 2 * 4);
        copy.writeUInt32LE(2, 1024 + 116);
        copy.writeUInt32LE(0xffffffff, 1024 + 128 + 116);
        copy.writeUInt32LE(64, 1024 + 128 + 120);
      },
    );
    const content = new BufferContent(Buffer.concat([bytes, Buffer.alloc(512)]));
    const start = cpuMs();

    expect(await inspectDoc(content)).toEqual({ isOfType: true, findings: [Finding.Damaged] });
    expect(cpuMs() - start).toBeLessThan(4000);
  });

  it('never throws for what a file says: 400 files with bytes changed at random', async () => {
    const original = makeOle('WordDocument', 3);
    let state = 20_261_120;
    const random = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state % below;
    };

    for (let round = 0; round < 400; round += 1) {
      const bytes = changed(original, (copy) => {
        for (let times = 0; times < 12; times += 1) copy[random(round % 2 === 0 ? 512 : copy.length)] = random(256);
        copy.write('d0cf11e0a1b11ae1', 'hex');
      });
      expect(typeof (await check(bytes.subarray(0, round % 5 === 0 ? random(bytes.length) : undefined)))).toBe(
        'boolean',
      );
    }
  });
});
