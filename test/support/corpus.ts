import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Finding } from '../../src/files/finding.js';
import * as make from './corpus-makers.js';
import { makePdf, MEDIA } from './documents.mjs';

const LIMIT = 5_242_880;

/** A file of the corpus and the answer that the public form must give to it. */
export interface CorpusCase {
  readonly name: string;
  readonly fileName: string;
  readonly declaredType: string;
  readonly bytes: () => Buffer;
  readonly expected:
    | { readonly status: 201; readonly findings: readonly Finding[] }
    | { readonly status: 400 | 413 | 415; readonly errorCode: string; readonly resume: string };
}

type Kind = keyof typeof MEDIA;

const accepted =
  (kind: Kind) =>
  (name: string, bytes: () => Buffer, ...findings: Finding[]): CorpusCase => ({
    name,
    fileName: `resume.${kind}`,
    declaredType: MEDIA[kind],
    bytes,
    expected: { status: 201, findings },
  });

const mistaken =
  (kind: Kind) =>
  (name: string, bytes: () => Buffer, found: string): CorpusCase => ({
    name,
    fileName: `resume.${kind}`,
    declaredType: MEDIA[kind],
    bytes,
    expected: {
      status: 415,
      errorCode: 'FILE_TYPE_NOT_ALLOWED',
      resume: `The content is not that of a ${kind.toUpperCase()} file: it looks like ${found}`,
    },
  });

const misnamed = (name: string, fileName: string, declaredType: string): CorpusCase => ({
  name,
  fileName,
  declaredType,
  bytes: () => makePdf(),
  expected: {
    status: 415,
    errorCode: 'FILE_TYPE_NOT_ALLOWED',
    resume: 'Only PDF, DOC, DOCX files are accepted, named and declared as such',
  },
});

const tooLarge = (name: string, size: number, fileName: string, declaredType: string): CorpusCase => ({
  name,
  fileName,
  declaredType,
  bytes: () => makePdf(size),
  expected: { status: 413, errorCode: 'FILE_TOO_LARGE', resume: 'File size exceeds 5MB' },
});

const empty = (kind: Kind): CorpusCase => ({
  name: `an empty ${kind.toUpperCase()}`,
  fileName: `resume.${kind}`,
  declaredType: MEDIA[kind],
  bytes: () => Buffer.alloc(0),
  expected: { status: 400, errorCode: 'VALIDATION_ERROR', resume: 'The file is empty' },
});

const goodPdf = accepted('pdf');
const badPdf = mistaken('pdf');
const goodDoc = accepted('doc');
const badDoc = mistaken('doc');
const goodDocx = accepted('docx');
const badDocx = mistaken('docx');

const real = (name: string) => (): Buffer => readFileSync(join(import.meta.dirname, 'documents', name));
const text = (content: string) => (): Buffer => Buffer.from(content, 'latin1');
const binary = (hex: string) => (): Buffer => Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(2048)]);
const without = (bytes: Buffer, at: number): Buffer => bytes.subarray(0, bytes.length - at);
const scriptOf = (name: string, key = 'JS'): string => `<</Type/Action/S/${name}/${key}(app.alert\\(1\\))>>`;
/** An entry's worth of nothing: packs to a thousandth. */
const zeros = (megabytes: number): Buffer => Buffer.alloc(megabytes * 1_048_576);
const many = (count: number): make.ZipPart[] =>
  Array.from({ length: count }, (_, index) => ({ name: `word/media/image${index}.png`, isStored: true }));
/** Bytes that cannot be packed, always the same. */
const noise = (size: number): Buffer => {
  const bytes = Buffer.alloc(size);
  let state = 20_261_121;
  for (let at = 0; at < size; at += 1) {
    state = (state * 48_271) % 2_147_483_647;
    bytes[at] = state >> 8;
  }
  return bytes;
};
const word = (flags = 0): make.OleChild => ({ name: 'WordDocument', content: make.wordStream(flags) });

