// A Forecourt under submissions, from which something is taken away that it needs, and given back, round after round. What is
// taken away is the script's own matter; what must hold is the same for all.
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Forecourt } from '../forecourt.mjs';
import { killTree, postmasterOf } from '../processes.mjs';
import { Proofs } from '../torture-proofs.mjs';
import { Lots } from '../torture-submissions.mjs';
import { inSeconds, report, wholeNumber } from './outcome.mjs';
import { PatientClients } from './patient-clients.mjs';

/**
 * @import { Submission } from '../torture-submissions.mjs'
 * @typedef {object} Fault
 * @property {string} name for people
 * @property {() => Promise<unknown>} begin
 * @property {() => Promise<unknown>} end
 * @property {'never' | 'either' | 'always'} [isReady] while it lasts; never unless said otherwise
 * @property {number} [refusedWithinMs] how long a refusal may take; five seconds unless said otherwise
 * @property {() => string[] | Promise<string[]>} [prove] what is wrong after a round, beside what is looked for anyway
 * @property {() => unknown} [cleanUp]
 */

const BEFORE_MS = 1500;
const LASTS_MS = 5000;
const REFUSED_WITHIN_MS = 5000;
const RECOVERED_WITHIN_MS = 10_000;

export class Outage {
  admin = { username: 'admin', password: randomBytes(12).toString('base64url') };
  dataDir = mkdtempSync(join(tmpdir(), 'forecourt-torture-'));
  /** @type {Map<string, Submission>} */
  ledger = new Map();
  proofs = new Proofs(this.dataDir, this.ledger, this.admin);
  longestRecoveryMs = 0;
  round = 0;
  /** @type {PatientClients | undefined} */
  current;

  constructor() {
    const { values } = parseArgs({
      strict: false,
      options: {
        rounds: { type: 'string', default: '3' },
        clients: { type: 'string', default: '8' },
        seed: { type: 'string', default: randomBytes(4).toString('hex') },
      },
    });
    this.rounds = wholeNumber('rounds', String(values.rounds));
    this.clients = wholeNumber('clients', String(values.clients));
    this.lots = new Lots(String(values.seed));
    chmodSync(this.dataDir, 0o755);
  }

  get problems() {
    return this.proofs.problems;
  }

  /** @param {Record<string, string>} settings */
  async start(settings) {
    this.forecourt = new Forecourt({
      DATA_DIR: this.dataDir,
      HOST: '127.0.0.1',
      PORT: '0',
      ADMIN_PASSWORD: this.admin.password,
      ATTORNEY_EMAIL: 'attorney@practice.test',
      // limits are kept in the database too, and must not be what is met here
      ...Object.fromEntries(['SUBMIT', 'DOWNLOAD', 'READ', 'ADDRESS'].map((name) => [`RATE_LIMIT_${name}`, '100000'])),
      ...settings,
    });
    await this.forecourt.listening();
    await this.proofs.signIn(this.forecourt);
    return this.forecourt;
  }

  /** Runs all rounds, says what came of them, and removes everything. @param {Fault} fault @param {Record<string, string>} settings */
  async run(fault, settings) {
    try {
      const forecourt = await this.start(settings);
      while (this.round < this.rounds && this.problems.length === 0) await this.suffer(fault, forecourt);
      const code = await forecourt.stop();
      if (code !== 0) this.problems.push(`Forecourt ended with ${code}`);
    } catch (error) {
      this.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    } finally {
      // after a proof that could not be made they would go on for ever
      if (this.current !== undefined) this.current.isOver = true;
      await fault.end().catch(() => undefined);
      this.forecourt?.child.kill('SIGKILL');
      const postmaster = postmasterOf(this.dataDir);
      if (postmaster !== undefined) await killTree(postmaster);
      fault.cleanUp?.();
      rmSync(this.dataDir, { recursive: true, force: true });
    }
    for (const problem of this.problems.slice(0, 20)) console.log(`WRONG: ${problem}`);
    process.exitCode = this.problems.length === 0 ? 0 : 1;
    report({
      fault: fault.name,
      rounds: this.round,
      acknowledged: this.acknowledged,
      lost: this.proofs.lost,
      doubled: this.proofs.doubled,
      recovery_seconds: inSeconds(this.longestRecoveryMs),
    });
  }

