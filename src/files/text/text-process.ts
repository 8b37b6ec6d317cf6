import { type ChildProcess, fork } from 'node:child_process';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

export type TextKind = 'pdf' | 'doc' | 'docx';
export type TextFailure = 'timeout' | 'memory' | 'unreadable' | 'encrypted';
export type TextOutcome = { readonly text: string } | { readonly reason: TextFailure; readonly detail: string };

export interface TextLimits {
  /** For one file, without the waiting for its turn. */
  readonly timeoutMs: number;
  /** Of JavaScript objects. */
  readonly heapMb: number;
  /** By which the process that reads may grow: what a file inflates to is outside the heap. */
  readonly growthMb: number;
}

/** How its own watch, the kernel and V8 end it for want of memory. */
const WANT_OF_MEMORY = new Set<NodeJS.Signals | null>(['SIGKILL', 'SIGABRT', 'SIGTRAP']);
const LOW_PRIORITY = 10;
/** To load its libraries, which no file is to be blamed for. */
const START_MS = 60_000;

/**
 * A process that reads documents, one at a time. Ending it is the only way to have back from the system what a hostile file took:
 * after a thread, hundreds of megabytes stayed.
 */
export class TextProcess {
  hasEnded = false;
  private readonly child: ChildProcess;
  private readonly ready: Promise<unknown>;
  /** Whoever waits for the next message. */
  private waiting: { resolve(message: unknown): void; reject(error: Error): void } | undefined;

  constructor(private readonly limits: TextLimits) {
    this.child = fork(fileURLToPath(new URL('./text.worker.js', import.meta.url)), [String(limits.growthMb)], {
      // none of our settings, which hold secrets; V8 would write pages about a heap that is full
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [`--max-old-space-size=${limits.heapMb}`],
      serialization: 'advanced',
    });
    this.child.on('message', (message) => this.waiting?.resolve(message));
    this.child.on('error', (error) => {
      this.ended(error);
    });
    this.child.once('exit', (code, signal) => {
      this.ended(new ProcessEnded(code, signal));
    });
    lowerPriority(this.child.pid);
    this.ready = this.next(START_MS);
    this.ready.catch(() => undefined);
  }

  /** What a document says, or why not; ends when that asks too much. Rejects with what says nothing about the document. */
  async read(kind: TextKind, bytes: Buffer): Promise<TextOutcome> {
    await this.ready;
    try {
      const answer = this.next(this.limits.timeoutMs);
      this.child.send({ kind, bytes });
      return (await answer) as TextOutcome;
    } catch (error) {
      if (error instanceof TooLate) return { reason: 'timeout', detail: error.message };
      if (error instanceof ProcessEnded && !error.wasAsked && WANT_OF_MEMORY.has(error.signal))
        return { reason: 'memory', detail: error.message };
      throw error;
    }
  }

  /** Whoever waits for a document is rejected with an error that says nothing about it. */
  end(reason: Error = new ProcessEnded(null, 'SIGKILL', true)): void {
    this.ended(reason);
    this.child.kill('SIGKILL');
  }

  private ended(error: Error): void {
    this.hasEnded = true;
    this.waiting?.reject(error);
  }

  private async next(withinMs: number): Promise<unknown> {
    if (this.hasEnded) throw new ProcessEnded(null, null);
    const timeout = setTimeout(() => {
      this.end(new TooLate());
    }, withinMs);
    try {
      return await new Promise((resolve, reject) => {
        this.waiting = { resolve, reject };
      });
    } finally {
      clearTimeout(timeout);
      this.waiting = undefined;
    }
  }
}

class TooLate extends Error {
  constructor() {
    super('the process that reads documents took too long');
  }
}

class ProcessEnded extends Error {
  constructor(
    code: number | null,
    readonly signal: NodeJS.Signals | null,
    /** Because Forecourt stops. */
    readonly wasAsked = false,
  ) {
    super(`the process that reads documents ended: ${signal ?? `code ${code}`}`);
  }
}

/** Below that of requests. Where the system forbids it, the text is as good. */
function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, LOW_PRIORITY);
  } catch {
    return;
  }
}
