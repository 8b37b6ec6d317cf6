// Forecourt beside two servers that were written for the purpose and do the same durable work. See the printed header.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { printReport } from './report.mjs';
import { RESUME_BYTES, SEEDED_LEADS, SERVER_NAMES, Stage } from './stage.mjs';

/**
 * @import { Group, Job, Outcome, Scenario } from './load.mjs'
 * @import { Server, ServerName } from './stage.mjs'
 *
 * @typedef {object} Cell what was measured of one server
 * @property {number} perSecond
 * @property {number} p50 in milliseconds
 * @property {number} p99 in milliseconds
 * @property {number} peakMb
 *
 * @typedef {{ outcomes: Outcome[], error?: string }} Reply
 * @typedef {{ row: string, connections: number, cells: Record<ServerName, Cell> }} Line
 * @typedef {{ without: number, during: number }} LoginEffect p99 of reads in milliseconds
 * @typedef {{ beforeMb: number, peakMb: number }} UploadMemory
 * @typedef {object} Results
 * @property {Line[]} lines
 * @property {Record<ServerName, LoginEffect> | undefined} logins
 * @property {Record<ServerName, UploadMemory> | undefined} uploads
 * @property {string[]} unexpected
 */

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 4);
const CONNECTIONS = (process.env['BENCH_CONNECTIONS'] ?? '1,16,64').split(',').map(Number);
const ONLY = (process.env['BENCH_ONLY'] ?? '').split(',').filter((part) => part !== '');
/** Each cell is measured in slices, in turn on the three servers, so that a drift of the machine hits all alike. */
const SLICES = Math.max(2, Math.round(SECONDS));
const WARM_UP_SECONDS = Math.min(2, Math.max(1, SECONDS / 2));
const SAMPLE_EVERY_MS = 20;

/** @type {[row: string, scenario: Scenario][]} */
const ROWS = [
  ['submit, 10 KB', 'submit 10 KB'],
  ['submit, 1 MB', 'submit 1 MB'],
  ['first page', 'first page'],
  ['filtered page', 'filtered page'],
  ['one lead', 'one lead'],
  ['status change', 'status change'],
  ['download', 'download'],
  ['sign-in', 'sign-in'],
  ['mix, 80 % reads', 'mix'],
];
const LOGINS = 'reads under logins';
const UPLOADS = 'memory under uploads';

const wanted = (/** @type {string} */ row) => ONLY.length === 0 || ONLY.some((part) => row.includes(part));
const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

/** Runs jobs in the load generator and watches the server's memory meanwhile. */
class Bench {
  /** @type {string[]} */
  unexpected = [];
  generator = fork(join(import.meta.dirname, 'load.mjs'), { serialization: 'advanced' });
  /** @type {Promise<Reply>} */
  ended = once(this.generator, 'exit').then(() => ({ outcomes: [], error: 'the load generator was killed' }));
  /** @type {Map<Server, number>} leads that each server says it took */
  submitted = new Map();

  /** @param {Stage} stage */
  constructor(stage) {
    this.stage = stage;
  }

  /**
   * @param {string} what @param {Server} server @param {Group[]} groups @param {number} seconds
   * @returns {Promise<{ outcomes: Outcome[], peakMb: number }>}
   */
  async load(what, server, groups, seconds) {
    await this.stage.settle();
    const { port, token, account } = server;
    const leads = await server.seededLeads();
    let peakMb = server.residentMb();
    const sampling = setInterval(() => (peakMb = Math.max(peakMb, server.residentMb())), SAMPLE_EVERY_MS);
    this.generator.send(
      /** @type {Job} */ ({ port, token, account, seconds, leads, resumeBytes: RESUME_BYTES, groups }),
    );
    const reply = await Promise.race([
      once(this.generator, 'message').then(([message]) => /** @type {Reply} */ (message)),
      this.ended,
    ]);
    clearInterval(sampling);
    if (reply.error !== undefined) throw new Error(`${what}, ${server.name}: ${reply.error}`);
    for (const { submitted, unexpected } of reply.outcomes) {
      this.submitted.set(server, (this.submitted.get(server) ?? 0) + submitted);
      for (const [surprise, times] of Object.entries(unexpected)) {
        this.unexpected.push(`${what}, ${server.name}: ${times} × ${surprise}`);
      }
    }
    return { outcomes: reply.outcomes, peakMb };
  }

