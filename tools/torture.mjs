// `npm run torture`: everything that can be taken away from a running Forecourt is taken away, one after the other, and what
// it has promised is counted. Each fault is a script of its own that ends with one line for the table. Ends with code 1 when a
// promise was broken. --only NAME[,NAME], --rounds N for each of them, --out FILE for the table as Markdown.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { outcomeIn, wholeNumber } from './torture/outcome.mjs';

/**
 * @import { Outcome } from './torture/outcome.mjs'
 * @typedef {{ name: string, script: string, rounds: number, args?: readonly string[] }} Fault
 */

/** @type {readonly Fault[]} */
const FAULTS = [
  { name: 'crash', script: 'torture/crash.mjs', rounds: 8 },
  { name: 'mail', script: 'torture-mail.mjs', rounds: 10, args: ['--messages', '1000'] },
  { name: 'database-stop', script: 'torture/database.mjs', rounds: 3, args: ['--fault', 'stop'] },
  { name: 'database-freeze', script: 'torture/database.mjs', rounds: 3, args: ['--fault', 'freeze'] },
  { name: 'database-kill', script: 'torture/database.mjs', rounds: 3, args: ['--fault', 'kill'] },
  { name: 'dns', script: 'torture/dns.mjs', rounds: 3 },
  { name: 'disk-full', script: 'torture/disk-full.mjs', rounds: 3 },
  { name: 'clock', script: 'torture/clock.mjs', rounds: 2 },
  { name: 'slow-storage', script: 'torture/slow-storage.mjs', rounds: 3 },
  { name: 'copies', script: 'torture-copies.mjs', rounds: 8 },
];
const COLUMNS = ['Fault', 'Rounds', 'Acknowledged', 'Lost', 'Doubled', 'Recovery'];

const { values } = parseArgs({
  options: { only: { type: 'string' }, rounds: { type: 'string' }, out: { type: 'string' } },
});
const chosen = values.only === undefined ? FAULTS : values.only.split(',').map(faultOf);
const rounds = values.rounds === undefined ? undefined : wholeNumber('rounds', values.rounds);

/** @param {string} name */
function faultOf(name) {
  const fault = FAULTS.find((each) => each.name === name);
  if (fault === undefined) throw new Error(`--only must be of ${FAULTS.map((each) => each.name).join(', ')}`);
  return fault;
}

/** @type {import('node:child_process').ChildProcess | undefined} */
let running;
let isAbandoned = false;
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    isAbandoned = true;
    // it has children and folders of its own to end and to remove
    running?.kill(signal);
  });
}

/** What its script says; undefined when it ended without a word. @param {Fault} fault */
async function suffer({ name, script, args = [], rounds: usual }) {
  console.log(`\n== ${name}`);
  const path = fileURLToPath(new URL(script, import.meta.url));
  const command = [path, ...args, '--rounds', String(rounds ?? usual)];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  running = child;
  const ended = new Promise((resolve) => child.once('close', resolve));
  /** @type {Outcome | undefined} */
  let outcome;
  for await (const line of createInterface({ input: child.stdout })) {
    const found = outcomeIn(line);
    if (found === undefined) console.log(line);
    outcome = found ?? outcome;
  }
  return { name, outcome, isKept: (await ended) === 0 && outcome !== undefined };
}

/** @param {Awaited<ReturnType<typeof suffer>>} row */
function cellsOf({ name, outcome, isKept }) {
  if (outcome === undefined) return [name, ...COLUMNS.slice(2).map(() => ''), 'broken: it ended without a word'];
  const { fault, skipped, acknowledged, lost, doubled, recovery_seconds: recovery } = outcome;
  if (skipped !== undefined) return [fault, '0', '', '', '', `skipped: ${skipped}`];
  const counts = [outcome.rounds, acknowledged, lost, doubled].map(String);
  return [isKept ? fault : `${fault}: BROKEN`, ...counts, recovery === null ? '' : `${recovery.toFixed(1)} s`];
}

/** As prettier would write it. @param {readonly (readonly string[])[]} rows */
function tableOf(rows) {
  const widths = COLUMNS.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  return lines.join('\n');
}

const began = performance.now();
/** @type {Awaited<ReturnType<typeof suffer>>[]} */
const rows = [];
for (const fault of chosen) if (!isAbandoned) rows.push(await suffer(fault));
const table = tableOf([COLUMNS, ...rows.map(cellsOf)]);
const minutes = Math.max(1, Math.round((performance.now() - began) / 60_000));
console.log(`\n${table}\n\nIn ${minutes} min.`);
if (values.out !== undefined) {
  const machine = `Node ${process.versions.node.split('.')[0]}, ${availableParallelism()} processors, ${minutes} min`;
  writeFileSync(
    values.out,
    `# What torture costs

\`npm run torture -- --out docs/torture.md\` takes away what a running Forecourt needs, while clients submit without pause, and
gives it back. What was acknowledged is then looked for: each lead once, its file byte for byte, its two mails. Who was told 503
has submitted again, and none of them took longer than five seconds to be told. Recovery is the longest time from the end of the
fault until as many submissions were taken as there are clients, for mail the longest standstill while the server was up. A mail
that was sent when its sender was killed is sent again, under the same Message-ID: those are the doubled ones, at most as many as
one process has under way.

${table}

${machine}.
`,
  );
}
if (isAbandoned || rows.some(({ isKept }) => !isKept)) process.exitCode = 1;
