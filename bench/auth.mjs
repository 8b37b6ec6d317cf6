// What it costs to know who is calling: Forecourt beside itself without that question. See the printed header.
import { percent, printTables, shown } from './report.mjs';
import { chosenConnections, onStage, percentile, Runner, SECONDS, wanted } from './runner.mjs';

/**
 * @import { Group, Outcome, Scenario } from './load.mjs'
 * @import { Cell } from './runner.mjs'
 * @import { Server } from './stage.mjs'
 *
 * @typedef {(typeof NAMES)[number]} Name
 * @typedef {(typeof PROOFS)[number]} Proof
 * @typedef {{ row: string, connections: number, cells: Record<Name, Cell> }} Line
 * @typedef {{ without: number, during: number, signedIn: number, busy: number, seconds: number }} CrowdEffect p99 in milliseconds
 */

const NAMES = /** @type {const} */ (['Forecourt', 'open']);
const PROOFS = /** @type {const} */ (['token', 'API key']);
const CONNECTIONS = chosenConnections('1,16');
/** @type {Scenario[]} */
const ROUTES = ['one lead', 'first page'];
const CROWD = 'reads under 16 sign-ins a second';
const OF_OPEN = 0.85;
const MOST_CROWD_EFFECT = 3;

/** @extends {Runner<Name>} */
class Bench extends Runner {
  /**
   * A route with a token, or with an API key. Each on fresh processes, since a view is put on record once in a while and
   * caller: both then have as many to write.
   * @param {Scenario} route @param {Proof} proof @returns {Promise<Line[]>}
   */
  measureRoute(route, proof) {
    return this.withServers(async (servers) => {
      const forecourt = serverOf(servers, 'Forecourt');
      if (proof === 'API key') forecourt.token = await forecourt.makeApiKey();
      for (const server of servers) await this.warmUp(server, route);
      /** @type {Line[]} */
      const lines = [];
      for (const connections of CONNECTIONS) {
        const row = `${route}, ${proof}`;
        lines.push({ row, connections, cells: await this.measureInTurn(row, servers, route, connections) });
      }
      return lines;
    });
  }

  /** p99 of reading one lead over 16 connections, without and with a crowd that signs in 16 times a second. */
  measureCrowd() {
    return this.withServers(async (servers) => {
      const server = serverOf(servers, 'Forecourt');
      /** @type {Group} */
      const reads = { scenario: 'one lead', connections: 16 };
      /** @type {Group} */
      const crowd = { scenario: 'sign-in', connections: 64, everyMs: 4000 };
      await this.warmUp(server, 'one lead');
      await this.warmUp(server, 'sign-in');
      /** @type {Outcome[]} */
      const without = [];
      /** @type {Outcome[]} */
      const during = [];
      /** @type {Outcome[]} */
      const signIns = [];
      for (let round = 0; round < 2; round += 1) {
        const what = `${CROWD}, round ${round + 1}`;
        without.push(...(await this.load(what, server, [reads], SECONDS)).outcomes);
        const { outcomes } = await this.load(what, server, [reads, crowd], SECONDS);
        during.push(...outcomes.slice(0, 1));
        signIns.push(...outcomes.slice(1));
      }
      const sum = (/** @type {(outcome: Outcome) => number} */ of) =>
        signIns.reduce((total, outcome) => total + of(outcome), 0);
      return {
        without: percentile(without, 0.99),
        during: percentile(during, 0.99),
        signedIn: sum(({ latencies }) => latencies.length),
        busy: sum(({ busy }) => busy),
        seconds: sum(({ seconds }) => seconds),
      };
    });
  }
}

/** @param {Server<Name>[]} servers @param {Name} name */
function serverOf(servers, name) {
  const found = servers.find((server) => server.name === name);
  if (found === undefined) throw new Error(`${name} was not started`);
  return found;
}

const shareOf = (/** @type {Line} */ { cells }) => cells.Forecourt.perSecond / cells.open.perSecond;

/** @param {Line[]} lines @param {CrowdEffect | undefined} crowd */
function goalsOf(lines, crowd) {
  const goals = [];
  for (const proof of PROOFS) {
    const of = lines.filter(({ row }) => row.endsWith(proof));
    if (of.length === 0) continue;
    goals.push({
      goal: `with ${proof === 'token' ? 'a token' : 'an API key'} ${percent(OF_OPEN)} of the same route without authentication or more`,
      measured: of.map((line) => `${line.row} at ${line.connections}: ${percent(shareOf(line))}`).join(', '),
      met: of.every((line) => shareOf(line) >= OF_OPEN),
    });
  }
  if (crowd !== undefined) {
    const { without, during, signedIn, busy, seconds } = crowd;
    const asked = ((signedIn + busy) / seconds).toFixed(1);
    goals.push({
      goal: `p99 of reads under 16 sign-ins a second at most ${MOST_CROWD_EFFECT} × of p99 without`,
      measured: `${(during / without).toFixed(2)} × (${without.toFixed(1)} → ${during.toFixed(1)} ms); ${asked} sign-ins/s were answered, ${signedIn} with tokens and ${busy} with 503`,
      met: during <= MOST_CROWD_EFFECT * without,
    });
  }
  return goals;
}

const { results, machine, minutes } = await onStage(
  (stage) => new Bench(stage, NAMES),
  async (bench) => {
    /** @type {Line[]} */
    const lines = [];
    for (const route of ROUTES) {
      for (const proof of PROOFS) {
        if (wanted(route)) lines.push(...(await bench.measureRoute(route, proof)));
      }
    }
    const crowd = wanted(CROWD) ? await bench.measureCrowd() : undefined;
    return { lines, crowd, unexpected: bench.unexpected };
  },
);

process.stdout.write(`
# Forecourt beside itself without authentication

${machine}; ${SECONDS} s per cell; ${minutes} minutes in all.

The same program twice, once with its guard, once with a guard that lets everybody in and asks nothing; both limit nothing and put
views on record alike. Each on its own copy of one database, measured in turn on processes fresh for each route and proof. The crowd begins 16 sign-ins a
second whatever becomes of those before; what the pool of hashing threads cannot take is answered with 503.
Cells: answers per second · p50 / p99 · peak resident memory of the server process.
`);
printTables(
  [
    ['what', 'connections', ...NAMES, 'of open'],
    ...results.lines.map((line) => {
      const { row, connections, cells } = line;
      return [row, String(connections), ...NAMES.map((name) => shown(cells[name])), percent(shareOf(line))];
    }),
  ],
  goalsOf(results.lines, results.crowd),
  results.unexpected,
);
