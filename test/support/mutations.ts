const MOST_BYTES = 512 * 1024;
const MOST_REPEATED_BYTES = 64 * 1024;

/** Numbers that are the same for the same seed: the minimal standard of Park and Miller. */
export class SeededRandom {
  private state: number;

  constructor(seed: number) {
    this.state = (Math.abs(Math.trunc(seed)) % 2_147_483_646) + 1;
  }

  /** A whole number from 0 up to, and not including, this one. */
  below(limit: number): number {
    this.state = (this.state * 48_271) % 2_147_483_647;
    return Math.floor((this.state / 2_147_483_647) * limit);
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new RangeError('there is nothing to pick');
    return found;
  }
}

type Mutation = (bytes: Buffer, random: SeededRandom, others: readonly Buffer[]) => Buffer;

const replaced = (bytes: Buffer, start: number, end: number, by: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(end)]);

/** A place near the beginning or the end, where tables stand, as often as anywhere. */
function place(bytes: Buffer, random: SeededRandom): number {
  const near = Math.min(bytes.length, 1024);
  switch (random.below(4)) {
    case 0:
      return random.below(near + 1);
    case 1:
      return bytes.length - random.below(near + 1);
    default:
      return random.below(bytes.length + 1);
  }
}

function flipBits(bytes: Buffer, random: SeededRandom): Buffer {
  const copy = Buffer.from(bytes);
  for (let times = 1 + random.below(16); times > 0 && copy.length > 0; times -= 1) {
    const at = Math.min(place(copy, random), copy.length - 1);
    copy.writeUInt8(copy.readUInt8(at) ^ (1 << random.below(8)), at);
  }
  return copy;
}

function cut(bytes: Buffer, random: SeededRandom): Buffer {
  const start = place(bytes, random);
  const end = random.below(2) === 0 ? bytes.length : Math.min(bytes.length, start + random.below(4096));
  return replaced(bytes, start, end, Buffer.alloc(0));
}

function splice(bytes: Buffer, random: SeededRandom, others: readonly Buffer[]): Buffer {
  const other = random.pick(others);
  const from = place(other, random);
  const at = place(bytes, random);
  const end = random.below(2) === 0 ? bytes.length : at;
  return replaced(bytes, at, end, other.subarray(from, from + random.below(65_536)));
}

function repeatChunk(bytes: Buffer, random: SeededRandom): Buffer {
  const start = place(bytes, random);
  const chunk = bytes.subarray(start, start + 1 + random.below(random.pick([8, 64, 1024, 16_384])));
  const most = Math.floor(MOST_REPEATED_BYTES / Math.max(1, chunk.length));
  const at = random.below(2) === 0 ? start : place(bytes, random);
  return replaced(bytes, at, at, Buffer.alloc(chunk.length * random.below(most + 1), chunk));
}

/** Written in 2, 4 or 8 bytes over what was there. */
const HUGE: readonly bigint[] = [
  0n,
  1n,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xfffffff0n,
  0xfffffffen,
  0xffffffffn,
];

function hugeNumber(bytes: Buffer, random: SeededRandom): Buffer {
  const size = random.pick([2, 4, 4, 8]);
  const number = Buffer.alloc(8);
  number.writeBigUInt64LE(random.below(4) === 0 ? 2n ** 64n - 1n : random.pick(HUGE));
  // fields mostly stand at even positions
  const at = Math.min(place(bytes, random) & ~1, Math.max(0, bytes.length - size));
  return replaced(bytes, at, at + size, number.subarray(0, size));
}

const DIGITS: readonly string[] = [
  '0',
  '-1',
  '1e9',
  '65536',
  '2147483648',
  '4294967295',
  '9999999999',
  '9'.repeat(400),
];

/** In place of a number that is written in digits. */
function hugeDigits(bytes: Buffer, random: SeededRandom): Buffer {
  const from = place(bytes, random);
  const found = /\d+/.exec(bytes.toString('latin1', from, from + 4096));
  if (found === null) return hugeNumber(bytes, random);
  const start = from + found.index;
  return replaced(bytes, start, start + found[0].length, Buffer.from(random.pick(DIGITS)));
}

/** Words of the formats, which mean something wherever they stand. */
const WORDS: readonly Buffer[] = [
  ...[
    '<<',
    '>>',
    '[',
    '(',
    ')',
    '%',
    '/JS(',
    '/S/Launch',
    '/ObjStm',
    '/Prev 0',
    'stream\n',
    'endstream',
    'xref\n',
    'trailer',
  ],
  ...['startxref\n0\n', '%%EOF', '%PDF-', '<!--', '-->', '<![CDATA[', '<!DOCTYPE', '"', "'", '>', '&#x0;', 'External'],
].map((word) => Buffer.from(word));
const RECORDS: readonly Buffer[] = [
  '504b0304',
  '504b0102',
  '504b0506',
  '504b0606',
  '504b0607',
  'd0cf11e0a1b11ae1',
  '789c',
].map((hex) => Buffer.from(hex, 'hex'));

function insertWord(bytes: Buffer, random: SeededRandom): Buffer {
  const word = random.pick(random.below(3) === 0 ? RECORDS : WORDS);
  const at = place(bytes, random);
  return replaced(
    bytes,
    at,
    at + random.pick([0, word.length]),
    Buffer.alloc(word.length * random.pick([1, 1, 2, 500]), word),
  );
}

const MUTATIONS: readonly Mutation[] = [flipBits, cut, splice, repeatChunk, hugeNumber, hugeDigits, insertWord];

/** One of the documents, changed in one to four ways; at most 512 KiB. */
export function mutationOf(documents: readonly Buffer[], random: SeededRandom): Buffer {
  let bytes = random.pick(documents);
  for (let times = 1 + random.below(4); times > 0; times -= 1)
    bytes = random.pick(MUTATIONS)(bytes, random, documents).subarray(0, MOST_BYTES);
  return bytes;
}
