// What a thousand times the leads cost: Forecourt over databases of 1,000, 100,000 and 1,000,000 leads, measured in turn in one
// run. See the printed header. BENCH_LEADS: other sizes, the smallest first. --write keeps the report in docs/bench-scale.md.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fillLeads } from './people.mjs';
import { digits, tablesOf } from './report.mjs';
import { Asker, Connection, SCENARIOS } from './load.mjs';
import { onStage, percentile, say, SECONDS, wanted } from './runner.mjs';

/**
 * @import { Exchange, Scenario, SeededLead } from './load.mjs'
 * @import { Server, Stage } from './stage.mjs'
 *
 * @typedef {{ total: number, pending: number }} Size of a database, as filled
 * @typedef {'filtered or first page' | 'page 200' | 'submission'} Reach
 * @typedef {(size: Size, server: Server<string>) => string | Promise<string>} PathOf
 * @typedef {object} Row
 * @property {string} row
 * @property {Reach} [reach] what it counts for
 * @property {PathOf} [path] what is read; without, a scenario of the generator
 * @property {Scenario} [scenario]
 *
 * @typedef {{ server: Server<string>, connection: Connection, size: Size }} Subject
 * @typedef {{ row: string, reach: Reach | undefined, cells: { p50: number, p99: number }[] }} Line of milliseconds, by size
 */

const { values: options } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
const SIZES = (process.env['BENCH_LEADS'] ?? '1000,100000,1000000').split(',').map(Number);
if (SIZES.length < 2 || SIZES.some((size) => !(Number.isInteger(size) && size >= 1000 && size <= 10_000_000))) {
  throw new Error('BENCH_LEADS must be two or more whole numbers from 1000, such as 1000,100000');
}
const nameOf = (/** @type {number} */ size) => size.toLocaleString('en-GB');
const NAMES = SIZES.map(nameOf);
const REPORT = join(import.meta.dirname, '..', 'docs', 'bench-scale.md');
/** How many times the median of the smallest database each reach allows. */
const MOST = /** @type {Record<Reach, number>} */ ({ 'filtered or first page': 2, 'page 200': 3, submission: 1.3 });
const SORTS = ['created_at', 'updated_at', 'reached_out_at', 'first_name', 'last_name', 'email', 'status'];
const STATUSES = ['PENDING', 'REACHED_OUT'];
const PER_PAGE = 50;
const WARM_UP_ROUNDS = 20;
const LEAST_ROUNDS = 30;
const POSTGRES = ['shared_buffers=1GB', 'max_wal_size=4GB'];
/** Leads whose ids the generator asks for. */
const SAMPLE = 2000;

const lastPage = (/** @type {number} */ total) => Math.ceil(total / PER_PAGE);

/** Goes on behind the page in the middle, which no page number reaches as fast. @param {Size} size @param {Server<string>} server */
async function fromTheMiddle({ total }, server) {
  const page = await server.fetch(`/leads?page=${Math.ceil(lastPage(total) / 2)}`);
  const { next_cursor: cursor } = /** @type {{ next_cursor: string }} */ (await page.json());
  return `/leads?cursor=${cursor}`;
}

