import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import {
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { arch, platform } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { Clock } from '../common/clock.js';

/** A running PostgreSQL of our own. */
export interface EmbeddedPostgres {
  readonly url: string;
  /** Stops the server, unless another process still uses it. */
  stop(): Promise<void>;
}

interface Binaries {
  readonly initdb: string;
  readonly pg_ctl: string;
}

/** Who runs the server: PostgreSQL refuses to run as root. */
interface Runner {
  readonly uid?: number;
  readonly gid?: number;
  /** What comes before the command, when a changed uid alone cannot reach the folders. */
  readonly prefix: readonly string[];
}

const USER = 'forecourt';
const DATABASE = 'forecourt';
const START_SECONDS = 30;

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
  const binaries = await findBinaries();
  const runner = await chooseRunner(dataDir, binaries);
  if (!existsSync(join(cluster, 'PG_VERSION'))) await makeCluster(cluster, binaries, runner, log);
  const password = (await readFile(join(cluster, PASSWORD_FILE), 'utf8')).trim();
  const port = await startServer(cluster, binaries, runner, serverOptions, log);
  const connection = { host: '127.0.0.1', port, user: USER, password };
  await ensureDatabase(connection);
  return {
    url: `postgresql://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`,
    async stop() {
      if (await othersConnected(connection)) {
        log.info('the embedded PostgreSQL goes on: another process uses it');
        return;
      }
      await run([binaries.pg_ctl, 'stop', '-w', '-t', '10', '-m', 'fast', '-D', cluster], cluster, runner);
    },
  };
}

