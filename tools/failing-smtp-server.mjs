import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';

/**
 * @import { AddressInfo } from 'node:net'
 * @import { SMTPServerSession } from 'smtp-server'
 * @typedef {(error?: Error | null) => void} Done
 */

/** How often the server does what, of a thousand times that it is asked. */
const FAILURES = { cut: 10, hang: 3, later: 30, closing: 10, slow: 60 };
const UP_MS = [6_000, 14_000];
const DOWN_MS = [500, 3_000];
/** No recipient is told "not now" more often: the third attempt is the last. */
const MOST_LATER = 2;

/**
 * A mail server that fails at random: says not now, closes the channel, hangs up (after DATA too), says nothing, is slow, and
 * is away altogether every few seconds. The same seed makes the same choices in the same order of questions.
 */
export class FailingSmtpServer {
  /** How often the server said that it has a message, by the id of its row. @type {Map<string, number>} */
  taken = new Map();
  /** How often each recipient was named. @type {Map<string, number>} */
  asked = new Map();
  longestStandstillMs = 0;
  /** @type {Record<string, number>} */
  counts = {};
  /** @type {Map<string, number>} */
  later = new Map();
  /** @type {SMTPServer | undefined} */
  server;
  isHealthy = false;
  isClosed = false;
  port = 0;
  /** Since when something should have arrived. */
  waitsSince = performance.now();
  downs = 0;

  /** @param {{ seed: number, poisoned: string[], refused: string[] }} options */
  constructor({ seed, poisoned, refused }) {
    this.state = seed;
    this.poisoned = new Set(poisoned);
    this.refused = new Set(refused);
  }

  /** @returns {Promise<number>} the port */
  async start() {
    await this.listen();
    void this.comeAndGo();
    return this.port;
  }

  /** From now on it fails nobody any more, and the poisoned are like all others. */
  heal() {
    this.isHealthy = true;
    this.poisoned.clear();
  }

  /** Whoever sends was ended on purpose: the time without mail begins anew. */
  pardon() {
    this.waitsSince = performance.now();
  }

  story() {
    const parts = Object.entries(this.counts).map(([what, times]) => `${times} × ${what}`);
    return [...parts.sort(), `${this.downs} × away`].join(', ');
  }

  async close() {
    this.isClosed = true;
    await this.stop();
  }

  async listen() {
    const server = new SMTPServer({
      authOptional: true,
      hideSTARTTLS: true,
      closeTimeout: 0,
      onRcptTo: ({ address }, session, done) => void this.answerRecipient(address, session, done),
      onData: (stream, session, done) => {
        let head = '';
        stream.on(
          'data',
          (/** @type {Buffer} */ chunk) => (head += head.length < 4096 ? chunk.toString('latin1') : ''),
        );
        stream.on('end', () => {
          const id = /^message-id: <([0-9a-f-]{36})@/im.exec(head)?.[1];
          void this.answerMessage(id ?? 'unknown', session, done);
        });
      },
    });
    server.on('error', () => undefined);
    const listener = server.listen(this.port, '127.0.0.1');
    await once(listener, 'listening');
    this.port = /** @type {AddressInfo} */ (listener.address()).port;
    this.server = server;
    this.waitsSince = performance.now();
  }

  async stop() {
    const server = this.server;
    this.server = undefined;
    if (server === undefined) return;
    for (const connection of server.connections) this.cut(connection);
    await new Promise((resolve) => server.close(() => resolve(undefined)));
  }

  async comeAndGo() {
    for (;;) {
      await sleep(this.between(UP_MS), undefined, { ref: false });
      if (this.isHealthy || this.isClosed) return;
      this.noteStandstill();
      this.downs += 1;
      await this.stop();
      await sleep(this.between(DOWN_MS));
      if (this.isClosed) return;
      await this.listen();
    }
  }

  /** @param {string} address @param {SMTPServerSession} session @param {Done} done */
  async answerRecipient(address, session, done) {
    this.asked.set(address, (this.asked.get(address) ?? 0) + 1);
    if (this.poisoned.has(address)) return this.count('hang at the poisoned');
    if (this.refused.has(address)) return this.reply(done, 550, '5.1.1 no such user');
    await this.fail(address, 'RCPT', session, done);
  }

  /** @param {string} id @param {SMTPServerSession} session @param {Done} done */
  async answerMessage(id, session, done) {
    const address = session.envelope.rcptTo[0]?.address ?? '';
    await this.fail(address, 'DATA', session, (error) => {
      if (error == null) {
        this.taken.set(id, (this.taken.get(id) ?? 0) + 1);
        this.noteStandstill();
        this.waitsSince = performance.now();
      }
      done(error);
    });
  }

  /** @param {string} address @param {string} at @param {SMTPServerSession} session @param {Done} done */
  async fail(address, at, session, done) {
    let choice = this.isHealthy ? Infinity : this.random() * 1000;
    const isChosen = (/** @type {number} */ share) => (choice -= share) < 0;
    if (isChosen(FAILURES.cut)) {
      this.count(`cut at ${at}`);
      for (const connection of this.server?.connections ?? [])
        if (/** @type {{ id?: string }} */ (connection).id === session.id) this.cut(connection);
    } else if (isChosen(FAILURES.hang)) {
      this.count(`hang at ${at}`);
    } else if (isChosen(FAILURES.later) && (this.later.get(address) ?? 0) < MOST_LATER) {
      this.later.set(address, (this.later.get(address) ?? 0) + 1);
      this.reply(done, 451, '4.7.1 try again later');
    } else if (isChosen(FAILURES.closing)) {
      this.reply(done, 421, '4.3.2 closing');
    } else if (isChosen(FAILURES.slow)) {
      this.count('slow');
      await sleep(this.between([50, 500]));
      done();
    } else done();
  }

  /** @param {Done} done @param {number} code @param {string} text */
  reply(done, code, text) {
    this.count(String(code));
    done(Object.assign(new Error(text), { responseCode: code }));
  }

  /** @param {string} what */
  count(what) {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  noteStandstill() {
    if (!this.isHealthy)
      this.longestStandstillMs = Math.max(this.longestStandstillMs, performance.now() - this.waitsSince);
  }

  /** @param {unknown} connection */
  cut(connection) {
    /** @type {{ _socket: { destroy(): void } }} */ (connection)._socket.destroy();
  }

  /** @param {number[]} range */
  between([least = 0, most = 0]) {
    return least + this.random() * (most - least);
  }

  /** From 0 to 1: Mulberry32. */
  random() {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }
}
