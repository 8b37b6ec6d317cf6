// Forecourt beside two servers that were written for the purpose and do the same durable work. See the printed header.
import { printReport } from './report.mjs';
import { chosenConnections, onStage, percentile, Runner, SECONDS, UPLOADS, wanted } from './runner.mjs';
import { SEEDED_LEADS } from './stage.mjs';

/**
 * @import { Group, Outcome, Scenario } from './load.mjs'
 * @import { Cell, UploadMemory } from './runner.mjs'
 *
 * @typedef {(typeof NAMES)[number]} Name
 * @typedef {{ row: string, connections: number, cells: Record<Name, Cell> }} Line
 * @typedef {{ without: number, during: number }} LoginEffect p99 of reads in milliseconds
 * @typedef {object} Results
 * @property {Line[]} lines
 * @property {Record<Name, LoginEffect> | undefined} logins
 * @property {Record<Name, UploadMemory> | undefined} uploads
 * @property {string[]} unexpected
 */

const NAMES = /** @type {const} */ (['Forecourt', 'Express', 'bare']);
const CONNECTIONS = chosenConnections('1,16,64');

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

/** @extends {Runner<Name>} */
class Bench extends Runner {
  /** @param {string} row @param {Scenario} scenario @returns {Promise<Line[]>} */
  measureRow(row, scenario) {
    return this.withServers(async (servers) => {
      for (const server of servers) await this.warmUp(server, scenario);
      /** @type {Line[]} */
      const lines = [];
      for (const connections of CONNECTIONS) {
        lines.push({ row, connections, cells: await this.measureInTurn(row, servers, scenario, connections) });
      }
      return lines;
    });
  }

  /** p99 of reading one lead over 16 connections, without and with 8 more that sign in all the time. */
  measureLogins() {
    return this.withServers(async (servers) => {
      /** @type {Map<Name, LoginEffect>} */
      const effects = new Map();
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
        effects.set(server.name, {
          without: percentile(without ?? [], 0.99),
          during: percentile(during ?? [], 0.99),
        });
      }
      return /** @type {Record<Name, LoginEffect>} */ (Object.fromEntries(effects));
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
}

/** The fields of an answer and their types. @param {unknown} value @returns {unknown} */
function shapeOf(value) {
  if (Array.isArray(value)) return [value.length, shapeOf(value[0])];
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([name, child]) => [name, shapeOf(child)]);
}

const { results, machine, minutes } = await onStage(
  (stage) => new Bench(stage, NAMES),
  async (bench) => {
    await bench.compareAnswers();
    /** @type {Results} */
    const found = { lines: [], logins: undefined, uploads: undefined, unexpected: bench.unexpected };
    for (const [row, scenario] of ROWS) {
      if (wanted(row)) found.lines.push(...(await bench.measureRow(row, scenario)));
    }
    if (wanted(LOGINS)) found.logins = await bench.measureLogins();
    if (wanted(UPLOADS)) found.uploads = await bench.measureUploads();
    return found;
  },
);
printReport(results, { machine, minutes, seconds: SECONDS, seededLeads: SEEDED_LEADS });
