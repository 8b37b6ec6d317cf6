// Processes of this machine, found and killed. A small system has no `ps`, and only Linux has /proc.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const GONE_WITHIN_MS = 30_000;

/** The process of the embedded PostgreSQL of a data folder, if it runs. @param {string} dataDir */
export function postmasterOf(dataDir) {
  const file = join(dataDir, 'postgres', 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  return findProcesses().get(pid)?.name === 'postgres' ? pid : undefined;
}

/** A process and its children. @param {number} root */
export function treeOf(root) {
  const children = [...findProcesses()].filter(([, { parent }]) => parent === root).map(([pid]) => pid);
  return [root, ...children];
}

/** Kills a process and its children at once, as a power failure would. @param {number} root */
export function killTree(root) {
  return killAll(treeOf(root));
}

/** Kills processes and, by negative numbers, groups at once. Resolves when the processes are gone. @param {number[]} pids */
export async function killAll(pids) {
  for (const pid of pids) kill(pid);
  for (const deadline = performance.now() + GONE_WITHIN_MS; pids.some(isAlive); await sleep(20)) {
    if (performance.now() > deadline) throw new Error('a process outlived SIGKILL');
  }
}

/** A negative number is a process group. Does nothing when it is gone already. @param {number} pid */
export function kill(pid) {
  send(pid, 'SIGKILL');
}

/** Does nothing to those that are gone. @param {readonly number[]} pids @param {NodeJS.Signals} signal */
export function signalAll(pids, signal) {
  for (const pid of pids) send(pid, signal);
}

/** @param {number} pid @param {NodeJS.Signals} signal */
function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}

/** Whether a process exists and does not merely wait to be reaped. @param {number} pid */
export function isAlive(pid) {
  return findProcesses().has(pid);
}

/** All processes but zombies, by id. @returns {Map<number, { parent: number, name: string }>} */
function findProcesses() {
  const lines = existsSync('/proc/self/stat')
    ? readdirSync('/proc').map((pid) => statusOf(pid))
    : spawnSync('ps', ['-A', '-o', 'pid=,comm=,stat=,ppid='], { encoding: 'utf8' }).stdout.split('\n');
  const found = lines.map((line) => /^\s*(\d+) +\(?(?:.*\/)?(.+?)\)? +([A-WY])\S* +(\d+)/.exec(line));
  return new Map(
    found
      .filter((match) => match !== null)
      .map(([, pid, name = '', , parent]) => [Number(pid), { parent: Number(parent), name }]),
  );
}

/** @param {string} pid */
function statusOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
}