  /** @template T @param {(servers: Server[]) => Promise<T>} work @returns {Promise<T>} */
  async withServers(work) {
    /** @type {Server[]} */
    const servers = [];
    for (const name of SERVER_NAMES) servers.push(await this.stage.start(name));
    const result = await work(servers);
    for (const server of servers) {
      await server.proveSubmissions(this.submitted.get(server) ?? 0);
      await server.stop();
    }
    return result;
  }

  /** @param {Server} server @param {Scenario} scenario */
  async warmUp(server, scenario) {
    const connections = scenario === 'sign-in' ? 2 : 16;
    const turns = scenario === 'sign-in' ? 1 : Infinity;
    await this.load('warm-up', server, [{ scenario, connections, turns }], WARM_UP_SECONDS);
  }

  /** @param {string} row @param {Scenario} scenario @returns {Promise<Line[]>} */
  measureRow(row, scenario) {
    // whoever signs in waits for seconds, which a slice then waits for too
    const slices = scenario === 'sign-in' ? 1 : SLICES;
    return this.withServers(async (servers) => {
      for (const server of servers) await this.warmUp(server, scenario);
      /** @type {Line[]} */
      const lines = [];
      for (const connections of CONNECTIONS) {
        /** @type {Map<ServerName, { outcome: Outcome, peakMb: number }[]>} */
        const parts = new Map(SERVER_NAMES.map((name) => [name, []]));
        for (let slice = 0; slice < slices; slice += 1) {
          for (const server of slice % 2 === 0 ? servers : servers.toReversed()) {
            const what = `${row}, ${connections} connections`;
            const { outcomes, peakMb } = await this.load(what, server, [{ scenario, connections }], SECONDS / slices);
            const outcome = /** @type {Outcome} */ (outcomes[0]);
            parts.get(server.name)?.push({ outcome, peakMb });
          }
        }
        const cells = Object.fromEntries([...parts].map(([name, found]) => [name, toCell(found)]));
        lines.push({ row, connections, cells: /** @type {Line['cells']} */ (cells) });
        const rates = SERVER_NAMES.map((name) => `${name} ${cells[name]?.perSecond.toFixed(0)}/s`);
        say(`${row}, ${connections} connections: ${rates.join(', ')}`);
      }
      return lines;
    });
  }

  /** p99 of reading one lead over 16 connections, without and with 8 more that sign in all the time. */
  measureLogins() {
    return this.withServers(async (servers) => {
      /** @type {Partial<Record<ServerName, LoginEffect>>} */
      const effects = {};
      /** @type {Group} */
      const reads = { scenario: 'one lead', connections: 16 };
      /** @type {Group} */
      const logins = { scenario: 'sign-in', connections: 8 };
      for (const server of servers) {
        await this.warmUp(server, 'one lead');
        await this.warmUp(server, 'sign-in');
        const [without, during] = [[], []].map(() => /** @type {Outcome[]} */ ([]));
        for (let round = 0; round < 2; round += 1) {
          const what = `${LOGINS}, round ${round + 1}`;
          without?.push(...(await this.load(what, server, [reads], SECONDS)).outcomes);
          during?.push(...(await this.load(what, server, [reads, logins], SECONDS)).outcomes.slice(0, 1));
        }
        effects[server.name] = { without: percentile(without ?? [], 0.99), during: percentile(during ?? [], 0.99) };
      }
      return /** @type {Record<ServerName, LoginEffect>} */ (effects);
    });
  }

  /** How much a server grows while 64 connections upload files of the largest size, three each. */
  measureUploads() {
    return this.withServers(async (servers) => {
      /** @type {Partial<Record<ServerName, UploadMemory>>} */
      const found = {};
      for (const server of servers) {
        await this.warmUp(server, 'submit 10 KB');
        await sleep(500);
        const beforeMb = server.residentMb();
        const group = /** @type {Group} */ ({ scenario: 'submit 5 MB', connections: 64, turns: 3 });
        const { peakMb } = await this.load(UPLOADS, server, [group], 600);
        found[server.name] = { beforeMb, peakMb };
      }
      return /** @type {Record<ServerName, UploadMemory>} */ (found);
    });
  }

