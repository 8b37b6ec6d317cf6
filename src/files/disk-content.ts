import type { FileHandle } from 'node:fs/promises';
import { bytesOf } from './bytes-of.js';
import type { Content } from './content.js';

/** The content of an open file. */
export class DiskContent implements Content {
  constructor(
    private readonly handle: FileHandle,
    readonly sizeBytes: number,
  ) {}

  async read(position: number, length: number): Promise<Buffer> {
    const { buffer, bytesRead } = await this.handle.read(Buffer.alloc(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  }

  stream(): AsyncIterable<Buffer> {
    return bytesOf(this, 0, this.sizeBytes);
  }
}
