import { randomBytes } from 'node:crypto';
import { CHUNK_BYTES, NotGenuine, opened, Seal, sealedSize, sealedSpan, Sealer } from './encryption.js';

const TAG = 16;
const SEALED = CHUNK_BYTES + TAG;

function seal(content: Buffer, key: Buffer, pieceBytes = 10_000): Buffer {
  const sealer = new Sealer(key);
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; at += pieceBytes)
    parts.push(...sealer.update(content.subarray(at, at + pieceBytes)));
  return Buffer.concat([...parts, ...sealer.final()]);
}

async function* inPiecesOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What came out, and the error at the end if there was one. */
async function open(
  stored: Buffer,
  key: Buffer,
  contentBytes: number,
  { start = 0, end = contentBytes, pieceBytes = 7_777 } = {},
): Promise<{ content: Buffer; error?: unknown }> {
  const span = sealedSpan({ start, end }, contentBytes);
  const parts: Buffer[] = [];
  try {
    const bytes = inPiecesOf(stored.subarray(span.start, span.end), pieceBytes);
    for await (const part of opened(bytes, key, { start, end }, contentBytes)) parts.push(part);
  } catch (error) {
    return { content: Buffer.concat(parts), error };
  }
  return { content: Buffer.concat(parts) };
}

const SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5];

describe('an encrypted file', () => {
  const key = randomBytes(32);

  it.each(SIZES)('of %i bytes has the size that was foretold and opens to what was sealed', async (size) => {
    const content = randomBytes(size);
    const stored = seal(content, key);

    expect(stored.length).toBe(sealedSize(size));
    const found = await open(stored, key, size);
    expect([found.content.equals(content), found.error]).toEqual([true, undefined]);
  });

  it.each([1, 1000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 1_000_000])(
    'is the same whether its content came in pieces of %i bytes or as a whole',
    (pieceBytes) => {
      const content = randomBytes(CHUNK_BYTES + 100);

      expect(seal(content, key, pieceBytes).equals(seal(content, key, content.length))).toBe(true);
    },
  );

  it('shows nothing of its content', () => {
    const stored = seal(Buffer.alloc(2 * CHUNK_BYTES, 'confidential '), key);

    expect(stored.includes('confidential')).toBe(false);
    expect(stored.subarray(0, CHUNK_BYTES).equals(stored.subarray(SEALED, SEALED + CHUNK_BYTES))).toBe(false);
  });

  const size = 3 * CHUNK_BYTES + 5;
  it.each([
    [0, 1],
    [0, CHUNK_BYTES],
    [CHUNK_BYTES - 1, CHUNK_BYTES + 1],
    [CHUNK_BYTES, 2 * CHUNK_BYTES],
    [100, 3 * CHUNK_BYTES],
    [size - 1, size],
    [size - 6, size],
  ])('gives its bytes from %i to %i from the chunks that hold them', async (start, end) => {
    const content = randomBytes(size);
    const span = sealedSpan({ start, end }, size);

    const found = await open(seal(content, key), key, size, { start, end });

    expect(found.content.equals(content.subarray(start, end))).toBe(true);
    expect(span.end - span.start).toBeLessThan(end - start + 2 * SEALED);
  });

  const chunk = (stored: Buffer, index: number): Buffer => stored.subarray(index * SEALED, (index + 1) * SEALED);
  const flipped = (stored: Buffer, at: number): Buffer => {
    const other = Buffer.from(stored);
    other[at]! ^= 1;
    return other;
  };
  it.each<[string, number, (stored: Buffer) => Buffer]>([
    ['its first bit is flipped', 0, (stored) => flipped(stored, 0)],
    ['a bit of its second chunk is flipped', 1, (stored) => flipped(stored, SEALED + 100)],
    ['a bit of a tag is flipped', 1, (stored) => flipped(stored, 2 * SEALED - 1)],
    ['its last bit is flipped', 3, (stored) => flipped(stored, stored.length - 1)],
    ['its last byte is missing', 3, (stored) => stored.subarray(0, -1)],
    ['its last chunk is missing', 3, (stored) => stored.subarray(0, 3 * SEALED)],
    ['it ends in the middle of a chunk', 1, (stored) => stored.subarray(0, SEALED + 500)],
    ['it is empty', 0, () => Buffer.alloc(0)],
    ['two chunks are exchanged', 0, (s) => Buffer.concat([chunk(s, 1), chunk(s, 0), s.subarray(2 * SEALED)])],
    ['a chunk is there twice', 1, (s) => Buffer.concat([chunk(s, 0), chunk(s, 0), s.subarray(2 * SEALED)])],
    ['a chunk is left out', 1, (s) => Buffer.concat([chunk(s, 0), s.subarray(2 * SEALED)])],
  ])('gives no wrong byte when %s', async (_, goodChunks, tamper) => {
    const content = randomBytes(size);

    const { content: found, error } = await open(tamper(seal(content, key)), key, size);

    expect(error).toBeInstanceOf(NotGenuine);
    expect(found.equals(content.subarray(0, goodChunks * CHUNK_BYTES))).toBe(true);
  });

  it('cannot be passed off as a shorter one by whoever changes its recorded size', async () => {
    const stored = seal(randomBytes(size), key);

    const { content, error } = await open(stored, key, 2 * CHUNK_BYTES);

    expect(error).toBeInstanceOf(NotGenuine);
    expect(content.length).toBe(CHUNK_BYTES);
  });

  it('opens with no other key', async () => {
    const { content, error } = await open(seal(randomBytes(100), key), randomBytes(32), 100);

    expect([content.length, error]).toEqual([0, expect.any(NotGenuine)]);
  });
});

describe('the seal of a stored file', () => {
  const key = randomBytes(32);
  const stored = randomBytes(3 * SEALED + 5);
  const sealOf = (bytes: Buffer, pieceBytes = bytes.length, with_ = key): string => {
    const seal = new Seal(with_);
    for (let at = 0; at < bytes.length; at += pieceBytes) seal.update(bytes.subarray(at, at + pieceBytes));
    return seal.final().toString('hex');
  };

  it.each([1, 1000, SEALED, SEALED + 1])('is the same when it is read in pieces of %i bytes', (pieceBytes) => {
    expect(sealOf(stored, pieceBytes)).toBe(sealOf(stored));
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['a bit is flipped', (bytes) => Buffer.concat([Buffer.of((bytes[0] ?? 0) ^ 1), bytes.subarray(1)])],
    ['the last byte is missing', (bytes) => bytes.subarray(0, -1)],
    ['there is a byte more', (bytes) => Buffer.concat([bytes, Buffer.of(0)])],
    [
      'two chunks are exchanged',
      (b) => Buffer.concat([b.subarray(SEALED, 2 * SEALED), b.subarray(0, SEALED), b.subarray(2 * SEALED)]),
    ],
  ])('is another when %s', (_, tamper) => {
    expect(sealOf(tamper(stored))).not.toBe(sealOf(stored));
  });

  it('is another under another key', () => {
    expect(sealOf(stored, undefined, randomBytes(32))).not.toBe(sealOf(stored));
  });
});