const PDFS: readonly CorpusCase[] = [
  goodPdf('a PDF of an office program', real('resume.pdf')),
  goodPdf('a PDF with a classic cross-reference table', () => make.pdfOf()),
  goodPdf('a PDF with a cross-reference stream and packed objects', () =>
    make.xrefStreamPdf([make.objectStream('<</Type/Font/BaseFont/Helvetica>>')]),
  ),
  goodPdf('a PDF that was saved three times', () => make.updatedPdf(2)),
  goodPdf('a PDF that was saved a hundred times', () => make.updatedPdf(100)),
  goodPdf('a linearized PDF', make.linearizedPdf),
  goodPdf('a PDF behind a byte order mark', () => make.pdfOf({ before: '\xef\xbb\xbf' })),
  goodPdf('a PDF behind 900 bytes, counted from its header', () => make.pdfOf({ before: ' '.repeat(900) })),
  goodPdf('a PDF behind a line of a printer, counted from the file', () =>
    make.pdfOf({ before: '\x1b%-12345X@PJL\n', countsFromFile: true }),
  ),
  goodPdf('a PDF with blanks behind its end', () => Buffer.concat([make.pdfOf(), Buffer.alloc(900, ' ')])),
  goodPdf('a PDF of exactly 5 242 880 bytes', () => makePdf(LIMIT)),
  goodPdf('a PDF whose keywords speak of scripts', () =>
    make.pdfOf({ objects: ['<</Keywords(HTML/JavaScript developer, CSS/JS 5 years, Product/Launch)>>'] }),
  ),
  goodPdf('a PDF with 3 MB of noise in a stream', () =>
    make.pdfOf({
      objects: [Buffer.concat([Buffer.from('<<>>stream\n'), noise(3_000_000), Buffer.from('\nendstream')])],
    }),
  ),

  goodPdf('a PDF cut off in the middle', () => make.pdfOf().subarray(0, 300), Finding.Truncated),
  goodPdf('a PDF without its end marker', () => without(make.pdfOf(), 6), Finding.Truncated),
  goodPdf('a PDF with 2 KB behind its end', () => Buffer.concat([make.pdfOf(), Buffer.alloc(2048)]), Finding.Truncated),
  goodPdf(
    'a PDF whose cross-reference is elsewhere',
    () =>
      Buffer.from(
        make
          .pdfOf()
          .toString('latin1')
          .replace(/startxref\n\d+/, 'startxref\n12'),
        'latin1',
      ),
    Finding.Damaged,
  ),
  goodPdf(
    'a PDF whose cross-reference is beyond its end',
    () =>
      Buffer.from(
        make
          .pdfOf()
          .toString('latin1')
          .replace(/startxref\n\d+/, 'startxref\n9999999999'),
        'latin1',
      ),
    Finding.Damaged,
  ),
  goodPdf(
    'a PDF whose sections lead round in a circle',
    () => {
      const xref = make.pdfOf().toString('latin1').indexOf('xref\n0');
      return make.pdfOf({ trailer: `/Prev ${xref}` });
    },
    Finding.Damaged,
  ),
  goodPdf('a PDF that is a header and an end', text('%PDF-1.7\n%%EOF\n'), Finding.Damaged),
  goodPdf('a PDF that is encrypted', () => make.pdfOf({ trailer: '/Encrypt 5 0 R' }), Finding.Encrypted),
  goodPdf(
    'a PDF that is encrypted, with a cross-reference stream',
    () => make.xrefStreamPdf([], '/Encrypt 5 0 R'),
    Finding.Encrypted,
  ),
  goodPdf(
    'a PDF that is encrypted, under an escaped name',
    () => make.pdfOf({ trailer: '/#45ncrypt<</V 2>>' }),
    Finding.Encrypted,
  ),
  goodPdf('a PDF with a script', () => make.pdfOf({ objects: [scriptOf('JavaScript')] }), Finding.Scripts),
  goodPdf(
    'a PDF that opens with a script',
    () => make.pdfOf({ catalog: `/OpenAction ${scriptOf('JavaScript')}` }),
    Finding.Scripts,
  ),
  goodPdf(
    'a PDF with a script under escaped names',
    () => make.pdfOf({ objects: [scriptOf('J#61vaScript', '#4A#53')] }),
    Finding.Scripts,
  ),
  goodPdf(
    'a PDF with a script whose name is behind a comment',
    () => make.pdfOf({ objects: [`<</S %${'x'.repeat(200)}\n/JavaScript/Js 1>>`] }),
    Finding.Scripts,
  ),
  goodPdf(
    'a PDF with a rendition that runs a script',
    () => make.pdfOf({ objects: [scriptOf('Rendition')] }),
    Finding.Scripts,
  ),
  ...[1, 2, 5, 11, 12].map((before) =>
    goodPdf(
      `a PDF with a script whose name begins ${before} bytes before a border of 64 KiB`,
      () => {
        const padded = (size: number): Buffer => make.pdfOf({ objects: [`(${'x'.repeat(size)})<</S/JavaScript>>`] });
        const target = 65_536 - before;
        return padded(60_000 + target - padded(60_000).indexOf('/JavaScript>>'));
      },
      Finding.Scripts,
    ),
  ),
  goodPdf(
    'a PDF with a script in a stream of objects',
    () => make.xrefStreamPdf([make.objectStream(scriptOf('JavaScript'))]),
    Finding.Scripts,
  ),
  goodPdf(
    'a PDF with a script at the end of a long stream of objects',
    () => make.xrefStreamPdf([make.objectStream(Buffer.concat([noise(200_000), Buffer.from(scriptOf('JavaScript'))]))]),
    Finding.Scripts,
  ),
  goodPdf(
    'a PDF with a script in a stream of objects that is not packed',
    () => make.xrefStreamPdf([make.objectStream(scriptOf('JavaScript'), '')]),
    Finding.Scripts,
  ),
  goodPdf(
    'a PDF with a stream of objects under an escaped name',
    () =>
      Buffer.from(
        make
          .xrefStreamPdf([make.objectStream(scriptOf('JavaScript'))])
          .toString('latin1')
          .replace('/ObjStm', '/Obj#53tm'),
        'latin1',
      ),
    Finding.Damaged,
    Finding.Scripts,
  ),
  goodPdf(
    'a PDF with a stream of objects that is packed twice',
    () => make.xrefStreamPdf([make.objectStream('x', '/Filter[/ASCIIHexDecode/FlateDecode]')]),
    Finding.UncheckedParts,
  ),
  goodPdf(
    'a PDF with a stream of objects that unpacks to 64 MB',
    () => make.xrefStreamPdf([make.objectStream(zeros(64))]),
    Finding.UncheckedParts,
  ),
  goodPdf(
    'a PDF that starts a program',
    () => make.pdfOf({ objects: ['<</S/Launch/F(cmd.exe)>>'] }),
    Finding.LaunchActions,
  ),
  goodPdf(
    'a PDF with a file inside',
    () => make.pdfOf({ objects: ['<</Type/Filespec/EF<</F 6 0 R>>>>', '<</Type/EmbeddedFile>>stream\nMZ\nendstream'] }),
    Finding.EmbeddedFiles,
  ),
  goodPdf('a PDF with a film', () => make.pdfOf({ objects: ['<</Subtype/RichMedia>>'] }), Finding.RichMedia),
  goodPdf('a PDF that is also a ZIP archive at its end', () =>
    Buffer.concat([make.pdfOf(), make.zipOf([{ name: 'a.txt' }])]),
  ),

  badPdf('a program named .pdf', binary('4d5a9000'), 'an executable program'),
  badPdf('a program for Linux named .pdf', binary('7f454c46'), 'an executable program'),
  badPdf('a shortcut named .pdf', binary('4c0000000114020000000000c000000000000046'), 'a shortcut to a program'),
  badPdf('a picture named .pdf', binary('89504e470d0a1a0a'), 'a PNG image'),
  badPdf('a photograph named .pdf', binary('ffd8ffe0'), 'a JPEG image'),
  badPdf('a web page named .pdf', text('\n<!DOCTYPE html><script>alert(1)</script>'), 'a web page'),
  badPdf('a text named .pdf', text('I am a résumé, honestly.'), 'plain text'),
  badPdf('a rich text named .pdf', text('{\\rtf1 hello}'), 'a rich text (RTF) file'),
  badPdf('a script named .pdf', text('#!/bin/sh\nexit\n'), 'a script'),
  badPdf('a DOCX named .pdf', () => make.docxOf(), 'a DOCX file'),
  badPdf('a DOC named .pdf', () => make.oleOf([word()]), 'a DOC file'),
  badPdf('an archive named .pdf', () => make.zipOf([{ name: 'a.txt', content: 'a' }]), 'a ZIP archive'),
  badPdf('zeros named .pdf', () => Buffer.alloc(4096), 'nothing that is known'),
  badPdf('one byte named .pdf', text('%'), 'plain text'),
  badPdf('a PDF behind the first KiB', () => make.pdfOf({ before: '\0'.repeat(1025) }), 'nothing that is known'),
  badPdf('a program that is also a PDF', () => make.pdfOf({ before: `MZ${'\0'.repeat(62)}` }), 'an executable program'),
  badPdf(
    'a web page that is also a PDF',
    () => make.pdfOf({ before: '<html><script>alert(1)</script><!--' }),
    'a web page',
  ),
  badPdf('a picture that is also a PDF', () => make.pdfOf({ before: 'GIF89a' }), 'a GIF image'),
  badPdf(
    'an archive that is also a PDF',
    () => make.zipOf([{ name: 'a.pdf', content: make.pdfOf(), isStored: true }]),
    'a ZIP archive',
  ),
];

