import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { fromFd, type Options, type ZipFile } from 'yauzl';

const openZip = promisify<number, Options, ZipFile>(fromFd);

const NEEDED = ['[Content_Types].xml', 'word/document.xml'];
const MOST_ENTRIES = 2000;

/**
 * Whether a file is a zip archive that names the two parts every Word document has. Reads the archive's directory only;
 * nothing is unpacked. ECMA-376-2 (Open Packaging Conventions), 6.2 and 7.2.
 */
export async function isDocx(file: FileHandle): Promise<boolean> {
  let zip: ZipFile;
  try {
    zip = await openZip(file.fd, { lazyEntries: true, autoClose: false, validateEntrySizes: true });
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
