import { BlockReader } from './block-reader.js';
import type { Content } from './content.js';
import { Finding } from './finding.js';
import { type Inspection, notOfType } from './inspection.js';

const SIGNATURE = Buffer.from('d0cf11e0a1b11ae1', 'hex');
const END_OF_CHAIN = 0xfffffffe;
const ENTRY_BYTES = 128;
const MINI_SECTOR_BYTES = 64;
const NO_ENTRY = 0xffffffff;
const MOST_DIRECTORY_BYTES = 512 * 1024;
/** So many sectors of the allocation table stand in the header: enough for 7 MB and more. */
const MOST_TABLES = 109;

const STORAGE = 1;
const STREAM = 2;

/** The first word of the information block (FIB) of Word 97 and later, and of Word 6 and 95. [MS-DOC] 2.5.2 */
const WORD_MARKS = [0xa5ec, 0xa5dc];

interface RootEntry {
  readonly isStream: boolean;
  readonly sector: number;
  readonly sizeBytes: number;
}

/** A compound file whose tables are read: the root's children by name. [MS-CFB] 2.2, 2.3, 2.6 */
interface CompoundFile {
  readonly reader: BlockReader;
  readonly sectorBytes: number;
  readonly chains: Chains;
  readonly miniCutoffBytes: number;
  readonly root: RootEntry;
  readonly children: ReadonlyMap<string, RootEntry>;
}

/**
 * Whether a compound file is a Word 97–2003 document: one with a stream named WordDocument at its root. Undefined when it is no
 * compound file. Follows sectors and entries within fixed bounds, and never trusts a number of the file.
 */
export async function inspectDoc(content: Content): Promise<Inspection | undefined> {
  if (!(await content.read(0, SIGNATURE.length)).equals(SIGNATURE)) return undefined;
  const file = await openCompoundFile(content);
  const document = file?.children.get('WordDocument');
  if (file === undefined || document?.isStream !== true) return notOfType(nameOf(file));
  const findings: Finding[] = [];
  for (const name of ['Macros', '_VBA_PROJECT_CUR']) {
    if (file.children.get(name)?.isStream === false && !findings.includes(Finding.Macros))
      findings.push(Finding.Macros);
  }
  const fib = await startOf(file, document);
  if (fib === undefined || !WORD_MARKS.includes(fib.readUInt16LE(0))) findings.push(Finding.Damaged);
  // fEncrypted, the ninth of the flags at byte 10: [MS-DOC] 2.5.2
  else if ((fib.readUInt16LE(10) & 0x0100) !== 0) findings.push(Finding.Encrypted);
  if (!(await isWhole(file, document))) findings.push(Finding.Truncated);
  return { isOfType: true, findings };
}

/** What a compound file is, for somebody who expected something else. */
export async function kindOfOle(content: Content): Promise<string> {
  return nameOf(await openCompoundFile(content));
}

function nameOf(file: CompoundFile | undefined): string {
  if (file === undefined) return 'a damaged Office 97 file';
  const isStream = (name: string): boolean => file.children.get(name)?.isStream === true;
  if (isStream('WordDocument')) return 'a DOC file';
  if (isStream('EncryptedPackage')) return 'an Office document protected by a password';
  if (isStream('Workbook') || isStream('Book')) return 'an Excel workbook';
  if (isStream('PowerPoint Document')) return 'a PowerPoint presentation';
  if (isStream('__properties_version1.0')) return 'an Outlook message';
  return 'an Office 97 file without a Word document';
}

async function openCompoundFile(content: Content): Promise<CompoundFile | undefined> {
  const reader = new BlockReader(content);
  const header = await reader.readExactly(0, 512);
  const shift = header?.readUInt16LE(30);
  if (header === undefined || (shift !== 9 && shift !== 12)) return undefined;
  const sectorBytes = 1 << shift;
  const chains = await Chains.read(reader, header, sectorBytes);
  const directory = await readDirectory(reader, header, sectorBytes, chains);
  if (directory === undefined || directory.length < ENTRY_BYTES) return undefined;
  const root = toEntry(directory);
  return {
    reader,
    sectorBytes,
    chains,
    miniCutoffBytes: header.readUInt32LE(56),
    root,
    children: childrenOf(directory),
  };
}

/** What follows each sector of the file, as far as the header lists the table. */
class Chains {
  constructor(private readonly table: Uint32Array) {}

