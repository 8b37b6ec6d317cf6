import type { Content } from './content.js';

const BLOCK_BYTES = 64 * 1024;
const MOST_BLOCKS = 4;

/** Reads small pieces of a content from blocks that it keeps for a while: 256 KiB at most. */
export class BlockReader {
  private readonly blocks = new Map<number, Buffer>();

  constructor(private readonly content: Content) {}

  get sizeBytes(): number {
    return this.content.sizeBytes;
  }

  /** As many of the bytes as there are; none for a position outside of the content. */
  async read(position: number, length: number): Promise<Buffer> {
    if (!Number.isSafeInteger(position) || position < 0 || position >= this.sizeBytes) return Buffer.alloc(0);
    const end = Math.min(position + length, this.sizeBytes);
    const first = Math.floor(position / BLOCK_BYTES);
    const last = Math.floor((end - 1) / BLOCK_BYTES);
    const found: Buffer[] = [];
    for (let index = first; index <= last; index += 1) {
      const block = await this.block(index);
      const start = index * BLOCK_BYTES;
      found.push(block.subarray(Math.max(0, position - start), Math.max(0, end - start)));
    }
    const [only] = found;
    return found.length === 1 && only !== undefined ? only : Buffer.concat(found);
  }

  /** All of the bytes, or undefined when the content ends before. */
  async readExactly(position: number, length: number): Promise<Buffer | undefined> {
    const bytes = await this.read(position, length);
    return bytes.length === length ? bytes : undefined;
  }

  private async block(index: number): Promise<Buffer> {
    const known = this.blocks.get(index);
    if (known !== undefined) {
      this.blocks.delete(index);
      this.blocks.set(index, known);
      return known;
    }
    const block = await this.content.read(index * BLOCK_BYTES, BLOCK_BYTES);
    this.blocks.set(index, block);
    const [oldest] = this.blocks.keys();
    if (this.blocks.size > MOST_BLOCKS && oldest !== undefined) this.blocks.delete(oldest);
    return block;
  }
}
