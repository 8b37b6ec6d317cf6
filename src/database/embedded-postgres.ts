import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { platform } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { Clock } from '../common/clock.js';
import { collect, PostgresPrograms } from './postgres-programs.js';

/** A running PostgreSQL of our own. */
export interface EmbeddedPostgres {
  readonly url: string;
  /** Stops the server, unless another process still uses it. */
  stop(): Promise<void>;
}

const USER = 'forecourt';
const DATABASE = 'forecourt';
const START_SECONDS = 30;
const STOP_SECONDS = 10;
/** The advisory lock that every process holds in shared mode while it uses the server; who gets it alone may stop it. */
const IN_USE = 7_064_351;
/** How long the sessions that this process closed may take to end. */
const SESSIONS_END_WITHIN_MS = 2000;

/**
 * Starts real PostgreSQL under `dataDir`/postgres, making the cluster at the first start, or joins the server that already
 * runs there: after `kill -9` of this program its server lives on, and nothing is lost by using it again. Listens on
 * 127.0.0.1 only. `serverOptions` are further `-c` settings.
 */
export async function startEmbeddedPostgres(
  dataDir: string,
  logger: Logger,
  serverOptions: readonly string[] = [],
): Promise<EmbeddedPostgres> {
  const log = logger.child({ logger: 'embedded-postgres' });
  await mkdir(dataDir, { recursive: true });
  const cluster = join(dataDir, 'postgres');
  const programs = await PostgresPrograms.find(dataDir, cluster);
  await removeAbandoned(dataDir);
  if (!existsSync(join(cluster, 'PG_VERSION'))) await makeCluster(cluster, programs, log);
  const password = (await readFile(join(cluster, PASSWORD_FILE), 'utf8')).trim();
  const deadline = performance.now() + START_SECONDS * 1000;
  for (;;) {
    const port = await startServer(cluster, programs, serverOptions, deadline, log);
    try {
      const session = await joinServer({ host: '127.0.0.1', port, user: USER, password });
      return {
        url: addressOf(port, password),
        stop: () => leaveServer(session, cluster, programs, log),
      };
    } catch (error) {
      // A server that recovers, or that its last user is just stopping, lets nobody in for a moment; a password that it
      // refuses (SQLSTATE class 28) is refused for good.
      if (/^28/.test((error as { code?: string }).code ?? '') || performance.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

/** The address of the server that runs under `dataDir`; undefined when none does. Starts and changes nothing. */
export async function findEmbeddedPostgres(dataDir: string): Promise<string | undefined> {
  const cluster = join(dataDir, 'postgres');
  const { content, pid, port } = await readPidFile(cluster);
  if (content === undefined || !(port > 0)) return undefined;
  if ((await identify(pid, cluster)) !== 'server' || !(await accepts(port))) return undefined;
  return addressOf(port, (await readFile(join(cluster, PASSWORD_FILE), 'utf8')).trim());
}

const addressOf = (port: number, password: string): string =>
  `postgresql://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`;

const PASSWORD_FILE = 'forecourt.password';

/** Makes the cluster in a folder of its own and renames it when it is whole, so that a half-made one is never used. */
async function makeCluster(cluster: string, programs: PostgresPrograms, log: Logger): Promise<void> {
  const making = join(dirname(cluster), `postgres.making-${randomUUID()}`);
  const passwordFile = `${making}.password`;
  await mkdir(making, { mode: 0o700 });
  await writeFile(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  await programs.own(making);
  await programs.own(passwordFile);
  try {
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = ['--username', USER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    await programs.run('initdb', ['-D', making, ...access, ...locale], making);
    await rename(passwordFile, join(making, PASSWORD_FILE));
    await rename(making, cluster);
    log.debug('made a new database cluster');
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    await rm(passwordFile, { force: true });
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    log.debug('another process made the database cluster first');
  }
}

/** What a killed start left half-made. A start takes seconds; ten minutes later nobody is at work on it. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith('postgres.making-')) continue;
    const path = join(parent, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (new Clock().now().getTime() - mtimeMs < 600_000) continue;
    // in vain where another user left it; it harms nobody
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Resolves to the port of the server on this cluster: the one that runs already, or a new one. */
async function startServer(
  cluster: string,
  programs: PostgresPrograms,
  serverOptions: readonly string[],
  deadline: number,
  log: Logger,
): Promise<number> {
  const serverLog = join(cluster, 'server.log');
  for (;;) {
    const running = await findRunning(cluster, deadline);
    if (running !== undefined) {
      log.info('joined the PostgreSQL that was already running');
      return running;
    }
    const port = await freePort();
    const settings = [
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=''`,
      'max_connections=200',
      ...serverOptions,
    ];
    const options = ['-p', String(port), ...settings.flatMap((each) => ['-c', each])].join(' ');
    const wait = ['-w', '-t', String(START_SECONDS)];
    try {
      await programs.run('pg_ctl', ['start', ...wait, '-D', cluster, '-l', serverLog, '-o', options], cluster);
      return port;
    } catch (error) {
      const said = (await readFile(serverLog, 'utf8').catch(() => '')).trim().slice(-2000);
      // Another process won the race for this cluster or for the port, or a session of a killed server still computes.
      if (performance.now() > deadline || !/lock file|still in use|Address already in use/.test(said)) {
        throw new Error(`PostgreSQL did not start: ${said}`, { cause: error });
      }
      await sleep(200);
    }
  }
}

/**
 * The port of a living server, or undefined. postmaster.pid alone proves nothing: its process may be dead, a zombie that
 * nobody reaped, or another program with the same number. PostgreSQL itself sees through the first of these only, so the
 * others' file is cleared, and only when it was seen twice: another start may be writing its own.
 */
async function findRunning(cluster: string, deadline: number): Promise<number | undefined> {
  let misleading: string | undefined;
  for (;;) {
    const { content, pid, port } = await readPidFile(cluster);
    if (content === undefined) return undefined;
    const found = await identify(pid, cluster);
    if (found === 'nobody') return undefined;
    if (found === 'server') {
      if (port > 0 && (await accepts(port))) return port;
      if (performance.now() > deadline)
        throw new Error(`A PostgreSQL (process ${pid}) holds ${cluster} but does not answer`);
    } else if (content === misleading) {
      await rm(join(cluster, PID_FILE), { force: true });
      return undefined;
    }
    misleading = content;
    await sleep(100);
  }
}

const PID_FILE = 'postmaster.pid';

/** What PostgreSQL says of its running server: the process and its port, 0 until it has one. */
async function readPidFile(cluster: string): Promise<{ content: string | undefined; pid: number; port: number }> {
  const content = await readFile(join(cluster, PID_FILE), 'utf8').catch(() => undefined);
  const lines = content?.split('\n') ?? [];
  return { content, pid: Number(lines[0]), port: Number(lines[3]) };
}

/** What the process of this number is: the server of this cluster, nothing (any more), or something else. */
async function identify(pid: number, cluster: string): Promise<'server' | 'nobody' | 'other'> {
  if (!Number.isInteger(pid) || pid <= 0) return 'other';
  if (platform() !== 'linux') {
    const { code, output } = await collect(['ps', '-o', 'stat=,comm=', '-p', String(pid)]);
    if (code !== 0) return 'nobody';
    return /postgres/.test(output) && !/^\s*Z/.test(output) ? 'server' : 'other';
  }
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (status === undefined) return 'nobody';
  if (!/^\d+ \(postgres\) [^ZX]/.test(status)) return 'other';
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (folder !== undefined) return folder === realpathSync(cluster) ? 'server' : 'other';
  // what our own user runs can be looked into; the server of another user is not ours
  const owner = await stat(`/proc/${pid}`).catch(() => undefined);
  return owner?.uid === (await stat(cluster)).uid ? 'server' : 'other';
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1000 });
    const finish = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', finish(true)).once('error', finish(false)).once('timeout', finish(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}

/** A session that says, for as long as it lives, that the server is in use; the database exists when it resolves. */
async function joinServer(connection: pg.ClientConfig): Promise<pg.Client> {
  const session = new pg.Client({ ...connection, database: 'postgres', application_name: 'forecourt-keeper' });
  // the server may end under it; the next statement learns it
  session.on('error', () => undefined);
  await session.connect();
  try {
    await session.query('SELECT pg_advisory_lock_shared($1)', [IN_USE]);
    const { rowCount } = await session.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await session.query(`CREATE DATABASE ${DATABASE}`).catch(ignoreDuplicate);
    return session;
  } catch (error) {
    await session.end();
    throw error;
  }
}

/** 42P04, 23505: another process made it at the same moment. */
function ignoreDuplicate(error: unknown): void {
  if (!['42P04', '23505'].includes((error as { code?: string }).code ?? '')) throw error;
}

async function leaveServer(
  session: pg.Client,
  cluster: string,
  programs: PostgresPrograms,
  log: Logger,
): Promise<void> {
  try {
    if (await isOnlyUser(session)) await stopServer(cluster, programs);
    else log.info('the embedded PostgreSQL goes on: another process uses it');
  } finally {
    await session.end();
  }
}

/** Of several that leave at the same moment exactly one gets the lock alone; whoever joins then has to wait for the end. */
async function isOnlyUser(session: pg.Client): Promise<boolean> {
  try {
    await session.query('SELECT pg_advisory_unlock_shared($1)', [IN_USE]);
    const { rows } = await session.query<{ alone: boolean }>('SELECT pg_try_advisory_lock($1) AS alone', [IN_USE]);
    if (rows[0]?.alone !== true) return false;
    const deadline = performance.now() + SESSIONS_END_WITHIN_MS;
    while ((await countOthers(session)) > 0) {
      if (performance.now() > deadline) return false;
      await sleep(20);
    }
    return true;
  } catch {
    // it does not answer any more: what is left of it has no users
    return true;
  }
}

async function countOthers(session: pg.Client): Promise<number> {
  const { rows } = await session.query<{ others: number }>(
    `SELECT count(*)::int AS others FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
  );
  return rows[0]?.others ?? 0;
}

/** Waits for this very server only: the next start may have made a new one before the end of this one was noticed. */
async function stopServer(cluster: string, programs: PostgresPrograms): Promise<void> {
  const { pid } = await readPidFile(cluster);
  const deadline = performance.now() + STOP_SECONDS * 1000;
  const failure = await programs.run('pg_ctl', ['stop', '-W', '-m', 'fast', '-D', cluster], cluster).catch(
    // somebody may have ended it before
    (error: unknown) => error,
  );
  while ((await readPidFile(cluster)).pid === pid && (await identify(pid, cluster)) === 'server') {
    if (performance.now() > deadline) throw new Error('PostgreSQL did not stop', { cause: failure });
    await sleep(20);
  }
}
