import { type CipherGCM, createCipheriv, createDecipheriv } from 'node:crypto';

/**
 * Files are encrypted with AES-256-GCM in chunks, by the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár
 * (Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance, CRYPTO 2015). Each chunk proves by itself that it
 * is genuine, where it belongs and whether the file goes on, so that a flipped bit, a moved chunk and a cut end are noticed
 * before a wrong byte leaves, and a range can be read without what precedes it.
 *
 * A stored file is its chunks. A chunk is 65,536 bytes of content (the last one: what is left) and a tag of 16 bytes. Its nonce
 * is its number in 11 bytes, big endian, and a byte that is 1 for the last chunk: the layout of the age format. No part of it
 * is random because a data key never encrypts a second file.
 */
export const CHUNK_BYTES = 65_536;
export const DATA_KEY_BYTES = 32;
const TAG_BYTES = 16;
/** What a full chunk takes where it is stored. */
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
const ALGORITHM = 'aes-256-gcm';

/** Stored bytes are not what was sealed with this key. */
export class NotGenuine extends Error {
  constructor(cause?: unknown) {
    super('the stored bytes are not genuine', { cause });
  }
}

/** How many bytes are stored for so many bytes of content. */
export function sealedSize(contentBytes: number): number {
  return contentBytes + chunksOf(contentBytes) * TAG_BYTES;
}

function chunksOf(contentBytes: number): number {
  return Math.max(1, Math.ceil(contentBytes / CHUNK_BYTES));
}

/**
 * A code over all stored bytes of a file: GMAC (NIST SP 800-38D) under its data key. By it a reader finds that they are what
 * was stored before any is decrypted, at a third of what a hash costs. Its nonce ends in 2, as that of no chunk does.
 */
export class Seal {
  private readonly cipher: CipherGCM;

  constructor(key: Buffer) {
    const nonce = Buffer.alloc(12);
    nonce[11] = 2;
    this.cipher = createCipheriv(ALGORITHM, key, nonce);
  }

  update(stored: Buffer): void {
    this.cipher.setAAD(stored);
  }

  /** 16 bytes. */
  final(): Buffer {
    this.cipher.final();
    return this.cipher.getAuthTag();
  }
}

/** Encrypts one file, piece by piece. The key must be used for nothing else. */
export class Sealer {
  /** Content that waits for its chunk to be full; a full chunk waits to learn whether it is the last. */
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private chunk = 0;

  constructor(private readonly key: Buffer) {}

  /** The stored bytes that follow from more content; maybe none yet. */
  update(content: Buffer): Buffer[] {
    const sealed: Buffer[] = [];
    for (let rest = content; rest.length > 0;) {
      if (this.waitingBytes === CHUNK_BYTES) sealed.push(...this.sealWaiting(false));
      const piece = rest.subarray(0, CHUNK_BYTES - this.waitingBytes);
      this.waiting.push(piece);
      this.waitingBytes += piece.length;
      rest = rest.subarray(piece.length);
    }
    return sealed;
  }

  /** The end of the stored file. */
  final(): Buffer[] {
    return this.sealWaiting(true);
  }

  private sealWaiting(isLast: boolean): Buffer[] {
    const cipher = createCipheriv(ALGORITHM, this.key, nonceOf(this.chunk, isLast));
    const sealed = this.waiting.map((piece) => cipher.update(piece));
    cipher.final();
    this.chunk += 1;
    this.waiting = [];
    this.waitingBytes = 0;
    return [...sealed, cipher.getAuthTag()];
  }
}

/** Positions of bytes, the end left out. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the chunks are stored that hold a part of the content. */
export function sealedSpan(part: Span, contentBytes: number): Span {
  const lastChunk = Math.ceil(part.end / CHUNK_BYTES);
  return {
    start: Math.floor(part.start / CHUNK_BYTES) * SEALED_CHUNK_BYTES,
    end: Math.min(lastChunk * SEALED_CHUNK_BYTES, sealedSize(contentBytes)),
  };
}

/**
 * The content of one part of a file, from the stored bytes of its {@link sealedSpan}. Throws {@link NotGenuine} before the
 * first byte of a chunk that is not what was sealed.
 */
export async function* opened(
  stored: AsyncIterable<Buffer> | Iterable<Buffer>,
  key: Buffer,
  part: Span,
  contentBytes: number,
): AsyncGenerator<Buffer> {
  const last = chunksOf(contentBytes) - 1;
  let chunk = Math.floor(part.start / CHUNK_BYTES);
  for await (const sealed of inPieces(stored, SEALED_CHUNK_BYTES)) {
    const content = openChunk(key, chunk, chunk === last, sealed);
    const from = Math.max(0, part.start - chunk * CHUNK_BYTES);
    const to = Math.min(content.length, part.end - chunk * CHUNK_BYTES);
    if (to > from) yield content.subarray(from, to);
    chunk += 1;
  }
  if (chunk < Math.ceil(part.end / CHUNK_BYTES)) throw new NotGenuine();
}

/**
 * The whole content of what was sealed, however long it is. Throws {@link NotGenuine} before the first byte of a chunk that is
 * not what was sealed, and when the end is missing.
 */
export async function* openedToEnd(stored: AsyncIterable<Buffer>, key: Buffer): AsyncGenerator<Buffer> {
  let chunk = 0;
  let waiting: Buffer | undefined;
  for await (const sealed of inPieces(stored, SEALED_CHUNK_BYTES)) {
    if (waiting !== undefined) {
      yield openChunk(key, chunk, false, waiting);
      chunk += 1;
    }
    waiting = sealed;
  }
  if (waiting === undefined) throw new NotGenuine();
  yield openChunk(key, chunk, true, waiting);
}

function openChunk(key: Buffer, chunk: number, isLast: boolean, sealed: Buffer): Buffer {
  try {
    const decipher = createDecipheriv(ALGORITHM, key, nonceOf(chunk, isLast), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const content = decipher.update(sealed.subarray(0, -TAG_BYTES));
    decipher.final();
    return content;
  } catch (error) {
    throw new NotGenuine(error);
  }
}

function nonceOf(chunk: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(chunk, 5, 6);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** The same bytes in pieces of one size; only the last may be shorter. */
async function* inPieces(bytes: AsyncIterable<Buffer> | Iterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  for await (const chunk of bytes) {
    for (let rest = chunk; rest.length > 0;) {
      const piece = rest.subarray(0, size - waitingBytes);
      waiting.push(piece);
      waitingBytes += piece.length;
      rest = rest.subarray(piece.length);
      if (waitingBytes < size) continue;
      yield waiting.length === 1 ? piece : Buffer.concat(waiting);
      waiting = [];
      waitingBytes = 0;
    }
  }
  if (waitingBytes > 0) yield Buffer.concat(waiting);
}
