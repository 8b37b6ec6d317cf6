import { type OnModuleDestroy } from '@nestjs/common';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';

export type TextKind = 'pdf' | 'doc' | 'docx';
export type TextFailure = 'timeout' | 'memory' | 'unreadable' | 'encrypted';

/** Why a file has no text: a property of the file, so that trying again gives the same. */
export class TextNotExtracted extends Error {
  constructor(
    readonly reason: TextFailure,
    options?: ErrorOptions,
  ) {
    super(`no text: ${reason}`, options);
    this.name = 'TextNotExtracted';
  }
}

export interface TextLimits {
  /** For one file, without the waiting for its turn. */
  readonly timeoutMs: number;
  /** Of JavaScript objects. */
  readonly heapMb: number;
  /** By which the process may grow during one file: what a file inflates to is outside the heap. */
  readonly growthMb: number;
}

const LIMITS: TextLimits = { timeoutMs: 20_000, heapMb: 256, growthMb: 768 };
const IDLE_MS = 30_000;
const WATCH_EVERY_MS = 50;

type Outcome = { readonly text: string } | { readonly reason: TextFailure; readonly detail: string };

/**
 * The text of documents, read one after another in a worker thread of its own, which ends when a file asks too much of it
 * and when there has been nothing to read for half a minute.
 */
export class TextExtractor implements OnModuleDestroy {
  private readonly limits: TextLimits;
  private readonly pool: Piscina;
  /** The smallest that the process was when a file's turn came. */
  private floorBytes = Infinity;
  /** Settles when the files that came before have had their turn. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(limits: Partial<TextLimits> = {}) {
    this.limits = { ...LIMITS, ...limits };
    this.pool = new Piscina({
      filename: fileURLToPath(new URL('./text.worker.js', import.meta.url)),
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
      niceIncrement: 10,
      resourceLimits: { maxOldGenerationSizeMb: this.limits.heapMb },
    });
    // a thread that fails between two files has no call to tell, and an error without a listener ends the process
    this.pool.on('error', () => undefined);
  }

  /** Ends the thread. What still waits is rejected with an error that says nothing about its file. */
  async onModuleDestroy(): Promise<void> {
    await this.pool.destroy();
  }

  /**
   * One line in NFC without control characters, at most 200 KiB of UTF-8; empty when the document holds no text, as a scan
   * does. The bytes are handed over and must not be used afterwards. Rejects with {@link TextNotExtracted}.
   */
  async extract(kind: TextKind, bytes: Buffer): Promise<string> {
    // taken one by one here and not by the pool: the time limit begins with the turn
    const outcome = this.turn.then(() => this.run(kind, bytes));
    this.turn = outcome.catch(() => undefined);
    const result = await outcome;
    if ('text' in result) return result.text;
    throw new TextNotExtracted(result.reason, { cause: new Error(result.detail) });
  }

  /**
   * The size at which the process has grown too much, in bytes. What a hostile file took stays with the process for its
   * next use, so it must not count as the size from which the next one may grow; a little room is there in any case.
   */
  private mostMemory(): number {
    const growth = this.limits.growthMb * 1024 * 1024;
    const now = process.memoryUsage.rss();
    this.floorBytes = Math.min(this.floorBytes, now);
    return Math.max(this.floorBytes + growth, now + growth / 8);
  }

  private async run(kind: TextKind, bytes: Buffer): Promise<Outcome> {
    const limit = new AbortController();
    let exceeded: TextFailure | undefined;
    const end = (reason: TextFailure): void => {
      exceeded ??= reason;
      limit.abort();
    };
    const timeout = setTimeout(end, this.limits.timeoutMs, 'timeout');
    const most = this.mostMemory();
    const watch = setInterval(() => {
      if (process.memoryUsage.rss() > most) end('memory');
    }, WATCH_EVERY_MS);
    try {
      const own = ownBufferOf(bytes);
      return (await this.pool.run({ kind, bytes: own }, { signal: limit.signal, transferList: [own] })) as Outcome;
    } catch (error) {
      if (exceeded !== undefined) throw new TextNotExtracted(exceeded, { cause: error });
      if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY')
        throw new TextNotExtracted('memory', { cause: error });
      throw error;
    } finally {
      clearTimeout(timeout);
      clearInterval(watch);
    }
  }
}

/** A small buffer shares its memory with others and can only be copied; any other is handed over as it is. */
function ownBufferOf({ buffer, byteOffset, byteLength }: Buffer): ArrayBuffer {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) return buffer;
  return new Uint8Array(buffer, byteOffset, byteLength).slice().buffer;
}