  /** Says that the fault cannot be had here. @param {string} fault @param {string} why */
  skip(fault, why) {
    rmSync(this.dataDir, { recursive: true, force: true });
    report({ fault, rounds: 0, acknowledged: 0, lost: 0, doubled: 0, recovery_seconds: null, skipped: why });
  }

  get acknowledged() {
    return [...this.ledger.values()].filter(({ outcome }) => outcome === 'acknowledged').length;
  }

  /** @param {Fault} fault @param {Forecourt} forecourt */
  async suffer(fault, forecourt) {
    this.round += 1;
    const clients = new PatientClients(forecourt, this.lots, this.round, this.clients);
    this.current = clients;
    await forecourt.eventually('all clients are served', () => clients.taken >= this.clients || undefined);
    await sleep(BEFORE_MS * this.lots.fraction(`round-${this.round}/fault`));
    clients.faultAt = performance.now();
    await fault.begin();
    await this.watch(fault, forecourt);
    await fault.end();
    const recoveryMs = await this.recovery(forecourt, clients);
    await clients.end();
    for (const submission of clients.submissions) this.ledger.set(submission.email, submission);
    await this.prove(fault, clients, recoveryMs);
    console.log(
      `round ${this.round}/${this.rounds}: ${clients.submissions.length} submitted, ${clients.codes.length} times told to come back ` +
        `(${[...new Set(clients.codes)].join(', ')}) after ${inSeconds(clients.longestRefusalMs)} s at most, served again after ${inSeconds(recoveryMs)} s`,
    );
  }

  /** While it lasts the process lives, and is not ready. @param {Fault} fault @param {Forecourt} forecourt */
  async watch(fault, forecourt) {
    const began = performance.now();
    for (;;) {
      const [live, ready] = await Promise.all(['live', 'ready'].map((probe) => this.probe(forecourt, probe)));
      if (live?.status !== 200) this.problems.push(`/health/live answers ${live?.status} during the fault`);
      if ((ready?.tookMs ?? 0) > REFUSED_WITHIN_MS) this.problems.push(`/health/ready takes ${ready?.tookMs} ms`);
      const elapsed = performance.now() - began;
      const isAsItShould = { never: [503], either: [200, 503], always: [200] }[fault.isReady ?? 'never'].includes(
        ready?.status ?? 0,
      );
      // an answer may be a second old
      if (!isAsItShould && elapsed > REFUSED_WITHIN_MS + 1000) {
        this.problems.push(`/health/ready answers ${ready?.status} ${Math.round(elapsed)} ms into the fault`);
        return;
      }
      if (elapsed > LASTS_MS && isAsItShould) return;
      await sleep(250);
    }
  }

  /** @param {Forecourt} forecourt @param {string} probe */
  async probe(forecourt, probe) {
    const began = performance.now();
    const { status } = await fetch(`${forecourt.url}/health/${probe}`);
    return { status, tookMs: performance.now() - began };
  }

  /** Until it is ready, and takes as many submissions as there are clients. @param {Forecourt} forecourt @param {PatientClients} clients */
  async recovery(forecourt, clients) {
    const began = performance.now();
    const before = clients.taken;
    await forecourt.eventually('ready', async () => (await this.probe(forecourt, 'ready')).status === 200 || undefined);
    await forecourt.eventually('served again', () => clients.taken - before >= this.clients || undefined);
    const took = performance.now() - began;
    this.longestRecoveryMs = Math.max(this.longestRecoveryMs, took);
    return took;
  }

  /** @param {Fault} fault @param {PatientClients} clients @param {number} recoveryMs */
  async prove({ refusedWithinMs = REFUSED_WITHIN_MS, prove = () => [] }, clients, recoveryMs) {
    this.problems.push(...(await prove()));
    if (clients.longestRefusalMs > refusedWithinMs)
      this.problems.push(`a refusal took ${Math.round(clients.longestRefusalMs)} ms`);
    if (recoveryMs > RECOVERED_WITHIN_MS) this.problems.push(`served again only after ${Math.round(recoveryMs)} ms`);
    const leads = await this.proofs.listLeads();
    const ofRound = clients.submissions.flatMap((submission) => {
      const id = leads.get(submission.email)?.id;
      return id === undefined ? [] : [{ ...submission, id }];
    });
    await this.proofs.proveReadable(ofRound);
    await this.proofs.proveWholeTransactions();
    if (this.round === this.rounds) await this.proofs.proveMails(leads);
  }
}
