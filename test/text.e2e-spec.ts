import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TextExtractor, type TextKind, type TextLimits, TextNotExtracted } from '../src/files/text/text-extractor.js';
import { PROJECT_ROOT } from '../src/config/project-root.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { makeDocx, makeOle, makePdf, makeZip } from './support/documents.mjs';
import { docxOfBody, docxOfText, pdfOfContent, pdfOfForms, pdfOfText } from './support/text-documents.js';

afterEach(() => cleanUp());

const MOST_TEXT_BYTES = 200 * 1024;
const MIB = 1024 * 1024;

function extractorOf(limits?: Partial<TextLimits>): TextExtractor {
  const extractor = new TextExtractor(limits);
  atEnd(() => extractor.onModuleDestroy());
  return extractor;
}

const real = async (name: string): Promise<Buffer> =>
  readFile(join(PROJECT_ROOT, 'test', 'support', 'documents', name));

/** Why there is no text. */
async function failureOf(extraction: Promise<string>): Promise<string> {
  const error: unknown = await extraction.then(
    (text) => new Error(`not refused: ${text.slice(0, 100)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof TextNotExtracted)) throw error;
  return error.reason;
}

let extractor: TextExtractor;
beforeAll(() => {
  extractor = new TextExtractor();
  atEnd(() => extractor.onModuleDestroy(), 'the whole file');
});
afterAll(() => cleanUp('the whole file'));

describe('the text of a document', () => {
  it.each<TextKind>(['pdf', 'doc', 'docx'])('holds what a real %s says, in one line', async (kind) => {
    const text = await extractor.extract(kind, await real(`resume.${kind}`));

    expect(text).toContain('Ada has worked with Mr Babbage on the Analytical Engine');
    expect(text).toMatch(/Experience .*1842.1843: translator and annotator, Taylor.s Scientific Memoirs/);
    expect(text).toContain('English, French, German, Bernoulli numbers');
    expect(text).not.toMatch(/[\p{Cc}\p{Cs}]| {2}|^ | $/u);
  });

  it.each<[string, string]>([
    ['umlauts', 'Jürgen Größmann aus Köln'],
    ['Cyrillic', 'Анна Ковалёва, Київ'],
    ['Chinese, Japanese and Korean', '王小明 東京 さくら 서울'],
    ['characters beyond the basic plane', '𠮷野家 😀'],
  ])('keeps %s', async (_, words) => {
    expect(await extractor.extract('docx', docxOfText(words))).toBe(words);
    expect(await extractor.extract('pdf', pdfOfText(words))).toBe(words);
  });

  it.each<[string, string, string]>([
    ['composes what was written in parts', 'Ju\u0308rgen', 'Jürgen'],
    ['makes one space of white space of all kinds', ' a \u00a0\u2003 \t\r\n b \u3000', 'a b'],
    ['makes a space of control characters', 'a\u0085\u009fb', 'a b'],
    ['leaves out what hides inside words', 'Ver\u00adsiche\u200brung', 'Versicherung'],
  ])('%s', async (_, written, expected) => {
    expect(await extractor.extract('docx', docxOfText(written))).toBe(expected);
  });

  it('has no character that PostgreSQL refuses', async () => {
    const text = await extractor.extract('docx', docxOfText('a&#xD800;b&#0;c&#1;d&#xDC00;&#xD83D;e'));

    expect(text).not.toMatch(/[\p{Cc}\p{Cs}]/u);
    expect(text.replace(/[^a-z]/g, '')).toBe('abcde');
    expect(text).toContain('\ufffd');
  });

  it.each<[string, string, number]>([
    ['one byte', 'a', MOST_TEXT_BYTES],
    ['two bytes', 'ä', MOST_TEXT_BYTES],
    ['three bytes', '語', MOST_TEXT_BYTES - 2],
    ['four bytes', '😀', MOST_TEXT_BYTES],
  ])('is cut at 200 KiB, never inside a character of %s', async (_, character, expected) => {
    const text = await extractor.extract('docx', docxOfText(character.repeat(300 * 1024)));

    expect(Buffer.byteLength(text)).toBe(expected);
    expect(text).toBe(character.repeat(text.length / character.length));
  });

  it('has room for what white space takes in the file', async () => {
    expect(await extractor.extract('docx', docxOfText(`first${' '.repeat(300 * 1024)}last`))).toBe('first last');
  });

  it.each<[string, TextKind, () => Buffer]>([
    ['PDF that was scanned', 'pdf', () => pdfOfContent('q 595 0 0 842 0 0 cm /Im1 Do Q')],
    ['PDF with an empty page', 'pdf', () => pdfOfContent('')],
    ['DOCX without a paragraph', 'docx', () => docxOfBody('')],
  ])('is empty for a %s', async (_, kind, make) => {
    expect(await extractor.extract(kind, make())).toBe('');
  });

  it('is the same whatever memory the bytes lie in, and leaves them as they are', async () => {
    const whole = makePdf(100_000);
    const before = Buffer.from(whole);
    const part = Buffer.concat([Buffer.alloc(10), makePdf()]).subarray(10);

    expect(await extractor.extract('pdf', part)).toBe('Resume of a test');
    expect(await extractor.extract('pdf', whole)).toBe('Resume of a test');
    expect(whole.equals(before)).toBe(true);
  });

  it('is that of each file when 16 come at once, however long they wait together', async () => {
    const texts = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        index % 2 === 0
          ? extractor.extract('docx', docxOfText(`number ${index}`))
          : extractor.extract('pdf', pdfOfText(`number ${index}`)),
      ),
    );

    expect(texts).toEqual(Array.from({ length: 16 }, (_, index) => `number ${index}`));
  });
});

/** The real DOC with the flag of [MS-DOC] 2.5.2 set. */
async function encryptedDoc(): Promise<Buffer> {
  const bytes = await real('resume.doc');
  const block = bytes.indexOf(Buffer.from('eca50101', 'hex'));
  bytes.writeUInt16LE(bytes.readUInt16LE(block + 10) | 0x0100, block + 10);
  return bytes;
}

const ENCRYPTION = `/Encrypt<</Filter/Standard/V 1/R 2/O<${'0f'.repeat(32)}>/U<${'f0'.repeat(32)}>/P -4>>/ID[<00><00>]`;

describe('a document without a text', () => {
  it.each<[string, string, TextKind, () => Buffer | Promise<Buffer>]>([
    ['a PDF with a password', 'encrypted', 'pdf', () => pdfOfText('secret', ENCRYPTION)],
    ['a DOC with a password', 'encrypted', 'doc', encryptedDoc],
    ['a DOCX with a password', 'encrypted', 'docx', () => makeOle('EncryptedPackage')],
    ['an empty PDF', 'unreadable', 'pdf', () => Buffer.alloc(0)],
    ['a PDF of noise', 'unreadable', 'pdf', () => Buffer.from(`%PDF-1.7\n${'\u0001\u0002'.repeat(5_000)}`)],
    [
      'a PDF without pages',
      'unreadable',
      'pdf',
      () => Buffer.from('%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<</Root 1 0 R>>'),
    ],
    ['a DOC in place of a PDF', 'unreadable', 'pdf', () => real('resume.doc')],
    ['an empty DOC', 'unreadable', 'doc', () => Buffer.alloc(0)],
    ['a DOC without content', 'unreadable', 'doc', () => makeOle()],
    ['a DOC cut off', 'unreadable', 'doc', async () => (await real('resume.doc')).subarray(0, 2_000)],
    ['a PDF in place of a DOC', 'unreadable', 'doc', () => makePdf()],
    ['an empty DOCX', 'unreadable', 'docx', () => Buffer.alloc(0)],
    ['a DOCX cut off', 'unreadable', 'docx', async () => (await real('resume.docx')).subarray(0, 3_000)],
    ['a zip without a document', 'unreadable', 'docx', () => makeZip([{ name: 'a', content: 'b' }])],
    ['a DOCX of broken XML', 'unreadable', 'docx', () => docxOfBody('<w:p><w:r></w:p')],
    ['a DOC in place of a DOCX', 'unreadable', 'docx', () => real('resume.doc')],
  ])('is %s (%s), and the next one is read', async (_, reason, kind, make) => {
    expect(await failureOf(extractor.extract(kind, await make()))).toBe(reason);

    expect(await extractor.extract('docx', makeDocx())).toBe('Resume of a test');
  });

  it.each<[string, Partial<TextLimits>, TextKind, () => Buffer]>([
    ['heap', { heapMb: 24 }, 'docx', () => docxOfText('word '.repeat(2_000_000))],
    ['memory beside the heap', { growthMb: 1, heapMb: 1_000 }, 'pdf', () => pdfOfForms(9)],
  ])('is one that takes more than its %s', async (_, limits, kind, make) => {
    expect(await failureOf(extractorOf(limits).extract(kind, make()))).toBe('memory');
  });

  const bomb = (unit: string): Buffer => docxOfBody(Buffer.alloc(400 * 1024 * 1024, unit));
  it.each<[string, TextKind, () => Buffer]>([
    ['a DOCX that inflates to 400 MB of one word', 'docx', () => bomb('a')],
    ['a DOCX that inflates to 400 MB of elements', 'docx', () => bomb('<w:p/>')],
    ['a PDF that shows a word a billion times', 'pdf', () => pdfOfForms(9)],
  ])('is %s: it hits a limit, and the next one is read', async (_, kind, make) => {
    const extractor = extractorOf({ timeoutMs: 5_000 });

    const bytes = make();
    const before = process.memoryUsage.rss();

    expect(await failureOf(extractor.extract(kind, bytes))).toMatch(/^(memory|timeout)$/);

    // the memory that it took is gone with the process that it was read in
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MIB);
    expect(await extractor.extract('docx', makeDocx())).toBe('Resume of a test');
  });

  it('is one that takes longer than its time, and the time of others does not count', async () => {
    const extractor = extractorOf({ timeoutMs: 1_500 });
    const began = performance.now();

    const slow = failureOf(extractor.extract('pdf', pdfOfForms(9)));
    const others = Promise.all([1, 2].map(() => failureOf(extractor.extract('pdf', pdfOfForms(9)))));
    const quick = extractor.extract('docx', makeDocx());

    expect(await slow).toBe('timeout');
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(await others).toEqual(['timeout', 'timeout']);
    expect(await quick).toBe('Resume of a test');
  });
});

describe('the end of the extractor', () => {
  it('rejects what was not read with an error that says nothing about the file', async () => {
    const extractor = extractorOf();
    const outcome = extractor.extract('pdf', pdfOfForms(9)).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 1_000));

    await extractor.onModuleDestroy();

    expect(await outcome).toBeInstanceOf(Error);
    expect(await outcome).not.toBeInstanceOf(TextNotExtracted);
  });
});
