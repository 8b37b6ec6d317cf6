import { deflateSync } from 'node:zlib';
import { BufferContent } from '../../test/support/content.js';
import {
  linearizedPdf,
  objectStream,
  pdfOf,
  updatedPdf,
  xrefStreamPdf,
  zipOf,
} from '../../test/support/corpus-makers.js';
import { makePdf } from '../../test/support/documents.mjs';
import { Finding } from './finding.js';
import { inspectPdf } from './pdf.js';
import { PdfNames } from './pdf-names.js';

const { Damaged, Encrypted, Scripts, Truncated, UncheckedParts } = Finding;

const SCRIPT = '<</S/JavaScript/JS(x)>>';
const text = (content: string): Buffer => Buffer.from(content, 'latin1');
/** The same document with its words changed. */
const edited = (bytes: Buffer, from: string | RegExp, to: string): Buffer =>
  text(bytes.toString('latin1').replace(from, to));
const packed = (content: string | Buffer): Buffer => xrefStreamPdf([objectStream(content)]);

/** A stream of objects that can be packed to hardly less. */
function noise(size: number): Buffer {
  let state = 20_261_121;
  return Buffer.from(Array.from({ length: size }, () => (state = (state * 48_271) % 2_147_483_647) >> 8));
}

describe('inspectPdf', () => {
  it.each<[string, Buffer, Finding[]]>([
    ['a document', makePdf(), []],
    ['a document with a cross-reference stream', xrefStreamPdf(), []],
    ['a document that was saved 255 times', updatedPdf(255), []],
    ['a linearized document', linearizedPdf(), []],
    ['a document behind 1019 bytes', pdfOf({ before: ' '.repeat(1019) }), []],
    ['a document with 1018 bytes behind its end', Buffer.concat([pdfOf(), Buffer.alloc(1018)]), []],
    ['a document whose end stands a KiB before its own', Buffer.concat([pdfOf(), Buffer.alloc(1025)]), [Truncated]],
    ['a header', text('%PDF-'), [Truncated]],
    ['a document without startxref', edited(pdfOf(), 'startxref', 'startxxxx'), [Damaged]],
    ['a position that is no number', edited(pdfOf(), /startxref\n\d+/, 'startxref\nabc'), [Damaged]],
    ['a position of eleven digits', edited(pdfOf(), /startxref\n\d+/, 'startxref\n00000000001'), [Damaged]],
    ['a position behind the end', edited(pdfOf(), /startxref\n\d+/, 'startxref\n9999999999'), [Damaged]],
    ['an end marker too many', Buffer.concat([pdfOf(), text('\n%%EOF')]), []],
    ['encryption', pdfOf({ trailer: '/Encrypt 5 0 R' }), [Encrypted]],
    ['encryption that is null', pdfOf({ trailer: '/Encrypt null' }), []],
    [
      'encryption of a document whose tables are broken',
      edited(pdfOf({ trailer: '/Encrypt 5 0 R' }), 'xref\n0', 'xxxx\n0'),
      [Damaged, Encrypted],
    ],
    ['the word of encryption in a document whose tables are whole', pdfOf({ objects: ['<</Encrypt 5 0 R>>'] }), []],
    ['a script', pdfOf({ objects: [SCRIPT] }), [Scripts]],
    ['a script in packed objects', packed(SCRIPT), [Scripts]],
    ['a script behind 200 KB of packed objects', packed(Buffer.concat([noise(200_000), text(SCRIPT)])), [Scripts]],
    [
      'a script in packed objects of an encrypted document',
      xrefStreamPdf([objectStream(SCRIPT)], '/Encrypt 5 0 R'),
      [Encrypted],
    ],
    [
      'packed objects that are cut off',
      edited(packed('x'.repeat(500)), /\nendstream\nendobj\n9 0[^]*/, '').subarray(0, -4),
      [Truncated, UncheckedParts],
    ],
    [
      'packed objects that are noise',
      xrefStreamPdf([
        Buffer.concat([text('<</Type/ObjStm/Filter/FlateDecode>>stream\n'), noise(500), text('\nendstream')]),
      ]),
      [UncheckedParts],
    ],
    ['objects that are not packed', xrefStreamPdf([objectStream('<<>>', '')]), []],
    ['objects that are packed otherwise', xrefStreamPdf([objectStream('<<>>', '/Filter/LZWDecode')]), [UncheckedParts]],
    ['1 MB of packed objects, however tight', packed(Buffer.alloc(1_000_000)), []],
    ['2 MB of packed objects, 1:1000', packed(Buffer.alloc(2_000_000)), [UncheckedParts]],
    ['8 MB of packed objects', packed(Buffer.concat([noise(100_000), Buffer.alloc(8_000_000)])), []],
    ['17 MB of packed objects', packed(Buffer.concat([noise(200_000), Buffer.alloc(17_000_000)])), [UncheckedParts]],
    [
      '20 streams of 900 KB',
      xrefStreamPdf(Array.from({ length: 20 }, () => objectStream(Buffer.alloc(900_000)))),
      [UncheckedParts],
    ],
    [
      'a stream of objects whose bytes begin a file of their own',
      Buffer.concat([
        packed('<<>>'),
        text('\n/ObjStm/FlateDecode stream\n'),
        deflateSync(text(SCRIPT)),
        text('\n%%EOF'),
      ]),
      [Scripts],
    ],
  ])('says of %s what is worth knowing', async (_, bytes, findings) => {
    const inspection = await inspectPdf(new BufferContent(bytes));

    expect(inspection).toEqual({ isOfType: true, findings: expect.any(Array) });
    expect(inspection?.isOfType === true && [...inspection.findings].sort()).toEqual([...findings].sort());
  });

  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['a text', text('PDF-1.7')],
    ['a header behind the first KiB', Buffer.concat([Buffer.alloc(1020, ' '), makePdf()])],
    ['half a header', text('%PDF')],
  ])('has no opinion of %s', async (_, bytes) => {
    expect(await inspectPdf(new BufferContent(bytes))).toBeUndefined();
  });

  it.each<[string, Buffer, string]>([
    ['a program', pdfOf({ before: 'MZ' }), 'an executable program'],
    ['a script', pdfOf({ before: '#!/bin/sh\n' }), 'a script'],
    ['a web page', pdfOf({ before: ' <html>' }), 'a web page'],
    ['an archive', zipOf([{ name: 'a', content: makePdf(), isStored: true }]), 'a ZIP archive'],
  ])('says no to a document that is also %s', async (_, bytes, found) => {
    expect(await inspectPdf(new BufferContent(bytes))).toEqual({ isOfType: false, found });
  });

  it('believes a watcher that saw the content, and reads no more than the rest', async () => {
    const bytes = pdfOf({ objects: [SCRIPT, Buffer.alloc(2_000_000, ' ')] });
    const watcher = new PdfNames();
    watcher.write(bytes);
    const content = new BufferContent(bytes);
    const streams = jest.spyOn(content, 'stream');

    expect(await inspectPdf(content, watcher)).toEqual({ isOfType: true, findings: [Scripts] });
    expect(streams).not.toHaveBeenCalled();
  });
});
