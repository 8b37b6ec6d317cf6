import { Readable } from 'node:stream';
import { FileScannerUnavailable } from '../src/files/files.errors.js';
import { ClamAvScanner } from '../src/files/scan/clamav.scanner.js';
import { eventually } from './support/app.js';
import { type Clamd, EICAR, findClamd, MOST_STREAM_BYTES, startClamd } from './support/clamd.js';
import { describeWith } from './support/real-servers.js';
import { cleanUp } from './support/clean-up.js';
import { makePdf } from './support/documents.mjs';
import { startRawServer } from './support/smtp.js';

afterEach(() => cleanUp());
afterAll(() => cleanUp('the whole file'));

const KIB = 1024;
const MIB = 1024 * KIB;
const TIMEOUT_MS = 10_000;

/** Content that remembers whether it was closed and how much of it was asked for. */
class Content implements AsyncIterable<Buffer> {
  isClosed = false;
  bytesRead = 0;

  constructor(private readonly chunks: Iterable<Buffer> | AsyncIterable<Buffer>) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of this.chunks) {
        this.bytesRead += chunk.length;
        yield chunk;
      }
    } finally {
      this.isClosed = true;
    }
  }
}

const contentOf = (...chunks: Buffer[]): Content => new Content(chunks);

/** In chunks as a disk gives them. */
function inChunks(bytes: Buffer, size = 256 * KIB): Content {
  const count = Math.ceil(bytes.length / size);
  return contentOf(...Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size)));
}

