import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { ByteRange, SpooledFile } from './file-storage.js';

/** A spooled file's bytes are not what its size and hash say: nobody may keep them, and another try would not help. */
export class SpooledFileChanged extends Error {
  constructor() {
    super('the spooled file is not what its size and hash say');
  }
}

/**
 * A spooled file's bytes for sending. The last ones come only after all of them were seen to have the file's size and hash:
 * a request that announced the size stays incomplete otherwise. Throws {@link SpooledFileChanged}.
 */
export async function* bytesOf(file: SpooledFile): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let size = 0;
  let last: Buffer | undefined;
  for await (const chunk of createReadStream(file.path) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > file.sizeBytes) throw new SpooledFileChanged();
    hash.update(chunk);
    if (last !== undefined) yield last;
    last = chunk;
  }
  if (size !== file.sizeBytes || hash.digest('hex') !== file.sha256) throw new SpooledFileChanged();
  if (last !== undefined) yield last;
}

/** Whether the stream brings exactly the bytes of the file. Reads no further than its size. */
export async function isSameAs(file: SpooledFile, stream: AsyncIterable<Buffer>): Promise<boolean> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > file.sizeBytes) return false;
    hash.update(chunk);
  }
  return size === file.sizeBytes && hash.digest('hex') === file.sha256;
}

/** The part of a whole stream that a range asks for. Ends the stream behind it. */
export async function* partOf(stream: AsyncIterable<Buffer>, { start, end }: ByteRange): AsyncGenerator<Buffer> {
  let position = 0;
  for await (const chunk of stream) {
    const part = chunk.subarray(Math.max(0, start - position), Math.max(0, end + 1 - position));
    if (part.length > 0) yield part;
    position += chunk.length;
    if (position > end) return;
  }
}

/** The names that files have in a storage. Everything else in it belongs to somebody else or is on its way in. */
export function isKey(name: string): boolean {
  return /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name);
}
