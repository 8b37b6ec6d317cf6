// The load generator: a process of its own that keeps N connections busy and reports what came back.
import { randomBytes, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FIRST_NAMES, LAST_NAMES } from './people.mjs';

/**
 * @typedef {{ id: string, status: string }} SeededLead
 * @typedef {object} Group connections that do the same
 * @property {Scenario} scenario
 * @property {number} connections
 * @property {number} [turns] requests of each connection; as many as the time allows when absent
 * @property {number} [everyMs] from the start of one request of a connection to the next, whatever came back: a crowd that
 * does not wait, whose 503 is an answer like others. Without pause when absent
 *
 * @typedef {object} Job
 * @property {number} port
 * @property {string} token
 * @property {{ username: string, password: string }} account
 * @property {number} seconds no request starts later; those under way are waited for
 * @property {SeededLead[]} leads
 * @property {number} resumeBytes size of each seeded résumé
 * @property {Group[]} groups
 *
 * @typedef {object} Outcome of one group
 * @property {Float64Array} latencies of expected answers, in milliseconds
 * @property {number} seconds from the first request to the last answer
 * @property {number} submitted leads that the server says it took
 * @property {number} busy answers with 503 to a crowd
 * @property {Record<string, number>} unexpected how often what else came back
 *
 * @typedef {{ parts: Buffer[], status: number, bytes?: number, submits?: boolean }} Exchange
 * @typedef {keyof typeof SCENARIOS} Scenario
 */

const HOST = '127.0.0.1';
const BOUNDARY = '----forecourt-bench-7d1f0c2a';

/** What a connection asks for at each turn. Each owns its leads, so that no status change meets another. */
export class Asker {
  /** @param {Pick<Job, 'token' | 'account' | 'leads' | 'resumeBytes'>} job @param {number} index @param {number} of */
  constructor(job, index, of) {
    this.job = job;
    /** Where it is in the mix, and in its leads. */
    this.turn = index;
    this.at = 0;
    this.leads = job.leads.filter((_, at) => at % of === index % of).map((lead) => ({ ...lead }));
  }

  /** @param {string} path @returns {Exchange} */
  get(path) {
    return { parts: [request('GET', path, this.job.token)], status: 200 };
  }

  next() {
    const lead = this.leads[this.at++ % this.leads.length];
    if (lead === undefined) throw new Error('there are fewer leads than connections');
    return lead;
  }
}

/** @param {string} method @param {string} path @param {string} [token] @param {string} [type] @param {number} [length] */
function request(method, path, token, type, length) {
  const lines = [`${method} /api/v1${path} HTTP/1.1`, `Host: ${HOST}`, 'Accept: */*'];
  if (token !== undefined) lines.push(`Authorization: Bearer ${token}`);
  if (type !== undefined) lines.push(`Content-Type: ${type}`, `Content-Length: ${length}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}

/** @param {string} method @param {string} path @param {string | undefined} token @param {string} type @param {string} body */
function withBody(method, path, token, type, body) {
  return [request(method, path, token, type, Buffer.byteLength(body)), Buffer.from(body)];
}

/** @type {Map<number, Buffer>} */
const pdfs = new Map();

/** @param {number} size */
function pdfOf(size) {
  let pdf = pdfs.get(size);
  if (pdf === undefined) pdfs.set(size, (pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(size - 9)])));
  return pdf;
}

/** @param {number} size @param {string} [firstName] @param {string} [lastName] @returns {Exchange} */
function submission(size, firstName = 'Ada', lastName = 'Lovelace') {
  const file = pdfOf(size);
  const field = (/** @type {string} */ name, /** @type {string} */ value) =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const head = Buffer.from(
    field('first_name', firstName) +
      field('last_name', lastName) +
      field('email', `${randomUUID()}@bench.example.com`) +
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="resume"; filename="ada resume.pdf"\r\n` +
      'Content-Type: application/pdf\r\n\r\n',
  );
  const tail = Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
  const length = head.length + file.length + tail.length;
  const start = request('POST', '/leads', undefined, `multipart/form-data; boundary=${BOUNDARY}`, length);
  return { parts: [start, head, file, tail], status: 201, submits: true };
}

/** @param {Asker} asker @returns {Exchange} */
function changeStatus(asker) {
  const lead = asker.next();
  lead.status = lead.status === 'PENDING' ? 'REACHED_OUT' : 'PENDING';
  const body = JSON.stringify({ status: lead.status });
  return { parts: withBody('PATCH', `/leads/${lead.id}`, asker.job.token, 'application/json', body), status: 200 };
}

/** @param {Asker} asker @returns {Exchange} */
function signIn({ job }) {
  const body = new URLSearchParams({ grant_type: 'password', ...job.account }).toString();
  const parts = withBody('POST', '/auth/login', undefined, 'application/x-www-form-urlencoded', body);
  return { parts, status: 200 };
}

/** @param {Asker} asker @returns {Exchange} */
function download(asker) {
  return { ...asker.get(`/leads/${asker.next().id}/resume`), bytes: asker.job.resumeBytes };
}

const first = (/** @type {Asker} */ asker) => asker.get('/leads');
const filtered = (/** @type {Asker} */ asker) => asker.get('/leads?status=REACHED_OUT');
const one = (/** @type {Asker} */ asker) => asker.get(`/leads/${asker.next().id}`);
const small = () => submission(10 * 1024);

const anyOf = (/** @type {string[]} */ names) => names[Math.floor(Math.random() * names.length)];

/** Eight reads and two writes. */
const MIX = [first, one, download, one, small, first, filtered, one, first, changeStatus];

