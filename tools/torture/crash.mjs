// `npm run torture -- --only crash`: a Forecourt under submissions is killed as a power failure would kill it (program and PostgreSQL, with
// SIGKILL, at once), started again, and held to its promise: an acknowledged lead is never lost. What reached the kernel
// survives here; that it reaches the disk, only the loss of real power shows. Ends with code 1 after the first round in which
// something is wrong. --rounds, --clients; --seed decides on the documents and the times of the crashes, not on how the clients
// take turns; --keep leaves the data folder.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { environmentOf, Forecourt } from '../forecourt.mjs';
import { killAll, postmasterOf, treeOf } from '../processes.mjs';
import { Proofs } from '../torture-proofs.mjs';
import { Clients, Lots } from '../torture-submissions.mjs';
import { inSeconds, report, wholeNumber } from './outcome.mjs';

/** @import { Submission } from '../torture-submissions.mjs' */

const CLI = fileURLToPath(new URL('../../dist/src/cli.js', import.meta.url));
/** How long clients submit before the crash, in milliseconds. */
const SHORTEST = 500;
const LONGEST = 3000;
/** Leads of earlier rounds that are looked at again after each crash. */
const SAMPLE = 50;
/** Mails are waited for after every fourth crash and the last: in between, a crash finds those of earlier rounds under way. */
const MAILS_EVERY = 4;
const MOST_SHOWN = 20;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    clients: { type: 'string', default: '16' },
    seed: { type: 'string', default: randomBytes(4).toString('hex') },
    keep: { type: 'boolean', default: false },
  },
});
const rounds = wholeNumber('rounds', options.rounds);
const clientCount = wholeNumber('clients', options.clients);

class Torture {
  lots = new Lots(options.seed);
  /** @type {Map<string, Submission>} all submissions by e-mail address */
  ledger = new Map();
  admin = { username: 'admin', password: randomBytes(12).toString('base64url') };
  dataDir = mkdtempSync(join(tmpdir(), 'forecourt-torture-'));
  settings = {
    DATA_DIR: this.dataDir,
    HOST: '127.0.0.1',
    PORT: '0',
    RATE_LIMIT_ENABLED: 'false',
    ADMIN_PASSWORD: this.admin.password,
    ATTORNEY_EMAIL: 'attorney@practice.test',
  };
  proofs = new Proofs(this.dataDir, this.ledger, this.admin);
  /** @type {Forecourt | undefined} */
  forecourt;
  /** @type {number[]} from each start to ready, in milliseconds */
  starts = [];

  constructor() {
    // PostgreSQL runs as another user where this one is root
    chmodSync(this.dataDir, 0o755);
  }

  /** Resolves when it is ready, and the admin signed in. */
  async start() {
    const began = performance.now();
    const forecourt = new Forecourt(this.settings, { isGroup: true });
    this.forecourt = forecourt;
    await forecourt.listening();
    await forecourt.eventually('ready', async () => {
      const { status } = await fetch(`${forecourt.url}/health/ready`);
      return status === 200 || undefined;
    });
    this.starts.push(performance.now() - began);
    await this.proofs.signIn(forecourt);
    return forecourt;
  }

  /** Program and PostgreSQL at once. Resolves when they are gone. */
  async crash() {
    const postmaster = postmasterOf(this.dataDir);
    const group = this.forecourt?.pid ?? 0;
    await killAll([...(group > 0 ? [-group] : []), ...(postmaster === undefined ? [] : treeOf(postmaster))]);
    await this.forecourt?.ended;
  }

  /** @param {number} round */
  async run(round) {
    const forecourt = this.forecourt ?? (await this.start());
    const clients = new Clients(forecourt, this.lots, round, clientCount);
    await sleep(SHORTEST + (LONGEST - SHORTEST) * this.lots.fraction(`round-${round}/crash`));
    clients.isOver = true;
    await this.crash();
    await clients.finished;
    for (const submission of clients.submissions) this.ledger.set(submission.email, submission);
    await this.start();
    const isSettled = round % MAILS_EVERY === 0 || round === rounds;
    const recovered = await this.prove(round, isSettled);
    const of = (/** @type {Submission['outcome']} */ outcome) =>
      clients.submissions.filter((submission) => submission.outcome === outcome).length;
    console.log(
      `round ${round}/${rounds}: ${of('acknowledged')} acknowledged, ${of('cut off')} cut off of which ${recovered} exist, ` +
        `ready after ${seconds(this.starts.at(-1))}${isSettled ? `, ${this.proofs.mails.size} mails` : ''}`,
    );
  }

