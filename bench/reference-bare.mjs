// The floor: node:http and pg, prepared statements, a hand-made multipart reader, and no more checks than the work needs.
import bcrypt from 'bcryptjs';
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import pg from 'pg';
import {
  downloadRecord,
  INCOMING,
  issueToken,
  LEAD_BY_ID,
  listStatement,
  LOCK_LEAD,
  MOST_FILE_BYTES,
  POOL,
  PORT,
  RESUME_BY_LEAD,
  resumeHeaders,
  statusChange,
  storageKeyFor,
  throwUnlessWhole,
  submission,
  toLead,
  toPage,
  toSubmitted,
  UPLOAD_DIR,
  USER_BY_ID,
  USER_BY_NAME,
  userOf,
} from './reference-common.mjs';

/**
 * @import { IncomingMessage, ServerResponse } from 'node:http'
 * @import { FileHandle } from 'node:fs/promises'
 * @import { LeadRow, Statement, UserRow } from './reference-common.mjs'
 */

/** A request that is refused. */
class Refused extends Error {
  /** @param {number} status */
  constructor(status) {
    super(`refused with ${status}`);
    this.status = status;
  }
}

const pool = new pg.Pool(POOL);
/** @type {Map<string, string>} names of prepared statements by their text */
const names = new Map();

/**
 * @param {pg.Pool | pg.PoolClient} on @param {Statement} statement @returns {Promise<any[]>}
 */
async function rowsOf(on, [text, values]) {
  let name = names.get(text);
  if (name === undefined) names.set(text, (name = `s${names.size}`));
  return (await on.query({ name, text, values })).rows;
}

/** @template T @param {(client: pg.PoolClient) => Promise<T>} work @returns {Promise<T>} */
async function inTransaction(work) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

/** @param {ServerResponse} response @param {number} status @param {object} body */
function answer(response, status, body) {
  const text = JSON.stringify(body);
  const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(text) };
  response.writeHead(status, headers).end(text);
}

/** @param {IncomingMessage} request @returns {Promise<UserRow>} */
async function signedIn(request) {
  const find = async (/** @type {string} */ id) => (await rowsOf(pool, [USER_BY_ID, [id]]))[0];
  const user = await userOf(request.headers.authorization, find);
  if (user === undefined) throw new Refused(401);
  return user;
}

/** @param {IncomingMessage} request */
async function textOf(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}

/** A part that is a file, on its way to a temporary file. */
class Upload {
  /** @param {string} name @param {string} path @param {FileHandle} handle */
  constructor(name, path, handle) {
    this.name = name;
    this.path = path;
    this.handle = handle;
    this.hash = createHash('sha256');
    this.size = 0;
    this.isPdf = false;
  }

  /** @param {string} name */
  static async begin(name) {
    const path = join(INCOMING, `${randomUUID()}.part`);
    return new Upload(name, path, await open(path, 'wx'));
  }

  /** @param {Buffer} bytes */
  async write(bytes) {
    if (bytes.length === 0) return;
    if (this.size === 0) this.isPdf = bytes.subarray(0, 1024).includes('%PDF-');
    this.hash.update(bytes);
    this.size += bytes.length;
    if (this.size > MOST_FILE_BYTES) throw new Refused(413);
    await this.handle.write(bytes);
  }
}

/**
 * The fields of a form and its file, which is durable but not yet in its place.
 * @param {IncomingMessage} request @returns {Promise<{ fields: Record<string, string>, file: Upload | undefined }>}
 */
async function readForm(request) {
  const boundary = /boundary="?([^";]+)/.exec(request.headers['content-type'] ?? '')?.[1];
  if (boundary === undefined) throw new Refused(415);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  /** @type {Record<string, string>} */
  const fields = {};
  /** @type {Upload | undefined} */
  let file;
  /** @type {{ field: string, value: string, upload: Upload | undefined } | undefined} the part being read */
  let part;
  let pending = Buffer.alloc(0);
  for await (const chunk of request) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (;;) {
      if (part === undefined) {
        const end = pending.indexOf('\r\n\r\n');
        if (end < 0) break;
        const head = pending.toString('utf8', 0, end);
        const fileName = /filename="([^"]*)"/.exec(head)?.[1];
        if (fileName !== undefined) file = await Upload.begin(fileName);
        const upload = fileName === undefined ? undefined : file;
        part = { field: /[ ;]name="([^"]*)"/.exec(head)?.[1] ?? '', value: '', upload };
        pending = pending.subarray(end + 4);
      }
      const found = pending.indexOf(delimiter);
      const until = found < 0 ? Math.max(0, pending.length - delimiter.length + 1) : found;
      if (part.upload === undefined) part.value += pending.toString('utf8', 0, until);
      else await part.upload.write(pending.subarray(0, until));
      if (found < 0) {
        pending = pending.subarray(until);
        break;
      }
      if (part.upload === undefined) fields[part.field] = part.value;
      part = undefined;
      pending = pending.subarray(found + delimiter.length);
    }
  }
  if (file !== undefined) {
    await file.handle.sync();
    await file.handle.close();
  }
  return { fields, file };
}