export const SCENARIOS = {
  'submit 10 KB': small,
  'submit 1 MB': () => submission(1024 * 1024),
  'submit 5 MB': () => submission(5 * 1024 * 1024),
  'submit somebody': () => submission(10 * 1024, anyOf(FIRST_NAMES), anyOf(LAST_NAMES)),
  'first page': first,
  'filtered page': filtered,
  'one lead': one,
  'status change': changeStatus,
  download,
  'sign-in': signIn,
  mix: (/** @type {Asker} */ asker) => MIX[asker.turn++ % MIX.length]?.(asker) ?? one(asker),
};

/** One kept-alive connection that has one request under way at a time. It reads heads and counts bodies, nothing more. */
export class Connection {
  /** @type {import('node:net').Socket | undefined} */
  socket;
  /** @type {((answer: { status: number, bytes: number, retryAfter: number }) => void) | undefined} */
  settle;
  /** @type {((error: Error) => void) | undefined} */
  fail;
  /** @type {Buffer | undefined} the beginning of a head that is not whole yet */
  head;
  answer = { status: 0, bytes: 0, retryAfter: 0 };
  remaining = 0;

  /** @param {number} port */
  constructor(port) {
    this.port = port;
  }

  /** @returns {Promise<void>} */
  open() {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: HOST, port: this.port, noDelay: true }, resolve);
      this.socket = socket;
      this.head = undefined;
      socket.on('data', (chunk) => {
        this.take(chunk);
      });
      socket.on('error', reject);
      socket.on('close', () => {
        if (this.socket === socket) this.socket = undefined;
        this.fail?.(new Error('connection closed'));
      });
    });
  }

  /** @param {Buffer[]} parts @returns {Promise<{ status: number, bytes: number, retryAfter: number }>} */
  async exchange(parts) {
    if (this.socket === undefined) await this.open();
    return new Promise((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
      this.socket?.cork();
      for (const part of parts) this.socket?.write(part);
      this.socket?.uncork();
    });
  }

  /** @param {Buffer} chunk */
  take(chunk) {
    if (this.remaining > 0) {
      this.remaining -= chunk.length;
      this.finish();
      return;
    }
    const bytes = this.head === undefined ? chunk : Buffer.concat([this.head, chunk]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) {
      this.head = bytes;
      return;
    }
    this.head = undefined;
    const text = bytes.toString('latin1', 0, end);
    const length = /\ncontent-length: (\d+)/i.exec(text)?.[1];
    if (length === undefined) {
      this.socket?.destroy(new Error('an answer without a length'));
      return;
    }
    const retryAfter = Number(/\nretry-after: (\d+)/i.exec(text)?.[1] ?? 0);
    this.answer = { status: Number(text.slice(9, 12)), bytes: Number(length), retryAfter };
    this.remaining = this.answer.bytes - (bytes.length - end - 4);
    this.finish();
  }

  finish() {
    if (this.remaining > 0) return;
    const settle = this.settle;
    this.settle = this.fail = undefined;
    settle?.(this.answer);
  }

  close() {
    this.socket?.destroy();
  }
}

/** @param {Job} job @param {Group} group @returns {Promise<Outcome>} */
async function runGroup(job, { scenario, connections, turns = Infinity, everyMs }) {
  /** @type {number[]} */
  const latencies = [];
  /** @type {Record<string, number>} */
  const unexpected = {};
  let submitted = 0;
  let busy = 0;
  const all = Array.from({ length: connections }, () => new Connection(job.port));
  await Promise.all(all.map((each) => each.open()));
  const started = performance.now();
  const deadline = started + job.seconds * 1000;
  let ended = started;
  const working = all.map(async (connection, index) => {
    const asker = new Asker(job, index, connections);
    if (everyMs !== undefined) await sleep((index * everyMs) / connections);
    for (let turn = 0; turn < turns && performance.now() < deadline; turn += 1) {
      const { parts, status, bytes, submits } = SCENARIOS[scenario](asker);
      const sent = performance.now();
      /** @type {string | undefined} */
      let surprise;
      let waitMs;
      try {
        const answer = await connection.exchange(parts);
        if (everyMs !== undefined && answer.status === 503) busy += 1;
        else if (answer.status !== status) surprise = String(answer.status);
        else if (bytes !== undefined && answer.bytes !== bytes) surprise = `${answer.bytes} instead of ${bytes} bytes`;
        waitMs = everyMs === undefined ? answer.retryAfter * 1000 : sent + everyMs - performance.now();
        if (submits === true && answer.status === 201) submitted += 1;
      } catch (error) {
        surprise = /** @type {Error} */ (error).message;
        waitMs = 50;
      }
      const now = performance.now();
      ended = now;
      if (surprise === undefined) latencies.push(now - sent);
      else unexpected[surprise] = (unexpected[surprise] ?? 0) + 1;
      // whoever is told to come back later does so
      if (waitMs > 0 && now + waitMs < deadline) await sleep(waitMs);
      else if (waitMs > 0) break;
    }
  });
  await Promise.all(working);
  for (const each of all) each.close();
  return { latencies: Float64Array.from(latencies), seconds: (ended - started) / 1000, submitted, busy, unexpected };
}

if (process.send !== undefined) {
  process.on('message', (/** @type {Job} */ job) => {
    Promise.all(job.groups.map((group) => runGroup(job, group))).then(
      (outcomes) => process.send?.({ outcomes }),
      (error) => process.send?.({ error: String(error) }),
    );
  });
}