  /** Returns how many submissions of the round are leads although they were never answered. @param {number} round @param {boolean} isSettled */
  async prove(round, isSettled) {
    const leads = await this.proofs.listLeads();
    const existing = this.existing(leads);
    const earlier = existing
      .filter((submission) => submission.round < round)
      .sort((one, other) => this.lots.draw(`${round}/${one.email}`).compare(this.lots.draw(`${round}/${other.email}`)));
    const current = existing.filter((submission) => submission.round === round);
    await this.proofs.proveReadable([...current, ...earlier.slice(0, SAMPLE)]);
    await this.proofs.proveWholeTransactions();
    if (isSettled) await this.proofs.proveMails(leads);
    return current.filter(({ outcome }) => outcome === 'cut off').length;
  }

  /** The submissions that are leads, with their ids. @param {Map<string, { id: string }>} leads */
  existing(leads) {
    return [...this.ledger.values()].flatMap((submission) => {
      const id = leads.get(submission.email)?.id;
      return id === undefined ? [] : [{ ...submission, id }];
    });
  }

  /** Nothing that no lead names outlives the sweep, and everything else does. */
  async sweep() {
    const before = this.proofs.filesOnDisk();
    const command = [CLI, 'files:sweep', '--older-than', '0'];
    const child = spawn(process.execPath, command, {
      cwd: this.dataDir,
      env: environmentOf(this.settings),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    const [code] = await once(child, 'close');
    if (code !== 0) this.proofs.problems.push(`files:sweep ended with code ${code}: ${output.trim()}`);
    const existing = this.existing(await this.proofs.listLeads());
    await this.proofs.proveReadable(existing);
    this.proofs.proveNoOrphans();
    const after = this.proofs.filesOnDisk();
    console.log(
      `sweep: ${before.stored.length + before.incoming.length} files, ${before.incoming.length} of them half-way in; ` +
        `${after.stored.length + after.incoming.length} are left for ${existing.length} leads`,
    );
  }

  async remove() {
    await this.crash();
    if (options.keep) console.log(`Everything is kept in ${this.dataDir}`);
    else rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** @param {number | undefined} milliseconds */
const seconds = (milliseconds = NaN) => `${(milliseconds / 1000).toFixed(1)} s`;

/** @param {readonly string[]} problems */
function complain(problems) {
  console.error(`\nWRONG (seed ${options.seed}):`);
  for (const problem of problems.slice(0, MOST_SHOWN)) console.error(`- ${problem}`);
  if (problems.length > MOST_SHOWN) console.error(`- and ${problems.length - MOST_SHOWN} more`);
  process.exitCode = 1;
}

const torture = new Torture();
let isAbandoned = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    isAbandoned = true;
    // a PostgreSQL that was just starting has a process number a moment later
    torture
      .crash()
      .then(() => sleep(500))
      .then(() => torture.remove())
      .finally(() => process.exit(130));
  });
}
try {
  console.log(`${rounds} rounds of ${clientCount} clients, seed ${options.seed}`);
  const { problems } = torture.proofs;
  for (let round = 1; round <= rounds && problems.length === 0; round += 1) await torture.run(round);
  if (problems.length === 0) await torture.sweep();
  if (problems.length > 0) complain(problems);
  else {
    const submissions = [...torture.ledger.values()];
    const acknowledged = submissions.filter(({ outcome }) => outcome === 'acknowledged').length;
    console.log(
      `\nEvery promise was kept: crashes ${rounds}, submissions ${submissions.length}, acknowledged ${acknowledged}, ` +
        `each of these readable with its file and its two mails; ready again after ${seconds(Math.max(...torture.starts.slice(1)))} at most.`,
    );
  }
} catch (error) {
  if (!isAbandoned) complain([...torture.proofs.problems, String(error)]);
} finally {
  if (!isAbandoned) {
    await torture.remove();
    const { lost, doubled } = torture.proofs;
    report({
      fault: 'program and PostgreSQL killed together (SIGKILL)',
      rounds: Math.max(0, torture.starts.length - 1),
      acknowledged: [...torture.ledger.values()].filter(({ outcome }) => outcome === 'acknowledged').length,
      lost,
      doubled,
      recovery_seconds: inSeconds(torture.starts.length > 1 ? Math.max(...torture.starts.slice(1)) : null),
    });
  }
}
