// Sends many messages through a mail server that fails at random in every way it can, while the process that sends them is
// killed again and again; then proves that none is lost. `npm run torture:mail -- --messages 2000 --kills 10 --seed 1`
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { pino } from 'pino';
import { FailingSmtpServer } from './failing-smtp-server.mjs';
import { inSeconds, report } from './torture/outcome.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const MAIN = join(ROOT, 'dist/src/main.js');
/** Messages that one process has under way at a time: WORKER_CONCURRENCY. */
const PARALLELISM = 16;
/** While there is mail for well-behaved recipients and the server is up, something arrives at least this often. */
const LONGEST_STANDSTILL_MS = 20_000;
/** The recipients at whom the server hangs until all others have their mail. */
const POISONED = 3;

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '2000' },
    kills: { type: 'string', default: '10' },
    // as all of `npm run torture` call it
    rounds: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    minutes: { type: 'string', default: '30' },
  },
});
const messages = Number(values.messages);
const kills = Number(values.rounds ?? values.kills);
const seed = Number(values.seed);
const minutes = Number(values.minutes);
if (!(messages >= 20) || !(kills >= 0) || Number.isNaN(seed) || !(minutes > 0))
  throw new Error('--messages must be 20 or more; --kills, --seed and --minutes numbers');

const say = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);

/** The program that sends, one process after the other. */
class Sender {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  child;

  /** @param {Record<string, string>} settings @param {string} logFile */
  constructor(settings, logFile) {
    this.settings = settings;
    this.log = openSync(logFile, 'a');
  }

  start() {
    this.child = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env['PATH'] ?? '', ...this.settings },
      cwd: tmpdir(),
      stdio: ['ignore', this.log, this.log],
    });
  }

  /** @param {NodeJS.Signals} signal */
  async end(signal) {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}

/** Owes one message to each recipient, as submissions do. @param {pg.Client} database @param {string[]} recipients */
async function owe(database, recipients) {
  await database.query(
    `WITH owed AS (
       INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id)
       SELECT id, 'prospect_confirmation', recipient, json_build_object('prospect_name', 'Ada', 'lead_id', id), 'lead', id
       FROM unnest($1::uuid[], $2::text[]) AS mail (id, recipient) RETURNING id)
     SELECT graphile_worker.add_job('mail.deliver', json_build_object('message_id', id), max_attempts => 25) FROM owed`,
    [recipients.map(() => randomUUID()), recipients],
  );
}

/** @param {pg.Client} database @returns {Promise<number>} messages that are neither sent nor given up */
async function countOpen(database) {
  const { rows } = await database.query(
    `SELECT count(*)::int AS open FROM mail_messages WHERE state IN ('queued', 'sending', 'retrying')`,
  );
  return rows[0].open;
}

/** @param {pg.Client} database @param {FailingSmtpServer} server @param {string[]} refused @param {number} killed */
async function findProblems(database, server, refused, killed) {
  /** @type {string[]} */
  const problems = [];
  const { rows } = await database.query('SELECT id, recipient, state, last_error FROM mail_messages');
  const refusedSet = new Set(refused);
  const owed = rows.filter(({ recipient }) => !refusedSet.has(recipient));
  const lost = owed.filter(({ id }) => !server.taken.has(id)).length;
  for (const { id, recipient, state, last_error } of rows) {
    const times = server.taken.get(id) ?? 0;
    const wanted = refusedSet.has(recipient) ? 'failed' : 'sent';
    if (state !== wanted) problems.push(`${id} is ${state}, not ${wanted}: ${last_error}`);
    if (wanted === 'sent' && times === 0) problems.push(`${id} is lost: the server never took it`);
    if (wanted === 'failed' && times > 0) problems.push(`${id} was taken although its recipient is refused`);
    const asked = server.asked.get(recipient) ?? 0;
    if (wanted === 'failed' && asked > 1 + killed) problems.push(`${id} was refused ${asked} times`);
  }
  const doubles = [...server.taken.values()].reduce((sum, times) => sum + times - 1, 0);
  if (doubles > killed * PARALLELISM) problems.push(`${doubles} doubles, more than ${killed} × ${PARALLELISM}`);
  if (server.longestStandstillMs > LONGEST_STANDSTILL_MS)
    problems.push(`nothing arrived for ${(server.longestStandstillMs / 1000).toFixed(1)} s although the server was up`);
  // those with a key run by themselves and wait for their next time
  const { rows: jobs } = await database.query(
    `SELECT count(*)::int AS jobs FROM graphile_worker.jobs WHERE key IS NULL`,
  );
  if (jobs[0].jobs > 0) problems.push(`${jobs[0].jobs} jobs are left`);
  const { rows: paused } = await database.query('SELECT FROM mail_server_state WHERE paused_since IS NOT NULL');
  if (paused.length > 0) problems.push('mail is still paused');
  return { problems, owed: owed.length, lost, doubles };
}