const DOCXS: readonly CorpusCase[] = [
  goodDocx('a DOCX of an office program', real('resume.docx')),
  goodDocx('a DOCX as Word writes it', () =>
    make.docxOf(
      { name: 'word/styles.xml', content: '<w:styles/>' },
      { name: 'docProps/app.xml', content: '<Properties/>' },
    ),
  ),
  goodDocx('a DOCX as LibreOffice writes it, with entries that are not packed', () =>
    make.zipOf([make.packagePart, { ...make.documentPart(), isStored: true }, { ...make.typesPart(), isStored: true }]),
  ),
  goodDocx('a DOCX written as a stream, with sizes behind the bytes', () =>
    make.zipOf(
      [make.typesPart(), make.packagePart, make.documentPart()].map((part) => ({ ...part, hasDescriptor: true })),
    ),
  ),
  goodDocx('a DOCX with 64-bit records', make.zip64Docx),
  goodDocx('a DOCX whose main part has another name', () =>
    make.zipOf([
      make.typesPart(undefined, '/word/document2.xml'),
      make.packagePart,
      { ...make.documentPart(), name: 'word/document2.xml' },
    ]),
  ),
  goodDocx('a DOCX in UTF-16', () =>
    make.zipOf([
      { ...make.typesPart(), content: Buffer.from(`\ufeff${String(make.typesPart().content)}`, 'utf16le') },
      make.documentPart(),
    ]),
  ),
  goodDocx('a DOCX with 1997 pictures', () => make.docxOf(...many(1997))),
  goodDocx('a DOCX with 4 MB of pictures', () =>
    make.docxOf({ name: 'word/media/image1.png', content: noise(4_000_000) }),
  ),
  goodDocx('a DOCX with links to the web', () => make.docxOf(make.externalPart('hyperlink'))),
  goodDocx(
    'a DOCX with a template from the web',
    () => make.docxOf(make.externalPart('attachedTemplate', { name: 'word/_rels/settings.xml.rels' })),
    Finding.ExternalContent,
  ),
  goodDocx(
    'a DOCX with an object from the web',
    () => make.docxOf(make.externalPart('oleObject')),
    Finding.ExternalContent,
  ),
  goodDocx(
    'a DOCX with a frame from the web, in references',
    () => make.docxOf(make.externalPart('fr&#97;me', { mode: '&#x45;xternal' })),
    Finding.ExternalContent,
  ),
  goodDocx(
    'a DOCX with a workbook inside',
    () => make.docxOf({ name: 'word/embeddings/oleObject1.bin', content: 'x' }),
    Finding.EmbeddedFiles,
  ),

  badDocx(
    'an archive without a document',
    () => make.zipOf([{ name: 'a.txt', content: 'a' }]),
    'a ZIP archive without a Word document',
  ),
  badDocx(
    'a workbook named .docx',
    () =>
      make.zipOf([make.typesPart('application/xml', '/xl/workbook.xml'), { name: 'xl/workbook.xml', content: '<x/>' }]),
    'an Excel workbook',
  ),
  badDocx(
    'a presentation named .docx',
    () => make.zipOf([make.typesPart('application/xml'), { name: 'ppt/presentation.xml', content: '<x/>' }]),
    'a PowerPoint presentation',
  ),
  badDocx('a Java program named .docx', () => make.zipOf([{ name: 'META-INF/MANIFEST.MF' }]), 'a Java program'),
  badDocx(
    'a template named .docx',
    () =>
      make.zipOf([
        make.typesPart('application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml'),
        make.documentPart(),
      ]),
    'a Word template',
  ),
  badDocx('a PDF named .docx', () => make.pdfOf(), 'a PDF file'),
  badDocx('a DOC named .docx', () => make.oleOf([word()]), 'a DOC file'),
  badDocx(
    'a DOCX protected by a password',
    () => make.oleOf([{ name: 'EncryptionInfo' }, { name: 'EncryptedPackage' }]),
    'an Office document protected by a password',
  ),
  badDocx(
    'a DOCX with macros',
    () => make.docxOf({ name: 'word/vbaProject.bin', content: 'x' }),
    'a document with macros',
  ),
  badDocx(
    'a DOCX with macros in another folder',
    () => make.docxOf({ name: 'x/VBAPROJECT.BIN', content: 'x' }),
    'a document with macros',
  ),
  badDocx(
    'a document of the type with macros',
    () => make.zipOf([make.typesPart('application/vnd.ms-word.document.macroEnabled.main+xml'), make.documentPart()]),
    'a document with macros',
  ),
  ...[
    '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE w SYSTEM "https://example.com/w.dtd">',
    `<!--${'x'.repeat(100_000)}--><!DOCTYPE w>`,
    '<?x ?>\n<!--<a>--><!DOCTYPE w>',
  ].map((declaration, index) =>
    badDocx(
      `a DOCX with declarations of its own, number ${index + 1}`,
      () =>
        make.zipOf([make.typesPart(), make.packagePart, make.documentPart(declaration, noise(10_000).toString('hex'))]),
      'a document with XML declarations that are not allowed in it',
    ),
  ),
  badDocx(
    'a DOCX with declarations of its own in UTF-16',
    () => make.docxOf({ name: 'word/styles.xml', content: Buffer.from('\ufeff<!DOCTYPE x><x/>', 'utf16le') }),
    'a document with XML declarations that are not allowed in it',
  ),
  badDocx(
    'a DOCX with 110,000 tags in its relationships',
    () =>
      make.docxOf(
        { name: 'word/_rels/document.xml.rels', content: `<Relationships>${'<R/>'.repeat(110_000)}</Relationships>` },
        { name: 'word/media/image1.png', content: noise(10_000) },
      ),
    'a document with more XML tags than any has',
  ),
  badDocx(
    'a bomb of 51 MB',
    () =>
      make.docxOf(
        ...Array.from({ length: 17 }, (_, index) => ({
          name: `word/media/image${index}.bmp`,
          content: Buffer.concat([zeros(3), noise(60_000)]),
        })),
      ),
    'a ZIP archive that unpacks to more than 50 MB',
  ),
  badDocx(
    'a bomb of one entry',
    () => make.docxOf({ name: 'word/media/image1.bmp', content: zeros(10) }),
    'a ZIP archive that unpacks to more than 100 times its size',
  ),
  badDocx(
    'a bomb of many small entries',
    () =>
      make.docxOf(
        ...Array.from({ length: 40 }, (_, index) => ({
          name: `word/media/image${index}.bmp`,
          content: Buffer.alloc(1_000_000),
        })),
      ),
    'a ZIP archive that unpacks to more than 100 times its size',
  ),
  badDocx(
    'a bomb that lies about its size',
    () => make.docxOf({ name: 'word/media/image1.bmp', content: zeros(60), claims: 100_000 }),
    'a ZIP archive that lies about its sizes',
  ),
  badDocx(
    'a bomb of claims',
    () => make.docxOf({ name: 'word/media/image1.bmp', content: 'x', claims: 0xfffffff0 }),
    'a ZIP archive that unpacks to more than 100 times its size',
  ),
  badDocx('an archive of 2001 entries', () => make.docxOf(...many(1998)), 'a ZIP archive with more than 2000 entries'),
  badDocx(
    'an entry that leads out of the archive',
    () => make.docxOf({ name: 'word/../../evil.xml' }),
    'a ZIP archive with names that lead out of it',
  ),
  badDocx(
    'an entry with an absolute name',
    () => make.docxOf({ name: '/etc/passwd' }),
    'a ZIP archive with names that lead out of it',
  ),
  badDocx(
    'an entry on a drive',
    () => make.docxOf({ name: 'C:evil.xml' }),
    'a ZIP archive with names that lead out of it',
  ),
  badDocx(
    'an entry with a NUL in its name',
    () => make.docxOf({ name: 'word/a\0.xml' }),
    'a ZIP archive with names that lead out of it',
  ),
  badDocx('an entry named twice', () => make.docxOf(make.documentPart()), 'a ZIP archive that names a file twice'),
  badDocx(
    'an entry named twice, in capitals',
    () => make.docxOf({ name: 'WORD/DOCUMENT.XML' }),
    'a ZIP archive that names a file twice',
  ),
  badDocx(
    'an entry inside of another one',
    () => {
      const inner = { name: 'word/inner.xml', content: '<x/>' };
      const outer = { name: 'outer.zip', content: make.zipOf([inner]), isStored: true };
      return make.zipOf([outer, make.typesPart(), make.documentPart(), { ...inner, at: 30 + outer.name.length }]);
    },
    'a ZIP archive with overlapping entries',
  ),
  badDocx(
    'an entry with two names',
    () => make.docxOf({ name: 'word/a.xml', localName: 'word/b.xml' }),
    'a damaged ZIP archive',
  ),
  badDocx(
    'an encrypted entry',
    () => make.docxOf({ name: 'word/media/a.png', content: 'x', isEncrypted: true }),
    'an encrypted ZIP archive',
  ),
  badDocx(
    'an entry packed by another method',
    () => make.docxOf({ name: 'word/media/a.png', content: 'x', method: 14 }),
    'a ZIP archive that is packed in an unusual way',
  ),
  badDocx('a DOCX cut off in the middle', () => make.docxOf().subarray(0, 400), 'a damaged ZIP archive'),
  badDocx('a DOCX without its last byte', () => without(make.docxOf(), 1), 'a damaged ZIP archive'),
  badDocx(
    'a DOCX with a changed bit',
    () => {
      const bytes = make.zipOf([make.typesPart(), { ...make.documentPart(), isStored: true }]);
      bytes.writeUInt8(0x58, bytes.indexOf('Resume'));
      return bytes;
    },
    'a damaged ZIP archive',
  ),
];

