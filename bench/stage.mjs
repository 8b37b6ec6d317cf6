// Where the measurement takes place: one embedded PostgreSQL, a seeded template database, and the three servers.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, link, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { pino } from 'pino';

/**
 * @import { ChildProcess } from 'node:child_process'
 * @import { AddressInfo } from 'node:net'
 * @import { EmbeddedPostgres } from '../src/database/embedded-postgres.js'
 * @import { SeededLead } from './load.mjs'
 * @typedef {keyof typeof SERVERS} ServerName
 */

const ROOT = resolve(import.meta.dirname, '..');
const FORECOURT = join(ROOT, 'dist/src/main.js');
/** Those that keep files as Forecourt does. */
const OF_FORECOURT = [FORECOURT, join(ROOT, 'bench/forecourt-open.mjs')];
/** What can be measured: a program, and what it is told beside {@link SETTINGS}. */
const SERVERS = {
  Forecourt: { program: FORECOURT, settings: {} },
  Express: { program: join(ROOT, 'bench/reference-express.mjs'), settings: {} },
  bare: { program: join(ROOT, 'bench/reference-bare.mjs'), settings: {} },
  encrypted: {
    program: FORECOURT,
    settings: { FILE_ENCRYPTION: 'true', FILE_ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('base64')}` },
  },
  plain: { program: FORECOURT, settings: {} },
  open: { program: join(ROOT, 'bench/forecourt-open.mjs'), settings: {} },
  soaked: { program: FORECOURT, settings: { ROLE: 'all', SMTP_HOST: '127.0.0.1', SMTP_TLS: 'none' } },
};
/** So that the one that is soaked can be told to collect garbage. */
const SOAKED = ['--expose-gc', '--import', pathToFileURL(join(ROOT, 'bench/soak-preload.mjs')).href];
export const SEEDED_LEADS = 2000;
export const RESUME_BYTES = 100 * 1024;
const TEMPLATE = 'bench_template';
/** On a machine that does much else. */
const START_SECONDS = 180;
/** Of every kind of character that production asks for. */
const ACCOUNT = { username: 'admin', password: `${randomBytes(18).toString('base64url')}-Aa1` };
/** The pool is Forecourt's default for all. */
const SETTINGS = {
  NODE_ENV: 'production',
  ENVIRONMENT: 'production',
  ROLE: 'http',
  LOG_LEVEL: 'WARNING',
  RATE_LIMIT_ENABLED: 'false',
  FILE_ENCRYPTION: 'false',
  HOST: '127.0.0.1',
  DB_POOL_SIZE: '20',
  DB_MAX_OVERFLOW: '40',
  SECRET_KEY: randomBytes(48).toString('base64'),
  ADMIN_USERNAME: ACCOUNT.username,
  ADMIN_PASSWORD: ACCOUNT.password,
  ATTORNEY_EMAIL: 'attorney@bench.example.com',
};

/** A server under measurement, signed in to. @template {string} [Name=ServerName] */
export class Server {
  token = '';

  /**
   * @param {Name} name @param {ChildProcess} child @param {number} port @param {pg.Client} database
   * @param {string} uploads
   */
  constructor(name, child, port, database, uploads) {
    this.name = name;
    this.child = child;
    this.port = port;
    this.database = database;
    this.uploads = uploads;
    this.account = ACCOUNT;
  }

  /** Memory that the process holds right now, in MB; NaN where the system does not tell. */
  residentMb() {
    try {
      const status = readFileSync(`/proc/${this.child.pid}/status`, 'latin1');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
    } catch {
      return NaN;
    }
  }

  /** @param {string} path @param {RequestInit} [init] */
  async fetch(path, init) {
    const headers = { Authorization: `Bearer ${this.token}` };
    const answer = await fetch(`http://127.0.0.1:${this.port}/api/v1${path}`, { headers, ...init });
    if (!answer.ok) throw new Error(`${this.name} answered ${path} with ${answer.status}: ${await answer.text()}`);
    return answer;
  }

  async signIn() {
    const body = new URLSearchParams(ACCOUNT);
    const answer = /** @type {{ access_token: string }} */ (
      await (await this.fetch('/auth/login', { method: 'POST', headers: {}, body })).json()
    );
    this.token = answer.access_token;
  }

  /** An API key that reads leads, made by whoever signed in. */
  async makeApiKey() {
    const headers = { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ name: 'bench', scopes: ['leads:read'] });
    const answer = await this.fetch('/auth/api-keys', { method: 'POST', headers, body });
    const { key } = /** @type {{ key: string }} */ (await answer.json());
    // the word of it to its owner is no submission's
    await this.database.query('DELETE FROM mail_messages');
    await this.database.query('DELETE FROM graphile_worker._private_jobs');
    return key;
  }

  /** The seeded leads as they stand now. @returns {Promise<SeededLead[]>} */
  async seededLeads() {
    const { rows } = await this.database.query(
      `SELECT id, status FROM leads WHERE resume_path LIKE 'seed-%' ORDER BY id`,
    );
    return rows;
  }

  /** Leads that were submitted with files of this size. @param {number} resumeBytes @returns {Promise<SeededLead[]>} */
  async submittedLeads(resumeBytes) {
    const { rows } = await this.database.query(
      `SELECT leads.id, status FROM leads JOIN files ON resume_path = storage_key
       WHERE size_bytes = $1 AND resume_path NOT LIKE 'seed-%' ORDER BY leads.id`,
      [resumeBytes],
    );
    return rows;
  }

  /** What there is of everything a submission leaves behind. */
  async census() {
    const tables = ['leads', 'files', 'lead_status_changes', 'mail_messages', 'graphile_worker.jobs'];
    const counts = tables.map((table) => `(SELECT count(*)::int FROM ${table}) AS "${table}"`);
    const { rows } = await this.database.query(`SELECT ${counts.join(', ')}`);
    const entries = await readdir(this.uploads, { recursive: true, withFileTypes: true });
    const stored = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.')).length;
    return /** @type {Record<string, number>} */ ({ ...rows[0], 'stored files': stored });
  }

  /** Throws unless everything that was answered with 201 is there, whole. @param {number} submitted */
  async proveSubmissions(submitted) {
    const found = await this.census();
    const wanted = {
      leads: SEEDED_LEADS + submitted,
      files: SEEDED_LEADS + submitted,
      mail_messages: 2 * submitted,
      'graphile_worker.jobs': 2 * submitted,
      'stored files': SEEDED_LEADS + submitted,
    };
    for (const [what, count] of Object.entries(wanted)) {
      if (found[what] !== count) throw new Error(`${this.name} has ${found[what]} ${what}, not ${count}`);
    }
  }

  async stop() {
    await this.database.end();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await exited;
  }
}

