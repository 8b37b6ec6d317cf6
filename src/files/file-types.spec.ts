import { BufferContent } from '../../test/support/content.js';
import { makeDoc, makeDocx, makeOle, makePdf, makeZip, MEDIA } from '../../test/support/documents.mjs';
import { declaredType, type FileType, RESUME_TYPES } from './file-types.js';

const typeNamed = (name: string): FileType => RESUME_TYPES.find((type) => type.name === name)!;

const matches = async (name: string, bytes: Buffer): Promise<boolean> =>
  (await typeNamed(name).inspect(new BufferContent(bytes))).isOfType;

describe('RESUME_TYPES', () => {
  it('are PDF, DOC and DOCX, each with its one extension and media type', () => {
    expect(RESUME_TYPES.map(({ name, extension, mediaType }) => [name, extension, mediaType])).toEqual([
      ['PDF', '.pdf', 'application/pdf'],
      ['DOC', '.doc', 'application/msword'],
      ['DOCX', '.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ]);
  });

  it.each<[string, Buffer, string[]]>([
    ['a PDF', makePdf(), ['PDF']],
    ['a DOC', makeDoc(), ['DOC']],
    ['a DOCX', makeDocx(), ['DOCX']],
    ['a workbook of Excel 97', makeOle('Workbook'), []],
    ['a zip archive', makeZip([{ name: 'readme.txt', content: 'hello' }]), []],
    ['a text', Buffer.from('I am a résumé, honestly.'), []],
    ['a web page', Buffer.from('<!doctype html><script>alert(1)</script>'), []],
    ['a program for Windows', Buffer.concat([Buffer.from('MZ\x90\0'), Buffer.alloc(4096)]), []],
    ['a program for Linux', Buffer.concat([Buffer.from('7f454c46', 'hex'), Buffer.alloc(4096)]), []],
    ['a picture', Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(2048)]), []],
    ['a text of another format', Buffer.from('{\\rtf1 hello}'), []],
    ['nothing', Buffer.alloc(0), []],
    ['one byte', Buffer.alloc(1, '%'), []],
  ])('know %s by its content', async (_, bytes, expected) => {
    const names = [];
    for (const { name } of RESUME_TYPES) if (await matches(name, bytes)) names.push(name);

    expect(names).toEqual(expected);
  });
});

describe('PDF', () => {
  it.each([
    ['at the beginning', 0, true],
    ['behind a byte order mark', 3, true],
    ['in the middle of the first kilobyte', 512, true],
    ['at the end of the first kilobyte', 1019, true],
    ['partly outside of the first kilobyte', 1020, false],
    ['outside of the first kilobyte', 1024, false],
  ])('has its header %s', async (_, offset, expected) => {
    expect(await matches('PDF', Buffer.concat([Buffer.alloc(offset, ' '), makePdf()]))).toBe(expected);
  });

  it.each(['%PDF', '%pdf-1.7', 'PDF-1.7', '% PDF-1.7', '%PDF 1.7', '%FDF-1.2', '%!PS-Adobe-3.0'])(
    'is not what begins with %s',
    async (header) => {
      expect(await matches('PDF', Buffer.from(`${header}\n`))).toBe(false);
    },
  );
});

describe('declaredType', () => {
  it.each([
    ['cv.pdf', MEDIA.pdf, 'PDF'],
    ['cv.doc', MEDIA.doc, 'DOC'],
    ['cv.docx', MEDIA.docx, 'DOCX'],
    ['CV.PDF', MEDIA.pdf, 'PDF'],
    ['Cv.DocX', MEDIA.docx, 'DOCX'],
    ['cv.pdf', 'Application/PDF', 'PDF'],
    ['cv.exe.pdf', MEDIA.pdf, 'PDF'],
    ['.pdf', MEDIA.pdf, 'PDF'],
    ['Résumé 2026.pdf', MEDIA.pdf, 'PDF'],
  ])('takes %s, declared as %s, for a %s', (name, media, expected) => {
    expect(declaredType(RESUME_TYPES, name, media)?.name).toBe(expected);
  });

  it.each([
    ['cv.pdf', MEDIA.doc],
    ['cv.pdf', MEDIA.docx],
    ['cv.doc', MEDIA.docx],
    ['cv.docx', MEDIA.doc],
    ['cv.doc', MEDIA.pdf],
    ['cv.pdf', 'text/plain'],
    ['cv.pdf', 'application/octet-stream'],
    ['cv.pdf', ''],
    ['cv.pdf', 'application/pdf2'],
    ['cv.pdf', 'xapplication/pdf'],
    ['cv.exe', MEDIA.pdf],
    ['cv.txt', 'text/plain'],
    ['cv.pdf.exe', MEDIA.pdf],
    ['cv.pdf ', MEDIA.pdf],
    ['cv.pdf\0', MEDIA.pdf],
    ['cv.pdf.', MEDIA.pdf],
    ['pdf', MEDIA.pdf],
    ['cvpdf', MEDIA.pdf],
    ['cv.docm', MEDIA.docx],
    ['cv.dot', MEDIA.doc],
    ['', MEDIA.pdf],
  ])('refuses %j, declared as %j', (name, media) => {
    expect(declaredType(RESUME_TYPES, name, media)).toBeUndefined();
  });

  it('knows only the types asked for', () => {
    expect(declaredType([typeNamed('PDF')], 'cv.doc', MEDIA.doc)).toBeUndefined();
  });
});
