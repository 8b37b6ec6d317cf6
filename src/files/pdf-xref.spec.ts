import { BufferContent } from '../../test/support/content.js';
import { cpuMs } from '../../test/support/cpu-time.js';
import { BlockReader } from './block-reader.js';
import { type CrossReference, readCrossReference } from './pdf-xref.js';

const ENTRY = '0000000009 00000 n \n';
const WHOLE: CrossReference = { isParsable: true, isEncrypted: false };
const BROKEN: CrossReference = { isParsable: false, isEncrypted: false };

const read = (text: string, position = 0, headerAt = 0): Promise<CrossReference> =>
  readCrossReference(new BlockReader(new BufferContent(Buffer.from(text, 'latin1'))), position, headerAt);

/** As many positions as a section has digits for. */
const digits = (position: number): string => String(position).padStart(10, '0');

/** Sections of so many characters, each of which refers to the next one. */
function chainOf(count: number, size: number, filling = ''): string {
  return Array.from({ length: count }, (_, index) => {
    const previous = index + 1 < count ? `/Prev ${digits((index + 1) * size)}` : '';
    const head = `xref trailer<<${previous}/Z[`;
    return `${head}${filling.repeat(Math.max(0, (size - head.length - 3) / Math.max(1, filling.length)))}]>>`.padEnd(
      size,
    );
  }).join('');
}

/** Sections that lie in one another: each one's dictionary ends behind those of all that it holds. */
function nested(count: number, size: number): string {
  const head = (previous: number): string => `xref trailer<</Prev ${digits(previous)} `;
  const { length } = head(0);
  const heads = Array.from({ length: count }, (_, index) => head(index + 1 < count ? (index + 1) * length : 0));
  return `${heads.join('')}/Z ${'[]'.repeat((size - count * (length + 2)) / 2)}${'>>'.repeat(count)}`;
}

