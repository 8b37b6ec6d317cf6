// Messages per second that Forecourt hands to a fast mail server, beside bare nodemailer with the same pool in the same run.
// BENCH_MESSAGES (2000) per round, BENCH_ROUNDS (4), BENCH_CONNECTIONS (4,16).
import { fork, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { pino } from 'pino';

/** @import { ChildProcess } from 'node:child_process' */

const MESSAGES = Number(process.env['BENCH_MESSAGES'] ?? 2000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 4);
const CONNECTIONS = (process.env['BENCH_CONNECTIONS'] ?? '4,16').split(',').map(Number);
/** WORKER_CONCURRENCY for so many connections: 16 for 4, as by default. Bare nodemailer has as many messages waiting for its pool. */
const jobsFor = (/** @type {number} */ connections) => Math.min(50, Math.max(16, 3 * connections));
/** Messages that were sent before, as in an installation that is not new: an empty table makes other plans. */
const HISTORY = 20_000;
const WARM_UP = 1000;
const GOAL = 0.6;
const ROOT = resolve(import.meta.dirname, '..');
const MAIN = join(ROOT, 'dist/src/main.js');
const DATA = { prospect_name: 'Ada Lovelace', lead_id: randomUUID() };

/** A built module of Forecourt. @param {string} path @returns {Promise<unknown>} */
const built = (path) => import(pathToFileURL(join(ROOT, 'dist/src', path)).href);

/** The next message of a child that has the field. @param {ChildProcess} child @param {string} field @returns {Promise<unknown>} */
async function answer(child, field) {
  for (;;) {
    const [message] = await once(child, 'message');
    if (message.error !== undefined) throw new Error(message.error);
    if (field in message) return message[field];
  }
}

class MailBench {
  /** @type {ChildProcess[]} */
  children = [];

  async open() {
    const { startEmbeddedPostgres } = /** @type {typeof import('../src/database/embedded-postgres.js')} */ (
      await built('database/embedded-postgres.js')
    );
    const { loadConfig } = /** @type {typeof import('../src/config/config.js')} */ (await built('config/config.js'));
    const { MailTemplates } = /** @type {typeof import('../src/mail/mail.templates.js')} */ (
      await built('mail/mail.templates.js')
    );
    // not the system's temporary folder, which may be memory, where making anything durable costs nothing
    await mkdir(join(ROOT, 'var'), { recursive: true });
    this.folder = await mkdtemp(join(ROOT, 'var', 'bench-'));
    await chmod(this.folder, 0o755);
    this.postgres = await startEmbeddedPostgres(join(this.folder, 'database'), pino({ level: 'silent' }));
    this.database = new pg.Client({ connectionString: this.postgres.url });
    await this.database.connect();
    this.sink = this.fork('mail-sink.mjs');
    this.port = Number(await answer(this.sink, 'port'));
    const templates = new MailTemplates(loadConfig({}));
    await templates.onModuleInit();
    this.mail = templates.render('prospect_confirmation', 'en', DATA);
  }

  /** @param {string} name */
  fork(name) {
    const child = fork(join(import.meta.dirname, name));
    this.children.push(child);
    return child;
  }

  /** @param {number} connections */
  async startForecourt(connections) {
    const child = spawn(process.execPath, [MAIN], {
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_ENV: 'production',
        ROLE: 'worker',
        LOG_LEVEL: 'WARNING',
        DATA_DIR: join(this.folder ?? '', 'data'),
        DATABASE_URL: this.postgres?.url ?? '',
        SMTP_HOST: '127.0.0.1',
        SMTP_PORT: String(this.port),
        SMTP_TLS: 'none',
        WORKER_CONCURRENCY: String(jobsFor(connections)),
        SMTP_CONNECTIONS: String(connections),
      },
      cwd: tmpdir(),
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    this.children.push(child);
    await this.until(`SELECT to_regclass('graphile_worker._private_jobs') IS NOT NULL AS done`);
    return child;
  }

  /** @param {string} question a query with one boolean, `done` */
  async until(question) {
    for (;;) {
      const found = await this.database?.query(question);
      if (found?.rows[0].done === true) return;
      await sleep(20);
    }
  }

  /** Once the tables are there. */
  async writeHistory() {
    await this.database?.query(
      `WITH message AS (
         INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, state, attempts, sent_at, subject)
         SELECT gen_random_uuid(), 'prospect_confirmation', 'earlier-' || n || '@bench.example.com', $1::jsonb, 'lead',
           gen_random_uuid(), 'sent', 1, now(), 'Earlier'
         FROM generate_series(1, $2::int) AS n RETURNING id
       )
       INSERT INTO mail_attempts (message_id, number, started_at, ended_at, outcome)
       SELECT id, 1, now(), now(), 'sent' FROM message`,
      [JSON.stringify(DATA), HISTORY],
    );
    await this.database?.query('VACUUM ANALYZE');
  }

  /** Seconds until the server has so many messages and every row says so. @param {number} count */
  async measureForecourt(count) {
    this.sink?.send({ wanted: count });
    await answer(/** @type {ChildProcess} */ (this.sink), 'ready');
    const taken = answer(/** @type {ChildProcess} */ (this.sink), 'taken');
    const ids = Array.from({ length: count }, () => randomUUID());
    await this.database?.query('BEGIN');
    await this.database?.query(
      `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id)
       SELECT id, 'prospect_confirmation', 'recipient-' || id || '@bench.example.com', $2::jsonb, 'lead', id
       FROM unnest($1::uuid[]) AS mail (id)`,
      [ids, JSON.stringify(DATA)],
    );
    await this.database?.query(
      `SELECT graphile_worker.add_job('mail.deliver', json_build_object('message_id', id), max_attempts => 25)
       FROM unnest($1::uuid[]) AS mail (id)`,
      [ids],
    );
    const began = performance.now();
    await this.database?.query('COMMIT');
    await taken;
    await this.until(`SELECT NOT EXISTS (SELECT FROM mail_messages WHERE state <> 'sent') AS done`);
    return (performance.now() - began) / 1000;
  }

  /** @param {ChildProcess} bare @param {number} connections @param {number} count @returns {Promise<number>} seconds */
  async measureBare(bare, connections, count) {
    bare.send({ port: this.port, connections, jobs: jobsFor(connections), count, ...this.mail });
    return Number(await answer(bare, 'seconds'));
  }

  async close() {
    for (const child of this.children) child.kill();
    await this.database?.end();
    await this.postgres?.stop();
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
  }
}

async function main() {
  if (!(MESSAGES > 0) || !(ROUNDS > 0) || CONNECTIONS.some((each) => !(each >= 1 && each <= 50)))
    throw new Error('BENCH_MESSAGES, BENCH_ROUNDS and BENCH_CONNECTIONS must be numbers above 0');
  const bench = new MailBench();
  try {
    await bench.open();
    process.stdout.write(
      `Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'CPU'}; ${ROUNDS} rounds of ${MESSAGES} messages each, in turn\n\n` +
        '| what | connections | Forecourt | bare nodemailer | of bare |\n| --- | --- | --- | --- | --- |\n',
    );
    for (const [index, connections] of CONNECTIONS.entries()) {
      const forecourt = await bench.startForecourt(connections);
      const bare = bench.fork('mail-bare.mjs');
      if (index === 0) await bench.writeHistory();
      await bench.measureForecourt(WARM_UP);
      await bench.measureBare(bare, connections, WARM_UP);
      const seconds = { forecourt: 0, bare: 0 };
      for (let round = 0; round < ROUNDS; round += 1) {
        seconds.forecourt += await bench.measureForecourt(MESSAGES);
        seconds.bare += await bench.measureBare(bare, connections, MESSAGES);
      }
      const [ours, theirs] = [seconds.forecourt, seconds.bare].map((each) => (MESSAGES * ROUNDS) / each);
      const share = (ours ?? 0) / (theirs ?? 1);
      process.stdout.write(
        `| mail | ${connections} | ${ours?.toFixed(0)}/s | ${theirs?.toFixed(0)}/s | ${(share * 100).toFixed(0)} % (goal ${GOAL * 100} %) |\n`,
      );
      const exited = once(forecourt, 'exit');
      forecourt.kill('SIGTERM');
      bare.disconnect();
      await exited;
    }
  } finally {
    await bench.close();
  }
}

await main();
