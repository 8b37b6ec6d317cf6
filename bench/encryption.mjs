// What encryption at rest costs: one Forecourt with it beside one without, in the same run. See the printed header.
import { MOST_GROWTH_MB, percent, printTables, shown } from './report.mjs';
import { chosenConnections, onStage, Runner, SECONDS, UPLOADS, wanted } from './runner.mjs';

/**
 * @import { Scenario } from './load.mjs'
 * @import { Cell, Subjects, UploadMemory } from './runner.mjs'
 * @import { Server } from './stage.mjs'
 *
 * @typedef {(typeof NAMES)[number]} Name
 * @typedef {{ row: string, connections: number, cells: Record<Name, Cell> }} Line
 */

const NAMES = /** @type {const} */ (['encrypted', 'plain']);
const CONNECTIONS = chosenConnections('1,16');
const MEGABYTE = 1024 * 1024;
/** @type {[size: string, scenario: Scenario, bytes: number][]} */
const SIZES = [
  ['1 MB', 'submit 1 MB', MEGABYTE],
  ['5 MB', 'submit 5 MB', 5 * MEGABYTE],
];
/** Uploads of each size that are then downloaded: 8 connections of so many turns. */
const UPLOADERS = 8;
const TURNS = 8;
const OF_PLAIN = 0.7;

/** @extends {Runner<Name>} */
class Bench extends Runner {
  /** @param {string} row @param {Scenario} scenario @returns {Promise<Line[]>} */
  measureUpload(row, scenario) {
    return this.withServers(async (servers) => {
      for (const server of servers) await this.warmUp(server, scenario);
      return this.measureConnections(row, servers, scenario);
    });
  }

  /** @param {string} row @param {Scenario} scenario @param {number} bytes @returns {Promise<Line[]>} */
  measureDownload(row, scenario, bytes) {
    return this.withServers(async (servers) => {
      /** @type {Map<Server<Name>, Subjects>} */
      const subjects = new Map();
      for (const server of servers) {
        await this.load('uploads', server, [{ scenario, connections: UPLOADERS, turns: TURNS }], 600);
        subjects.set(server, { leads: await server.submittedLeads(bytes), resumeBytes: bytes });
        await this.warmUp(server, 'download', subjects.get(server));
      }
      return this.measureConnections(row, servers, 'download', subjects);
    });
  }

  /** @param {string} row @param {Server<Name>[]} servers @param {Scenario} scenario @param {Map<Server<Name>, Subjects>} [subjects] */
  async measureConnections(row, servers, scenario, subjects) {
    /** @type {Line[]} */
    const lines = [];
    for (const connections of CONNECTIONS) {
      lines.push({ row, connections, cells: await this.measureInTurn(row, servers, scenario, connections, subjects) });
    }
    return lines;
  }
}

const shareOf = (/** @type {Line} */ { cells }) => cells.encrypted.perSecond / cells.plain.perSecond;

/** @param {Line[]} lines @param {Record<Name, UploadMemory> | undefined} memory */
function goalsOf(lines, memory) {
  const goals = [];
  for (const what of ['upload', 'download']) {
    const shares = lines
      .filter(({ row }) => row.startsWith(what))
      .map((line) => ({ told: `${line.row} at ${line.connections}: ${percent(shareOf(line))}`, share: shareOf(line) }));
    if (shares.length === 0) continue;
    goals.push({
      goal: `encrypted ${what}s at ${percent(OF_PLAIN)} of plain ones or more`,
      measured: shares.map(({ told }) => told).join(', '),
      met: shares.every(({ share }) => share >= OF_PLAIN),
    });
  }
  if (memory !== undefined) {
    const growth = ({ beforeMb, peakMb } = memory.encrypted) =>
      `${(peakMb - beforeMb).toFixed(0)} MB (${beforeMb.toFixed(0)} → ${peakMb.toFixed(0)})`;
    goals.push({
      goal: `memory growth under 64 parallel 5 MB uploads with encryption below ${MOST_GROWTH_MB} MB`,
      measured: `${growth()}; without ${growth(memory.plain)}`,
      met: memory.encrypted.peakMb - memory.encrypted.beforeMb < MOST_GROWTH_MB,
    });
  }
  return goals;
}

const { results, machine, minutes } = await onStage(
  (stage) => new Bench(stage, NAMES),
  async (bench) => {
    /** @type {Line[]} */
    const lines = [];
    for (const [size, scenario, bytes] of SIZES) {
      if (wanted(`upload, ${size}`)) lines.push(...(await bench.measureUpload(`upload, ${size}`, scenario)));
      if (wanted(`download, ${size}`))
        lines.push(...(await bench.measureDownload(`download, ${size}`, scenario, bytes)));
    }
    const memory = wanted(UPLOADS) ? await bench.measureUploads() : undefined;
    return { lines, memory, unexpected: bench.unexpected };
  },
);

process.stdout.write(`
# Forecourt with encryption at rest beside Forecourt without

${machine}; ${SECONDS} s per cell; ${minutes} minutes in all.

The same program twice, with FILE_ENCRYPTION=true and FILE_ENCRYPTION=false, each on its own copy of one database, measured in turn
on fresh processes. Uploads are whole submissions of the public form: inspected, hashed, encrypted or not, forced to the disk,
recorded. Downloads are compared with their hash and put on record before the first byte leaves; they come from the page cache,
so that no disk hides what decryption costs. Memory is what the process holds beyond what it held when warm and idle.
Cells: answers per second · p50 / p99 · peak resident memory of the server process.
`);
printTables(
  [
    ['what', 'connections', ...NAMES, 'of plain'],
    ...results.lines.map((line) => {
      const { row, connections, cells } = line;
      return [row, String(connections), ...NAMES.map((name) => shown(cells[name])), percent(shareOf(line))];
    }),
  ],
  goalsOf(results.lines, results.memory),
  results.unexpected,
);