describe('readCrossReference', () => {
  it.each<[string, string]>([
    ['a table', `xref\n0 1\n${ENTRY}trailer<</Size 1>>`],
    ['a table behind blanks', `\r\n \txref\r\n0 1\r\n${ENTRY}\r\ntrailer\n<</Size 1>>`],
    ['a table of several subsections', `xref\n0 1\n${ENTRY}3 2\n${ENTRY}${ENTRY}trailer<</Size 5>>`],
    ['a table with an empty subsection', `xref\n0 0\n0 1\n${ENTRY}trailer<</Size 1>>`],
    ['a table without subsections', 'xref\ntrailer<<>>'],
    ['a stream', '12 0 obj\n<</Type/XRef/W[1 2 1]>>stream\n'],
    ['a stream with the largest numbers there are', '4294967295 65535 obj <</Type/XRef>>'],
    ['a dictionary of 60 KB', `xref trailer<</Z[${'0 '.repeat(30_000)}]>>`],
    ['entries that are free', 'xref\n0 1\n0000000000 65535 f \ntrailer<<>>'],
    ['entries that are not looked at but the first', `xref\n0 2\n${ENTRY}${'?'.repeat(20)}trailer<<>>`],
  ])('reads %s', async (_, text) => {
    expect(await read(text)).toEqual(WHOLE);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['another word', 'xrfe\n0 1\n'],
    ['a table without a trailer', `xref\n0 1\n${ENTRY}`],
    ['a table whose entries are shorter', 'xref\n0 1\n0000000009 0000 n \ntrailer<<>>'],
    ['a table of another kind of entry', 'xref\n0 1\n0000000009 00000 x \ntrailer<<>>'],
    ['a table that counts more entries than it has', `xref\n0 9\n${ENTRY}trailer<<>>`],
    ['a table that counts as many as there can be', `xref\n0 9999999999\n${ENTRY}trailer<<>>`],
    ['a table of numbers that are none', 'xref\n-1 1\ntrailer<<>>'],
    ['a trailer without a dictionary', 'xref\ntrailer null'],
    ['a dictionary that does not end', 'xref\ntrailer<</Size 1'],
    ['a dictionary of more than 64 KiB', `xref trailer<</Z[${'0 '.repeat(40_000)}]>>`],
    ['a stream of another type', '12 0 obj\n<</Type/ObjStm>>stream\n'],
    ['a stream of no type', '12 0 obj\n<<>>stream\n'],
    ['an object that is no dictionary', '12 0 obj\n[1 2]'],
    ['a previous section that is no number', 'xref trailer<</Prev null>>'],
    ['a previous section before the file', 'xref trailer<</Prev -1>>'],
    ['a previous section beyond the file', 'xref trailer<</Prev 9999999999>>'],
    ['a previous section beyond all files', `xref trailer<</Prev ${'9'.repeat(400)}>>`],
    ['a previous section in the middle of a byte', 'xref trailer<</Prev 0.5>>'],
    ['a section that refers to itself', 'xref trailer<</Prev 0>>'],
  ])('makes nothing of %s', async (_, text) => {
    expect(await read(text)).toEqual(BROKEN);
  });

  it.each([-1, 1, 1_000_000, Number.MAX_SAFE_INTEGER, 2 ** 60, Infinity, NaN])(
    'makes nothing of a table at %d that is not there',
    async (position) => {
      expect(await read('xref trailer<<>>', position)).toEqual(BROKEN);
    },
  );

  it.each<[string, string, boolean]>([
    ['by a dictionary', 'xref trailer<</Encrypt<</V 2>>>>', true],
    ['by a reference', 'xref trailer<</Encrypt 5 0 R>>', true],
    ['under an escaped name', 'xref trailer<</#45ncrypt 5 0 R>>', true],
    ['in a stream', '1 0 obj<</Type/XRef/Encrypt 5 0 R>>', true],
    ['by null', 'xref trailer<</Encrypt null>>', false],
    ['in a dictionary within', 'xref trailer<</Info<</Encrypt 1>>>>', false],
    ['as the value of another key', 'xref trailer<</Info/Encrypt>>', false],
  ])('sees whether a document is encrypted: %s', async (_, text, isEncrypted) => {
    expect(await read(text)).toEqual({ isParsable: true, isEncrypted });
  });

  it('sees it in a previous section, and though a later one is broken', async () => {
    const [last, middle] = ['xref trailer<</Prev 100>>', 'xref trailer<</Encrypt 1 0 R/Prev 200>>'];
    const text = last.padEnd(100) + middle.padEnd(100);

    expect(await read(`${text}xref trailer<<>>`)).toEqual({ isParsable: true, isEncrypted: true });
    expect(await read(`${text}no section`)).toEqual({ isParsable: false, isEncrypted: true });
  });

  it('counts positions from the header, or else from the file', async () => {
    const section = 'xref trailer<<>>';

    expect(await read(`${' '.repeat(50)}${section}`, 0, 50)).toEqual(WHOLE);
    expect(await read(`${' '.repeat(50)}${section}`, 50, 50)).toEqual(WHOLE);
    expect(await read(`${'x'.repeat(50)}${section}`, 20, 50)).toEqual(BROKEN);
  });

  it('follows 256 sections and no more', async () => {
    expect(await read(chainOf(256, 100))).toEqual(WHOLE);
    expect(await read(chainOf(257, 100))).toEqual(BROKEN);
  });

  it('follows 256 sections of 1 KB', async () => {
    expect(await read(chainOf(256, 1000, '0 '))).toEqual(WHOLE);
  });

  it.each<[string, string]>([
    ['256 sections in one another, of 64 KB together', nested(256, 65_000)],
    ['75 sections of 65 KB', chainOf(75, 65_000, '[]')],
    ['700,000 subsections', `xref ${'0 0 \n'.repeat(700_000)}trailer<<>>`],
    ['5 MB of blanks', `xref${' '.repeat(5_000_000)}`],
  ])('gives up soon: %s', async (_, text) => {
    const start = cpuMs();

    expect(await read(text)).toEqual(BROKEN);
    expect(cpuMs() - start).toBeLessThan(5000);
  });
});