async function main() {
  const began = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'forecourt-torture-'));
  await chmod(folder, 0o755);
  const { startEmbeddedPostgres } = /** @type {typeof import('../src/database/embedded-postgres.js')} */ (
    await import(pathToFileURL(join(ROOT, 'dist/src/database/embedded-postgres.js')).href)
  );
  const postgres = await startEmbeddedPostgres(join(folder, 'database'), pino({ level: 'silent' }));
  const database = new pg.Client({ connectionString: postgres.url });
  await database.connect();
  const everybody = Array.from({ length: messages }, (_, index) => `recipient-${index}@torture.example.com`);
  const poisoned = everybody.slice(0, POISONED);
  const refused = everybody.filter((_, index) => index % 50 === 49);
  const server = new FailingSmtpServer({ seed, poisoned, refused });
  const port = await server.start();
  const sender = new Sender(
    {
      ROLE: 'worker',
      DATA_DIR: join(folder, 'data'),
      DATABASE_URL: postgres.url,
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(port),
      SMTP_TIMEOUT_SECONDS: '2',
      MAIL_RETRY_SECONDS: '1',
      WORKER_CONCURRENCY: String(PARALLELISM),
      BCRYPT_ROUNDS: '4',
    },
    join(folder, 'sender.log'),
  );
  let isClean = false;
  const tidy = async () => {
    await sender.end('SIGKILL');
    await server.close();
    await database.end().catch(() => undefined);
    await postgres.stop();
    if (isClean) await rm(folder, { recursive: true, force: true });
    else say(`The log is ${join(folder, 'sender.log')}`);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void tidy().finally(() => process.exit(130)));
  try {
    say(`${messages} messages, ${kills} kills, seed ${seed}`);
    sender.start();
    for (;;) {
      const { rows } = await database.query(`SELECT to_regclass('graphile_worker._private_jobs') IS NOT NULL AS there`);
      if (rows[0].there) break;
      await sleep(100);
    }
    await owe(database, everybody);
    const deadline = began + minutes * 60_000;
    const step = (messages - POISONED - refused.length) / (kills + 1);
    let killed = 0;
    for (;;) {
      await sleep(20);
      if (killed < kills && server.taken.size >= (killed + 1) * step) {
        await sender.end('SIGKILL');
        killed += 1;
        server.pardon();
        say(`killed ${killed}: ${server.taken.size} of ${messages} taken, ${await countOpen(database)} open`);
        sender.start();
      }
      if (killed === kills && (await countOpen(database)) <= POISONED) break;
      if (performance.now() > deadline) break;
    }
    const othersDone = performance.now();
    const isPoisonOpen = (await countOpen(database)) === POISONED;
    server.heal();
    while ((await countOpen(database)) > 0 && performance.now() < deadline) {
      // the poisoned ones wait by themselves by now, for minutes
      await database.query(`UPDATE graphile_worker._private_jobs SET run_at = now() WHERE run_at > now()`);
      await sleep(1000);
    }
    await sender.end('SIGTERM');
    const { problems, owed, lost, doubles } = await findProblems(database, server, refused, killed);
    if (!isPoisonOpen) problems.push('the others did not all get their mail while the poisoned ones waited');
    const { rows: attempts } = await database.query(
      'SELECT outcome, count(*)::int AS times FROM mail_attempts GROUP BY outcome ORDER BY outcome',
    );
    say(`\nIn ${((othersDone - began) / 1000).toFixed(0)} s, and the ${POISONED} poisoned ones after it:`);
    say(`  taken         ${server.taken.size}, ${doubles} of them twice (at most ${killed * PARALLELISM} allowed)`);
    say(`  refused       ${refused.length}`);
    say(`  attempts      ${attempts.map(({ outcome, times }) => `${times} ${outcome}`).join(', ')}`);
    say(`  the server    ${server.story()}`);
    say(`  standstill    ${(server.longestStandstillMs / 1000).toFixed(1)} s at most while the server was up`);
    for (const problem of problems.slice(0, 20)) say(`WRONG: ${problem}`);
    say(problems.length === 0 ? '\n0 lost.' : `\n${problems.length} broken promises.`);
    isClean = problems.length === 0;
    process.exitCode = isClean ? 0 : 1;
    report({
      fault: 'mail server that fails in every way, sender killed (SIGKILL)',
      rounds: killed,
      acknowledged: owed,
      lost,
      doubled: doubles,
      recovery_seconds: inSeconds(server.longestStandstillMs),
    });
  } finally {
    await tidy();
  }
}

await main();
