import { Finding } from './finding.js';
import type { ContentWatcher } from './inspection.js';
import { unescaped } from './pdf-syntax.js';

/** Longer names are none that is looked for, even if each of their characters is escaped. */
const MOST_NAME_BYTES = 256;
/** How far to look behind a name for what follows. */
const LOOK_AHEAD_BYTES = 64;
const KEPT_BYTES = MOST_NAME_BYTES + LOOK_AHEAD_BYTES;
const MOST_OBJECT_STREAMS = 2000;

/** What the names that matter here begin with; # begins an escaped character. */
const INITIALS = new Set(Array.from('#ACDEFJLOPRS', (letter) => letter.charCodeAt(0)));
const NAME = /[^\0\t\n\f\r ()<>[\]{}/%]*/y;
/** A value follows: a dictionary, a string or a reference. A comment may hide one. */
const VALUE = /^[\0\t\n\f\r ]*(?:[<(%]|\d{1,10}[\0\t\n\f\r ]+\d{1,5}[\0\t\n\f\r ]+R|$)/;
const NAME_FOLLOWS = /^[\0\t\n\f\r ]*([/%]|$)/;
const END_OF_OBJECT = /^[\0\t\n\f\r ]*endobj/;

/** A stream of objects, by the position of its first byte. */
export interface ObjectStream {
  readonly start: number;
  /** It is packed by something beside or instead of /FlateDecode. */
  readonly isUnusual: boolean;
}

/**
 * Searches the bytes of a PDF, wherever they stand, for names that start something: a program that reads a PDF can be led
 * anywhere by its cross-reference table, even into the middle of a string or a stream. What a résumé says in plain text
 * ("HTML/JavaScript") is told from that by what stands before and behind it.
 */
export class PdfNames implements ContentWatcher {
  readonly findings = new Set<Finding>();
  readonly objectStreams: ObjectStream[] = [];
  hasEncryption = false;
  private rest = Buffer.alloc(0);
  /** The last characters before `rest`: they tell the end of a stream from a beginning. */
  private before = '';
  /** The position of the first byte of `rest`. */
  private position = 0;
  /** The name that was /S says what kind of action a dictionary is: where its value begins, or any next name. */
  private actionAt: number | 'next' | undefined;
  private sinceLastStream = new Set<string>();

  write(chunk: Buffer): void {
    const data = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    this.search(data, Math.max(0, data.length - KEPT_BYTES));
  }

  end(): void {
    this.search(this.rest, this.rest.length);
  }

  /** Looks at everything that begins before `until`. */
  private search(data: Buffer, until: number): void {
    const text = data.toString('latin1');
    let [slash, stream, done] = [text.indexOf('/'), text.indexOf('stream'), 0];
    const isBefore = (at: number): boolean => at >= 0 && at < until;
    while (isBefore(slash) || isBefore(stream)) {
      if (isBefore(slash) && (stream < 0 || slash < stream)) {
        done = this.seeName(text, slash);
        slash = text.indexOf('/', done);
      } else {
        done = stream + 'stream'.length;
        this.seeStream(text, stream, done);
        stream = text.indexOf('stream', done);
      }
      if (stream >= 0 && stream < done) stream = text.indexOf('stream', done);
    }
    const kept = Math.max(until, done);
    this.before = this.endingAt(text, kept);
    this.rest = Buffer.from(data.subarray(kept));
    this.position += kept;
  }

  /** The position behind the name. */
  private seeName(text: string, slash: number): number {
    // bytes that are no text have a slash in every 256, so most of them are passed over before anything is made of them
    if (slash + 1 < text.length && !INITIALS.has(text.charCodeAt(slash + 1))) {
      this.actionAt = undefined;
      return slash + 1;
    }
    NAME.lastIndex = slash + 1;
    const raw = NAME.exec(text)?.[0] ?? '';
    const end = slash + 1 + Math.min(raw.length, MOST_NAME_BYTES);
    const name = raw.length > MOST_NAME_BYTES ? '' : unescaped(raw);
    const behind = text.slice(end, end + LOOK_AHEAD_BYTES);
    const isAction = this.actionAt === 'next' || this.actionAt === this.position + slash;
    this.actionAt = undefined;
    switch (name) {
      case 'S': {
        const follows = NAME_FOLLOWS.exec(behind);
        if (follows !== null) this.actionAt = follows[1] === '/' ? this.position + end + follows[0].length - 1 : 'next';
        break;
      }
      case 'JavaScript':
        if (isAction || VALUE.test(behind) || END_OF_OBJECT.test(behind)) this.findings.add(Finding.Scripts);
        break;
      case 'JS':
        if (VALUE.test(behind)) this.findings.add(Finding.Scripts);
        break;
      case 'Launch':
        if (isAction || END_OF_OBJECT.test(behind)) this.findings.add(Finding.LaunchActions);
        break;
      case 'EmbeddedFile':
        this.findings.add(Finding.EmbeddedFiles);
        break;
      case 'EF':
        if (VALUE.test(behind)) this.findings.add(Finding.EmbeddedFiles);
        break;
      case 'RichMedia':
        this.findings.add(Finding.RichMedia);
        break;
      case 'Encrypt':
        this.hasEncryption ||= VALUE.test(behind);
        break;
    }
    if (name === 'ObjStm' || name === 'Predictor' || name.endsWith('Decode')) this.sinceLastStream.add(name);
    return end;
  }

  /** ISO 32000-2, 7.3.8.1: the keyword is followed by CR LF or LF; some writers end it with CR alone. */
  private seeStream(text: string, at: number, end: number): void {
    const [lineEnd] = /^(?:\r\n|\n|\r)/.exec(text.slice(end, end + 2)) ?? [];
    const isEnd = this.endingAt(text, at) === 'end';
    if (!isEnd && lineEnd === undefined) return;
    const names = this.sinceLastStream;
    this.sinceLastStream = new Set();
    if (isEnd || lineEnd === undefined || !names.has('ObjStm')) return;
    if (this.objectStreams.length >= MOST_OBJECT_STREAMS) {
      this.findings.add(Finding.UncheckedParts);
      return;
    }
    const others = [...names].filter((name) => name !== 'ObjStm' && name !== 'FlateDecode');
    this.objectStreams.push({ start: this.position + end + lineEnd.length, isUnusual: others.length > 0 });
  }
  /** The three characters before a place in the text that begins where the last one ended. */
  private endingAt(text: string, at: number): string {
    return at >= 3 ? text.slice(at - 3, at) : (this.before + text.slice(0, at)).slice(-3);
  }
}
