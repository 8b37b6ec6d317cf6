import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { ByteRange, SpooledFile } from './file-storage.js';

/** A spooled file's bytes are not what its size and hash say: nobody may keep them, and another try would not help. */
export class SpooledFileChanged extends Error {
  constructor() {
    super('the spooled file is not what its size and hash say');
  }
}

/** A spooled file's bytes for sending, exactly as many as its size says. Throws {@link SpooledFileChanged} otherwise. */
export async function* bytesOf(file: SpooledFile): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of createReadStream(file.path) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > file.sizeBytes) break;
    yield chunk;
  }
  if (size !== file.sizeBytes) throw new SpooledFileChanged();
}

/** Throws {@link SpooledFileChanged} when the bytes on the disk are not what the file's size and hash say. */
export async function throwIfChanged(file: SpooledFile): Promise<void> {
  if (!(await isSameAs(file, createReadStream(file.path)))) throw new SpooledFileChanged();
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

/**
 * The bytes that a range asks for, out of an answer that says which ones it has (`Content-Range`, RFC 9110, 14.4). A server may
 * ignore the range and send everything, or more than was asked for. Throws when the answer begins elsewhere.
 */
export function rangeOf(body: Readable, contentRange: string | undefined, { start, end }: ByteRange): Readable {
  if (contentRange === undefined) return Readable.from(partOf(body, start, end), { objectMode: false });
  const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(contentRange) ?? [];
  if (Number(first) === start && Number(last) <= end) return body;
  if (Number(first) === start) return Readable.from(partOf(body, 0, end - start), { objectMode: false });
  body.destroy();
  throw new Error('the answer has other bytes than were asked for');
}

async function* partOf(stream: AsyncIterable<Buffer>, start: number, end: number): AsyncGenerator<Buffer> {
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
