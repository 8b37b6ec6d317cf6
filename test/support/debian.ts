import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../src/config/project-root.js';

const CACHE = join(PROJECT_ROOT, 'node_modules', '.cache', 'debian');

/**
 * The root folder of the unpacked packages of this machine's Debian, which change nothing on the system. Downloaded once;
 * undefined when they cannot be had. Dependencies are not added: name them as well.
 */
export async function unpackedPackages(names: string[]): Promise<string | undefined> {
  return unpackPackages(names);
}

/** The same without a promise: whether there are tests at all must be known before the first one runs. */
export function unpackPackages(names: readonly string[]): string | undefined {
  const root = join(CACHE, [...names].sort().join('+'));
  if (existsSync(root)) return root;
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, '.incoming-'));
  try {
    if (!download(names, folder)) return undefined;
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.deb')))
      if (!succeeds('dpkg-deb', ['-x', name, 'root'], folder)) return undefined;
    try {
      // in one step, so that nobody sees half a root; when another process was faster, its root is as good
      renameSync(join(folder, 'root'), root);
    } catch (error) {
      if (!existsSync(root)) throw error;
    }
    return root;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function download(names: readonly string[], folder: string): boolean {
  if (succeeds('apt-get', ['download', ...names], folder)) return true;
  // a fresh container has no package lists, and only root may renew the system's
  const lists = join(folder, 'lists');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  const own = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${folder}`];
  return succeeds('apt-get', [...own, 'update'], folder) && succeeds('apt-get', [...own, 'download', ...names], folder);
}

function succeeds(program: string, args: readonly string[], cwd: string): boolean {
  return spawnSync(program, args, { cwd, stdio: 'ignore', timeout: 120_000 }).status === 0;
}
