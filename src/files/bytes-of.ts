import type { Content } from './content.js';

const CHUNK_BYTES = 64 * 1024;

/** The bytes of a content from `start` up to `end`, at most 64 KiB at a time; first fewer, if few may be enough. */
export async function* bytesOf(
  content: Pick<Content, 'read'>,
  start: number,
  end: number,
  firstBytes = CHUNK_BYTES,
): AsyncGenerator<Buffer> {
  let length = firstBytes;
  for (let at = start; at < end;) {
    const chunk = await content.read(at, Math.min(length, end - at));
    if (chunk.length === 0) return;
    yield chunk;
    at += chunk.length;
    length = Math.min(2 * length, CHUNK_BYTES);
  }
}
