import type { ByteRange } from './storage/file-storage.js';

/** A part of bytes that are held in pieces. */
export function* slices(pieces: readonly Buffer[], { start, end }: ByteRange): Generator<Buffer> {
  let at = 0;
  for (const piece of pieces) {
    const [from, to] = [Math.max(0, start - at), Math.min(piece.length, end + 1 - at)];
    if (to > from) yield piece.subarray(from, to);
    at += piece.length;
  }
}
