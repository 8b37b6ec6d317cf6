// A PostgreSQL that is stopped, frozen and killed, and comes back as it was, at the same address.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { killTree, postmasterOf, signalAll, treeOf } from './processes.mjs';

/**
 * @typedef {{ run(name: 'initdb' | 'pg_ctl', args: readonly string[], cwd: string): Promise<void> }} Programs
 * @typedef {keyof typeof FAULTS} DatabaseFault
 */

/** What each fault is, for people. */
export const FAULTS = {
  stop: 'PostgreSQL stopped (fast shutdown)',
  freeze: 'PostgreSQL frozen (SIGSTOP)',
  kill: 'PostgreSQL killed (SIGKILL)',
};

/** The embedded PostgreSQL of a data folder, once it runs. */
export class FaultyPostgres {
  /** @type {DatabaseFault | undefined} */
  fault;

  /** @param {string} dataDir @param {Programs} programs */
  constructor(dataDir, programs) {
    this.dataDir = dataDir;
    this.cluster = join(dataDir, 'postgres');
    this.programs = programs;
  }

  /** Resolves when it serves nobody any more. @param {DatabaseFault} fault */
  async suffer(fault) {
    this.fault = fault;
    if (fault === 'stop') await this.control('stop', '-m', 'fast');
    else if (fault === 'kill') await killTree(this.postmaster);
    // the postmaster first: it makes no further children then
    else for (const tree of [[this.postmaster], treeOf(this.postmaster)]) signalAll(tree, 'SIGSTOP');
  }

  /** Resolves when it serves again, whatever it suffered; does nothing when that is over. */
  async recover() {
    const { fault } = this;
    this.fault = undefined;
    if (fault === 'freeze') signalAll(treeOf(this.postmaster).reverse(), 'SIGCONT');
    else if (fault !== undefined) await this.startAgain();
  }

  /** With the options of its last start, its port among them. */
  async startAgain() {
    // a dead process that nobody has reaped passes for a living one with pg_ctl
    if (postmasterOf(this.dataDir) === undefined) rmSync(join(this.cluster, 'postmaster.pid'), { force: true });
    await this.control('restart');
  }

  get postmaster() {
    const pid = postmasterOf(this.dataDir);
    if (pid === undefined) throw new Error('PostgreSQL does not run');
    return pid;
  }

  /** @param {string[]} command */
  control(...command) {
    const log = ['-l', join(this.cluster, 'server.log')];
    const options = ['-w', '-t', '60', '-D', this.cluster, ...(command[0] === 'restart' ? log : [])];
    return this.programs.run('pg_ctl', [...command, ...options], this.cluster);
  }
}
