// Builds what `npm start` and `npm test` run, when it is missing or older than its sources.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const MARK = 'dist/.built';
const SOURCES = [
  'src',
  'migrations',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'nest-cli.json',
  'tools',
];

/** @param {string} path @returns {number} the latest time of change at or below a path */
function changedAt(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => changedAt(join(path, name))));
}

const stale =
  !existsSync(MARK) ||
  SOURCES.filter((path) => existsSync(path)).some((path) => changedAt(path) > statSync(MARK).mtimeMs);
if (stale) {
  process.stdout.write('Building …\n');
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  process.exit(status ?? 1);
}
