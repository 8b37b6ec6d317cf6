// Whether Forecourt stays as it is under load that it can bear: half of the most it answers, for ten minutes, with whatever
// grows told in words and an exit code of 1. SOAK_MINUTES, SOAK_EVERY_SECONDS (a sample each). See the printed header.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { digits, table } from './report.mjs';
import { onStage, percentile, Runner, say } from './runner.mjs';
import { complaintsAbout } from './soak-judge.mjs';

/**
 * @import { Group } from './load.mjs'
 * @import { Sample } from './soak-judge.mjs'
 * @import { Server } from './stage.mjs'
 * @typedef {Sample & { perSecond: number, jobs: number }} Shown
 */

const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 10);
const EVERY_SECONDS = Number(process.env['SOAK_EVERY_SECONDS'] ?? 60);
const SAMPLES = Math.round((MINUTES * 60) / EVERY_SECONDS);
if (!(EVERY_SECONDS > 0 && SAMPLES >= 4)) throw new Error('SOAK_MINUTES must be enough for four samples or more');
const CONNECTIONS = 16;
const WARM_UP_SECONDS = 10;
const MOST_SECONDS = 20;
/** For what is done after answers, and for the pool to close what it does not need: it does so after 30 s. */
const QUIET_MS = 35_000;
/** What runs by itself is between two statements of a transaction now and then, and never for so long. */
const ABANDONED_AFTER_MS = 10_000;
const SCENARIO = 'mix, 80 % reads';

/** @extends {Runner<'soaked'>} */
class Soak extends Runner {
  /** @param {Server<'soaked'>} server */
  async findMost(server) {
    await this.load('warm-up', server, [{ scenario: 'mix', connections: CONNECTIONS }], WARM_UP_SECONDS);
    const group = /** @type {Group} */ ({ scenario: 'mix', connections: CONNECTIONS });
    const { outcomes } = await this.load('the most', server, [group], MOST_SECONDS);
    return outcomes.reduce((sum, { latencies, seconds }) => sum + latencies.length / seconds, 0);
  }

  /** @param {Server<'soaked'>} server @param {number} perSecond @param {number} number @returns {Promise<Shown>} */
  async sample(server, perSecond, number) {
    const group = /** @type {Group} */ ({
      scenario: 'mix',
      connections: CONNECTIONS,
      everyMs: (CONNECTIONS / perSecond) * 1000,
    });
    const { outcomes } = await this.load(`sample ${number}`, server, [group], EVERY_SECONDS);
    const busy = outcomes.reduce((sum, outcome) => sum + outcome.busy, 0);
    if (busy > 0) this.unexpected.push(`sample ${number}: ${busy} × 503`);
    await sleep(QUIET_MS);
    server.child.send('collect');
    const [{ heapMb }] = /** @type {[{ heapMb: number }]} */ (await once(server.child, 'message'));
    const { rows } = await this.stage.admin.query(
      `SELECT count(*)::int AS connections, count(*) FILTER (
         WHERE state LIKE 'idle in transaction%' AND state_change < clock_timestamp() - $1 * interval '1 millisecond'
       )::int AS stuck
       FROM pg_stat_activity WHERE application_name = 'forecourt'`,
      [ABANDONED_AFTER_MS],
    );
    const waiting = await server.database.query('SELECT count(*)::int AS jobs FROM graphile_worker.jobs');
    const sample = {
      heapMb,
      residentMb: server.residentMb(),
      p50: percentile(outcomes, 0.5),
      p99: percentile(outcomes, 0.99),
      connections: rows[0].connections,
      inTransaction: rows[0].stuck,
      descriptors: (await readdir(`/proc/${server.child.pid}/fd`)).length,
      perSecond: outcomes.reduce((sum, { latencies, seconds }) => sum + latencies.length / seconds, 0),
      jobs: waiting.rows[0].jobs,
    };
    say(`sample ${number} of ${SAMPLES}: heap ${digits(heapMb)} MB, p50 ${digits(sample.p50)} ms`);
    return sample;
  }
}

/** Throws unless every lead that was answered with 201 is there. @param {Soak} soak @param {Server<'soaked'>} server @param {number} before */
async function proveSubmissions(soak, server, before) {
  const { leads } = await server.census();
  const expected = before + (soak.submitted.get(server) ?? 0);
  if (leads !== expected) throw new Error(`there are ${leads} leads, not ${expected}`);
}

const sink = fork(join(import.meta.dirname, 'mail-sink.mjs'));
const [{ port }] = /** @type {[{ port: number }]} */ (await once(sink, 'message'));
const { results, machine, minutes } = await onStage(
  (stage) => new Soak(stage, ['soaked']),
  async (soak) => {
    soak.stage.settings = { SMTP_PORT: String(port) };
    const server = await soak.stage.start(/** @type {const} */ ('soaked'));
    const before = (await server.census())['leads'] ?? NaN;
    const most = await soak.findMost(server);
    say(`${SCENARIO}: ${digits(most)} a second at most`);
    /** @type {Shown[]} */
    const samples = [];
    for (let number = 1; number <= SAMPLES; number += 1) samples.push(await soak.sample(server, most / 2, number));
    await proveSubmissions(soak, server, before);
    await server.stop();
    return { most, samples, unexpected: soak.unexpected };
  },
).finally(() => sink.kill());

const complaints = [...complaintsAbout(results.samples), ...results.unexpected];
process.stdout.write(`
# Forecourt under load for ${MINUTES} minutes

${machine}; ${minutes} minutes in all.

${SCENARIO}, with mails that are sent: ${digits(results.most)} a second at most over ${CONNECTIONS} connections, and half of that
from then on, as a crowd that does not wait. A sample after every ${EVERY_SECONDS} s of load and ${QUIET_MS / 1000} s of quiet: the heap after a full collection,
memory that the process holds, latencies since the last sample, connections to the database, open files and sockets.

${table([
  ['sample', 'a second', 'p50', 'p99', 'heap', 'resident', 'connections', 'descriptors', 'jobs waiting'],
  ...results.samples.map(({ perSecond, p50, p99, heapMb, residentMb, connections, descriptors, jobs }, index) => [
    String(index + 1),
    digits(perSecond),
    ...[p50, p99].map((each) => `${digits(each)} ms`),
    ...[heapMb, residentMb].map((each) => `${digits(each)} MB`),
    ...[connections, descriptors, jobs].map(String),
  ]),
])}

${complaints.length === 0 ? 'Nothing grew, and every answer was as expected.' : complaints.map((each) => `- **${each}**`).join('\n')}
`);
if (complaints.length > 0) process.exitCode = 1;