/** @type {Row[]} */
const ROWS = [
  { row: 'first page', reach: 'filtered or first page', path: () => '/leads' },
  ...STATUSES.map((status) => reading(`first page, status ${status}`, `/leads?status=${status}`)),
  ...['', ...STATUSES].flatMap((status) =>
    SORTS.flatMap((sort) =>
      ['asc', 'desc'].map((order) =>
        reading(
          `first page by ${sort} ${order}${status === '' ? '' : `, status ${status}`}`,
          `/leads?sort_by=${sort}&sort_order=${order}${status === '' ? '' : `&status=${status}`}`,
        ),
      ),
    ),
  ),
  { row: 'page 200 of 5 items', reach: 'page 200', path: () => '/leads?page=200&size=5' },
  {
    row: 'page 200 of 5 items, by last_name asc',
    reach: 'page 200',
    path: () => '/leads?page=200&size=5&sort_by=last_name&sort_order=asc',
  },
  {
    row: `page 200 of ${PER_PAGE} items (the last page where there are fewer)`,
    reach: 'page 200',
    path: ({ total }) => `/leads?page=${Math.min(200, lastPage(total))}`,
  },
  {
    row: `page 200 of ${PER_PAGE} items, status REACHED_OUT (the last page where there are fewer)`,
    reach: 'page 200',
    path: ({ total, pending }) => `/leads?status=REACHED_OUT&page=${Math.min(200, lastPage(total - pending))}`,
  },
  {
    row: `page 200 of ${PER_PAGE} items, status PENDING by last_name asc (the last page where there are fewer)`,
    reach: 'page 200',
    path: ({ pending }) =>
      `/leads?status=PENDING&sort_by=last_name&sort_order=asc&page=${Math.min(200, lastPage(pending))}`,
  },
  { row: 'last page', path: ({ total }) => `/leads?page=${lastPage(total)}` },
  {
    row: 'last page by last_name asc',
    path: ({ total }) => `/leads?page=${lastPage(total)}&sort_by=last_name&sort_order=asc`,
  },
  { row: 'last page, status PENDING', path: ({ pending }) => `/leads?status=PENDING&page=${lastPage(pending)}` },
  { row: 'page in the middle', path: ({ total }) => `/leads?page=${Math.ceil(lastPage(total) / 2)}` },
  { row: 'next page by cursor, in the middle', reach: 'filtered or first page', path: fromTheMiddle },
  { row: 'number of leads, with one', path: () => '/leads?size=1' },
  { row: 'one lead', scenario: 'one lead' },
  { row: 'submission', reach: 'submission', scenario: 'submit somebody' },
  { row: 'status change', scenario: 'status change' },
];

/** @param {string} row @param {string} path @returns {Row} */
function reading(row, path) {
  return { row, reach: 'filtered or first page', path: () => path };
}

class Bench {
  /** @type {string[]} */
  unexpected = [];
  /** @type {Subject[]} */
  subjects = [];

  /** @param {Stage} stage */
  constructor(stage) {
    this.stage = stage;
  }

  /** A server for each size, on a database that is filled to it. */
  async startAll() {
    for (const total of SIZES) {
      const started = performance.now();
      await this.stage.admin.query(`CREATE DATABASE bench_${total}`);
      const server = await this.stage.launchAs(nameOf(total), 'Forecourt', `bench_${total}`);
      await fillLeads(server.database, total);
      await server.signIn();
      const { rows } = await server.database.query(
        `SELECT count(*)::int AS pending FROM leads WHERE status = 'PENDING'`,
      );
      const connection = new Connection(server.port);
      this.subjects.push({ server, connection, size: { total, pending: rows[0].pending } });
      say(`${server.name} leads: filled in ${((performance.now() - started) / 1000).toFixed(0)} s`);
    }
    await this.proveTotals();
  }

  /** Throws unless the numbers that the API tells are those of the rows. */
  async proveTotals() {
    for (const { server } of this.subjects) {
      for (const status of [undefined, ...STATUSES]) {
        const answer = await server.fetch(`/leads?size=1${status === undefined ? '' : `&status=${status}`}`);
        const { total } = /** @type {{ total: number }} */ (await answer.json());
        const { rows } = await server.database.query(
          'SELECT count(*)::int AS counted FROM leads WHERE $1::lead_status IS NULL OR status = $1',
          [status],
        );
        if (rows[0].counted !== total)
          throw new Error(`${server.name}: a total of ${total}, but ${rows[0].counted} leads`);
      }
    }
  }

  /**
   * Asks all servers in turn, one request at a time: whatever else the machine does meanwhile hits all alike.
   * @param {Row} row @returns {Promise<Line>}
   */
  async measure(row) {
    const asked = await Promise.all(
      this.subjects.map(async (subject) => ({ ...subject, next: await this.askerOf(row, subject) })),
    );
    /** @type {Map<string, number[]>} */
    const latencies = new Map(NAMES.map((name) => [name, []]));
    await this.stage.settle();
    let deadline = Infinity;
    for (let round = -WARM_UP_ROUNDS; round < LEAST_ROUNDS || performance.now() < deadline; round += 1) {
      if (round === 0) deadline = performance.now() + SECONDS * 1000 * asked.length;
      for (const { server, connection, next } of round % 2 === 0 ? asked : asked.toReversed()) {
        const { parts, status } = next();
        const sent = performance.now();
        const answer = await connection.exchange(parts).catch((error) => ({ status: String(error) }));
        if (answer.status !== status) this.unexpected.push(`${row.row}, ${server.name}: ${answer.status}`);
        else if (round >= 0) latencies.get(server.name)?.push(performance.now() - sent);
      }
    }
    const cells = NAMES.map((name) => {
      const outcome = { latencies: Float64Array.from(latencies.get(name) ?? []) };
      return { p50: percentile([outcome], 0.5), p99: percentile([outcome], 0.99) };
    });
    say(`${row.row}: ${cells.map(({ p50 }) => `${digits(p50)} ms`).join(', ')}`);
    return { row: row.row, reach: row.reach, cells };
  }

