// What `npm run torture` proves after each crash. A proof that fails says so in a sentence and goes on.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import PostalMime from 'postal-mime';

/**
 * @import { Forecourt } from './forecourt.mjs'
 * @import { Submission } from './torture-submissions.mjs'
 * @typedef {{ id: string, email: string }} Lead
 */

const PAGE = 100;
const AT_A_TIME = 8;
const MAILS_WITHIN_MS = 60_000;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** What the database must never hold, with what it would mean. All of it commits together or not at all. */
const DISCREPANCIES = [
  [
    `SELECT storage_key FROM files LEFT JOIN leads ON resume_path = storage_key WHERE leads.id IS NULL`,
    'is a file that no lead has',
  ],
  [
    `SELECT leads.id FROM leads LEFT JOIN files ON resume_path = storage_key WHERE files.id IS NULL`,
    'is a lead without a file',
  ],
  [
    `SELECT leads.id FROM leads LEFT JOIN mail_messages ON about_id = leads.id
     GROUP BY leads.id HAVING count(mail_messages.id) <> 2`,
    'is a lead that does not have exactly two mails',
  ],
  [
    `SELECT mail_messages.id FROM mail_messages LEFT JOIN leads ON about_id = leads.id
     WHERE about_kind = 'lead' AND leads.id IS NULL`,
    'is a mail about no lead',
  ],
  [
    `SELECT leads.id FROM leads LEFT JOIN lead_status_changes ON lead_id = leads.id
     GROUP BY leads.id HAVING count(lead_status_changes.id) <> 1`,
    'is a lead without its story',
  ],
];

