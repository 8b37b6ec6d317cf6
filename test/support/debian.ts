import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../src/config/project-root.js';

const CACHE = join(PROJECT_ROOT, 'node_modules', '.cache', 'debian');

/** Longer than any download takes: whoever holds the lock for longer has died. */
const LOCK_IS_STALE_AFTER_MS = 10 * 60_000;

/** Why packages could not be had, for whoever wonders about a skipped test. */
let reason = 'nothing was tried';
export const whyNoPackages = (): string => reason;

/**
 * The root folder of Debian packages, downloaded and unpacked beside the project's own: nothing is installed, and root is not
 * needed. Exactly the named packages: name what they depend on too. Undefined when they cannot be had.
 */
export async function unpackedPackages(names: readonly string[]): Promise<string | undefined> {
  return unpackPackages(names);
}

/** As {@link unpackedPackages}, for deciding which tests there are: Jest does not wait for that. Blocks while downloading. */
export function unpackPackages(names: readonly string[]): string | undefined {
  const id = createHash('sha256')
    .update([...names].sort().join())
    .digest('hex')
    .slice(0, 12);
  const root = join(CACHE, `${names[0] ?? ''}-${id}`);
  if (existsSync(root)) return root;
  mkdirSync(CACHE, { recursive: true });
  return whileLocked(`${root}.lock`, () => {
    if (existsSync(root)) return root;
    const folder = mkdtempSync(join(CACHE, '.part-'));
    try {
      download(names, folder);
      const unpacked = join(folder, 'root');
      for (const name of readdirSync(folder).filter((each) => each.endsWith('.deb')))
        run('dpkg-deb', ['-x', join(folder, name), unpacked], folder);
      // what runs with other rights than its caller's ignores LD_LIBRARY_PATH
      run('chmod', ['-R', 'ug-s', unpacked], folder);
      renameSync(unpacked, root);
      return root;
    } catch (error) {
      reason = (error as Error).message;
      return undefined;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** With the machine's lists of packages, or with lists of its own where there are none or they are out of date. */
function download(names: readonly string[], folder: string): void {
  try {
    run('apt-get', ['download', '-q', ...names], folder);
  } catch {
    for (const each of ['lists/partial', 'archives/partial']) mkdirSync(join(folder, each), { recursive: true });
    const own = [
      '-q',
      ...[`Dir::State::lists=${folder}/lists`, `Dir::Cache=${folder}`, 'APT::Sandbox::User='].flatMap((each) => [
        '-o',
        each,
      ]),
    ];
    run('apt-get', [...own, 'update'], folder);
    run('apt-get', [...own, 'download', ...names], folder);
  }
}

function run(program: string, args: readonly string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: 180_000 });
  if (error !== undefined) throw new Error(`${program}: ${error.message}`);
  if (status !== 0) throw new Error(`${program} ${args.at(-1) ?? ''} failed: ${stderr.trim()}`);
}

/** One process at a time: test files run side by side. */
function whileLocked<T>(lock: string, work: () => T): T {
  while (!isTaken(lock)) {
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > LOCK_IS_STALE_AFTER_MS) rmSync(lock, { recursive: true, force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  try {
    return work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function isTaken(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