  /** Throws unless all servers answer with the same fields, so that nobody is fast by saying less. */
  async compareAnswers() {
    await this.withServers(async (servers) => {
      /** @type {Map<string, string>} */
      const shapes = new Map();
      for (const server of servers) {
        const [lead] = await server.seededLeads();
        const form = new FormData();
        form.set('first_name', 'Ada');
        form.set('last_name', 'Lovelace');
        form.set('email', 'first@bench.example.com');
        form.set('resume', new Blob(['%PDF-1.7\n'], { type: 'application/pdf' }), 'resume.pdf');
        const resume = await server.fetch(`/leads/${lead?.id}/resume`);
        const headers = ['content-type', 'content-disposition', 'content-length'].map((name) =>
          resume.headers.get(name),
        );
        await resume.arrayBuffer();
        const answers = [
          await server.fetch('/leads', { method: 'POST', headers: {}, body: form }),
          await server.fetch('/leads?status=REACHED_OUT&page=2&size=10'),
          await server.fetch(`/leads/${lead?.id}`),
        ];
        const bodies = await Promise.all(answers.map((answer) => answer.json()));
        this.submitted.set(server, 1);
        shapes.set(server.name, JSON.stringify([headers, bodies.map(shapeOf)]));
      }
      if (new Set(shapes.values()).size > 1) throw new Error(`The answers differ: ${[...shapes].join('\n')}`);
    });
  }

  close() {
    this.generator.kill();
  }
}

/** The fields of an answer and their types. @param {unknown} value @returns {unknown} */
function shapeOf(value) {
  if (Array.isArray(value)) return [value.length, shapeOf(value[0])];
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([name, child]) => [name, shapeOf(child)]);
}

/** @param {{ outcome: Outcome, peakMb: number }[]} parts @returns {Cell} */
function toCell(parts) {
  const outcomes = parts.map(({ outcome }) => outcome);
  const answers = outcomes.reduce((sum, { latencies }) => sum + latencies.length, 0);
  return {
    perSecond: answers / outcomes.reduce((sum, { seconds }) => sum + seconds, 0),
    p50: percentile(outcomes, 0.5),
    p99: percentile(outcomes, 0.99),
    peakMb: Math.max(...parts.map(({ peakMb }) => peakMb)),
  };
}

/** @param {Outcome[]} outcomes @param {number} share */
function percentile(outcomes, share) {
  const all = Float64Array.from(outcomes.flatMap(({ latencies }) => [...latencies])).sort();
  return all[Math.min(all.length - 1, Math.floor(all.length * share))] ?? NaN;
}

async function main() {
  if (!(SECONDS > 0) || CONNECTIONS.some((each) => !(each > 0 && each <= SEEDED_LEADS))) {
    throw new Error('BENCH_SECONDS and BENCH_CONNECTIONS must be numbers above 0');
  }
  const started = performance.now();
  const stage = await Stage.open();
  const bench = new Bench(stage);
  const abandon = () => {
    bench.close();
    stage.close().finally(() => process.exit(130));
  };
  process.once('SIGINT', abandon).once('SIGTERM', abandon);
  try {
    await bench.compareAnswers();
    /** @type {Results} */
    const results = { lines: [], logins: undefined, uploads: undefined, unexpected: bench.unexpected };
    for (const [row, scenario] of ROWS) {
      if (wanted(row)) results.lines.push(...(await bench.measureRow(row, scenario)));
    }
    if (wanted(LOGINS)) results.logins = await bench.measureLogins();
    if (wanted(UPLOADS)) results.uploads = await bench.measureUploads();
    const machine = `Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'CPU'}`;
    const minutes = ((performance.now() - started) / 60_000).toFixed(1);
    printReport(results, { machine, minutes, seconds: SECONDS, seededLeads: SEEDED_LEADS });
    if (bench.unexpected.length > 0) say(await stage.logs());
  } catch (error) {
    say(await stage.logs());
    throw error;
  } finally {
    bench.close();
    await stage.close();
  }
}

await main();
