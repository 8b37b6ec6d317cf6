import { bytesOf } from '../../src/files/bytes-of.js';
import type { Content } from '../../src/files/content.js';

/** A content in memory that holds its readers to the rules: nothing outside of it, at most 1 MiB at a time. */
export class BufferContent implements Content {
  constructor(private readonly bytes: Buffer) {}

  get sizeBytes(): number {
    return this.bytes.length;
  }

  async read(position: number, length: number): Promise<Buffer> {
    if (!Number.isSafeInteger(position) || position < 0) throw new RangeError(`there is no position ${position}`);
    if (length > 1_048_576) throw new RangeError(`${length} bytes are too many at a time`);
    // a copy, as a file would give it
    return Buffer.from(this.bytes.subarray(position, position + length));
  }

  stream(): AsyncIterable<Buffer> {
    return bytesOf(this, 0, this.sizeBytes);
  }
}
