import { type OnModuleDestroy } from '@nestjs/common';
import { type TextFailure, type TextKind, type TextLimits, type TextOutcome, TextProcess } from './text-process.js';

export type { TextFailure, TextKind, TextLimits };

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

const LIMITS: TextLimits = { timeoutMs: 20_000, heapMb: 256, growthMb: 768 };
const IDLE_MS = 30_000;

/**
 * The text of documents, read one after another in a process of its own, which ends when a file asks too much of it and when
 * there has been nothing to read for half a minute.
 */
export class TextExtractor implements OnModuleDestroy {
  private readonly limits: TextLimits;
  private process: TextProcess | undefined;
  private idle: NodeJS.Timeout | undefined;
  private isOver = false;
  /** Settles when the files that came before have had their turn. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(limits: Partial<TextLimits> = {}) {
    this.limits = { ...LIMITS, ...limits };
  }

  /** Ends the process. What still waits is rejected with an error that says nothing about its file. */
  async onModuleDestroy(): Promise<void> {
    this.isOver = true;
    this.endProcess();
    await this.turn;
  }

  /**
   * One line in NFC without control characters, at most 200 KiB of UTF-8; empty when the document holds no text, as a scan
   * does. Rejects with {@link TextNotExtracted}.
   */
  async extract(kind: TextKind, bytes: Buffer): Promise<string> {
    const outcome = this.turn.then(() => this.run(kind, bytes));
    this.turn = outcome.catch(() => undefined);
    const result = await outcome;
    if ('text' in result) return result.text;
    throw new TextNotExtracted(result.reason, { cause: new Error(result.detail) });
  }

  private async run(kind: TextKind, bytes: Buffer): Promise<TextOutcome> {
    if (this.isOver) throw new Error('no more documents are read');
    clearTimeout(this.idle);
    if (this.process?.hasEnded !== false) this.process = new TextProcess(this.limits);
    try {
      return await this.process.read(kind, bytes);
    } finally {
      this.idle = setTimeout(() => {
        this.endProcess();
      }, IDLE_MS).unref();
    }
  }

  private endProcess(): void {
    clearTimeout(this.idle);
    this.process?.end();
    this.process = undefined;
  }
}
