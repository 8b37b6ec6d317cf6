// `npm run torture:copies`: three processes that serve and two that work, on one PostgreSQL and one S3 store, behind a balancer. One
// of each is killed again and again while clients submit and read; then everything that was promised is looked for. --seconds
// 120, or --rounds (kills of one of each). The last line is JSON for `npm run torture`.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { SMTPServer } from 'smtp-server';
import { makePdf, MEDIA } from '../test/support/documents.mjs';
import { Balancer } from './balancer.mjs';
import { Forecourt, leadForm } from './forecourt.mjs';
import { killAll } from './processes.mjs';

const SERVERS = ['http-1', 'http-2', 'http-3'];
const WORKERS = ['worker-1', 'worker-2'];
const CLIENTS = 6;
const READERS = 2;
/** Of mails to one mailbox in a minute; none of the clients comes near it. */
const RECIPIENT_LIMIT = 3;
const SETTLED_WITHIN_MS = 180_000;
const FAR = '1000000';

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '120' }, rounds: { type: 'string' } },
});
const seconds = Number(options.seconds);
const rounds = options.rounds === undefined ? Infinity : Number(options.rounds);
if (!(seconds > 0) || !(rounds > 0)) throw new Error('--seconds and --rounds must be numbers');

const say = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);

class Copies {
  /** @type {string[]} */
  problems = [];
  /** @type {Map<string, { id: string, sha256: string }>} acknowledged leads by address */
  acknowledged = new Map();
  /** @type {Map<string, number>} how often each message was taken */
  taken = new Map();
  /** @type {Map<string, Forecourt>} */
  running = new Map();
  balancer = new Balancer();
  kills = 0;
  cutOff = 0;
  answers = 0;
  longestRecoveryMs = 0;
  isOver = false;
  password = `Aa1!${randomBytes(12).toString('base64url')}`;

  async prepare() {
    this.folder = await mkdtemp(join(tmpdir(), 'forecourt-torture-'));
    await chmod(this.folder, 0o755);
    const { startEmbeddedPostgres } = await import(
      new URL('../dist/src/database/embedded-postgres.js', import.meta.url).href
    );
    this.postgres = await startEmbeddedPostgres(join(this.folder, 'database'), pino({ level: 'silent' }));
    const S3rver = createRequire(import.meta.url)('s3rver');
    const store = join(this.folder, 's3');
    await mkdir(store);
    this.store = new S3rver({
      port: 0,
      address: '127.0.0.1',
      silent: true,
      directory: store,
      configureBuckets: [{ name: 'files' }],
    });
    const { port: storePort } = await this.store.run();
    this.smtp = new SMTPServer({
      authOptional: true,
      hideSTARTTLS: true,
      onData: (stream, _, done) => {
        let text = '';
        stream.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        stream.once('end', () => {
          const id = /^Message-ID: <([^>]+)>/im.exec(text)?.[1] ?? randomUUID();
          this.taken.set(id, (this.taken.get(id) ?? 0) + 1);
          done();
        });
      },
    });
    this.smtp.on('error', () => undefined);
    const smtp = this.smtp.listen(0, '127.0.0.1');
    await new Promise((resolve) => smtp.once('listening', () => resolve(undefined)));
    const smtpAddress = /** @type {import('node:net').AddressInfo} */ (smtp.address());
    this.settings = {
      HOST: '127.0.0.1',
      PORT: '0',
      DATABASE_URL: this.postgres.url,
      DB_POOL_SIZE: '2',
      DB_MAX_OVERFLOW: '20',
      SECRET_KEY: randomBytes(48).toString('base64'),
      ADMIN_PASSWORD: this.password,
      ATTORNEY_EMAIL: 'attorney@practice.test',
      BCRYPT_ROUNDS: '4',
      STORAGE_DRIVER: 's3',
      S3_ENDPOINT: `http://127.0.0.1:${storePort}`,
      S3_BUCKET: 'files',
      S3_PATH_STYLE: 'true',
      S3_ACCESS_KEY_ID: 'S3RVER',
      S3_SECRET_ACCESS_KEY: 'S3RVER',
      FILE_ENCRYPTION_KEYS: `one:${randomBytes(32).toString('base64')}`,
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(smtpAddress.port),
      MAIL_RETRY_SECONDS: '1',
      // a process that is killed has one mail under way at most
      WORKER_CONCURRENCY: '1',
      RATE_LIMIT_SUBMIT: FAR,
      RATE_LIMIT_LOGIN: FAR,
      RATE_LIMIT_DOWNLOAD: FAR,
      RATE_LIMIT_READ: FAR,
      RATE_LIMIT_ADDRESS: FAR,
      RATE_LIMIT_RECIPIENT: String(RECIPIENT_LIMIT),
    };
    await this.balancer.start();
    await Promise.all([...SERVERS, ...WORKERS].map((name) => this.launch(name)));
    await this.everythingReady();
    const login = await this.signIn();
    this.headers = login;
  }

