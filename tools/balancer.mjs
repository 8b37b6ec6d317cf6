// A balancer as simple as may be: in turn, only to backends that say that they are ready, and again only what is safe to send
// again.
import { createServer, request as send } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @import { IncomingMessage, ServerResponse } from 'node:http'
 * @typedef {{ url: string, isReady: boolean }} Backend
 * @typedef {{ status: number, headers: import('node:http').IncomingHttpHeaders, body: Buffer }} Answer
 */

const LOOK_EVERY_MS = 100;
/** How long a request waits for a backend that is ready. */
const WAIT_MS = 20_000;
/** Nothing of the request has reached anybody. */
const NEVER_SENT = new Set(['ECONNREFUSED']);

export class Balancer {
  /** @type {Map<string, Backend>} by name */
  backends = new Map();
  url = '';
  turn = 0;
  isOver = false;
  server = createServer((request, response) => {
    this.pass(request, response).catch(() => response.destroy());
  });

  /** Resolves when it listens. */
  async start() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', () => resolve(undefined)));
    const address = this.server.address();
    this.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    this.looking = this.look();
  }

  async close() {
    this.isOver = true;
    this.server.closeAllConnections();
    this.server.close();
    await this.looking;
  }

  /** Names where requests may go as soon as it is ready. @param {string} name @param {string} url */
  set(name, url) {
    this.backends.set(name, { url, isReady: false });
  }

  /** Whether a backend gets requests. @param {string} name */
  isReady(name) {
    return this.backends.get(name)?.isReady === true;
  }

  async look() {
    while (!this.isOver) {
      await Promise.all(
        [...this.backends.values()].map(async (backend) => {
          const answer = await fetch(`${backend.url}/health/ready`, { signal: AbortSignal.timeout(2_000) }).catch(
            () => undefined,
          );
          await answer?.arrayBuffer().catch(() => undefined);
          backend.isReady = answer?.status === 200;
        }),
      );
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** @param {IncomingMessage} request @param {ServerResponse} response */
  async pass(request, response) {
    const body = await buffer(request);
    const isSafe = request.method === 'GET' || request.method === 'HEAD';
    for (const deadline = performance.now() + WAIT_MS; ;) {
      const backend = this.choose();
      if (backend === undefined) {
        if (performance.now() > deadline) {
          response.writeHead(503).end();
          return;
        }
        await sleep(20);
        continue;
      }
      try {
        const answer = await ask(backend, request, body);
        response.writeHead(answer.status, answer.headers).end(answer.body);
        return;
      } catch (error) {
        backend.isReady = false;
        const { code = '' } = /** @type {NodeJS.ErrnoException} */ (error);
        if (isSafe || NEVER_SENT.has(code)) continue;
        // it may have been done: only the client can tell whether to ask for it again
        response.writeHead(502, { 'X-Cut-Off': 'yes' }).end();
        return;
      }
    }
  }

  /** @returns {Backend | undefined} */
  choose() {
    const ready = [...this.backends.values()].filter(({ isReady }) => isReady);
    this.turn += 1;
    return ready[this.turn % ready.length];
  }
}

/** Resolves to a whole answer. @param {Backend} backend @param {IncomingMessage} request @param {Buffer} body @returns {Promise<Answer>} */
function ask({ url }, request, body) {
  return new Promise((resolve, reject) => {
    const { connection: _, 'transfer-encoding': __, expect: ___, ...headers } = request.headers;
    const onward = send(new URL(request.url ?? '/', url), {
      method: request.method ?? 'GET',
      headers: { ...headers, 'content-length': String(body.length) },
      agent: false,
    });
    onward.once('error', reject);
    onward.once('response', (answer) => {
      buffer(answer).then((bytes) => {
        const { connection: _, 'transfer-encoding': __, ...kept } = answer.headers;
        resolve({
          status: answer.statusCode ?? 502,
          headers: { ...kept, 'content-length': String(bytes.length) },
          body: bytes,
        });
      }, reject);
    });
    onward.end(body);
  });
}
