// A network between Forecourt and something that it needs, which can become slow, and be cut.
import { connect, createServer } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** @import { AddressInfo, Socket } from 'node:net' */

/** Each piece of what a connection carries comes so much later: some 250 KB a second. */
const LATE_BY_MS = 250;
const PIECE_BYTES = 64 * 1024;

export class Network {
  isSlow = false;
  /** @type {Set<Socket>} */
  sockets = new Set();

  /** @param {number} target a port of this machine */
  constructor(target) {
    this.server = createServer((near) => {
      const far = connect(target, '127.0.0.1');
      for (const [from, to] of /** @type {const} */ ([
        [near, far],
        [far, near],
      ])) {
        this.sockets.add(from);
        from.once('close', () => {
          this.sockets.delete(from);
          to.destroy();
        });
        from.on('error', () => undefined);
        from.pipe(this.brake()).pipe(to);
      }
    });
  }

  brake() {
    return new Transform({
      transform: (chunk, _, done) => {
        void this.delay(chunk.length).then(() => done(null, chunk));
      },
    });
  }

  /** @param {number} length */
  async delay(length) {
    if (this.isSlow) await sleep(LATE_BY_MS * Math.ceil(length / PIECE_BYTES));
  }

  /** Resolves to its port. */
  async listen() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', () => resolve(undefined)));
    return /** @type {AddressInfo} */ (this.server.address()).port;
  }

  /** Ends every connection; new ones can be made. */
  cut() {
    for (const socket of this.sockets) socket.destroy();
  }

  close() {
    this.cut();
    this.server.close();
  }
}