  /** @param {string} name */
  async launch(name) {
    const dataDir = join(this.folder ?? '', name);
    await mkdir(dataDir, { recursive: true });
    const isServer = SERVERS.includes(name);
    const program = new Forecourt(
      { ...this.settings, DATA_DIR: dataDir, ROLE: isServer ? 'http' : 'worker' },
      { withinMs: SETTLED_WITHIN_MS },
    );
    this.running.set(name, program);
    if (isServer) {
      await program.listening();
      this.balancer.set(name, program.url);
    } else await program.eventually('working', () => (/runs background jobs/.test(program.output) ? true : undefined));
  }

  async everythingReady() {
    await this.until('all are ready', async () => SERVERS.every((name) => this.balancer.isReady(name)));
  }

  /** @param {string} what @param {() => Promise<boolean>} probe */
  async until(what, probe, withinMs = SETTLED_WITHIN_MS) {
    for (const deadline = performance.now() + withinMs; !(await probe()); await sleep(50))
      if (performance.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
  }

  /** @param {string} path @param {RequestInit} [init] */
  request(path, init) {
    return fetch(`${this.balancer.url}/api/v1${path}`, init);
  }

  /** The headers of a new session. */
  async signIn() {
    for (;;) {
      const body = new URLSearchParams({ username: 'admin', password: this.password });
      const response = await this.request('/auth/login', { method: 'POST', body });
      const text = await response.text();
      if (response.status === 200) return { Authorization: `Bearer ${JSON.parse(text).access_token}` };
      if (response.status !== 502) throw new Error(`the admin cannot sign in: ${response.status} ${text}`);
    }
  }

  /** What one client sent. @param {string} email @returns {Promise<{ status: number, text: string, sha256: string }>} */
  async submit(email) {
    const bytes = Buffer.concat([makePdf(20_000), randomBytes(16)]);
    const body = leadForm({ first: 'Ada', last: 'Lovelace', email, bytes, name: 'resume.pdf', type: MEDIA.pdf });
    const response = await this.request('/leads', { method: 'POST', body });
    const text = await response.text();
    this.answers += 1;
    if (response.status === 201) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      this.acknowledged.set(email, { id: JSON.parse(text).id, sha256 });
    }
    if (response.status === 502) this.cutOff += 1;
    return { status: response.status, text, sha256: '' };
  }

  /** @param {number} client */
  async submitWithoutPause(client) {
    for (let turn = 1; !this.isOver; turn += 1) {
      const { status, text } = await this.submit(`client-${client}-${turn}@torture.example.com`);
      if (status !== 201 && status !== 502) this.problems.push(`a submission was answered with ${status} ${text}`);
      // mails are sent one at a time here
      await sleep(150);
    }
  }

  async readWithoutPause() {
    for (; !this.isOver; await sleep(50)) {
      const known = [...this.acknowledged].at(-1);
      const response = await this.request('/leads?size=20', { headers: this.headers ?? {} });
      const text = await response.text();
      this.answers += 1;
      if (response.status !== 200) this.problems.push(`a list was answered with ${response.status} ${text}`);
      if (known === undefined) continue;
      const [email, { id }] = known;
      const one = await this.request(`/leads/${id}`, { headers: this.headers ?? {} });
      const found = await one.text();
      this.answers += 1;
      if (one.status !== 200 || JSON.parse(found).email !== email)
        this.problems.push(`lead ${id} was answered with ${one.status} ${found.slice(0, 200)}`);
    }
  }

  /** A session that was ended on one copy is over on the others within a second. */
  async proveSessions() {
    const headers = await this.signIn();
    const urls = SERVERS.filter((name) => this.balancer.isReady(name)).map((name) => this.running.get(name)?.url ?? '');
    const statuses = () =>
      Promise.all(
        urls.map(async (url) => (await fetch(`${url}/api/v1/auth/me`, { headers }).catch(() => undefined))?.status),
      );
    const before = await statuses();
    if (before.some((status) => status !== 200)) this.problems.push(`a new session was answered with ${before.join()}`);
    const ended = await fetch(`${urls[0]}/api/v1/auth/logout`, { method: 'POST', headers });
    if (ended.status !== 204) this.problems.push(`a session was not ended: ${ended.status}`);
    await sleep(1_000);
    const after = await statuses();
    if (after.some((status) => status !== 401))
      this.problems.push(`an ended session was answered with ${after.join()}`);
  }