/** The database server and the folder of the whole run. */
export class Stage {
  /** @type {Set<ChildProcess>} */
  children = new Set();
  /** @type {Set<pg.Client>} */
  clients = new Set();
  /** What all servers are told on top. @type {Record<string, string>} */
  settings = {};

  /** @param {string} folder @param {EmbeddedPostgres} postgres @param {pg.Client} admin */
  constructor(folder, postgres, admin) {
    this.folder = folder;
    this.postgres = postgres;
    this.admin = admin;
  }

  /**
   * @param {(stage: Stage) => Promise<void>} prepare makes the databases that the servers start from
   * @param {string[]} options of PostgreSQL
   */
  static async open(prepare = (stage) => stage.makeTemplate(), options = []) {
    const { startEmbeddedPostgres } =
      /** @type {typeof import('../src/database/embedded-postgres.js')} */
      (await import(pathToFileURL(join(ROOT, 'dist/src/database/embedded-postgres.js')).href));
    // not the system's temporary folder, which may be memory, where making anything durable costs nothing
    await mkdir(join(ROOT, 'var'), { recursive: true });
    const folder = await mkdtemp(join(ROOT, 'var', 'bench-'));
    await chmod(folder, 0o755);
    const postgres = await startEmbeddedPostgres(folder, pino({ level: 'warn' }), ['max_connections=300', ...options]);
    const admin = new pg.Client(postgres.url);
    await admin.connect();
    const stage = new Stage(folder, postgres, admin);
    try {
      await prepare(stage);
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  /** A database with Forecourt's own schema and first admin, and leads that each have a résumé. */
  async makeTemplate() {
    await this.admin.query(`CREATE DATABASE ${TEMPLATE}`);
    const resume = Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(RESUME_BYTES - 9)]);
    await writeFile(join(this.folder, 'seed.pdf'), resume);
    const forecourt = await this.launch('Forecourt', TEMPLATE);
    await forecourt.database.query(
      `INSERT INTO files (id, storage_key, original_name, media_type, size_bytes, sha256)
       SELECT gen_random_uuid(), 'seed-' || n || '.pdf', 'resume.pdf', 'application/pdf', $2, $3
       FROM generate_series(1, $1::int) AS n`,
      [SEEDED_LEADS, RESUME_BYTES, createHash('sha256').update(resume).digest('hex')],
    );
    await forecourt.database.query(
      `INSERT INTO leads (id, first_name, last_name, email, resume_path, status, created_at, updated_at, reached_out_at)
       SELECT gen_random_uuid(), 'Ada', 'Lovelace', 'seed-' || n || '@bench.example.com', 'seed-' || n || '.pdf',
         (CASE WHEN reached IS NULL THEN 'PENDING' ELSE 'REACHED_OUT' END)::lead_status, made, made, reached
       FROM generate_series(1, $1::int) AS n,
         LATERAL (SELECT now() - make_interval(mins => n) AS made) AS t,
         LATERAL (SELECT CASE WHEN n % 2 = 0 THEN made END AS reached) AS r`,
      [SEEDED_LEADS],
    );
    await forecourt.database.query('VACUUM (ANALYZE)');
    await forecourt.stop();
  }

