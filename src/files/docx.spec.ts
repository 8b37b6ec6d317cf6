import { BufferContent } from '../../test/support/content.js';
import { makeDoc, makeDocx, makePdf, makeZip } from '../../test/support/documents.mjs';
import { inspectDocx } from './docx.js';
import type { Inspection } from './inspection.js';

const MAIN_TYPE = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml';
const CONTENT_TYPES = {
  name: '[Content_Types].xml',
  content: `<Types><Override PartName="/word/document.xml" ContentType="${MAIN_TYPE}"/></Types>`,
};
const DOCUMENT = { name: 'word/document.xml', content: '<w:document/>' };
const others = (count: number): { name: string; content: string }[] =>
  Array.from({ length: count }, (_, index) => ({ name: `word/media/image${index}.png`, content: '' }));

/** Fails when no answer comes: an archive must not be able to leave the upload waiting. */
async function inspect(bytes: Buffer): Promise<Inspection | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('no answer within two seconds'));
    }, 2000);
  });
  try {
    return await Promise.race([inspectDocx(new BufferContent(bytes)), late]);
  } finally {
    clearTimeout(timer);
  }
}

const check = async (bytes: Buffer): Promise<boolean> => (await inspect(bytes))?.isOfType === true;

function changed(bytes: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
}

/** Where the archive's end record and its directory begin. APPNOTE.TXT 4.3.16, 4.3.12 */
const endOf = (bytes: Buffer): number => bytes.lastIndexOf('504b0506', undefined, 'hex');
const directoryOf = (bytes: Buffer): number => bytes.readUInt32LE(endOf(bytes) + 16);

/** An archive that gives its numbers in the 64-bit records. APPNOTE.TXT 4.3.14, 4.3.15 */
function zip64({ record, count, directory }: { record?: bigint; count?: bigint; directory?: bigint } = {}): Buffer {
  const plain = makeDocx();
  const end = endOf(plain);
  const record64 = Buffer.alloc(56);
  record64.write('504b0606', 'hex');
  record64.writeBigUInt64LE(44n, 4);
  record64.writeBigUInt64LE(count ?? 3n, 24);
  record64.writeBigUInt64LE(count ?? 3n, 32);
  record64.writeBigUInt64LE(BigInt(end - directoryOf(plain)), 40);
  record64.writeBigUInt64LE(directory ?? BigInt(directoryOf(plain)), 48);
  const locator = Buffer.alloc(20);
  locator.write('504b0607', 'hex');
  locator.writeBigUInt64LE(record ?? BigInt(end), 8);
  locator.writeUInt32LE(1, 16);
  const tail = Buffer.alloc(22, 0xff);
  tail.write('504b050600000000', 'hex');
  tail.writeUInt16LE(0, 20);
  return Buffer.concat([plain.subarray(0, end), record64, locator, tail]);
}