  /** Of nine at once to one mailbox, sent to all copies in turn, three are taken. */
  async proveLimits() {
    const name = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 9 }, (_, index) => this.submit(`${name}+${index}@torture.example.com`)),
    );
    const statuses = answers.map(({ status }) => status);
    const isRight =
      statuses.filter((status) => status === 201).length === RECIPIENT_LIMIT &&
      statuses.filter((status) => status === 429).length === 9 - RECIPIENT_LIMIT;
    if (!isRight) this.problems.push(`a limit of ${RECIPIENT_LIMIT} was answered with ${statuses.join()}`);
  }

  /** Kills one of each, and has both back. */
  async killOneOfEach() {
    const victims = [SERVERS, WORKERS].map((names) => names[Math.floor(Math.random() * names.length)] ?? '');
    const began = performance.now();
    await killAll(victims.map((name) => this.running.get(name)?.pid ?? 0));
    this.kills += 1;
    await Promise.all(victims.map((name) => this.launch(name)));
    await this.everythingReady();
    this.longestRecoveryMs = Math.max(this.longestRecoveryMs, performance.now() - began);
    say(`killed ${victims.join(' and ')}: ${this.acknowledged.size} acknowledged, ${this.cutOff} cut off, all back`);
  }

  /** Every acknowledged lead is there with its file and its two mails. Returns how many are not. */
  async proveNothingLost() {
    let lost = 0;
    for (const [email, { id, sha256 }] of this.acknowledged) {
      const [lead, resume] = await Promise.all([
        this.request(`/leads/${id}`, { headers: this.headers ?? {} }),
        this.request(`/leads/${id}/resume`, { headers: this.headers ?? {} }),
      ]);
      const text = await lead.text();
      const found = createHash('sha256')
        .update(Buffer.from(await resume.arrayBuffer()))
        .digest('hex');
      const mails = lead.status === 200 ? JSON.parse(text).emails : undefined;
      if (lead.status === 200 && resume.status === 200 && found === sha256) continue;
      lost += 1;
      this.problems.push(`${email}: ${lead.status} with ${JSON.stringify(mails)}, its file ${resume.status}`);
    }
    return lost;
  }

  /** Waits until no mail is owed. @returns {Promise<number>} how many were taken twice */
  async proveMails() {
    const { Client } = (await import('pg')).default;
    const database = new Client({ connectionString: this.postgres?.url });
    await database.connect();
    try {
      await this.until('no mail is owed', async () => {
        const { rows } = await database.query(`SELECT count(*)::int AS owed FROM mail_messages WHERE state <> 'sent'`);
        return rows[0].owed === 0;
      });
      const { rows } = await database.query(
        `SELECT leads.id FROM leads LEFT JOIN mail_messages ON about_id = leads.id AND about_kind = 'lead'
         GROUP BY leads.id HAVING count(mail_messages.id) <> 2`,
      );
      for (const { id } of rows) this.problems.push(`lead ${id} has not exactly two mails`);
      const { rows: sent } = await database.query(`SELECT count(*)::int AS mails FROM mail_messages`);
      if (this.taken.size !== sent[0].mails)
        this.problems.push(`${sent[0].mails} mails are sent, and the server has ${this.taken.size}`);
    } finally {
      await database.end();
    }
    return [...this.taken.values()].reduce((sum, times) => sum + times - 1, 0);
  }

  async run() {
    await this.proveSessions();
    await this.proveLimits();
    const load = [
      ...Array.from({ length: CLIENTS }, (_, client) => this.submitWithoutPause(client)),
      ...Array.from({ length: READERS }, () => this.readWithoutPause()),
    ];
    // a client that meets something unforeseen is heard of at the end
    for (const each of load) each.catch(() => undefined);
    const deadline = performance.now() + seconds * 1000;
    do {
      await sleep(500 + Math.random() * 2_500);
      await this.killOneOfEach();
      await this.proveSessions();
      await this.proveLimits();
    } while (this.kills < rounds && performance.now() < deadline);
    this.isOver = true;
    await Promise.all(load);
    const doubled = await this.proveMails();
    if (doubled > this.kills) this.problems.push(`${doubled} mails came twice, ${this.kills} workers were killed`);
    return { lost: await this.proveNothingLost(), doubled };
  }

  async remove() {
    this.isOver = true;
    await this.balancer.close();
    await killAll([...this.running.values()].filter(({ hasEnded, pid }) => !hasEnded && pid > 0).map(({ pid }) => pid));
    await new Promise((resolve) =>
      this.smtp === undefined ? resolve(undefined) : this.smtp.close(() => resolve(undefined)),
    );
    await this.store?.close();
    await this.postgres?.stop();
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
  }
}

const copies = new Copies();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => void copies.remove().finally(() => process.exit(130)));
/** @type {{ lost: number, doubled: number } | undefined} */
let outcome;
try {
  say(`${SERVERS.length} that serve, ${WORKERS.length} that work, ${CLIENTS} clients`);
  await copies.prepare();
  outcome = await copies.run();
} catch (error) {
  copies.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
} finally {
  await copies.remove();
}
for (const problem of copies.problems.slice(0, 20)) say(`WRONG: ${problem}`);
say(
  copies.problems.length === 0
    ? `\nEvery promise was kept over ${copies.answers} answers.`
    : `\n${copies.problems.length} broken promises.`,
);
process.exitCode = copies.problems.length === 0 ? 0 : 1;
say(
  JSON.stringify({
    fault: 'one of 3 serving and of 2 working copies killed, again and again',
    rounds: copies.kills,
    acknowledged: copies.acknowledged.size,
    lost: outcome?.lost ?? null,
    doubled: outcome?.doubled ?? null,
    recovery_seconds: Math.round(copies.longestRecoveryMs / 100) / 10,
  }),
);
