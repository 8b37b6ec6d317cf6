import { createHash } from 'node:crypto';
import { Sealer } from '../files/encryption.js';
import { add, type ArchiveTotals, type BodyEnd, noTotals, type Section } from './archive.js';
import { newPreamble } from './archive-key.js';

/** A frame is its kind in one byte, its length in four, and so many bytes: of JSON, or of a table or file. */
export const FRAME_HEAD_BYTES = 5;
export const JSON_FRAME = 1;
export const BODY_FRAME = 2;
/** Longer frames come from no archive. */
export const LONGEST_FRAME_BYTES = 64 * 1024 * 1024;
const LONGEST_BODY_FRAME_BYTES = 1024 * 1024;
/** Handed on in pieces of this size or more, so that a disk or a store is not asked for each chunk. */
const PIECE_BYTES = 512 * 1024;

/** What follows the bytes besides their number and hash, said at their end. */
export type BodyOutcome = Pick<BodyEnd, 'rows' | 'defect'>;

/** A section, and what gives its bytes where there are some. */
export type Written = readonly [Section] | readonly [Section, AsyncGenerator<Buffer, BodyOutcome>];

/**
 * The bytes of an archive: a preamble, and one encrypted stream of frames after it. Its last section says what there was, so that
 * nothing can be missing unnoticed.
 */
export async function* archived(
  key: Buffer,
  sections: AsyncIterable<Written>,
  totals: ArchiveTotals = noTotals(),
): AsyncGenerator<Buffer> {
  const { preamble, archiveKey } = newPreamble(key);
  yield preamble;
  const sealer = new Sealer(archiveKey);
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  for await (const frame of framesOf(sections, totals)) {
    for (const piece of sealer.update(frame)) {
      waiting.push(piece);
      waitingBytes += piece.length;
    }
    if (waitingBytes < PIECE_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    waitingBytes = 0;
  }
  yield Buffer.concat([...waiting, ...sealer.final()]);
}

async function* framesOf(sections: AsyncIterable<Written>, totals: ArchiveTotals): AsyncGenerator<Buffer> {
  for await (const [section, body] of sections) {
    yield jsonFrame(section);
    if (body === undefined) {
      add(totals, section);
      continue;
    }
    const hash = createHash('sha256');
    let bytes = 0;
    for (;;) {
      const { value, done } = await body.next();
      if (done === true) {
        const end: BodyEnd = { kind: 'body end', bytes, sha256: hash.digest('hex'), ...value };
        yield jsonFrame(end);
        add(totals, section, end);
        break;
      }
      hash.update(value);
      bytes += value.length;
      for (let at = 0; at < value.length; at += LONGEST_BODY_FRAME_BYTES)
        yield frameOf(BODY_FRAME, value.subarray(at, at + LONGEST_BODY_FRAME_BYTES));
    }
  }
  yield jsonFrame({ kind: 'end', ...totals });
}

const jsonFrame = (value: Section | BodyEnd): Buffer => frameOf(JSON_FRAME, Buffer.from(JSON.stringify(value)));

function frameOf(kind: number, bytes: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head[0] = kind;
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