describe('inspectDocx', () => {
  it.each([
    ['a document', makeDocx()],
    ['the two parts alone', makeZip([CONTENT_TYPES, DOCUMENT])],
    ['the two parts in the other order', makeZip([DOCUMENT, CONTENT_TYPES])],
    ['the two parts behind 1998 others', makeZip([...others(1998), CONTENT_TYPES, DOCUMENT])],
    ['the two parts before 1998 others', makeZip([CONTENT_TYPES, DOCUMENT, ...others(1998)])],
    ['a document with 64-bit records', zip64()],
    [
      'an archive with a comment',
      Buffer.concat([changed(makeDocx(), (copy) => copy.writeUInt16LE(5, endOf(copy) + 20)), Buffer.from('hello')]),
    ],
  ])('says yes to %s', async (_, bytes) => {
    expect(await check(bytes)).toBe(true);
  });

  it.each([
    ['an empty archive', makeZip([])],
    ['an archive without the document', makeZip([CONTENT_TYPES, { name: 'word/styles.xml', content: '' }])],
    ['an archive without the list of types', makeZip([DOCUMENT])],
    ['a workbook', makeZip([CONTENT_TYPES, { name: 'xl/workbook.xml', content: '' }])],
    ['a presentation', makeZip([CONTENT_TYPES, { name: 'ppt/presentation.xml', content: '' }])],
    ['a Java program', makeZip([{ name: 'META-INF/MANIFEST.MF', content: '' }])],
    [
      'parts in another folder',
      makeZip([
        { name: 'x/[Content_Types].xml', content: '' },
        { name: 'x/word/document.xml', content: '' },
      ]),
    ],
    ['parts whose names are longer', makeZip([CONTENT_TYPES, { name: 'word/document.xml.exe', content: '' }])],
    ['a folder of that name', makeZip([CONTENT_TYPES, { name: 'word/document.xml/', content: '' }])],
    ['a part named twice', makeZip([CONTENT_TYPES, CONTENT_TYPES])],
    [
      'the parts only after a name that leads out of the archive',
      makeZip([{ name: '../evil', content: '' }, CONTENT_TYPES, DOCUMENT]),
    ],
    ['the parts only after an absolute name', makeZip([{ name: '/etc/passwd', content: '' }, CONTENT_TYPES, DOCUMENT])],
    ['more than 2000 entries', makeZip([CONTENT_TYPES, DOCUMENT, ...others(1999)])],
    ['65,000 entries', makeZip([CONTENT_TYPES, DOCUMENT, ...others(65_000)])],
    ['a PDF', makePdf()],
    ['a DOC', makeDoc()],
    ['the names as plain text', Buffer.from('PK\u0003\u0004[Content_Types].xml word/document.xml')],
    ['nothing', Buffer.alloc(0)],
    ['one byte', Buffer.alloc(1)],
    ['only zeros', Buffer.alloc(100_000)],
    ['an end record alone', makeZip([]).subarray(-22)],
    ['end records without end', Buffer.alloc(88_000, Buffer.from('504b0506', 'hex'))],
  ])('says no to %s', async (_, bytes) => {
    expect(await check(bytes)).toBe(false);
  });

  it.each<[string, Buffer]>([
    ['a program', Buffer.from(`MZ${'\0'.repeat(510)}`)],
    ['a script', Buffer.from('#!/bin/sh\nrm -rf /\nexit\n')],
    ['a web page', Buffer.from('<html><script>alert(1)</script></html>')],
    ['a picture', Buffer.from('GIF89a')],
  ])('says no to %s that carries a whole document at its end', async (_, front) => {
    const docx = makeDocx();
    const shifted = changed(docx, (copy) => {
      const end = endOf(copy);
      for (let at = directoryOf(docx); at < end; at += 46 + copy.readUInt16LE(at + 28))
        copy.writeUInt32LE(copy.readUInt32LE(at + 42) + front.length, at + 42);
      copy.writeUInt32LE(directoryOf(docx) + front.length, end + 16);
    });

    expect(await check(Buffer.concat([front, shifted]))).toBe(false);
  });

  it('says no to a document that is cut off, wherever it is cut off', async () => {
    const docx = makeDocx();

    for (let length = 0; length < docx.length; length += 13) expect(await check(docx.subarray(0, length))).toBe(false);
    expect(await check(docx.subarray(0, -1))).toBe(false);
  });

  it.each<[string, (copy: Buffer, end: number, directory: number) => void]>([
    ['counts the most entries there can be', (copy, end) => copy.writeUInt16LE(0xffff, end + 10)],
    ['counts none', (copy, end) => copy.writeUInt16LE(0, end + 10)],
    ['has its directory beyond the end', (copy, end) => copy.writeUInt32LE(copy.length, end + 16)],
    ['has its directory far beyond the end', (copy, end) => copy.writeUInt32LE(0xfffffffe, end + 16)],
    ['has its directory in its end record', (copy, end) => copy.writeUInt32LE(end, end + 16)],
    ['is one of several disks', (copy, end) => copy.writeUInt16LE(1, end + 4)],
    ['promises a comment that is not there', (copy, end) => copy.writeUInt16LE(1, end + 20)],
    ['has a name of 65,535 characters', (copy, _, directory) => copy.writeUInt16LE(0xffff, directory + 28)],
    ['has an extra field of 65,535 bytes', (copy, _, directory) => copy.writeUInt16LE(0xffff, directory + 30)],
    [
      'has a comment of 65,535 bytes in its first entry',
      (copy, _, directory) => copy.writeUInt16LE(0xffff, directory + 32),
    ],
    ['has another signature in its directory', (copy, _, directory) => copy.writeUInt8(0, directory)],
  ])('says no to a document that %s', async (_, change) => {
    const docx = changed(makeDocx(), (copy) => {
      change(copy, endOf(copy), directoryOf(copy));
    });

    expect(await check(docx)).toBe(false);
  });

  it.each([2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n])(
    'says no, and goes on living, when 64-bit numbers point to %d',
    async (number) => {
      expect(await check(zip64({ record: number }))).toBe(false);
      expect(await check(zip64({ directory: number }))).toBe(false);
      expect(await check(zip64({ count: number }))).toBe(false);
    },
  );

  it('says no to packed bytes that nobody could unpack', async () => {
    const start = 30 + CONTENT_TYPES.name.length;

    expect(await check(changed(makeDocx(), (copy) => copy.fill(0xff, start, start + 50)))).toBe(false);
  });

  it('never throws for what an archive says: 400 archives with bytes changed at random', async () => {
    const original = makeDocx();
    let state = 20_261_120;
    const random = (below: number): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };

    for (let round = 0; round < 400; round += 1) {
      const bytes = changed(original, (copy) => {
        for (let times = 0; times < 6; times += 1) {
          const from = round % 2 === 0 ? directoryOf(original) : 0;
          copy[from + random(copy.length - from)] = random(256);
        }
      });
      expect(typeof (await check(bytes))).toBe('boolean');
    }
  });
});