/** @param {IncomingMessage} request @param {ServerResponse} response */
async function submit(request, response) {
  const { fields, file } = await readForm(request);
  const { first_name = '', last_name = '', email = '' } = fields;
  if (file === undefined || first_name === '' || last_name === '' || !email.includes('@')) throw new Refused(400);
  if (!file.isPdf) throw new Refused(415);
  const storageKey = storageKeyFor(file.name);
  const path = join(UPLOAD_DIR, storageKey);
  await rename(file.path, path);
  await uploadFolder.sync();
  const kept = { originalName: file.name, storageKey, sizeBytes: file.size, sha256: file.hash.digest('hex') };
  const { lead, statements } = submission({ first_name, last_name, email: email.toLowerCase() }, kept);
  try {
    await inTransaction(async (client) => {
      for (const statement of statements) await rowsOf(client, statement);
    });
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.constraint !== 'idx_lead_email') throw error;
    await unlink(path);
    throw new Refused(409);
  }
  answer(response, 201, toSubmitted(lead));
}

/** @param {IncomingMessage} request @param {ServerResponse} response */
async function signIn(request, response) {
  const form = new URLSearchParams(await textOf(request));
  /** @type {UserRow | undefined} */
  const user = (await rowsOf(pool, [USER_BY_NAME, [form.get('username')]]))[0];
  if (user?.is_active !== true || !(await bcrypt.compare(form.get('password') ?? '', user.hashed_password))) {
    throw new Refused(401);
  }
  answer(response, 200, issueToken(user));
}

/** @param {IncomingMessage} request @param {ServerResponse} response @param {URLSearchParams} query */
async function list(request, response, query) {
  await signedIn(request);
  const [page, size] = [Number(query.get('page') ?? 1), Number(query.get('size') ?? 50)];
  const rows = await rowsOf(pool, listStatement(query.get('status') ?? undefined, page, size));
  answer(response, 200, toPage(rows, page, size));
}

/** @param {IncomingMessage} request @param {ServerResponse} response @param {string} id */
async function getLead(request, response, id) {
  await signedIn(request);
  /** @type {LeadRow | undefined} */
  const lead = (await rowsOf(pool, [LEAD_BY_ID, [id]]))[0];
  if (lead === undefined) throw new Refused(404);
  answer(response, 200, { ...toLead(lead), resume_path: lead.resume_path });
}

/** @param {IncomingMessage} request @param {ServerResponse} response @param {string} id */
async function changeLead(request, response, id) {
  const user = await signedIn(request);
  const { status } = JSON.parse(await textOf(request));
  const moved = await inTransaction(async (client) => {
    const lead = (await rowsOf(client, [LOCK_LEAD, [id]]))[0];
    if (lead === undefined) throw new Refused(404);
    const change = statusChange(lead, status, user);
    if (change === undefined) throw new Refused(400);
    for (const statement of change.statements) await rowsOf(client, statement);
    return change.lead;
  });
  answer(response, 200, toLead(moved));
}

/** @param {IncomingMessage} request @param {ServerResponse} response @param {string} id */
async function download(request, response, id) {
  const user = await signedIn(request);
  const resume = (await rowsOf(pool, [RESUME_BY_LEAD, [id]]))[0];
  if (resume === undefined) throw new Refused(404);
  await rowsOf(pool, downloadRecord(id, user, request.socket.remoteAddress ?? ''));
  await throwUnlessWhole(join(UPLOAD_DIR, resume.resume_path), resume.sha256);
  const path = join(UPLOAD_DIR, resume.resume_path);
  const { size } = await stat(path);
  response.writeHead(200, { ...resumeHeaders(resume), 'Content-Length': size });
  createReadStream(path)
    .once('error', () => response.destroy())
    .pipe(response);
}

/** @param {IncomingMessage} request @param {ServerResponse} response */
async function route(request, response) {
  const [path = '', query = ''] = (request.url ?? '').split('?');
  if (path === '/api/v1/leads') {
    if (request.method === 'POST') return submit(request, response);
    return list(request, response, new URLSearchParams(query));
  }
  if (path === '/api/v1/auth/login') return signIn(request, response);
  const [id = '', rest] = path.slice('/api/v1/leads/'.length).split('/');
  if (rest === 'resume') return download(request, response, id);
  if (request.method === 'PATCH') return changeLead(request, response, id);
  return getLead(request, response, id);
}

await mkdir(INCOMING, { recursive: true });
const uploadFolder = await open(UPLOAD_DIR);
createServer((request, response) => {
  route(request, response).catch((error) => {
    if (!(error instanceof Refused)) console.error(error);
    answer(response, error instanceof Refused ? error.status : 500, { detail: String(error.message) });
  });
}).listen(PORT, '127.0.0.1');
