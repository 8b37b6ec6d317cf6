// What every bench needs: servers side by side, load on one of them at a time, and what came of it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RESUME_BYTES, SEEDED_LEADS, Stage } from './stage.mjs';

/**
 * @import { Group, Job, Outcome, Scenario, SeededLead } from './load.mjs'
 * @import { Server } from './stage.mjs'
 *
 * @typedef {object} Cell what was measured of one server
 * @property {number} perSecond
 * @property {number} p50 in milliseconds
 * @property {number} p99 in milliseconds
 * @property {number} peakMb
 *
 * @typedef {{ outcomes: Outcome[], error?: string }} Reply
 * @typedef {{ beforeMb: number, peakMb: number }} UploadMemory
 * @typedef {{ leads: SeededLead[], resumeBytes: number }} Subjects the leads that connections ask for
 */

export const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 4);
const ONLY = (process.env['BENCH_ONLY'] ?? '').split(',').filter((part) => part !== '');
/** Each cell is measured in slices, in turn on the servers, so that a drift of the machine hits all alike. */
const SLICES = Math.max(2, Math.round(SECONDS));
const WARM_UP_SECONDS = Math.min(2, Math.max(1, SECONDS / 2));
const SAMPLE_EVERY_MS = 20;
export const UPLOADS = 'memory under uploads';

/** Whether BENCH_ONLY asks for this row. @param {string} row */
export const wanted = (row) => ONLY.length === 0 || ONLY.some((part) => row.includes(part));
export const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

/** The numbers in BENCH_CONNECTIONS, or these. @param {string} usual */
export function chosenConnections(usual) {
  const chosen = (process.env['BENCH_CONNECTIONS'] ?? usual).split(',').map(Number);
  if (!(SECONDS > 0) || chosen.some((each) => !(each > 0 && each <= SEEDED_LEADS))) {
    throw new Error('BENCH_SECONDS and BENCH_CONNECTIONS must be numbers above 0');
  }
  return chosen;
}

/**
 * Runs jobs in the load generator and watches the server's memory meanwhile.
 * @template {string} Name
 */
export class Runner {
  /** @type {string[]} */
  unexpected = [];
  generator = fork(join(import.meta.dirname, 'load.mjs'), { serialization: 'advanced' });
  /** @type {Promise<Reply>} */
  ended = once(this.generator, 'exit').then(() => ({ outcomes: [], error: 'the load generator was killed' }));
  /** @type {Map<Server<Name>, number>} leads that each server says it took */
  submitted = new Map();

  /** @param {Stage} stage @param {readonly Name[]} names the servers to measure side by side */
  constructor(stage, names) {
    this.stage = stage;
    this.names = names;
  }