/** The programs that npm installed for this platform. Their package re-creates links in a script that npm may have skipped. */
async function findBinaries(): Promise<Binaries> {
  const name = `${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  let binaries: Binaries;
  try {
    binaries = (await import(`@embedded-postgres/${name}`)) as Binaries;
  } catch (error) {
    throw new Error(`There is no embedded PostgreSQL for ${name} here; set DATABASE_URL`, { cause: error });
  }
  const native = dirname(dirname(binaries.initdb));
  const links = join(native, 'pg-symlinks.json');
  if (existsSync(links)) {
    for (const { source, target } of JSON.parse(await readFile(links, 'utf8')) as {
      source: string;
      target: string;
    }[]) {
      const link = join(dirname(native), target);
      if (await isMissing(link)) await symlink(basename(source), link).catch(ignoreExisting);
    }
  }
  return binaries;
}

const isMissing = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => false,
    () => true,
  );

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

/**
 * Not root: run directly. Root, and every folder on the way is open: change to an unprivileged user. Root below a closed
 * folder (root's home): keep, beside the changed user, the one capability that passes folder permissions.
 */
async function chooseRunner(dataDir: string, binaries: Binaries): Promise<Runner> {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const [uid, gid] = await unprivilegedUser();
  const reachable = (
    await Promise.all([dataDir, binaries.initdb].map((path) => isOpenToAll(realpathSync(path))))
  ).every(Boolean);
  if (reachable) return { uid, gid, prefix: [] };
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  if (setpriv === undefined) {
    throw new Error(
      `PostgreSQL cannot run as root, and no other user can reach ${dataDir}; set DATA_DIR to an open folder, or DATABASE_URL`,
    );
  }
  const capability = '+dac_override';
  return {
    uid,
    gid,
    prefix: [
      setpriv,
      `--reuid=${uid}`,
      `--regid=${gid}`,
      '--clear-groups',
      `--inh-caps=${capability}`,
      `--ambient-caps=${capability}`,
    ],
  };
}

async function unprivilegedUser(): Promise<[uid: number, gid: number]> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const found = users.find((fields) => fields[0] === name);
    if (found !== undefined) return [Number(found[2]), Number(found[3])];
  }
  throw new Error('PostgreSQL cannot run as root, and this machine has neither a user postgres nor nobody');
}

/** Whether anybody may pass through every folder on the way to a path. */
async function isOpenToAll(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  if ((mode & 0o001) === 0) return false;
  return dirname(path) === path || isOpenToAll(dirname(path));
}

const PASSWORD_FILE = 'forecourt.password';

/** Makes the cluster in a folder of its own and renames it when it is whole, so that a half-made one is never used. */
async function makeCluster(cluster: string, binaries: Binaries, runner: Runner, log: Logger): Promise<void> {
  const parent = dirname(cluster);
  await removeAbandoned(parent);
  const making = join(parent, `postgres.making-${randomUUID()}`);
  const password = randomBytes(24).toString('base64url');
  await mkdir(making, { mode: 0o700 });
  const passwordFile = `${making}.password`;
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (runner.uid !== undefined && runner.gid !== undefined) {
    await chown(making, runner.uid, runner.gid);
    await chown(passwordFile, runner.uid, runner.gid);
  }
  try {
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = ['--username', USER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    await run([binaries.initdb, '-D', making, ...access, ...locale], making, runner);
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
    if (new Clock().now().getTime() - mtimeMs > 600_000) await rm(path, { recursive: true, force: true });
  }
}

/** Resolves to the port of the server on this cluster: the one that runs already, or a new one. */
async function startServer(
  cluster: string,
  binaries: Binaries,
  runner: Runner,
  serverOptions: readonly string[],
  log: Logger,
): Promise<number> {
  const deadline = performance.now() + START_SECONDS * 1000;
  for (;;) {
    const running = await findRunning(cluster, deadline);
    if (running !== undefined) {
      log.info('joined the PostgreSQL that was already running');
      return running;
    }
    const port = await freePort();
    const options = [
      '-p',
      String(port),
      ...['listen_addresses=127.0.0.1', `unix_socket_directories=''`, 'max_connections=200', ...serverOptions].flatMap(
        (each) => ['-c', each],
      ),
    ];
    try {
      await run(
        [
          binaries.pg_ctl,
          'start',
          '-w',
          '-t',
          String(START_SECONDS),
          '-D',
          cluster,
          '-l',
          join(cluster, 'server.log'),
          '-o',
          options.join(' '),
        ],
        cluster,
        runner,
      );
      return port;
    } catch (error) {
      // Another process may have won the race for this cluster, or for the port.
      if (performance.now() > deadline) throw error;
      await sleep(200);
    }
  }
}

/**
 * The port of a living server, or undefined after clearing what a dead one left behind. postmaster.pid alone proves
 * nothing: its process may be dead, a zombie that nobody reaped, or another program with the same number.
 */
async function findRunning(cluster: string, deadline: number): Promise<number | undefined> {
  for (;;) {
    const pidFile = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => undefined);
    if (pidFile === undefined) return undefined;
    const lines = pidFile.split('\n');
    const [pid, port] = [Number(lines[0]), Number(lines[3])];
    if (!(await isPostmasterOf(pid, cluster))) {
      await rm(join(cluster, 'postmaster.pid'), { force: true });
      return undefined;
    }
    if (port > 0 && (await accepts(port))) return port;
    if (performance.now() > deadline)
      throw new Error(`A PostgreSQL (process ${pid}) holds ${cluster} but does not answer`);
    await sleep(100);
  }
}

async function isPostmasterOf(pid: number, cluster: string): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  if (platform() === 'linux') {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    if (!/^\d+ \(postgres\) [^ZX]/.test(status)) return false;
    return readlink(`/proc/${pid}/cwd`).then(
      (folder) => folder === realpathSync(cluster),
      () => true,
    );
  }
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const { code, output } = await collect(['ps', '-o', 'stat=,comm=', '-p', String(pid)]);
  return code === 0 && /postgres/.test(output) && !/^\s*Z/.test(output);
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

type Connection = Pick<Required<pg.ClientConfig>, 'host' | 'port' | 'user' | 'password'>;

async function withClient<T>(connection: Connection, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    ...connection,
    database: 'postgres',
    application_name: 'forecourt-keeper',
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function ensureDatabase(connection: Connection): Promise<void> {
  await withClient(connection, async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount !== 0) return;
    await client.query(`CREATE DATABASE ${DATABASE}`).catch((error: unknown) => {
      // 42P04, 23505: another process made it at the same moment
      if (!['42P04', '23505'].includes((error as { code?: string }).code ?? '')) throw error;
    });
  });
}

async function othersConnected(connection: Connection): Promise<boolean> {
  try {
    return await withClient(connection, async (client) => {
      const { rows } = await client.query<{ others: number }>(
        `SELECT count(*)::int AS others FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      );
      return (rows[0]?.others ?? 0) > 0;
    });
  } catch {
    return false;
  }
}

async function run(command: readonly string[], cwd: string, runner: Runner): Promise<void> {
  const { code, output } = await collect(command, cwd, runner);
  if (code !== 0) throw new Error(`${command[0] ?? ''} failed with code ${code}: ${output.trim().slice(-2000)}`);
}

function collect(
  command: readonly string[],
  cwd?: string,
  runner: Runner = { prefix: [] },
): Promise<{ code: number; output: string }> {
  const [program = '', ...args] = [...runner.prefix, ...command];
  const identity = runner.prefix.length > 0 || runner.uid === undefined ? {} : { uid: runner.uid, gid: runner.gid };
  return new Promise((resolve, reject) => {
    // The server inherits no pipe of ours: it would hold it open for as long as it runs.
    const child = spawn(program, args, {
      ...identity,
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', TZ: 'UTC', LC_ALL: 'C' },
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('exit', (code) => {
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ code: code ?? 1, output });
    });
  });
}
