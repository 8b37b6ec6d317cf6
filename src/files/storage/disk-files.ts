import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, unlink } from 'node:fs/promises';
import { bytesOf, isSameAs, SpooledFileChanged } from './spooled-bytes.js';
import type { SpooledFile } from './file-storage.js';

const READ_BYTES = 256 * 1024;

/** Whether a rename failed because its two names lie on different disks, or behind different mounts of one. */
export const isOnOtherDisk = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EXDEV';

/**
 * Renames a spooled file to `path`, in place of what was there, after all of its bytes were compared with its size and hash.
 * Throws {@link SpooledFileChanged}, or what the disk says; until the rename nothing has changed.
 */
export async function moveChecked(file: SpooledFile, path: string): Promise<void> {
  const handle = await open(file.path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    if (!(await isSameAs(file, chunksOf(handle, file.sizeBytes)))) throw new SpooledFileChanged();
    await rename(file.path, path);
    // asked of the file and not of the name, which another upload may have by now
    if ((await handle.stat()).size === file.sizeBytes) return;
    await unlink(path);
    throw new SpooledFileChanged();
  } finally {
    await handle.close();
  }
}

/**
 * Writes the bytes of a spooled file into a new file at `path`, compares them with its size and hash on the way, and forces
 * them to the disk. Leaves nothing behind when it throws {@link SpooledFileChanged}, or what the disk says.
 */
export async function copyChecked(file: SpooledFile, path: string): Promise<void> {
  const copy = await open(path, 'wx', 0o600);
  try {
    try {
      // continues where the last one ended, and writes all of it
      for await (const chunk of checked(file)) await copy.writeFile(chunk);
      await copy.sync();
      const { size } = await copy.stat();
      if (size !== file.sizeBytes) throw new Error(`the copy has ${size} bytes in place of ${file.sizeBytes}`);
    } finally {
      await copy.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

async function* checked(file: SpooledFile): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of bytesOf(file)) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== file.sha256) throw new SpooledFileChanged();
}

/** Each chunk lies in the memory of the one before. */
async function* chunksOf(handle: FileHandle, expectedBytes: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, expectedBytes + 1));
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
