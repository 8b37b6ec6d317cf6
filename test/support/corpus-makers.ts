import { crc32, deflateRawSync, deflateSync } from 'node:zlib';

/** What a zip writer can do differently from the plain ones, rightly or wrongly. */
export interface ZipPart {
  readonly name: string;
  readonly content?: string | Buffer;
  readonly isStored?: boolean;
  /** Sizes and checksum follow the bytes, as writers of streams do it. APPNOTE.TXT 4.3.9 */
  readonly hasDescriptor?: boolean;
  readonly isEncrypted?: boolean;
  /** The size that both headers claim. */
  readonly claims?: number;
  /** It has only a directory entry, which points here. */
  readonly at?: number;
  /** The name that the header before the bytes has. */
  readonly localName?: string;
  readonly method?: number;
}

/** A zip archive, byte by byte as asked for. */
export function zipOf(parts: readonly ZipPart[]): Buffer {
  const [locals, centrals]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const part of parts) {
    const bytes = Buffer.from(part.content ?? '');
    const packed = part.isStored === true ? bytes : deflateRawSync(bytes);
    const header = (name: string, isLocal: boolean): Buffer => {
      const isLater = isLocal && part.hasDescriptor === true;
      const common = Buffer.alloc(26);
      common.writeUInt16LE(20, 0);
      common.writeUInt16LE(0x0800 | (part.hasDescriptor === true ? 8 : 0) | (part.isEncrypted === true ? 1 : 0), 2);
      common.writeUInt16LE(part.method ?? (part.isStored === true ? 0 : 8), 4);
      common.writeUInt32LE(0x5a210000, 6);
      common.writeUInt32LE(isLater ? 0 : crc32(bytes), 10);
      common.writeUInt32LE(isLater ? 0 : packed.length, 14);
      common.writeUInt32LE(isLater ? 0 : (part.claims ?? bytes.length), 18);
      common.writeUInt16LE(Buffer.byteLength(name), 22);
      return common;
    };
    const localName = part.localName ?? part.name;
    const descriptor = Buffer.alloc(part.hasDescriptor === true ? 16 : 0);
    if (descriptor.length > 0) {
      descriptor.write('504b0708', 'hex');
      descriptor.writeUInt32LE(crc32(bytes), 4);
      descriptor.writeUInt32LE(packed.length, 8);
      descriptor.writeUInt32LE(bytes.length, 12);
    }
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(part.at ?? offset, 10);
    centrals.push(Buffer.from('504b01021400', 'hex'), header(part.name, false), tail, Buffer.from(part.name));
    const local = [Buffer.from('504b0304', 'hex'), header(localName, true), Buffer.from(localName), packed, descriptor];
    if (part.at !== undefined) continue;
    locals.push(...local);
    offset += Buffer.concat(local).length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('504b0506', 'hex');
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

const WORD = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml';
const RELATIONSHIPS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n';

/** The list of types of a document; `type` is that of its main part. */
export const typesPart = (type = WORD, part = '/word/document.xml'): ZipPart => ({
  name: '[Content_Types].xml',
  content: `${DECLARATION}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="${part}" ContentType="${type}"/></Types>`,
});

const relationships = (inner: string): string =>
  `${DECLARATION}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${inner}</Relationships>`;

export const packagePart: ZipPart = {
  name: '_rels/.rels',
  content: relationships(`<Relationship Id="rId1" Type="${RELATIONSHIPS}/officeDocument" Target="word/document.xml"/>`),
};

/** Relationships of a part to something outside of the package. */
export const externalPart = (
  kind: string,
  { name = 'word/_rels/document.xml.rels', mode = 'External' } = {},
): ZipPart => ({
  name,
  content: relationships(
    `<!-- ' --><Relationship Id="rId9" Type="${RELATIONSHIPS}/${kind}" Target="https://example.com/x" TargetMode="${mode}"/>`,
  ),
});

export const documentPart = (before = '', text = 'Resume of a test'): ZipPart => ({
  name: 'word/document.xml',
  content: `${DECLARATION}${before}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>${text}</w:t></w:r></w:p></w:body></w:document>`,
});

/** The three parts of every document, and further ones. */
export const docxOf = (...more: readonly ZipPart[]): Buffer =>
  zipOf([typesPart(), packagePart, documentPart(), ...more]);

/** A document whose sizes and directory stand in the records of 64 bits. APPNOTE.TXT 4.3.14, 4.3.15 */
export function zip64Docx(): Buffer {
  const plain = docxOf();
  const end = plain.length - 22;
  const record = Buffer.alloc(56);
  record.write('504b0606', 'hex');
  record.writeBigUInt64LE(44n, 4);
  for (const at of [24, 32]) record.writeBigUInt64LE(3n, at);
  record.writeBigUInt64LE(BigInt(plain.readUInt32LE(end + 12)), 40);
  record.writeBigUInt64LE(BigInt(plain.readUInt32LE(end + 16)), 48);
  const locator = Buffer.alloc(20);
  locator.write('504b0607', 'hex');
  locator.writeBigUInt64LE(BigInt(end), 8);
  locator.writeUInt32LE(1, 16);
  const tail = Buffer.alloc(22, 0xff);
  tail.write('504b050600000000', 'hex');
  tail.writeUInt16LE(0, 20);
  return Buffer.concat([plain.subarray(0, end), record, locator, tail]);
}

interface PdfOptions {
  /** What the catalog says beside its pages. */
  readonly catalog?: string;
  readonly trailer?: string;
  /** Further objects, numbered from 5. */
  readonly objects?: readonly (string | Buffer)[];
  /** Bytes before the header. */
  readonly before?: string;
  /** Positions count from the first byte of the file, not from the header. */
  readonly countsFromFile?: boolean;
}

/** A PDF with a cross-reference table. ISO 32000-2, 7.5 */
export function pdfOf({
  catalog = '',
  trailer = '',
  objects = [],
  before = '',
  countsFromFile = false,
}: PdfOptions = {}): Buffer {
  const all = [
    `<</Type/Catalog/Pages 2 0 R${catalog}>>`,
    '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>',
    '<</Length 39>>stream\nBT /F1 24 Tf (Skills: HTML/JavaScript) Tj ET\nendstream',
    ...objects,
  ];
  const parts: Buffer[] = [Buffer.from(`${before}%PDF-1.7\n%\xe2\xe3\xcf\xd3\n`, 'latin1')];
  const position = (): number => Buffer.concat(parts).length - (countsFromFile ? 0 : before.length);
  const offsets = all.map((object, index) => {
    const at = position();
    parts.push(Buffer.from(`${index + 1} 0 obj\n`), Buffer.from(object), Buffer.from('\nendobj\n'));
    return at;
  });
  const xref = position();
  const table = offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('');
  parts.push(
    Buffer.from(
      `xref\n0 ${all.length + 1}\n0000000000 65535 f \n${table}trailer\n<</Size ${all.length + 1}/Root 1 0 R${trailer}>>\nstartxref\n${xref}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}

/** A stream of objects, packed. ISO 32000-2, 7.5.7 */
export function objectStream(content: string | Buffer, dictionary = '/Filter/FlateDecode'): Buffer {
  const bytes = Buffer.concat([Buffer.from('10 0 11 30 '), Buffer.from(content)]);
  const packed = dictionary.includes('FlateDecode') ? deflateSync(bytes) : bytes;
  return Buffer.concat([
    Buffer.from(`<</Type/ObjStm/N 2/First 11${dictionary}/Length ${packed.length}>>\nstream\r\n`),
    packed,
    Buffer.from('\nendstream'),
  ]);
}

/** A PDF whose cross-reference section is a stream. ISO 32000-2, 7.5.8 */
export function xrefStreamPdf(objects: readonly Buffer[] = [], more = ''): Buffer {
  const head = Buffer.from(
    '%PDF-1.5\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n',
  );
  const body = Buffer.concat([
    head,
    ...objects.map((object, index) =>
      Buffer.concat([Buffer.from(`${index + 3} 0 obj\n`), object, Buffer.from('\nendobj\n')]),
    ),
  ]);
  const packed = deflateSync(Buffer.alloc(20));
  return Buffer.concat([
    body,
    Buffer.from(
      `9 0 obj\n<</DecodeParms<</Columns 4/Predictor 12>>/Filter/FlateDecode/ID[<00><00>]/Info (a \\) b)/Length ${packed.length}/Root 1 0 R/Size 10/Type/XRef/W[1 2 1]${more}>>stream\r\n`,
    ),
    packed,
    Buffer.from(`\nendstream\nendobj\nstartxref\n${body.length}\n%%EOF`),
  ]);
}

/** A PDF that was saved again, each time with a section that refers to the one before. ISO 32000-2, 7.5.6 */
export function updatedPdf(times = 2): Buffer {
  let bytes = pdfOf();
  for (let count = 0; count < times; count += 1) {
    const previous = /startxref\n(\d+)\n%%EOF\n$/.exec(bytes.toString('latin1'))?.[1] ?? '';
    const object = `1 0 obj<</Type/Catalog/Pages 2 0 R/Version/1.${count}>>endobj\n`;
    const xref = bytes.length + object.length;
    const update = `${object}xref\n1 1\n${String(bytes.length).padStart(10, '0')} 00000 n \ntrailer<</Size 5/Root 1 0 R/Prev ${previous}>>\nstartxref\n${xref}\n%%EOF\n`;
    bytes = Buffer.concat([bytes, Buffer.from(update)]);
  }
  return bytes;
}

/** A PDF whose first section stands at its beginning and refers to the one at its end. ISO 32000-2, annex F */
export function linearizedPdf(): Buffer {
  const entry = (at: number): string => `${String(at).padStart(10, '0')} 00000 n \n`;
  const start = '%PDF-1.4\n1 0 obj<</Linearized 1/L 999/H[1 2]/O 3/E 9/N 1/T 99>>endobj\n';
  const first = (previous: number): string =>
    `xref\n3 1\n${entry(9)}trailer<</Size 4/Root 2 0 R/Prev ${String(previous).padStart(10, ' ')}>>\nstartxref\n0\n%%EOF\n`;
  const body = '2 0 obj<</Type/Catalog/Pages 3 0 R>>endobj\n3 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n';
  const main = start.length + first(0).length + body.length;
  return Buffer.from(
    `${start}${first(main)}${body}xref\n0 3\n0000000000 65535 f \n${entry(9)}${entry(99)}trailer<</Size 3>>\nstartxref\n${start.length}\n%%EOF\n`,
  );
}

export interface OleChild {
  readonly name: string;
  readonly isStorage?: boolean;
  readonly content?: Buffer;
}

/** The stream of a Word document; `flags` stand at byte 10. [MS-DOC] 2.5.2 */
export function wordStream(flags = 0): Buffer {
  const bytes = Buffer.alloc(4096);
  bytes.writeUInt16LE(0xa5ec, 0);
  bytes.writeUInt16LE(0x00c1, 2);
  bytes.writeUInt16LE(flags, 10);
  return bytes;
}

/** A compound file with these children of the root. [MS-CFB] */
export function oleOf(children: readonly OleChild[], { shift = 9 } = {}): Buffer {
  const sectorBytes = 1 << shift;
  const [none, end] = [0xffffffff, 0xfffffffe];
  const directorySectors = Math.ceil(((children.length + 1) * 128) / sectorBytes);
  const table = Buffer.alloc(sectorBytes, 0xff);
  table.writeUInt32LE(0xfffffffd, 0);
  let next = 1;
  const chain = (sectors: number): number => {
    const first = next;
    for (; next < first + sectors; next += 1)
      table.writeUInt32LE(next === first + sectors - 1 ? end : next + 1, next * 4);
    return first;
  };
  const directoryAt = chain(directorySectors);
  const entry = (name: string, type: number, start: number, size: number): Buffer => {
    const bytes = Buffer.alloc(128);
    bytes.write(name, 'utf16le');
    bytes.writeUInt16LE(name.length * 2 + 2, 64);
    bytes.set([type, 1], 66);
    for (const at of [68, 72, 76]) bytes.writeUInt32LE(none, at);
    bytes.writeUInt32LE(start, 116);
    bytes.writeUInt32LE(size, 120);
    return bytes;
  };
  const bodies: Buffer[] = [];
  const entries = children.map(({ name, isStorage = false, content = Buffer.alloc(isStorage ? 0 : 4096) }, index) => {
    const sectors = Math.ceil(content.length / sectorBytes);
    bodies.push(Buffer.concat([content, Buffer.alloc(sectors * sectorBytes - content.length)]));
    const bytes = entry(name, isStorage ? 1 : 2, isStorage ? 0 : chain(sectors), content.length);
    if (index + 1 < children.length) bytes.writeUInt32LE(index + 2, 72);
    return bytes;
  });
  const root = entry('Root Entry', 5, end, 0);
  if (children.length > 0) root.writeUInt32LE(1, 76);
  const directory = Buffer.alloc(directorySectors * sectorBytes);
  Buffer.concat([root, ...entries]).copy(directory);
  const header = Buffer.alloc(sectorBytes);
  header.write('d0cf11e0a1b11ae1', 'hex');
  header.writeUInt16LE(shift === 9 ? 3 : 4, 26);
  header.writeUInt16LE(0xfffe, 28);
  header.writeUInt16LE(shift, 30);
  header.writeUInt16LE(6, 32);
  header.writeUInt32LE(1, 44);
  header.writeUInt32LE(directoryAt, 48);
  header.writeUInt32LE(4096, 56);
  header.writeUInt32LE(end, 60);
  header.writeUInt32LE(end, 68);
  header.fill(0xff, 76, 512);
  header.writeUInt32LE(0, 76);
  return Buffer.concat([header, table, directory, ...bodies]);
}
