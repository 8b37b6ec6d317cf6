import type { Content } from './content.js';
import { kindOfZip } from './docx.js';
import { kindOfOle } from './ole.js';

type Signature = readonly [offset: number, bytes: string, found: string];

const binary = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1');

/** How files of other types begin, as far as people mistake them for documents or wrongdoers disguise them. */
const SIGNATURES: readonly Signature[] = [
  [0, 'MZ', 'an executable program'],
  [0, binary('7f454c46'), 'an executable program'],
  [0, binary('cffaedfe'), 'an executable program'],
  [0, binary('cefaedfe'), 'an executable program'],
  [0, binary('cafebabe'), 'an executable program'],
  [0, binary('4c0000000114020000000000c000000000000046'), 'a shortcut to a program'],
  [0, '#!', 'a script'],
  [0, binary('89504e470d0a1a0a'), 'a PNG image'],
  [0, binary('ffd8ff'), 'a JPEG image'],
  [0, 'GIF8', 'a GIF image'],
  [0, binary('49492a00'), 'a TIFF image'],
  [0, binary('4d4d002a'), 'a TIFF image'],
  [8, 'WEBP', 'a WebP image'],
  [4, 'ftypheic', 'a HEIC image'],
  [0, '{\\rtf', 'a rich text (RTF) file'],
  [0, '%!PS', 'a PostScript file'],
  [0, binary('526172211a07'), 'a RAR archive'],
  [0, binary('377abcaf271c'), 'a 7-Zip archive'],
  [0, binary('1f8b'), 'a gzip archive'],
  [0, binary('504b0506'), 'an empty ZIP archive'],
];

const ZIP = binary('504b0304');
const OLE = binary('d0cf11e0a1b11ae1');

/** What a content looks like, as in "it looks like a PNG image"; undefined when it is nothing that is known. */
export async function kindOf(content: Content): Promise<string | undefined> {
  const head = (await content.read(0, 1024)).toString('latin1');
  if (head.startsWith(ZIP)) return kindOfZip(content);
  if (head.startsWith(OLE)) return kindOfOle(content);
  const known = SIGNATURES.find(([offset, bytes]) => head.startsWith(bytes, offset));
  if (known !== undefined) return known[2];
  const text = head.replace(/^\xef\xbb\xbf/, '').trimStart();
  if (/^<(?:!doctype html|html|head|body|script)[\s>]/i.test(text)) return 'a web page';
  if (/^<(?:svg|\?xml|!doctype)[\s>]/i.test(text)) return 'an XML file';
  return undefined;
}

/** The same for a content that is surely not what it should be; never undefined. */
export async function describeContent(content: Content): Promise<string> {
  const kind = await kindOf(content);
  if (kind !== undefined) return kind;
  const head = await content.read(0, 1024);
  if (head.includes('%PDF-')) return 'a PDF file';
  return /^[\t\n\f\r\x20-\x7e\x80-\xff]+$/.test(head.toString('latin1')) ? 'plain text' : 'nothing that is known';
}
