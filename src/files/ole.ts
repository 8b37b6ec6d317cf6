import type { Content } from './content.js';

const SIGNATURE = Buffer.from('d0cf11e0a1b11ae1', 'hex');
const END_OF_CHAIN = 0xfffffffe;
const ENTRY_BYTES = 128;
const STREAM = 2;
const NO_ENTRY = 0xffffffff;
/** A résumé's directory has a few dozen entries; a file that claims more is not one. */
const MOST_DIRECTORY_BYTES = 512 * 1024;

/**
 * Whether a file is a compound file with a stream named WordDocument at its root, as every Word 97–2003 document is. Follows
 * the directory's sectors and the root's tree of children within fixed bounds, and never trusts a number of the file.
 * [MS-CFB] 2.2 and 2.6.
 */
export async function hasWordDocument(file: Content): Promise<boolean> {
  const { sizeBytes: size } = file;
  const header = await readAt(file, 0, 512);
  if (header === undefined || !header.subarray(0, 8).equals(SIGNATURE)) return false;
  const shift = header.readUInt16LE(30);
  if (shift !== 9 && shift !== 12) return false;
  const directory = await readDirectory(file, header, size, 1 << shift);
  return directory !== undefined && rootHasWordStream(directory);
}

async function readDirectory(
  file: Content,
  header: Buffer,
  size: number,
  sectorBytes: number,
): Promise<Buffer | undefined> {
  const sectors = Math.ceil(size / sectorBytes);
  const sectorAt = (sector: number): Promise<Buffer | undefined> =>
    readAt(file, (sector + 1) * sectorBytes, sectorBytes);
  const found: Buffer[] = [];
  for (let sector = header.readUInt32LE(48); sector !== END_OF_CHAIN;) {
    if (sector >= sectors || found.length * sectorBytes >= MOST_DIRECTORY_BYTES) return undefined;
    const bytes = await sectorAt(sector);
    const next = await nextSector(header, sectorAt, sector, sectorBytes);
    if (bytes === undefined || next === undefined) return undefined;
    found.push(bytes);
    sector = next;
  }
  return Buffer.concat(found);
}

/** Walks the tree of the root's children; an entry may claim to be its own neighbour, so none is visited twice. */
function rootHasWordStream(directory: Buffer): boolean {
  const entryAt = (index: number): Buffer => directory.subarray(index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES);
  const visited = new Set<number>([NO_ENTRY]);
  const open = directory.length < ENTRY_BYTES ? [] : [entryAt(0).readUInt32LE(76)];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (visited.has(index) || (index + 1) * ENTRY_BYTES > directory.length) continue;
    visited.add(index);
    const entry = entryAt(index);
    if (isWordStream(entry)) return true;
    open.push(entry.readUInt32LE(68), entry.readUInt32LE(72));
  }
  return false;
}

function isWordStream(entry: Buffer): boolean {
  const nameBytes = entry.readUInt16LE(64);
  return entry[66] === STREAM && nameBytes === 26 && entry.toString('utf16le', 0, 24) === 'WordDocument';
}

/** The sector after this one, from the allocation table. The header lists the first 109 sectors of that table: 7 MB and more. */
async function nextSector(
  header: Buffer,
  sectorAt: (sector: number) => Promise<Buffer | undefined>,
  sector: number,
  sectorBytes: number,
): Promise<number | undefined> {
  const perTable = sectorBytes / 4;
  const index = Math.floor(sector / perTable);
  if (index >= 109) return undefined;
  const table = await sectorAt(header.readUInt32LE(76 + index * 4));
  return table?.readUInt32LE((sector % perTable) * 4);
}

async function readAt(file: Content, position: number, length: number): Promise<Buffer | undefined> {
  if (position > Number.MAX_SAFE_INTEGER - length) return undefined;
  const bytes = await file.read(position, length);
  return bytes.length === length ? bytes : undefined;
}