const DOCS: readonly CorpusCase[] = [
  goodDoc('a DOC of an office program', real('resume.doc')),
  goodDoc('a DOC with sectors of 512 bytes', () => make.oleOf([{ name: '1Table' }, word()])),
  goodDoc('a DOC with sectors of 4096 bytes', () => make.oleOf([{ name: '1Table' }, word()], { shift: 12 })),
  goodDoc('a DOC with macros', () => make.oleOf([word(), { name: 'Macros', isStorage: true }]), Finding.Macros),
  goodDoc(
    'a DOC with macros of another storage',
    () => make.oleOf([{ name: '_VBA_PROJECT_CUR', isStorage: true }, word()]),
    Finding.Macros,
  ),
  goodDoc('a DOC that is encrypted', () => make.oleOf([word(0x0100)]), Finding.Encrypted),
  goodDoc('a DOC without its information block', () => make.oleOf([{ name: 'WordDocument' }]), Finding.Damaged),
  goodDoc('a DOC cut off in its text', () => without(make.oleOf([word()]), 1000), Finding.Truncated),

  badDoc('a workbook named .doc', () => make.oleOf([{ name: 'Workbook' }]), 'an Excel workbook'),
  badDoc('a presentation named .doc', () => make.oleOf([{ name: 'PowerPoint Document' }]), 'a PowerPoint presentation'),
  badDoc('a message named .doc', () => make.oleOf([{ name: '__properties_version1.0' }]), 'an Outlook message'),
  badDoc(
    'an installer named .doc',
    () => make.oleOf([{ name: '!_StringData' }]),
    'an Office 97 file without a Word document',
  ),
  badDoc(
    'a DOC whose directory goes round in a circle',
    () => {
      const bytes = make.oleOf([word()]);
      bytes.writeUInt32LE(1, 512 + 4);
      return bytes;
    },
    'a damaged Office 97 file',
  ),
  badDoc('a DOC cut off before its directory', () => make.oleOf([word()]).subarray(0, 700), 'a damaged Office 97 file'),
  badDoc('a signature alone', () => Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'a damaged Office 97 file'),
  badDoc('a DOCX named .doc', () => make.docxOf(), 'a DOCX file'),
  badDoc('a rich text named .doc', text('{\\rtf1 hello}'), 'a rich text (RTF) file'),
  badDoc('a web page named .doc', text('<html xmlns:w="urn:schemas-microsoft-com:office:word">'), 'a web page'),
];

const FORMS: readonly CorpusCase[] = [
  empty('pdf'),
  empty('doc'),
  empty('docx'),
  tooLarge('a PDF of one byte too many', LIMIT + 1, 'resume.pdf', MEDIA.pdf),
  tooLarge('a program of one byte too many', LIMIT + 1, 'setup.exe', 'application/octet-stream'),
  misnamed('a PDF without extension', 'resume', MEDIA.pdf),
  misnamed('a PDF named .exe', 'resume.pdf.exe', MEDIA.pdf),
  misnamed('a PDF declared as a DOC', 'resume.pdf', MEDIA.doc),
  misnamed('a PDF declared as nothing in particular', 'resume.pdf', 'application/octet-stream'),
  misnamed('a PDF named .docm', 'resume.docm', MEDIA.docx),
];

/** Files and forms as strangers send them: good ones of different writers, and every bad kind that is known. */
export const CORPUS: readonly CorpusCase[] = [...PDFS, ...DOCXS, ...DOCS, ...FORMS];