  /** A server on a new copy of the template, with an upload folder that holds the seeded résumés.
   * @template {string} Name @param {Name} name one of those that can be measured
   */
  async start(name) {
    const kind = kindOf(name);
    const database = `bench_${name.toLowerCase()}`;
    await this.admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    await this.admin.query(`CREATE DATABASE ${database} TEMPLATE ${TEMPLATE}`);
    const server = await this.launchAs(name, kind, database);
    // Forecourt keeps files in folders named by the first two characters of their keys
    const folder = OF_FORECOURT.includes(SERVERS[kind].program) ? join(server.uploads, 'se') : server.uploads;
    await mkdir(folder, { recursive: true });
    for (let n = 1; n <= SEEDED_LEADS; n += 1) {
      await link(join(this.folder, 'seed.pdf'), join(folder, `seed-${n}.pdf`));
    }
    await server.signIn();
    return server;
  }

  /** @template {ServerName} Name @param {Name} name @param {string} database */
  launch(name, database) {
    return this.launchAs(name, name, database);
  }

  /** For several servers of one kind. @template {string} Name @param {Name} name @param {ServerName} kind @param {string} database */
  async launchAs(name, kind, database) {
    const dataDir = join(this.folder, name);
    const uploads = join(dataDir, 'uploads');
    await rm(uploads, { recursive: true, force: true });
    await mkdir(uploads, { recursive: true });
    const url = new URL(this.postgres.url);
    url.pathname = `/${database}`;
    const port = await freePort();
    const logPath = join(this.folder, `${name}.log`);
    const log = await open(logPath, 'a');
    const places = { PORT: String(port), DATABASE_URL: url.href, DATA_DIR: dataDir, UPLOAD_DIR: uploads };
    const flags = kind === 'soaked' ? SOAKED : [];
    const child = spawn(process.execPath, [...flags, SERVERS[kind].program], {
      cwd: dataDir,
      env: { PATH: process.env['PATH'], ...SETTINGS, ...SERVERS[kind].settings, ...this.settings, ...places },
      stdio: ['ignore', log.fd, log.fd, ...(kind === 'soaked' ? /** @type {const} */ (['ipc']) : [])],
    });
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
    await log.close();
    try {
      await started(child, port);
    } catch (error) {
      throw new Error(`${name} did not start:\n${await readFile(logPath, 'utf8')}`, { cause: error });
    }
    const client = new pg.Client(url.href);
    await client.connect();
    this.clients.add(client.once('end', () => this.clients.delete(client)));
    return new Server(name, child, port, client, uploads);
  }

  /** So that nobody pays for writing back what another server dirtied. */
  async settle() {
    await this.admin.query('CHECKPOINT');
  }

  /** The last that each server wrote. */
  async logs() {
    const names = (await readdir(this.folder)).filter((name) => name.endsWith('.log'));
    const texts = await Promise.all(names.map((name) => readFile(join(this.folder, name), 'utf8')));
    return names.map((name, index) => `${name}:\n${texts[index]?.slice(-2000)}`).join('\n');
  }

  async close() {
    for (const child of this.children) child.kill('SIGKILL');
    while (this.children.size > 0) await sleep(20);
    await Promise.all([...this.clients].map((client) => client.end()));
    // the embedded server only stops once nobody is connected
    const others = `SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;
    for (let attempt = 0; attempt < 100 && (await this.admin.query(others)).rowCount !== 0; attempt += 1)
      await sleep(50);
    await this.admin.end();
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** @param {string} name */
function kindOf(name) {
  if (!Object.hasOwn(SERVERS, name)) throw new Error(`there is no server ${name}`);
  return /** @type {ServerName} */ (name);
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Resolves when it does its work: Forecourt answers from its first moment, and says 503 until it is ready.
 * @param {ChildProcess} child @param {number} port
 */
async function started(child, port) {
  const deadline = performance.now() + START_SECONDS * 1000;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`);
    const signal = AbortSignal.timeout(1000);
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal }).catch(() => undefined);
    await answer?.body?.cancel();
    // the references have no such route, and answer when they listen
    if (answer !== undefined && answer.status !== 503) return;
    await sleep(50);
  }
  throw new Error('it does not become ready');
}
