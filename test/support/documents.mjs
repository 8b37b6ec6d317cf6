import { crc32, deflateRawSync } from 'node:zlib';

// JavaScript, so that tools/ can make documents without a build.

export const MEDIA = /** @type {const} */ ({
  pdf: 'application/pdf',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
});

/**
 * A one-page PDF with a correct cross-reference table, filled up to the size asked for with a comment of this text, which is
 * repeated as often as it takes.
 */
export function makePdf(size = 0, filler = 'x') {
  const objects = [
    '<</Type/Catalog/Pages 2 0 R>>',
    '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>',
    '<</Length 44>>stream\nBT /F1 24 Tf 72 760 Td (Resume of a test) Tj ET\nendstream',
  ];
  const make = (/** @type {number} */ padding) => {
    let body = `%PDF-1.7\n%${filler.repeat(Math.ceil(padding / filler.length)).slice(0, padding)}\n`;
    const offsets = objects.map((object, index) => {
      const at = body.length;
      body += `${index + 1} 0 obj${object}endobj\n`;
      return at;
    });
    const table = offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('');
    const xref = body.length;
    return `${body}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer<</Size ${objects.length + 1}/Root 1 0 R>>\nstartxref\n${xref}\n%%EOF\n`;
  };
  let padding = Math.max(0, size - make(0).length);
  // the offsets' digits grow with the padding
  while (size > 0 && make(padding).length > size) padding -= 1;
  const pdf = Buffer.from(make(padding), 'latin1');
  return size > pdf.length ? Buffer.concat([pdf, Buffer.alloc(size - pdf.length, '\n')]) : pdf;
}

/**
 * @typedef {object} ZipEntry
 * @property {string} name
 * @property {string | Buffer} content
 * @property {boolean} [isStored] not deflated
 */

/** A zip archive. APPNOTE.TXT 6.3.10, 4.3. @param {readonly ZipEntry[]} entries */
export function makeZip(entries) {
  const locals = [];
  const centrals = [];
  let offset = 0;
  for (const { name, content, isStored = false } of entries) {
    const [nameBytes, bytes] = [Buffer.from(name), Buffer.from(content)];
    const packed = isStored ? bytes : deflateRawSync(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt16LE(isStored ? 0 : 8, 4);
    common.writeUInt32LE(0x5a210000, 6);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), common, nameBytes, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    centrals.push(Buffer.concat([Buffer.from('504b01021400', 'hex'), common, tail, nameBytes]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('504b0506', 'hex');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

/** The smallest document that Word opens, with these bytes as a picture that it does not show. @param {Buffer} [picture] */
export function makeDocx(picture) {
  return makeZip([
    {
      name: '[Content_Types].xml',
      content:
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="png" ContentType="image/png"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
    },
    {
      name: '_rels/.rels',
      content:
        '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
    },
    {
      name: 'word/document.xml',
      content:
        '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>Resume of a test</w:t></w:r></w:p></w:body></w:document>',
    },
    ...(picture === undefined ? [] : [{ name: 'word/media/image1.png', content: picture, isStored: true }]),
  ]);
}

/** A compound file ([MS-CFB]) with one stream. `streamName` other than WordDocument makes it another kind of document. */
export function makeOle(streamName = 'WordDocument', directorySectors = 1) {
  const free = 0xffffffff;
  const end = 0xfffffffe;
  const header = Buffer.alloc(512);
  Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(header);
  header.writeUInt16LE(0x3e, 24);
  header.writeUInt16LE(3, 26);
  header.writeUInt16LE(0xfffe, 28);
  header.writeUInt16LE(9, 30);
  header.writeUInt16LE(6, 32);
  header.writeUInt32LE(1, 44);
  header.writeUInt32LE(1, 48);
  header.writeUInt32LE(4096, 56);
  header.writeUInt32LE(end, 60);
  header.writeUInt32LE(end, 68);
  header.fill(0xff, 76);
  header.writeUInt32LE(0, 76);

  const table = Buffer.alloc(512, 0xff);
  table.writeUInt32LE(0xfffffffd, 0);
  for (let sector = 1; sector <= directorySectors; sector += 1)
    table.writeUInt32LE(sector === directorySectors ? end : sector + 1, sector * 4);
  const first = directorySectors + 1;
  for (let sector = 0; sector < 8; sector += 1)
    table.writeUInt32LE(sector === 7 ? end : first + sector + 1, (first + sector) * 4);

  /** @param {string} name @param {number} type @param {number} start @param {number} size */
  const entry = (name, type, start, size) => {
    const bytes = Buffer.alloc(128);
    const text = Buffer.from(name, 'utf16le');
    text.copy(bytes);
    bytes.writeUInt16LE(name === '' ? 0 : text.length + 2, 64);
    bytes[66] = type;
    bytes[67] = 1;
    for (const at of [68, 72, 76]) bytes.writeUInt32LE(free, at);
    bytes.writeUInt32LE(start, 116);
    bytes.writeUInt32LE(size, 120);
    return bytes;
  };
  const root = entry('Root Entry', 5, end, 0);
  root.writeUInt32LE(directorySectors * 4 - 1, 76);
  // the stream's entry stands last, in the last directory sector
  const empty = Array.from({ length: directorySectors * 4 - 2 }, () => entry('', 0, 0, 0));
  const directory = Buffer.concat([root, ...empty, entry(streamName, 2, first, 4096)]);
  // a document of Word begins with the mark of its information block: [MS-DOC] 2.5.2
  const stream = Buffer.alloc(4096, 0x20);
  stream.writeUInt16LE(0xa5ec, 0);
  return Buffer.concat([header, table, directory, stream]);
}

export const makeDoc = () => makeOle();
