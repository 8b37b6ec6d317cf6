// The clients of `npm run torture`: they submit without pause and remember what was promised to them.
import { createCipheriv, createHash } from 'node:crypto';
import { makeDoc, makeDocx, makePdf, MEDIA } from '../test/support/documents.mjs';
import { leadForm } from './forecourt.mjs';

/**
 * @import { Forecourt } from './forecourt.mjs'
 * @typedef {object} Submission what one client sent, and what came back
 * @property {number} round
 * @property {string} email
 * @property {string} sha256 of the file
 * @property {'acknowledged' | 'cut off' | 'refused'} outcome
 * @property {string} [id] of the lead, where the answer could be read
 * @property {string} [answer] what came instead of 201
 */

const KINDS = /** @type {const} */ (['pdf', 'doc', 'docx']);
const LEAST_BYTES = 1024;
const MOST_BYTES = 5 * 1024 * 1024;

/** Numbers that depend on the seed and a name alone, however the clients take turns. */
export class Lots {
  /** @param {string} seed */
  constructor(seed) {
    this.seed = seed;
  }

  /** 32 bytes. @param {string} name */
  draw(name) {
    return createHash('sha256').update(`${this.seed}/${name}`).digest();
  }

  /** From 0 to below 1. @param {string} name */
  fraction(name) {
    return this.draw(name).readUIntBE(0, 6) / 2 ** 48;
  }

  /** Bytes that no compression makes smaller. @param {string} name @param {number} length */
  bytes(name, length) {
    return createCipheriv('aes-256-ctr', this.draw(name), Buffer.alloc(16)).update(Buffer.alloc(length));
  }
}

/** A document of any kind and size; small ones are as frequent as large ones. @param {Lots} lots @param {string} name */
function documentOf(lots, name) {
  const kind = KINDS[Math.floor(lots.fraction(`${name}/kind`) * KINDS.length)] ?? 'pdf';
  const size = Math.round(LEAST_BYTES * (MOST_BYTES / LEAST_BYTES) ** lots.fraction(`${name}/size`));
  /** @param {number} least */
  const padding = (least) => lots.bytes(`${name}/padding`, Math.max(16, size - least));
  if (kind === 'pdf') return { kind, bytes: makePdf(size, padding(0).toString('base64url')) };
  if (kind === 'docx') return { kind, bytes: makeDocx(padding(makeDocx(Buffer.alloc(0)).length)) };
  const doc = makeDoc();
  // behind the last sector that anything names
  return { kind, bytes: Buffer.concat([doc, padding(doc.length)]) };
}

/** Clients that submit to one Forecourt until it is about to be killed. */
export class Clients {
  /** @type {Submission[]} */
  submissions = [];
  /** Whether answers may fail to come from now on. */
  isOver = false;

  /** @param {Forecourt} forecourt @param {Lots} lots @param {number} round @param {number} count */
  constructor(forecourt, lots, round, count) {
    this.forecourt = forecourt;
    this.lots = lots;
    this.round = round;
    this.finished = Promise.all(Array.from({ length: count }, (_, client) => this.submitWithoutPause(client)));
  }

  /** No submission begins from now on; resolves when those under way are answered or cut off. */
  async end() {
    this.isOver = true;
    await this.finished;
  }

  /** @param {number} client */
  async submitWithoutPause(client) {
    for (let turn = 1; !this.isOver; turn += 1) {
      const name = `round-${this.round}-client-${client}-turn-${turn}`;
      const { kind, bytes } = documentOf(this.lots, name);
      const email = `${name}@torture.example.com`;
      const type = MEDIA[kind];
      const body = leadForm({ first: 'Ada', last: 'Lovelace', email, bytes, name: `resume.${kind}`, type });
      const outcome = await this.submit(body);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      this.submissions.push({ round: this.round, email, sha256, ...outcome });
    }
  }

  /** @param {FormData} body @returns {Promise<Pick<Submission, 'outcome' | 'id' | 'answer'>>} */
  async submit(body) {
    let response;
    try {
      response = await fetch(`${this.forecourt.url}/api/v1/leads`, { method: 'POST', body });
    } catch (error) {
      if (this.isOver) return { outcome: 'cut off' };
      return { outcome: 'refused', answer: `no answer: ${String(/** @type {Error} */ (error).cause ?? error)}` };
    }
    const text = await response.text().catch(() => '');
    if (response.status !== 201) return { outcome: 'refused', answer: `${response.status} ${text}` };
    // who saw the status was told yes, even where the rest of the answer was cut off
    const id = /"id":"([0-9a-f-]{36})"/.exec(text)?.[1];
    return { outcome: 'acknowledged', ...(id === undefined ? {} : { id }) };
  }
}
