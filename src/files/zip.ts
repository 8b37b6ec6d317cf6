import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { crc32, inflateRawSync } from 'node:zlib';
import {
  type Entry,
  fromRandomAccessReader,
  getFileNameLowLevel,
  type Options,
  RandomAccessReader,
  type ZipFile,
} from 'yauzl';
import { BlockReader } from './block-reader.js';
import { bytesOf } from './bytes-of.js';
import type { Content } from './content.js';
import { inflate } from './inflate.js';

const openZip = promisify<RandomAccessReader, number, Options, ZipFile>(fromRandomAccessReader);

const MOST_ENTRIES = 2000;
const MOST_UNPACKED_BYTES = 50 * 1024 * 1024;
const MOST_RATIO = 100;
/** Below this size an entry of its own may be packed as tightly as it likes. */
const SMALL_ENTRY_BYTES = 1024 * 1024;
/** All names together; a document's take a tenth of it. Keeps the directory in memory small. */
const MOST_NAME_CHARACTERS = 128 * 1024;
/** Entries up to this size, packed and unpacked, are unpacked in one call. */
const AT_ONCE_BYTES = 64 * 1024;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
/** A zip file begins with its first entry; one that begins otherwise is something else with a zip file at its end. */
export const FIRST_ENTRY = Buffer.from('504b0304', 'hex');

/** One file of an archive. Its sizes are what the directory claims; {@link unpack} holds it to them. */
export interface ZipEntry {
  readonly name: string;
  readonly isDeflated: boolean;
  /** Where its packed bytes begin. */
  readonly start: number;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly crc: number;
}

/** The archive is broken or dangerous. The message says what it is, as in "it looks like …". */
export class UnfitArchive extends Error {}

const damaged = (): UnfitArchive => new UnfitArchive('a damaged ZIP archive');

/** Reads where the archive says, unless that is nowhere: its numbers are a stranger's. */
class BoundedReader extends RandomAccessReader {
  constructor(private readonly reader: BlockReader) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null, bytesRead?: number) => void,
  ): void {
    this.reader.readExactly(position, length).then((bytes) => {
      bytes?.copy(buffer, offset);
      done(bytes === undefined ? damaged() : null, bytes?.length);
    }, done);
  }

  /** Contents are read by {@link unpack}. */
  override _readStreamForRange(): Readable {
    return Readable.from([]);
  }
}

/**
 * The entries of a zip archive, in the order of their bytes. Unpacks nothing. Throws {@link UnfitArchive} for one that is broken,
 * too large, encrypted, names files twice or outside of itself, keeps several in the same bytes, or says different things in its
 * two directories. APPNOTE.TXT 6.3.10, 4.3.
 */
export async function readZip(content: Content): Promise<ZipEntry[]> {
  const reader = new BlockReader(content);
  if (!(await reader.read(0, FIRST_ENTRY.length)).equals(FIRST_ENTRY)) throw damaged();
  const entries = await readDirectory(reader);
  checkSizes(entries);
  const places: ZipEntry[] = [];
  let free = 0;
  for (const entry of entries.sort(
    (one, other) => one.relativeOffsetOfLocalHeader - other.relativeOffsetOfLocalHeader,
  )) {
    const place = await locate(reader, entry);
    if (places.length === 0 && entry.relativeOffsetOfLocalHeader !== 0) throw damaged();
    if (entry.relativeOffsetOfLocalHeader < free) throw new UnfitArchive('a ZIP archive with overlapping entries');
    free = place.start + place.packedBytes;
    places.push(place);
  }
  if (free > content.sizeBytes) throw damaged();
  return places;
}

async function readDirectory(reader: BlockReader): Promise<Entry[]> {
  const entries: Entry[] = [];
  const names = new Set<string>();
  let nameCharacters = 0;
  try {
    const zip = await openZip(new BoundedReader(reader), reader.sizeBytes, {
      lazyEntries: true,
      autoClose: false,
      decodeStrings: false,
      validateEntrySizes: true,
    });
    if (zip.entryCount > MOST_ENTRIES) throw new UnfitArchive(`a ZIP archive with more than ${MOST_ENTRIES} entries`);
    for await (const entry of zip.eachEntry()) {
      if (entry.isEncrypted()) throw new UnfitArchive('an encrypted ZIP archive');
      const name = nameOf(entry);
      // two names that differ in case only are one part. ECMA-376-2, 6.2.2.3
      if (names.has(name.toLowerCase())) throw new UnfitArchive('a ZIP archive that names a file twice');
      names.add(name.toLowerCase());
      nameCharacters += name.length;
      if (nameCharacters > MOST_NAME_CHARACTERS) throw damaged();
      // the name was copied out of it; the rest would keep up to 192 KiB alive
      entry.fileNameRaw = entry.extraFieldRaw = Buffer.from(name);
      entry.extraFields = [];
      entry.fileCommentRaw = Buffer.alloc(0);
      entries.push(entry);
    }
  } catch (error) {
    throw error instanceof UnfitArchive ? error : damaged();
  }
  return entries;
}