/** What the scan rejects with, and the reason in it. */
async function refusalOf(scan: Promise<unknown>): Promise<string> {
  const error: unknown = await scan.then(
    (result) => new Error(`not refused: ${JSON.stringify(result)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof FileScannerUnavailable)) throw error;
  return String(error.cause);
}

const found = findClamd();
const isMissing = typeof found === 'string';

describeWith(
  isMissing ? undefined : found,
  'clamd',
  isMissing ? found : '',
)('a scan by a real clamd', () => {
  let clamd: Clamd;
  let scanner: ClamAvScanner;

  beforeEach(async () => {
    if (typeof found === 'string') throw new Error(found);
    clamd = await startClamd(found);
    scanner = new ClamAvScanner({ ...clamd, timeoutMs: TIMEOUT_MS });
  });

  it.each<[string, () => Content]>([
    ['of 3 MB', () => inChunks(Buffer.alloc(3 * MIB, 'harmless '))],
    ['of nothing', () => contentOf()],
    ['exactly as long as clamd takes', () => inChunks(Buffer.alloc(MOST_STREAM_BYTES, 1))],
    ['that is almost the EICAR text', () => contentOf(EICAR.subarray(1))],
  ])('finds a file %s clean, names the engine and closes the file', async (_, make) => {
    const content = make();

    const result = await scanner.scan(content);

    expect(result).toEqual({ state: 'clean', engine: expect.stringMatching(/^ClamAV \d+\.\d+\.\d+/) });
    expect(content.isClosed).toBe(true);
  });

  const padding = Buffer.alloc(100_000, ' ');
  it.each<[string, () => Content]>([
    ['alone', () => contentOf(EICAR)],
    ['behind a PDF', () => contentOf(Buffer.concat([makePdf(), EICAR]))],
    ['at the end of 3 MB', () => inChunks(Buffer.concat([Buffer.alloc(3 * MIB), EICAR]))],
    ['at the end of one chunk of 3 MB', () => contentOf(Buffer.concat([Buffer.alloc(3 * MIB), EICAR]))],
    ['across the border of two frames', () => contentOf(Buffer.concat([padding.subarray(0, 64 * KIB - 30), EICAR]))],
    ['in chunks of one byte', () => inChunks(EICAR, 1)],
    ['behind an empty chunk', () => contentOf(padding, Buffer.alloc(0), EICAR)],
  ])('finds malware %s, names its signature and closes the file', async (_, make) => {
    const content = make();

    const result = await scanner.scan(content);

    expect(result).toEqual({
      state: 'infected',
      signature: expect.stringMatching(/^Forecourt\.Eicar-(Body|File)\.UNOFFICIAL$/),
      engine: expect.stringMatching(/^ClamAV \d/),
    });
    expect(content.isClosed).toBe(true);
  });

  it.each<[string, Buffer]>([
    ['by one byte', Buffer.alloc(MOST_STREAM_BYTES + 1)],
    ['by far', Buffer.alloc(4 * MOST_STREAM_BYTES)],
  ])('does not call a file clean that is longer than clamd takes, %s', async (_, bytes) => {
    const content = inChunks(bytes);

    // clamd closes behind its answer, which is lost when more of the file is on its way
    expect(await refusalOf(scanner.scan(content))).toMatch(/size limit exceeded|ECONNRESET|EPIPE/);

    expect(content.isClosed).toBe(true);
  });

  it('does not call a file clean when clamd dies in the middle of it', async () => {
    const content = new Content(
      (async function* () {
        yield Buffer.alloc(MIB);
        await clamd.kill();
        yield Buffer.alloc(MIB);
      })(),
    );

    expect(await refusalOf(scanner.scan(content))).toMatch(/ECONNRESET|EPIPE|closed the connection/);

    await eventually('the file is closed', async () => content.isClosed);
  });

  it('passes on the error of a file that cannot be read', async () => {
    const failure = new Error('the disk is gone');
    const content = new Content(
      (async function* () {
        yield Buffer.alloc(MIB);
        throw failure;
      })(),
    );

    await expect(scanner.scan(content)).rejects.toBe(failure);

    expect(content.isClosed).toBe(true);
    await expect(scanner.check()).resolves.toBeUndefined();
  });

  it('gives 16 files at once the verdict of each', async () => {
    const files = Array.from({ length: 16 }, (_, index) =>
      inChunks(Buffer.concat([Buffer.alloc(MIB + index, index), index % 3 === 0 ? EICAR : Buffer.alloc(0)])),
    );

    const results = await Promise.all(files.map((file) => scanner.scan(file)));

    expect(results.map(({ state }) => state)).toEqual(
      files.map((_, index) => (index % 3 === 0 ? 'infected' : 'clean')),
    );
    expect(files.every(({ isClosed }) => isClosed)).toBe(true);
  });

  it('is possible exactly when the check says so', async () => {
    await expect(scanner.check()).resolves.toBeUndefined();

    await clamd.kill();

    expect(await refusalOf(scanner.check())).toContain('ECONNREFUSED');
    const content = contentOf(EICAR);
    expect(await refusalOf(scanner.scan(content))).toContain('ECONNREFUSED');
    expect(content.isClosed).toBe(false);
    expect(content.bytesRead).toBe(0);
  });
});

const VERSION = 'ClamAV 1.4.3/27800/Fri Oct 17 09:00:00 2025\0';

interface Script {
  readonly version?: string;
  /** Sent to a PING, or when the content has ended; nothing when left out. */
  readonly answer?: string | Buffer;
  /** Sent as soon as content is announced. */
  readonly early?: string;
  /** Closes behind whatever it sends, as clamd does. */
  readonly closes?: boolean;
  /** Stops reading when content is announced. */
  readonly stalls?: boolean;
}

/** A server that is no clamd, and a scanner that takes it for one. */
async function scannerOf(script: Script, timeoutMs = TIMEOUT_MS): Promise<ClamAvScanner> {
  const { version = VERSION, answer, early, closes = true, stalls = false } = script;
  const port = await startRawServer((socket) => {
    const say = (text: string | Buffer): void => {
      if (closes) socket.end(text);
      else socket.write(text);
    };
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.includes('zVERSION\0')) say(version);
      if (received.includes('zINSTREAM\0') && stalls) socket.pause();
      if (received.includes('zINSTREAM\0') && early !== undefined) say(early);
      const hasEnded = received.includes('zPING\0') || received.subarray(-4).equals(Buffer.alloc(4));
      if (hasEnded && answer !== undefined) say(answer);
    });
  });
  return new ClamAvScanner({ host: '127.0.0.1', port: Number(port), timeoutMs });
}

const text = Buffer.alloc(200 * KIB, 'text ');

describe('a scan by something that answers like clamd', () => {
  it('is clean with the signatures that it names', async () => {
    const scanner = await scannerOf({ answer: 'stream: OK\0' });

    expect(await scanner.scan(inChunks(text))).toEqual({ state: 'clean', engine: VERSION.slice(0, -1) });
  });

  it.each<[string, Script]>([
    ['closes without a word', { answer: '' }],
    ['closes before the end mark', { answer: 'stream: OK' }],
    ['says OK and goes on', { answer: 'stream: OK\0stream: OK\0' }],
    ['says OK and something else', { answer: 'stream: OK (not scanned)\0' }],
    ['says OK in a second line', { answer: 'stream: \nstream: OK\0' }],
    ['says OK in capitals', { answer: 'STREAM: OK\0' }],
    ['says OK of another file', { answer: '/tmp/file: OK\0' }],
    ['says OK in a session', { answer: '2: stream: OK\0' }],
    ['finds something without a name', { answer: 'stream:  FOUND\0' }],
    ['reports an error', { answer: 'stream: Can’t allocate memory ERROR\0' }],
    ['reports that the file is too long', { answer: 'INSTREAM size limit exceeded. ERROR\0' }],
    ['does not know the command', { answer: 'UNKNOWN COMMAND\0' }],
    ['sends noise', { answer: Buffer.from('ff00fe00fd', 'hex') }],
    ['talks without end', { answer: 'stream: OK '.repeat(10_000), closes: false }],
    ['speaks HTTP', { answer: 'HTTP/1.1 400 Bad Request\r\n\r\n' }],
    ['names no version', { version: 'stream: OK\0', answer: 'stream: OK\0' }],
    ['closes instead of naming its version', { version: '', answer: 'stream: OK\0' }],
  ])('is refused when it %s, and the file is closed', async (_, script) => {
    const scanner = await scannerOf(script);
    const content = inChunks(text);
    const opened = content[Symbol.asyncIterator]();

    expect(await refusalOf(scanner.scan({ [Symbol.asyncIterator]: () => opened }))).toMatch(
      /unexpected answer of clamd|closed the connection/,
    );

    expect(await opened.next()).toEqual({ done: true, value: undefined });
  });

  it.each(['stream: OK\0', 'stream: Forecourt.Eicar FOUND\0'])(
    'is refused when the answer comes before the end of the file: %j',
    async (early) => {
      const scanner = await scannerOf({ early, closes: false });
      const content = new Content(
        (async function* () {
          for (;;) {
            yield Buffer.alloc(KIB);
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        })(),
      );

      expect(await refusalOf(scanner.scan(content))).toContain('clamd answered before the end of the content');

      await eventually('the file is closed', async () => content.isClosed);
    },
  );

  it.each<[string, Script]>([
    ['does not answer', {}],
    ['does not name its version', { version: '', closes: false }],
    ['does not take the file', { stalls: true }],
  ])('ends with the time limit when it %s', async (_, script) => {
    const scanner = await scannerOf({ closes: false, ...script }, 300);
    const content = inChunks(Buffer.alloc(32 * MIB));
    const began = performance.now();

    expect(await refusalOf(scanner.scan(content))).toContain('no answer of clamd within 300 ms');

    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('reads no more of the file than the other side takes', async () => {
    const scanner = await scannerOf({ stalls: true, closes: false }, 500);
    const content = inChunks(Buffer.alloc(64 * MIB));

    await refusalOf(scanner.scan(content));

    // the system's own buffers on both sides take some megabytes
    expect(content.bytesRead).toBeLessThan(16 * MIB);
    expect(content.isClosed).toBe(true);
  });

  it('ends with the time limit when the file does not, and closes the stream', async () => {
    const scanner = await scannerOf({ answer: 'stream: OK\0' }, 300);
    const content = new Readable({ read: () => undefined });
    content.push(text);

    expect(await refusalOf(scanner.scan(content))).toContain('no answer of clamd within 300 ms');

    expect(content.destroyed).toBe(true);
  });

  it('closes a stream that it had no reason to read', async () => {
    const scanner = await scannerOf({ version: 'noise\0' });
    const content = Readable.from([text]);

    await refusalOf(scanner.scan(content));

    expect(content.destroyed).toBe(true);
  });
});

describe('the check of a scanner', () => {
  it.each<[string, Script, RegExp]>([
    ['says something else than PONG', { answer: 'PING\0' }, /unexpected answer of clamd: "PING"/],
    ['says PONG without the end mark', { answer: 'PONG' }, /closed the connection/],
    ['says nothing', { closes: false }, /no answer of clamd within 3000 ms/],
  ])('fails when the other side %s', async (_, script, reason) => {
    const scanner = await scannerOf(script, 3000);

    expect(await refusalOf(scanner.check())).toMatch(reason);
  });

  it('fails when there is no such host', async () => {
    const scanner = new ClamAvScanner({ host: 'scanner.invalid', port: 3310, timeoutMs: TIMEOUT_MS });

    expect(await refusalOf(scanner.check())).toMatch(/ENOTFOUND|EAI_AGAIN/);
  });
});
