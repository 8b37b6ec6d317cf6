import { pipeline, Readable } from 'node:stream';
import { createInflate, createInflateRaw } from 'node:zlib';

const CHUNK_BYTES = 64 * 1024;

/**
 * Unpacks deflated bytes as they are asked for, at most 64 KiB at a time; whoever asks counts them. `zlib` expects the header of
 * RFC 1950, `raw` bare data of RFC 1951. Throws when the bytes are no such data or end too early.
 */
export async function* inflate(packed: AsyncIterable<Buffer>, format: 'raw' | 'zlib'): AsyncGenerator<Buffer> {
  const options = { chunkSize: CHUNK_BYTES };
  const inflater = format === 'raw' ? createInflateRaw(options) : createInflate(options);
  const source = Readable.from(packed, { objectMode: false });
  // whoever reads the inflater hears of a failure of either
  pipeline(source, inflater, () => undefined);
  try {
    for await (const chunk of inflater) yield chunk as Buffer;
  } finally {
    source.destroy();
    inflater.destroy();
  }
}
