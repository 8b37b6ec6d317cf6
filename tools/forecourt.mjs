// The built Forecourt as a process of its own, for the tools that drive it from outside.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** @typedef {Readonly<Record<string, string>> & { readonly DATA_DIR: string }} Settings */

const MAIN = fileURLToPath(new URL('../dist/src/main.js', import.meta.url));
const WITHIN_MS = 60_000;

/** What a started program needs to know, and nothing else of this process. @param {Settings} settings */
export function environmentOf(settings) {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, ...settings };
}

/** A started Forecourt: its output, its end and its address. */
export class Forecourt {
  url = '';
  /** Everything that it wrote, to either stream. */
  output = '';
  hasEnded = false;

  /**
   * Starts it in its DATA_DIR, so that no .env file is read; with `isGroup` in a process group of its own.
   * `withinMs`: how long it may take to start, where many start at once.
   * @param {Settings} settings @param {{ isGroup?: boolean, withinMs?: number }} [launch]
   */
  constructor(settings, { isGroup = false, withinMs = WITHIN_MS } = {}) {
    this.withinMs = withinMs;
    this.child = spawn(process.execPath, [MAIN], {
      cwd: settings.DATA_DIR,
      env: environmentOf(settings),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: isGroup,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.output += text));
    }
    /** @type {Promise<number | null>} the exit code; null after a signal */
    this.ended = new Promise((resolve) => {
      this.child.once('exit', (code) => {
        this.hasEnded = true;
        resolve(code);
      });
    });
  }

  get pid() {
    return this.child.pid ?? 0;
  }

  /** Resolves as soon as it serves; rejects with its output when it does not. */
  async listening() {
    const port = await this.eventually('listening', () => /listens on port (\d+)/.exec(this.output)?.[1]);
    this.url = `http://127.0.0.1:${port}`;
  }

  /**
   * What the probe finds, asked until it finds something. Rejects when Forecourt ends first, or after a minute (`withinMs`).
   * @template T @param {string} what @param {() => Promise<T | undefined> | T | undefined} probe @returns {Promise<T>}
   */
  async eventually(what, probe) {
    for (const deadline = performance.now() + this.withinMs; performance.now() < deadline; await sleep(50)) {
      const value = await probe();
      if (value !== undefined) return value;
      if (this.hasEnded) throw new Error(`Forecourt ended: ${this.output}`);
    }
    throw new Error(`not within ${this.withinMs / 1000} s: ${what}\n${this.output}`);
  }

  /** Asks it to end. Resolves to its exit code; rejects when it takes longer than 15 s. */
  async stop() {
    this.child.kill('SIGTERM');
    const code = await Promise.race([this.ended, sleep(15_000, 'late', { ref: false })]);
    if (code === 'late') throw new Error(`Forecourt did not end within 15 s of SIGTERM:\n${this.output}`);
    return code;
  }
}

/**
 * The public form.
 * @param {{ first: string, last: string, email: string, bytes: Buffer, name: string, type: string }} submission
 */
export function leadForm({ first, last, email, bytes, name, type }) {
  const form = new FormData();
  form.append('first_name', first);
  form.append('last_name', last);
  form.append('email', email);
  form.append('resume', new Blob([new Uint8Array(bytes)], { type }), name);
  return form;
}
