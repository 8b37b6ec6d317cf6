import type { Content } from './content.js';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { fromRandomAccessReader, type Options, RandomAccessReader, type ZipFile } from 'yauzl';

const openZip = promisify<RandomAccessReader, number, Options, ZipFile>(fromRandomAccessReader);

const NEEDED = ['[Content_Types].xml', 'word/document.xml'];
const MOST_ENTRIES = 2000;
/** A zip file begins with its first entry; one that begins otherwise is something else with a zip file at its end. */
const FIRST_ENTRY = Buffer.from('504b0304', 'hex');

/** Reads where the archive says, unless that is nowhere: its numbers are a stranger's. */
class BoundedReader extends RandomAccessReader {
  constructor(private readonly file: Content) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null, bytesRead?: number) => void,
  ): void {
    if (!Number.isSafeInteger(position) || position < 0 || position + length > this.file.sizeBytes) {
      done(new Error('the archive points outside of itself'));
      return;
    }
    this.file.read(position, length).then((bytes) => {
      bytes.copy(buffer, offset);
      done(bytes.length === length ? null : new Error('the archive is cut off'), bytes.length);
    }, done);
  }

  /** Contents are never read here. */
  override _readStreamForRange(): Readable {
    return Readable.from([]);
  }
}

/**
 * Whether a file is a zip archive that names the two parts every Word document has. Reads the archive's directory only;
 * nothing is unpacked. ECMA-376-2 (Open Packaging Conventions), 6.2 and 7.2.
 */
export async function isDocx(file: Content): Promise<boolean> {
  if (!(await file.read(0, FIRST_ENTRY.length)).equals(FIRST_ENTRY)) return false;
  let zip: ZipFile;
  try {
    zip = await openZip(new BoundedReader(file), file.sizeBytes, {
      lazyEntries: true,
      autoClose: false,
      validateEntrySizes: true,
    });
  } catch {
    return false;
  }
  if (zip.entryCount > MOST_ENTRIES) return false;
  const missing = new Set(NEEDED);
  return new Promise((resolve) => {
    zip.on('error', () => {
      resolve(false);
    });
    zip.on('end', () => {
      resolve(false);
    });
    zip.on('entry', ({ fileName }: { fileName: string }) => {
      missing.delete(fileName);
      if (missing.size === 0) resolve(true);
      else zip.readEntry();
    });
    zip.readEntry();
  });
}
