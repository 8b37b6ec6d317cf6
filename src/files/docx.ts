import type { FileHandle } from 'node:fs/promises';
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
  constructor(
    private readonly file: FileHandle,
    private readonly size: number,
  ) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null, bytesRead?: number) => void,
  ): void {
    if (!Number.isSafeInteger(position) || position < 0 || position + length > this.size) {
      done(new Error('the archive points outside of itself'));
      return;
    }
    this.file.read(buffer, offset, length, position).then(({ bytesRead }) => {
      done(bytesRead === length ? null : new Error('the archive is cut off'), bytesRead);
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
export async function isDocx(file: FileHandle): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(FIRST_ENTRY.length), 0, FIRST_ENTRY.length, 0);
  if (!buffer.equals(FIRST_ENTRY)) return false;
  const { size } = await file.stat();
  let zip: ZipFile;
  try {
    zip = await openZip(new BoundedReader(file, size), size, {
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
