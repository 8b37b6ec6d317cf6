import { createHash } from 'node:crypto';
import { NotGenuine, openedToEnd } from '../files/encryption.js';
import { add, type ArchiveEnd, type BodyEnd, noTotals, type Section } from './archive.js';
import { ArchiveRefused, keyOf, PREAMBLE_BYTES } from './archive-key.js';
import { FRAME_HEAD_BYTES, JSON_FRAME, LONGEST_FRAME_BYTES } from './archive-writer.js';

/** A section on its way out of an archive. What nobody reads of its body is read, and checked, before the next one comes. */
export interface ReadSection {
  readonly section: Section;
  readonly body: AsyncIterable<Buffer>;
  /** There once the body was read to its end. */
  readonly end: () => BodyEnd;
}

/** Told of everything that was read of the archive, in order. */
export type Meter = (stored: Buffer) => void;

interface Frame {
  readonly isJson: boolean;
  readonly bytes: Buffer;
}

/**
 * The sections of an archive, each proved genuine before it comes; the last is its end. Throws {@link ArchiveRefused} for a wrong
 * key and for an archive that is damaged, cut off or put together from others.
 */
export async function* sectionsOf(
  stored: AsyncIterable<Buffer>,
  key: Buffer,
  meter: Meter = () => undefined,
): AsyncGenerator<ReadSection> {
  const frames: AsyncGenerator<Frame, void> = framesOf(contentOf(metered(stored, meter), key));
  const totals = noTotals();
  try {
    for (;;) {
      const section = sectionIn(await nextOf(frames));
      if (section.kind === 'end') {
        if (Object.entries(totals).some(([name, count]) => section[name as keyof ArchiveEnd] !== count))
          throw damaged();
        // the last chunk of the stream proves itself only when the stream is read to its end
        if ((await frames.next()).done !== true) throw damaged();
        yield { section, body: nothing(), end: noEnd };
        return;
      }
      if (section.kind !== 'table' && section.kind !== 'file') {
        add(totals, section);
        yield { section, body: nothing(), end: noEnd };
        continue;
      }
      let end: BodyEnd | undefined;
      const body = bodyOf(frames, (found) => (end = found));
      yield { section, body, end: () => end ?? noEnd() };
      // whatever the reader left of it
      for await (const _ of body);
      add(totals, section, end ?? noEnd());
    }
  } finally {
    await frames.return(undefined);
  }
}

async function* metered(stored: AsyncIterable<Buffer>, meter: Meter): AsyncGenerator<Buffer, void> {
  for await (const piece of stored) {
    meter(piece);
    yield piece;
  }
}

async function* contentOf(stored: AsyncGenerator<Buffer, void>, key: Buffer): AsyncGenerator<Buffer> {
  const found: Buffer[] = [];
  let bytes = 0;
  while (bytes < PREAMBLE_BYTES) {
    const { value, done } = await stored.next();
    if (done === true) throw new ArchiveRefused('This is no backup of Forecourt, or it was cut off');
    found.push(value);
    bytes += value.length;
  }
  const first = Buffer.concat(found);
  const archiveKey = keyOf(first.subarray(0, PREAMBLE_BYTES), key);
  try {
    yield* openedToEnd(startingWith(first.subarray(PREAMBLE_BYTES), stored), archiveKey);
  } catch (error) {
    // said here: whoever reads a body meets it as well
    throw error instanceof NotGenuine ? damaged(error) : error;
  }
}

async function* startingWith(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  yield* rest;
}

async function* framesOf(content: AsyncIterable<Buffer>): AsyncGenerator<Frame, void> {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let needed = FRAME_HEAD_BYTES;
  for await (const piece of content) {
    waiting.push(piece);
    waitingBytes += piece.length;
    if (waitingBytes < needed) continue;
    let rest = Buffer.concat(waiting);
    for (;;) {
      needed = FRAME_HEAD_BYTES;
      if (rest.length < needed) break;
      const bytes = rest.readUInt32BE(1);
      if (bytes > LONGEST_FRAME_BYTES) throw damaged();
      needed += bytes;
      if (rest.length < needed) break;
      yield { isJson: rest[0] === JSON_FRAME, bytes: rest.subarray(FRAME_HEAD_BYTES, needed) };
      rest = rest.subarray(needed);
    }
    waiting = [rest];
    waitingBytes = rest.length;
  }
  if (waitingBytes > 0) throw damaged();
}

/** The bytes up to the end that follows them, which is checked against them. */
async function* bodyOf(frames: AsyncGenerator<Frame, void>, ended: (end: BodyEnd) => void): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let bytes = 0;
  for (;;) {
    const frame = await nextOf(frames);
    if (frame.isJson) {
      const end = JSON.parse(frame.bytes.toString('utf8')) as BodyEnd;
      if ((end.kind as string) !== 'body end' || end.bytes !== bytes || end.sha256 !== hash.digest('hex'))
        throw damaged();
      ended(end);
      return;
    }
    hash.update(frame.bytes);
    bytes += frame.bytes.length;
    yield frame.bytes;
  }
}

async function nextOf(frames: AsyncGenerator<Frame, void>): Promise<Frame> {
  const { value, done } = await frames.next();
  if (done === true) throw damaged();
  return value;
}

function sectionIn({ isJson, bytes }: Frame): Section {
  if (!isJson) throw damaged();
  return JSON.parse(bytes.toString('utf8')) as Section;
}

async function* nothing(): AsyncGenerator<Buffer> {
  // a section without bytes
}

function noEnd(): never {
  throw new Error('the body was not read to its end');
}

const damaged = (cause?: unknown): ArchiveRefused =>
  new ArchiveRefused('The archive is damaged: it was changed, cut off or put together from others', { cause });