  static async read(reader: BlockReader, header: Buffer, sectorBytes: number): Promise<Chains> {
    const perTable = sectorBytes / 4;
    const sectors = Math.min(Math.ceil(reader.sizeBytes / sectorBytes), MOST_TABLES * perTable);
    const table = new Uint32Array(sectors).fill(NO_ENTRY);
    for (let first = 0; first < sectors; first += perTable) {
      const at = header.readUInt32LE(76 + (first / perTable) * 4);
      const bytes = await reader.readExactly((at + 1) * sectorBytes, sectorBytes);
      if (bytes === undefined) continue;
      for (let sector = first; sector < Math.min(first + perTable, sectors); sector += 1)
        table[sector] = bytes.readUInt32LE((sector - first) * 4);
    }
    return new Chains(table);
  }

  /** The most sectors that a chain can have that does not go round in a circle. */
  get longest(): number {
    return this.table.length;
  }

  /** The sector after this one, the end of the chain, or undefined. */
  after(sector: number): number | undefined {
    const next = this.table[sector];
    return next !== undefined && (next < this.table.length || next === END_OF_CHAIN) ? next : undefined;
  }
}

async function readDirectory(
  reader: BlockReader,
  header: Buffer,
  sectorBytes: number,
  chains: Chains,
): Promise<Buffer | undefined> {
  const found: Buffer[] = [];
  for (
    let sector: number | undefined = header.readUInt32LE(48);
    sector !== END_OF_CHAIN;
    sector = chains.after(sector)
  ) {
    if (sector === undefined || found.length * sectorBytes >= MOST_DIRECTORY_BYTES) return undefined;
    const bytes = await reader.readExactly((sector + 1) * sectorBytes, sectorBytes);
    if (bytes === undefined) return undefined;
    // a copy, which does not keep the reader's block alive
    found.push(Buffer.from(bytes));
  }
  return Buffer.concat(found);
}

/** Walks the tree of the root's children; an entry may claim to be its own neighbour, so none is visited twice. */
function childrenOf(directory: Buffer): Map<string, RootEntry> {
  const children = new Map<string, RootEntry>();
  const visited = new Set<number>([NO_ENTRY]);
  const open = [directory.readUInt32LE(76)];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (visited.has(index) || (index + 1) * ENTRY_BYTES > directory.length) continue;
    visited.add(index);
    const entry = directory.subarray(index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES);
    const nameBytes = entry.readUInt16LE(64);
    if ((entry[66] === STREAM || entry[66] === STORAGE) && nameBytes >= 2 && nameBytes <= 64)
      children.set(entry.toString('utf16le', 0, nameBytes - 2), toEntry(entry));
    open.push(entry.readUInt32LE(68), entry.readUInt32LE(72));
  }
  return children;
}

const toEntry = (entry: Buffer): RootEntry => ({
  isStream: entry[66] === STREAM,
  sector: entry.readUInt32LE(116),
  sizeBytes: entry.readUInt32LE(120),
});

/** The first bytes of a stream; a short one stands in 64-byte sectors inside of the root's own stream. [MS-CFB] 2.4 */
async function startOf(file: CompoundFile, stream: RootEntry): Promise<Buffer | undefined> {
  const { reader, sectorBytes, chains, root } = file;
  if (stream.sizeBytes >= file.miniCutoffBytes) return reader.readExactly((stream.sector + 1) * sectorBytes, 32);
  const position = stream.sector * MINI_SECTOR_BYTES;
  let steps = Math.floor(position / sectorBytes);
  if (steps > chains.longest) return undefined;
  let sector: number | undefined = root.sector;
  for (; steps > 0 && sector !== undefined; steps -= 1) sector = chains.after(sector);
  return sector === undefined
    ? undefined
    : reader.readExactly((sector + 1) * sectorBytes + (position % sectorBytes), 32);
}

/** Whether all sectors of a stream are in the file. */
async function isWhole(file: CompoundFile, stream: RootEntry): Promise<boolean> {
  const { reader, sectorBytes, chains } = file;
  const start = stream.sizeBytes >= file.miniCutoffBytes ? stream : file.root;
  if (start.sizeBytes > reader.sizeBytes) return false;
  let sector: number | undefined = start.sector;
  for (let left = start.sizeBytes; left > 0; left -= sectorBytes) {
    if (sector === undefined || sector === END_OF_CHAIN) return false;
    if ((sector + 1) * sectorBytes + Math.min(left, sectorBytes) > reader.sizeBytes) return false;
    sector = chains.after(sector);
  }
  return true;
}
