// The intake API as a competent developer writes it plainly: Express, multer and pg, nothing else.
import bcrypt from 'bcryptjs';
import express from 'express';
import multer from 'multer';
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
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
  UUID,
} from './reference-common.mjs';

/**
 * @import { NextFunction, Request, Response } from 'express'
 * @import { LeadRow, UserRow } from './reference-common.mjs'
 * @typedef {Express.Multer.File & { sha256: string, isPdf: boolean }} StoredFile
 */

const pool = new pg.Pool(POOL);
const app = express();
app.disable('x-powered-by');
app.disable('etag');

/** @param {Response} response @param {number} status @param {string} detail */
function refuse(response, status, detail) {
  response.status(status).json({ detail, timestamp: new Date().toISOString() });
}

/** @param {Request} request @param {Response} response @param {NextFunction} next */
async function signedIn(request, response, next) {
  const user = await userOf(request.headers.authorization, async (id) => (await pool.query(USER_BY_ID, [id])).rows[0]);
  if (user === undefined) {
    refuse(response, 401, 'Sign in first');
    return;
  }
  response.locals['user'] = user;
  next();
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

/** @type {multer.StorageEngine} Streams to a temporary file that is on the disk when multer is done with it. */
const storage = {
  _handleFile(_request, file, done) {
    const path = join(INCOMING, `${randomUUID()}.part`);
    const hash = createHash('sha256');
    let head = Buffer.alloc(0);
    let size = 0;
    file.stream.on('data', (/** @type {Buffer} */ chunk) => {
      hash.update(chunk);
      size += chunk.length;
      if (head.length < 1024) head = Buffer.concat([head, chunk.subarray(0, 1024)]);
    });
    pipeline(file.stream, createWriteStream(path, { flags: 'wx', flush: true }), (error) => {
      if (error) done(error);
      else done(undefined, stored(path, size, hash.digest('hex'), head.subarray(0, 1024).includes('%PDF-')));
    });
  },
  _removeFile(_request, file, done) {
    unlink(file.path).then(() => {
      done(null);
    }, done);
  },
};

/**
 * @param {string} path @param {number} size @param {string} sha256 @param {boolean} isPdf @returns {Partial<StoredFile>}
 */
function stored(path, size, sha256, isPdf) {
  return { path, size, sha256, isPdf };
}

const upload = multer({ storage, limits: { fileSize: MOST_FILE_BYTES, files: 1, fields: 20 } });

app.post('/api/v1/auth/login', express.urlencoded({ extended: false }), async (request, response) => {
  const { username, password } = request.body;
  /** @type {{ rows: UserRow[] }} */
  const { rows } = await pool.query(USER_BY_NAME, [String(username)]);
  const user = rows[0];
  if (user === undefined || !(await bcrypt.compare(String(password), user.hashed_password)) || !user.is_active) {
    refuse(response, 401, 'Incorrect username or password');
    return;
  }
  response.json(issueToken(user));
});

app.post('/api/v1/leads', upload.single('resume'), async (request, response) => {
  const file = /** @type {StoredFile | undefined} */ (request.file);
  const first_name = String(request.body.first_name ?? '').trim();
  const last_name = String(request.body.last_name ?? '').trim();
  const email = String(request.body.email ?? '')
    .trim()
    .toLowerCase();
  if (file === undefined || first_name === '' || last_name === '' || !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email)) {
    if (file !== undefined) await unlink(file.path);
    refuse(response, 400, 'Some fields are missing or invalid');
    return;
  }
  if (!file.originalname.endsWith('.pdf') || !file.isPdf) {
    await unlink(file.path);
    refuse(response, 415, 'Files of this type are not accepted');
    return;
  }
  const storageKey = storageKeyFor(file.originalname);
  const path = join(UPLOAD_DIR, storageKey);
  await rename(file.path, path);
  const folder = await open(UPLOAD_DIR);
  await folder.sync();
  await folder.close();
  const kept = { originalName: file.originalname, storageKey, sizeBytes: file.size, sha256: file.sha256 };
  const { lead, statements } = submission({ first_name, last_name, email }, kept);
  try {
    await inTransaction(async (client) => {
      for (const [text, values] of statements) await client.query(text, values);
    });
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.constraint !== 'idx_lead_email') throw error;
    await unlink(path);
    refuse(response, 409, 'A lead with this email already exists');
    return;
  }
  response.status(201).json(toSubmitted(lead));
});

app.get('/api/v1/leads', signedIn, async (request, response) => {
  const page = Number(request.query['page'] ?? 1);
  const size = Number(request.query['size'] ?? 50);
  const status = /** @type {string | undefined} */ (request.query['status']);
  if (!(page >= 1 && size >= 1 && size <= 100) || ![undefined, 'PENDING', 'REACHED_OUT'].includes(status)) {
    refuse(response, 422, 'Some fields are missing or invalid');
    return;
  }
  const { rows } = await pool.query(...listStatement(status, page, size));
  response.json(toPage(rows, page, size));
});

app.param('lead_id', (_request, response, next, id) => {
  if (UUID.test(id)) next();
  else refuse(response, 422, 'Must be a UUID');
});

app.get('/api/v1/leads/:lead_id', signedIn, async (request, response) => {
  /** @type {{ rows: LeadRow[] }} */
  const { rows } = await pool.query(LEAD_BY_ID, [request.params['lead_id']]);
  const lead = rows[0];
  if (lead === undefined) refuse(response, 404, 'Lead not found');
  else response.json({ ...toLead(lead), resume_path: lead.resume_path });
});

app.patch('/api/v1/leads/:lead_id', signedIn, express.json(), async (request, response) => {
  const { status } = request.body;
  if (status !== 'PENDING' && status !== 'REACHED_OUT') {
    refuse(response, 422, 'Some fields are missing or invalid');
    return;
  }
  const moved = await inTransaction(async (client) => {
    /** @type {{ rows: LeadRow[] }} */
    const { rows } = await client.query(LOCK_LEAD, [request.params['lead_id']]);
    if (rows[0] === undefined) return 404;
    const change = statusChange(rows[0], status, response.locals['user']);
    if (change === undefined) return 400;
    for (const [text, values] of change.statements) await client.query(text, values);
    return change.lead;
  });
  if (moved === 404) refuse(response, 404, 'Lead not found');
  else if (moved === 400) refuse(response, 400, 'Invalid status transition');
  else response.json(toLead(moved));
});

app.get('/api/v1/leads/:lead_id/resume', signedIn, async (request, response) => {
  const { rows } = await pool.query(RESUME_BY_LEAD, [request.params['lead_id']]);
  if (rows[0] === undefined) {
    refuse(response, 404, 'Lead not found');
    return;
  }
  await throwUnlessWhole(join(UPLOAD_DIR, rows[0].resume_path), rows[0].sha256);
  await pool.query(...downloadRecord(String(request.params['lead_id']), response.locals['user'], request.ip ?? ''));
  response.set(resumeHeaders(rows[0]));
  response.sendFile(rows[0].resume_path, { root: UPLOAD_DIR, etag: false, lastModified: false, cacheControl: false });
});

app.use(
  (
    /** @type {Error} */ error,
    /** @type {Request} */ _request,
    /** @type {Response} */ response,
    /** @type {NextFunction} */ next,
  ) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const { status = 500 } = /** @type {{ status?: number }} */ (error);
    if (status === 500 && !(error instanceof multer.MulterError)) console.error(error);
    refuse(response, error instanceof multer.MulterError ? 400 : status, 'The request failed');
  },
);

await mkdir(INCOMING, { recursive: true });
app.listen(PORT, '127.0.0.1');