function nameOf(entry: Entry): string {
  const name = getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, true);
  const isUnsafe =
    /^[/\\]|^[A-Za-z]:|[\\\0-\x1f]/.test(name) || name.split('/').some((part) => part === '..' || part === '.');
  if (name === '' || isUnsafe) throw new UnfitArchive('a ZIP archive with names that lead out of it');
  return name;
}

function checkSizes(entries: readonly Entry[]): void {
  let [packed, unpacked] = [0, 0];
  for (const { compressedSize, uncompressedSize, compressionMethod } of entries) {
    if (compressionMethod !== STORED && compressionMethod !== DEFLATED)
      throw new UnfitArchive('a ZIP archive that is packed in an unusual way');
    packed += compressedSize;
    unpacked += uncompressedSize;
    if (uncompressedSize > SMALL_ENTRY_BYTES && uncompressedSize > compressedSize * MOST_RATIO) throw tooTight();
  }
  if (unpacked > MOST_UNPACKED_BYTES) throw new UnfitArchive('a ZIP archive that unpacks to more than 50 MB');
  if (unpacked > packed * MOST_RATIO) throw tooTight();
}

const tooTight = (): UnfitArchive =>
  new UnfitArchive(`a ZIP archive that unpacks to more than ${MOST_RATIO} times its size`);

/** Finds an entry's bytes. Programs differ in which of the two headers they believe, so both must say the same. */
async function locate(reader: BlockReader, entry: Entry): Promise<ZipEntry> {
  const { relativeOffsetOfLocalHeader: at, compressionMethod, generalPurposeBitFlag } = entry;
  const header = await reader.readExactly(at, LOCAL_HEADER_BYTES);
  if (header?.subarray(0, 4).equals(FIRST_ENTRY) !== true) throw damaged();
  const nameBytes = header.readUInt16LE(26);
  const rawName = await reader.readExactly(at + LOCAL_HEADER_BYTES, nameBytes);
  if (rawName === undefined || header.readUInt16LE(8) !== compressionMethod) throw damaged();
  if ((header.readUInt16LE(6) & 1) !== (generalPurposeBitFlag & 1)) throw damaged();
  const name = entry.fileNameRaw.toString();
  if (getFileNameLowLevel(header.readUInt16LE(6), rawName, [], true) !== name) throw damaged();
  return {
    name,
    isDeflated: compressionMethod === DEFLATED,
    start: at + LOCAL_HEADER_BYTES + nameBytes + header.readUInt16LE(28),
    packedBytes: entry.compressedSize,
    unpackedBytes: entry.uncompressedSize,
    crc: entry.crc32,
  };
}

/** The bytes of an entry. Throws {@link UnfitArchive} as soon as they are not what the directory promised. */
export async function* unpack(content: Content, entry: ZipEntry): AsyncGenerator<Buffer> {
  const packed = bytesOf(content, entry.start, entry.start + entry.packedBytes);
  let [unpackedBytes, crc] = [0, 0];
  try {
    for await (const chunk of entry.isDeflated ? inflated(packed, entry) : packed) {
      unpackedBytes += chunk.length;
      if (unpackedBytes > entry.unpackedBytes) throw new UnfitArchive('a ZIP archive that lies about its sizes');
      crc = crc32(chunk, crc);
      yield chunk;
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code?.startsWith('Z_') === true ? damaged() : error;
  }
  if (unpackedBytes !== entry.unpackedBytes || crc !== entry.crc) throw damaged();
}

/** A stream of its own for each of two thousand small entries would cost seconds. */
async function* inflated(packed: AsyncIterable<Buffer>, entry: ZipEntry): AsyncGenerator<Buffer> {
  if (entry.packedBytes > AT_ONCE_BYTES || entry.unpackedBytes > AT_ONCE_BYTES) {
    yield* inflate(packed, 'raw');
    return;
  }
  const pieces: Buffer[] = [];
  for await (const piece of packed) pieces.push(piece);
  try {
    yield inflateRawSync(Buffer.concat(pieces), { maxOutputLength: entry.unpackedBytes + 1 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    throw new UnfitArchive('a ZIP archive that lies about its sizes');
  }
}
