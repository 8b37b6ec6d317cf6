import { makeZip } from './documents.mjs';

const NAMESPACE = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main';
const RELATIONSHIPS = 'http://schemas.openxmlformats.org/package/2006/relationships';
const OFFICE_DOCUMENT = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument';
const CONTENT_TYPES = 'http://schemas.openxmlformats.org/package/2006/content-types';
const MAIN_TYPE = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml';

/** A DOCX with this inside its body. */
export function docxOfBody(body: string | Buffer): Buffer {
  const document = [`<?xml version="1.0"?><w:document xmlns:w="${NAMESPACE}"><w:body>`, '</w:body></w:document>'];
  return makeZip([
    {
      name: '[Content_Types].xml',
      content: `<?xml version="1.0"?><Types xmlns="${CONTENT_TYPES}"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="${MAIN_TYPE}"/></Types>`,
    },
    {
      name: '_rels/.rels',
      content: `<?xml version="1.0"?><Relationships xmlns="${RELATIONSHIPS}"><Relationship Id="r1" Type="${OFFICE_DOCUMENT}" Target="word/document.xml"/></Relationships>`,
    },
    {
      name: 'word/document.xml',
      content: Buffer.concat([Buffer.from(document[0]!), Buffer.from(body), Buffer.from(document[1]!)]),
    },
  ]);
}

/** A DOCX of one paragraph. The text must be fit for XML. */
export const docxOfText = (text: string): Buffer =>
  docxOfBody(`<w:p><w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`);

/** A PDF of these objects, the first of which is its catalog. ISO 32000-1, 7.5. */
export function pdfOfObjects(objects: readonly string[], trailer = ''): Buffer {
  let body = '%PDF-1.7\n';
  const offsets = objects.map((object, index) => {
    const at = body.length;
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(at).padStart(10, '0')} 00000 n \n`;
  });
  const size = objects.length + 1;
  return Buffer.from(
    `${body}xref\n0 ${size}\n0000000000 65535 f \n${offsets.join('')}trailer<</Size ${size}/Root 1 0 R${trailer}>>\nstartxref\n${body.length}\n%%EOF\n`,
    'latin1',
  );
}

export const streamOf = (content: string, entries = ''): string =>
  `<<${entries}/Length ${content.length}>>stream\n${content}\nendstream`;

const hex = (text: string): string => Buffer.from(text, 'utf16le').swap16().toString('hex');

interface PageOptions {
  /** What the codes of the font F1 stand for, from 1 on. */
  readonly characters?: readonly string[];
  /** Entries of the trailer. */
  readonly trailer?: string;
  /** Entries of the page's resources. */
  readonly resources?: string;
  /** Objects from number 8 on. */
  readonly further?: readonly string[];
}

/** A PDF of one page with this content stream. */
export function pdfOfContent(content: string, options: PageOptions = {}): Buffer {
  const { characters = [], trailer, resources = '', further = [] } = options;
  const mappings = characters.map((character, index) => `${codeOf(index + 1)} <${hex(character)}>`);
  // at most 100 in one list. Adobe Technical Note 5411, 1.4
  const toUnicode = `begincmap 1 begincodespacerange <0000> <ffff> endcodespacerange ${mappings.length} beginbfchar ${mappings.join(' ')} endbfchar endcmap`;
  return pdfOfObjects(
    [
      '<</Type/Catalog/Pages 2 0 R>>',
      '<</Type/Pages/Kids[3 0 R]/Count 1>>',
      `<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>${resources}>>>>`,
      streamOf(content),
      '<</Type/Font/Subtype/Type0/BaseFont/Any/Encoding/Identity-H/DescendantFonts[6 0 R]/ToUnicode 7 0 R>>',
      '<</Type/Font/Subtype/CIDFontType2/BaseFont/Any/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/DW 500>>',
      streamOf(toUnicode),
      ...further,
    ],
    trailer,
  );
}

const codeOf = (code: number): string => `<${code.toString(16).padStart(4, '0')}>`;

/** Shows these characters one after another. */
const showing = (characters: readonly string[]): string =>
  `BT /F1 12 Tf 40 800 Td ${characters.map((_, index) => `${codeOf(index + 1)} Tj`).join(' ')} ET`;

/** A PDF of one line of at most 100 characters. */
export function pdfOfText(text: string, trailer = ''): Buffer {
  // half a pair stays what it is
  const characters = [...text];
  return pdfOfContent(showing(characters), { characters, trailer });
}

/** A small PDF that shows the same word ten to the given power times: each of its forms shows the next one ten times. */
export function pdfOfForms(levels: number): Buffer {
  const name = (level: number): string => `/X${level} ${8 + level} 0 R`;
  const forms = Array.from({ length: levels + 1 }, (_, level) =>
    streamOf(
      level === levels ? showing(['a', 'gain']) : `/X${level + 1} Do `.repeat(10),
      `/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>/XObject<<${level === levels ? '' : name(level + 1)}>>>>`,
    ),
  );
  return pdfOfContent('/X0 Do', { characters: ['a', 'gain'], resources: `/XObject<<${name(0)}>>`, further: forms });
}