/** @template T @param {readonly T[]} items @param {(item: T) => Promise<void>} work */
async function forEachInParallel(items, work) {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

export class Proofs {
  /** @type {string[]} */
  problems = [];
  /** Of what was acknowledged: leads, files, mails. */
  lost = 0;
  doubled = 0;
  /** @type {Map<string, string>} storage keys by the ids of the leads that were looked at */
  keys = new Map();
  /** @type {Record<string, string>} */
  headers = {};
  /** @type {Map<string, { to: string, ids: string[] }>} address and UUIDs of the mails that were read, by file name */
  mails = new Map();

  /**
   * @param {string} dataDir @param {Map<string, Submission>} ledger all submissions by e-mail address
   * @param {{ username: string, password: string }} admin
   */
  constructor(dataDir, ledger, admin) {
    this.dataDir = dataDir;
    this.ledger = ledger;
    this.admin = admin;
    this.uploads = join(dataDir, 'uploads');
    this.incoming = join(this.uploads, '.incoming');
    this.mailFolder = join(dataDir, 'mail');
  }

  /** @param {string} problem */
  findLost(problem) {
    this.lost += 1;
    this.problems.push(problem);
  }

  /** @param {string} problem */
  findDoubled(problem) {
    this.doubled += 1;
    this.problems.push(problem);
  }

  /** Signs in to the Forecourt that all proofs from now on are about. @param {Forecourt} forecourt */
  async signIn(forecourt) {
    this.forecourt = forecourt;
    this.headers = {};
    const response = await this.request('/auth/login', { method: 'POST', body: new URLSearchParams(this.admin) });
    if (response.status !== 200) throw new Error(`the admin cannot sign in: ${await response.text()}`);
    const { access_token: token } = /** @type {{ access_token: string }} */ (await response.json());
    this.headers = { Authorization: `Bearer ${token}` };
  }

  /** @param {string} path @param {RequestInit} [init] */
  request(path, init) {
    return fetch(`${this.forecourt?.url}/api/v1${path}`, { headers: this.headers, ...init });
  }

  /** All leads that there are, by e-mail address: every acknowledged one, and none that nobody submitted. */
  async listLeads() {
    /** @type {Map<string, Lead>} */
    const leads = new Map();
    for (let page = 1, pages = 1; page <= pages; page += 1) {
      const response = await this.request(`/leads?size=${PAGE}&page=${page}&sort_by=created_at&sort_order=asc`);
      if (response.status !== 200) throw new Error(`the list of leads answers ${response.status}`);
      const listed = /** @type {{ pages: number, items: Lead[] }} */ (await response.json());
      pages = listed.pages;
      for (const lead of listed.items) {
        if (leads.has(lead.email)) this.findDoubled(`lead ${lead.id}: ${lead.email} is listed twice`);
        if (!this.ledger.has(lead.email)) this.problems.push(`lead ${lead.id}: nobody submitted ${lead.email}`);
        leads.set(lead.email, lead);
      }
    }
    for (const { email, outcome, id, answer } of this.ledger.values()) {
      const lead = leads.get(email);
      if (outcome === 'refused') this.problems.push(`${email}: was refused before the crash with ${answer}`);
      if (outcome !== 'acknowledged') continue;
      if (lead === undefined) this.findLost(`${email}: acknowledged as ${id ?? 'a lead'}, and is not listed`);
      else if (id !== undefined && lead.id !== id)
        this.problems.push(`${email}: acknowledged as ${id}, listed as ${lead.id}`);
    }
    return leads;
  }

  /** Each of these submissions is a lead that can be read, and its file is the one that was sent. @param {Iterable<Submission>} submissions */
  async proveReadable(submissions) {
    await forEachInParallel([...submissions], async ({ email, id, sha256, outcome }) => {
      const what = `${email} (lead ${id}, ${outcome})`;
      const response = await this.request(`/leads/${id}`);
      if (response.status !== 200) {
        this.findLost(`${what}: the lead answers ${response.status} ${await response.text()}`);
        return;
      }
      const lead = /** @type {Lead & { resume_path: string }} */ (await response.json());
      this.keys.set(lead.id, lead.resume_path);
      if (lead.email !== email) this.problems.push(`${what}: the lead is that of ${lead.email}`);
      const resume = await this.request(`/leads/${id}/resume`);
      const bytes = Buffer.from(await resume.arrayBuffer().catch(() => new ArrayBuffer(0)));
      if (resume.status !== 200) this.findLost(`${what}: the résumé answers ${resume.status} ${String(bytes)}`);
      else if (createHash('sha256').update(bytes).digest('hex') !== sha256)
        this.findLost(`${what}: the résumé's ${bytes.length} bytes are not those that were sent`);
    });
  }

  /** Rows that committed without the others of their transaction. */
  async proveWholeTransactions() {
    await this.withDatabase(async (database) => {
      for (const [text = '', meaning] of DISCREPANCIES) {
        const { rows } = await database.query({ text, rowMode: 'array' });
        for (const [found] of rows) this.problems.push(`${found} ${meaning}`);
      }
    });
  }

  /**
   * Within a minute each lead has its two mails, one to the prospect and one to the attorney, and nothing is still owed.
   * @param {Map<string, Lead>} leads
   */
  async proveMails(leads) {
    const deadline = performance.now() + MAILS_WITHIN_MS;
    const owed = await this.withDatabase(async (database) => {
      for (;;) {
        const { rows } = await database.query(`SELECT id, state FROM mail_messages WHERE state <> 'sent'`);
        if (rows.length === 0 || performance.now() > deadline) return rows;
        await sleep(250);
      }
    });
    // alerts to operators
    const others = await this.withDatabase(async (database) => {
      const { rows } = await database.query(`SELECT id FROM mail_messages WHERE about_kind IS DISTINCT FROM 'lead'`);
      return new Set(rows.map(({ id }) => `${id}.eml`));
    });
    for (const { id, state } of owed) this.problems.push(`mail ${id}: still ${state} a minute after the crash`);
    const emails = new Map([...leads.values()].map(({ id, email }) => [id, email]));
    const missing = new Set([...emails.keys()].flatMap((id) => [`${id} to its prospect`, `${id} to its attorney`]));
    for (const name of await this.readMails()) {
      if (others.has(name)) continue;
      const { to, ids } = this.mails.get(name) ?? { to: '', ids: [] };
      const id = ids.find((each) => emails.has(each));
      const mail = `${id} to its ${to === emails.get(id ?? '') ? 'prospect' : 'attorney'}`;
      if (id === undefined) this.problems.push(`mail ${name}: is about no lead`);
      else if (!missing.delete(mail)) this.findDoubled(`mail ${name}: is one too many about ${mail}`);
    }
    for (const mail of missing) this.findLost(`there is no mail about ${mail}`);
  }

  /** Reads the mails that are new. Returns the names of all; one that is half-written is none. */
  async readMails() {
    const names = existsSync(this.mailFolder) ? readdirSync(this.mailFolder) : [];
    const whole = names.filter((name) => name.endsWith('.eml'));
    for (const name of names) if (!whole.includes(name)) this.problems.push(`mail ${name}: is half-written`);
    for (const name of whole) {
      if (this.mails.has(name)) continue;
      const { to, text } = await PostalMime.parse(readFileSync(join(this.mailFolder, name)));
      this.mails.set(name, { to: to?.[0]?.address ?? '', ids: text?.match(UUID) ?? [] });
    }
    return whole;
  }

  /** The files in UPLOAD_DIR: those in their places, and those on their way in. */
  filesOnDisk() {
    const below = readdirSync(this.uploads, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const incoming = below.filter((entry) => entry.parentPath === this.incoming).map(({ name }) => name);
    const stored = below.filter((entry) => entry.parentPath !== this.incoming).map(({ name }) => name);
    return { stored, incoming };
  }

  /** After the sweep: the files are those that leads name, and nothing else. Ask for it once all leads were read. */
  proveNoOrphans() {
    const { stored, incoming } = this.filesOnDisk();
    const named = new Set(this.keys.values());
    for (const name of incoming) this.problems.push(`file ${name}: is still on its way in after the sweep`);
    for (const name of stored)
      if (!named.delete(name)) this.problems.push(`file ${name}: is an orphan after the sweep`);
    for (const name of named) this.problems.push(`file ${name}: is named by a lead and not there after the sweep`);
  }

  /** @template T @param {(database: pg.Client) => Promise<T>} work @returns {Promise<T>} */
  async withDatabase(work) {
    const cluster = join(this.dataDir, 'postgres');
    const password = readFileSync(join(cluster, 'forecourt.password'), 'utf8').trim();
    const port = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[3]);
    const user = 'forecourt';
    const database = new pg.Client({ host: '127.0.0.1', port, user, password, database: user });
    await database.connect();
    try {
      return await work(database);
    } finally {
      await database.end();
    }
  }
}
