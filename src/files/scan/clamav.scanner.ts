import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { FileScannerUnavailable } from '../files.errors.js';
import { Scanner, type ScanResult } from './scanner.js';

export interface ClamAvOptions {
  readonly host: string;
  readonly port: number;
  /** For all of one scan, the reading of the content included. */
  readonly timeoutMs: number;
}

const MOST_CONNECT_MS = 5_000;
/** clamd refuses a frame that is longer than its StreamMaxLength; this one always passes. */
const MOST_FRAME_BYTES = 64 * 1024;
/** clamd's answers have some dozen bytes. */
const MOST_ANSWER_BYTES = 4 * 1024;
const END_OF_CONTENT = Buffer.alloc(4);

/**
 * ClamAV's daemon over TCP, by the commands of clamd(8). It answers with OK as well for what its own MaxFileSize and
 * MaxScanSize made it skip: keep both, and StreamMaxLength, above the largest upload.
 */
export class ClamAvScanner extends Scanner {
  constructor(private readonly options: ClamAvOptions) {
    super();
  }

  async scan(content: AsyncIterable<Buffer>): Promise<ScanResult> {
    const source = new Source(content);
    try {
      const signal = AbortSignal.timeout(this.options.timeoutMs);
      // asked first: when the signatures change in between, the record names the older ones, which is the careful side
      const engine = readEngine(await this.ask('VERSION', signal));
      return { ...readVerdict(await this.ask('INSTREAM', signal, source)), engine };
    } catch (error) {
      if (source.failure !== undefined) throw source.failure.cause;
      throw new FileScannerUnavailable({ cause: error });
    } finally {
      await source.close();
    }
  }

  async check(): Promise<void> {
    try {
      const answer = await this.ask('PING', AbortSignal.timeout(this.options.timeoutMs));
      if (answer !== 'PONG') throw unexpected(answer);
    } catch (error) {
      throw new FileScannerUnavailable({ cause: error });
    }
  }

  /** One command on a connection of its own, as clamd wants it. Resolves to the answer without its end mark. */
  private async ask(command: string, signal: AbortSignal, source?: Source): Promise<string> {
    signal.throwIfAborted();
    const { host, port, timeoutMs } = this.options;
    const socket = connect({ host, port, noDelay: true });
    let connecting: NodeJS.Timeout | undefined;
    const answer = new Promise<string>((resolve, reject) => {
      const fail = (reason: string) => (): void => {
        reject(new Error(reason));
      };
      connecting = setTimeout(fail(`no connection to clamd within ${MOST_CONNECT_MS} ms`), MOST_CONNECT_MS);
      socket.once('connect', () => {
        clearTimeout(connecting);
      });
      signal.addEventListener('abort', fail(`no answer of clamd within ${timeoutMs} ms`), { once: true });
      socket.on('error', reject);
      socket.on('close', fail('clamd closed the connection without an answer'));
      let received = '';
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1');
        const end = received.indexOf('\0');
        if (end === received.length - 1) resolve(received.slice(0, end));
        else if (end >= 0 || received.length > MOST_ANSWER_BYTES) reject(unexpected(received));
      });
    });
    try {
      socket.write(`z${command}\0`);
      if (source !== undefined) await send(source, socket, answer);
      return await answer;
    } finally {
      clearTimeout(connecting);
      socket.destroy();
    }
  }
}

/** Sends the content in frames, each behind its length, as fast as clamd takes them. */
async function send(source: Source, socket: Socket, answer: Promise<string>): Promise<void> {
  // who answers before the end has not seen it all, whatever the answer is
  const tooEarly = answer.then((text) => {
    throw new Error(`clamd answered before the end of the content: ${JSON.stringify(text)}`);
  });
  const orTooEarly = async <T>(step: Promise<T>): Promise<T> => Promise.race([step, tooEarly]);
  tooEarly.catch(() => undefined);
  for (;;) {
    const chunk = await orTooEarly(source.next());
    if (chunk === undefined) break;
    // an empty chunk makes no frame: a length of zero would end the content, and the rest would pass unseen
    for (let at = 0; at < chunk.length; at += MOST_FRAME_BYTES) {
      const frame = chunk.subarray(at, at + MOST_FRAME_BYTES);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(frame.length);
      socket.write(length);
      if (!socket.write(frame)) await orTooEarly(once(socket, 'drain'));
    }
  }
  socket.write(END_OF_CONTENT);
}

function readEngine(answer: string): string {
  if (!/^ClamAV [\x20-\x7e]{1,200}$/.test(answer)) throw unexpected(answer);
  return answer;
}

function readVerdict(answer: string): { state: 'clean' } | { state: 'infected'; signature: string } {
  if (answer === 'stream: OK') return { state: 'clean' };
  const signature = /^stream: ([\x21-\x7e][\x20-\x7e]{0,254}) FOUND$/.exec(answer)?.[1];
  if (signature === undefined) throw unexpected(answer);
  return { state: 'infected', signature };
}

/** Quoted and cut: what answers there need not be clamd. */
const unexpected = (answer: string): Error =>
  new Error(`unexpected answer of clamd: ${JSON.stringify(answer.slice(0, 200))}`);

/** The content, and what it takes to close it at any point. */
class Source {
  /** Set when the content itself could not be read. */
  failure: { readonly cause: unknown } | undefined;
  private readonly chunks: AsyncIterator<Buffer, unknown>;
  private isReading = false;

  constructor(private readonly content: AsyncIterable<Buffer>) {
    this.chunks = content[Symbol.asyncIterator]();
  }

  /** The next chunk, or undefined at the end. */
  async next(): Promise<Buffer | undefined> {
    this.isReading = true;
    try {
      const step = await this.chunks.next();
      return step.done === true ? undefined : step.value;
    } catch (error) {
      this.failure ??= { cause: error };
      throw error;
    } finally {
      this.isReading = false;
    }
  }

  /** The verdict stands whatever comes of the closing. */
  async close(): Promise<void> {
    // a stream's iterator that was never asked for a chunk would leave the stream open, and one that waits would wait on
    if (this.content instanceof Readable) this.content.destroy();
    const closed = Promise.resolve(this.chunks.return?.()).catch(() => undefined);
    // a generator closes only after the chunk that it is waiting for, which may never come
    if (!this.isReading) await closed;
  }
}