  /** @param {Row} row @param {Subject} subject @returns {Promise<() => Exchange>} */
  async askerOf({ path, scenario = 'one lead' }, { server, size }) {
    const leads = path === undefined ? await this.sampleOf(server) : [];
    const asker = new Asker({ token: server.token, account: server.account, leads, resumeBytes: 0 }, 0, 1);
    if (path === undefined) return () => SCENARIOS[scenario](asker);
    const exchange = asker.get(await path(size, server));
    return () => exchange;
  }

  /** Leads from anywhere in the table, as they stand now. @param {Server<string>} server @returns {Promise<SeededLead[]>} */
  async sampleOf(server) {
    const { rows } = await server.database.query('SELECT id, status FROM leads ORDER BY md5(id::text) LIMIT $1', [
      SAMPLE,
    ]);
    return rows;
  }

  close() {
    for (const { connection } of this.subjects) connection.close();
  }
}

/** How many times the median of the smallest database a line has in each. @param {Line} line */
function growthsOf({ cells }) {
  return cells.map(({ p50 }) => p50 / (cells[0]?.p50 ?? NaN));
}

const growthAtMost = (/** @type {Line} */ line) => growthsOf(line).at(-1) ?? NaN;
const times = (/** @type {number} */ growth) => `${growth.toFixed(2)} ×`;
const holds = (/** @type {Line} */ line) => line.reach === undefined || growthAtMost(line) <= MOST[line.reach];

/** @param {Line} line */
function shownLine(line) {
  const { row, reach, cells } = line;
  const shown = cells.map(({ p50, p99 }) => `${digits(p50)} / ${digits(p99)} ms`);
  const growths = growthsOf(line).map(times);
  const columns = shown.flatMap((cell, index) => (index === 0 ? [cell] : [cell, growths[index] ?? '']));
  return [row, ...columns, reach === undefined ? '' : holds(line) ? 'holds' : '**does not hold**'];
}

/** @param {Line[]} lines */
function goalsOf(lines) {
  return Object.entries(MOST).flatMap(([reach, most]) => {
    const of = lines.filter((line) => line.reach === reach).sort((a, b) => growthAtMost(b) - growthAtMost(a));
    return of.slice(0, 1).map((worst) => ({
      goal: `${reach} at ${NAMES.at(-1)} at most ${most} × of ${NAMES[0]}`,
      measured: `${of.filter(holds).length} of ${of.length} rows; the most is ${times(growthAtMost(worst))} (${worst.row})`,
      met: of.every(holds),
    }));
  });
}

const { results, machine, minutes } = await onStage(
  (stage) => new Bench(stage),
  async (bench) => {
    await bench.startAll();
    /** @type {Line[]} */
    const lines = [];
    for (const row of ROWS.filter(({ row }) => wanted(row))) lines.push(await bench.measure(row));
    await bench.proveTotals();
    return { lines, unexpected: bench.unexpected };
  },
  () => Promise.resolve(),
  // as for a practice of that size; what is 128 MB by default is smaller than one index of a million
  POSTGRES,
);

const report = `# Forecourt over ${NAMES.join(', ')} leads

${machine}; ${SECONDS} s per cell; ${minutes} minutes in all.

Made by \`npm run bench:scale -- --write\`. The same program once for each size, on one PostgreSQL (${POSTGRES.join(', ')}); asked in turn, one
request at a time, so that whatever else the machine does hits all alike. Names of many scripts, three years with more leads recently than long
ago, 15 in 100 still pending and most of those new, each with its file and story, and with both mails if it came in the last 90 days. Pages have ${PER_PAGE} items unless said
otherwise. Before anything is measured, the totals that each answers are compared with the rows, and after the last row again.
Cells: p50 / p99; growth: p50 beside that of ${NAMES[0]} leads.

${tablesOf(
  [
    ['what', ...NAMES.flatMap((name, index) => (index === 0 ? [name] : [name, 'growth'])), 'reach'],
    ...results.lines.map(shownLine),
  ],
  goalsOf(results.lines),
  results.unexpected,
)}`;
process.stdout.write(`\n${report}`);
if (options.write) await writeFile(REPORT, report);
