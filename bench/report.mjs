// What was measured, as Markdown: one table of everything, one of the goals.

/**
 * @import { Results } from './run.mjs'
 * @import { Cell } from './runner.mjs'
 * @typedef {{ goal: string, measured: string, met: boolean }} Goal
 */

const OF_EXPRESS = 0.9;
const OF_BARE = 0.6;
const MOST_LOGIN_EFFECT = 3;
export const MOST_GROWTH_MB = 150;

export const percent = (/** @type {number} */ share) => `${Math.floor(share * 100)} %`;

/** @param {number} value three digits that count */
export const digits = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** @param {Cell} cell */
export const shown = ({ perSecond, p50, p99, peakMb }) =>
  `${digits(perSecond)}/s · ${digits(p50)} / ${digits(p99)} ms · ${peakMb.toFixed(0)} MB`;

/** @param {string[][]} rows */
export const table = ([head = [], ...rows]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** @param {Results} results @returns {Goal[]} */
function goalsOf({ lines, logins, uploads }) {
  /** @type {Goal[]} */
  const goals = [];
  if (lines.length > 0) {
    const shares = lines.map(({ row, connections, cells }) => ({
      what: `${row} at ${connections}`,
      share: cells.Forecourt.perSecond / cells.Express.perSecond,
    }));
    const below = shares.filter(({ share }) => share < OF_EXPRESS);
    const named = below.map(({ what, share }) => `${what}: ${percent(share)}`);
    goals.push({
      goal: `at least ${percent(OF_EXPRESS)} of the Express server on every row`,
      measured: `${shares.length - below.length} of ${shares.length}${named.length > 0 ? `; not ${named.join(', ')}` : ''}`,
      met: below.length === 0,
    });
  }
  const large = lines.filter(({ row }) => row === 'submit, 1 MB');
  if (large.length > 0) {
    const shares = large.map(({ connections, cells }) => ({
      connections,
      share: cells.Forecourt.perSecond / cells.bare.perSecond,
    }));
    goals.push({
      goal: `at least ${percent(OF_BARE)} of the bare server on 1 MB submissions`,
      measured: shares.map(({ connections, share }) => `${percent(share)} at ${connections}`).join(', '),
      met: shares.every(({ share }) => share >= OF_BARE),
    });
  }
  if (logins !== undefined) {
    const told = Object.entries(logins).map(
      ([name, { without, during }]) =>
        `${name} ${digits(during / without)} × (${digits(without)} → ${digits(during)} ms)`,
    );
    goals.push({
      goal: `p99 of reads under 8 parallel logins at most ${MOST_LOGIN_EFFECT} × p99 without`,
      measured: told.join(', '),
      met: logins.Forecourt.during <= MOST_LOGIN_EFFECT * logins.Forecourt.without,
    });
  }
  if (uploads !== undefined) {
    const told = Object.entries(uploads).map(
      ([name, { beforeMb, peakMb }]) =>
        `${name} ${(peakMb - beforeMb).toFixed(0)} MB (${beforeMb.toFixed(0)} → ${peakMb.toFixed(0)})`,
    );
    goals.push({
      goal: `memory growth under 64 parallel 5 MB uploads below ${MOST_GROWTH_MB} MB`,
      measured: told.join(', '),
      met: uploads.Forecourt.peakMb - uploads.Forecourt.beforeMb < MOST_GROWTH_MB,
    });
  }
  return goals;
}

/** @param {Results} results @param {{ machine: string, minutes: string, seconds: number, seededLeads: number }} run */
export function printReport(results, { machine, minutes, seconds, seededLeads }) {
  const lines = results.lines.map(({ row, connections, cells }) => [
    row,
    String(connections),
    shown(cells.Forecourt),
    shown(cells.Express),
    shown(cells.bare),
    percent(cells.Forecourt.perSecond / cells.Express.perSecond),
    percent(cells.Forecourt.perSecond / cells.bare.perSecond),
  ]);
  process.stdout.write(`
# Forecourt beside two reference servers

${machine}; ${seconds} s per cell; ${minutes} minutes in all.

All three do the same durable work on one PostgreSQL with real fsync, each on its own copy of one database with
${seededLeads} leads: signed access tokens, users remembered for at most a second, the file hashed, on the disk and in its place
before one transaction writes lead, file, history, two mails and two jobs. The references share Forecourt's schema, its kept
totals and its pool limit, but validate little and set no protective headers. Nobody logs requests (LOG_LEVEL=WARNING), limits
rates or delivers mail meanwhile (ROLE=http; the jobs stay queued). Load generator, server and database share the machine.
A client that is told to come back later (503 with Retry-After) does so. Every row starts on fresh processes and databases; the
three servers are measured in turn, one at a time.
Cells: answers per second · p50 / p99 · peak resident memory of the server process.
`);
  printTables(
    [['what', 'connections', 'Forecourt', 'Express', 'bare node:http', 'of Express', 'of bare'], ...lines],
    goalsOf(results),
    results.unexpected,
  );
}

/** What was measured, which goals are met, and what else came back. @param {string[][]} measured @param {Goal[]} goals @param {string[]} unexpected */
export function printTables(measured, goals, unexpected) {
  process.stdout.write(`\n${tablesOf(measured, goals, unexpected)}`);
}

/** What {@link printTables} prints. @param {string[][]} measured @param {Goal[]} goals @param {string[]} unexpected */
export function tablesOf(measured, goals, unexpected) {
  const reached = goals.map(({ goal, measured: found, met }) => [goal, found, met ? 'met' : '**not met**']);
  return `${table(measured)}

${table([['goal', 'measured', 'met'], ...reached])}

Unexpected answers (not counted above): ${unexpected.length === 0 ? 'none.' : `\n${unexpected.map((each) => `- ${each}`).join('\n')}`}
`;
}
