// The object store is reached through a network that becomes slow, and for a while carries nothing at all.
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Outage } from './outage.mjs';

/** @import { AddressInfo, Socket } from 'node:net' */

const BUCKET = 'forecourt';
/** Each piece of what a connection carries comes so much later: some 250 KB a second. */
const LATE_BY_MS = 250;
const PIECE_BYTES = 64 * 1024;
/** A store that says nothing for half a minute is away; until then it is slow, and so is the answer. */
const REFUSED_WITHIN_MS = 60_000;

class SlowNetwork {
  isSlow = false;
  /** @type {Set<Socket>} */
  sockets = new Set();

  /** @param {number} target */
  constructor(target) {
    this.server = createServer((near) => {
      const far = connect(target, '127.0.0.1');
      for (const [from, to] of /** @type {const} */ ([
        [near, far],
        [far, near],
      ])) {
        this.sockets.add(from);
        from.once('close', () => this.sockets.delete(from)).on('error', () => to.destroy());
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

  close() {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

const outage = new Outage();
const directory = join(outage.dataDir, 'bucket');
mkdirSync(directory);
const S3rver = createRequire(import.meta.url)('s3rver');
const store = new S3rver({
  port: 0,
  address: '127.0.0.1',
  silent: true,
  directory,
  configureBuckets: [{ name: BUCKET }],
});
const { port } = await store.run();
const network = new SlowNetwork(port);
await outage.run(
  {
    name: 'storage slowed (S3 at 250 KB/s, each piece late by 250 ms)',
    isReady: 'either',
    refusedWithinMs: REFUSED_WITHIN_MS,
    begin: async () => (network.isSlow = true),
    end: async () => (network.isSlow = false),
  },
  {
    STORAGE_DRIVER: 's3',
    S3_ENDPOINT: `http://127.0.0.1:${await network.listen()}`,
    S3_BUCKET: BUCKET,
    S3_PATH_STYLE: 'true',
    S3_ACCESS_KEY_ID: 'S3RVER',
    S3_SECRET_ACCESS_KEY: 'S3RVER',
  },
);
network.close();
await store.close();
process.exit();