  /**
   * @param {string} what @param {Server<Name>} server @param {Group[]} groups @param {number} seconds
   * @param {Subjects} [subjects] the seeded leads when absent
   * @returns {Promise<{ outcomes: Outcome[], peakMb: number }>}
   */
  async load(what, server, groups, seconds, subjects) {
    await this.stage.settle();
    const { port, token, account } = server;
    const { leads, resumeBytes } = subjects ?? { leads: await server.seededLeads(), resumeBytes: RESUME_BYTES };
    let peakMb = server.residentMb();
    const sampling = setInterval(() => (peakMb = Math.max(peakMb, server.residentMb())), SAMPLE_EVERY_MS);
    this.generator.send(/** @type {Job} */ ({ port, token, account, seconds, leads, resumeBytes, groups }));
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

  /** @template T @param {(servers: Server<Name>[]) => Promise<T>} work @returns {Promise<T>} */
  async withServers(work) {
    /** @type {Server<Name>[]} */
    const servers = [];
    for (const name of this.names) servers.push(await this.stage.start(name));
    const result = await work(servers);
    for (const server of servers) {
      await server.proveSubmissions(this.submitted.get(server) ?? 0);
      await server.stop();
    }
    return result;
  }

  /** @param {Server<Name>} server @param {Scenario} scenario @param {Subjects} [subjects] */
  async warmUp(server, scenario, subjects) {
    const connections = scenario === 'sign-in' ? 2 : 16;
    const turns = scenario === 'sign-in' ? 1 : Infinity;
    await this.load('warm-up', server, [{ scenario, connections, turns }], WARM_UP_SECONDS, subjects);
  }

  /**
   * One row of a table: the scenario over so many connections, on the servers in turn.
   * @param {string} row @param {Server<Name>[]} servers @param {Scenario} scenario @param {number} connections
   * @param {Map<Server<Name>, Subjects>} [subjects]
   */
  async measureInTurn(row, servers, scenario, connections, subjects) {
    // whoever signs in waits for seconds, which a slice then waits for too
    const slices = scenario === 'sign-in' ? 1 : SLICES;
    const what = `${row}, ${connections} connections`;
    /** @type {Map<Name, { outcome: Outcome, peakMb: number }[]>} */
    const parts = new Map(this.names.map((name) => [name, []]));
    for (let slice = 0; slice < slices; slice += 1) {
      for (const server of slice % 2 === 0 ? servers : servers.toReversed()) {
        const groups = [{ scenario, connections }];
        const { outcomes, peakMb } = await this.load(what, server, groups, SECONDS / slices, subjects?.get(server));
        parts.get(server.name)?.push({ outcome: /** @type {Outcome} */ (outcomes[0]), peakMb });
      }
    }
    const cells = new Map([...parts].map(([name, found]) => [name, toCell(found)]));
    say(`${what}: ${[...cells].map(([name, { perSecond }]) => `${name} ${perSecond.toFixed(1)}/s`).join(', ')}`);
    return /** @type {Record<Name, Cell>} */ (Object.fromEntries(cells));
  }

  /** How much a server grows while 64 connections upload files of the largest size, three each. */
  measureUploads() {
    return this.withServers(async (servers) => {
      /** @type {Map<Name, UploadMemory>} */
      const found = new Map();
      for (const server of servers) {
        await this.warmUp(server, 'submit 10 KB');
        await sleep(500);
        const beforeMb = server.residentMb();
        const group = /** @type {Group} */ ({ scenario: 'submit 5 MB', connections: 64, turns: 3 });
        const { peakMb } = await this.load(UPLOADS, server, [group], 600);
        found.set(server.name, { beforeMb, peakMb });
        say(`${UPLOADS}: ${server.name} ${beforeMb.toFixed(0)} → ${peakMb.toFixed(0)} MB`);
      }
      return /** @type {Record<Name, UploadMemory>} */ (Object.fromEntries(found));
    });
  }

  close() {
    this.generator.kill();
  }
}

/**
 * Measures on a stage of its own, which is gone in the end, whatever happens.
 * @template {{ unexpected: string[], close(): void }} R @template T
 * @param {(stage: Stage) => R} makeRunner @param {(runner: R) => Promise<T>} work
 * @param {Parameters<typeof Stage.open>} opening
 * @returns {Promise<{ results: T, machine: string, minutes: string }>}
 */
export async function onStage(makeRunner, work, ...opening) {
  const started = performance.now();
  const stage = await Stage.open(...opening);
  const runner = makeRunner(stage);
  const abandon = () => {
    runner.close();
    stage.close().finally(() => process.exit(130));
  };
  process.once('SIGINT', abandon).once('SIGTERM', abandon);
  try {
    const results = await work(runner);
    if (runner.unexpected.length > 0) say(await stage.logs());
    const machine = `Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'CPU'}`;
    return { results, machine, minutes: ((performance.now() - started) / 60_000).toFixed(1) };
  } catch (error) {
    say(await stage.logs());
    throw error;
  } finally {
    runner.close();
    await stage.close();
  }
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

/** @param {Pick<Outcome, 'latencies'>[]} outcomes @param {number} share */
export function percentile(outcomes, share) {
  const all = Float64Array.from(outcomes.flatMap(({ latencies }) => [...latencies])).sort();
  return all[Math.min(all.length - 1, Math.floor(all.length * share))] ?? NaN;
}
