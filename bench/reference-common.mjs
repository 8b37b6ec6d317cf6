// What both reference servers share: settings, access tokens, statements and the shape of each answer.
import contentDisposition from 'content-disposition';
import jwt from 'jsonwebtoken';
import { createHash, createSecretKey, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { extname, join } from 'node:path';

/** The settings of Forecourt that the references follow, under the same names. */
export const PORT = Number(process.env['PORT']);
export const UPLOAD_DIR = process.env['UPLOAD_DIR'] ?? '';
export const INCOMING = join(UPLOAD_DIR, '.incoming');
export const ATTORNEY = process.env['ATTORNEY_EMAIL'] ?? '';
export const MOST_FILE_BYTES = 5_242_880;
export const POOL = {
  connectionString: process.env['DATABASE_URL'],
  max: Number(process.env['DB_POOL_SIZE']) + Number(process.env['DB_MAX_OVERFLOW']),
  idleTimeoutMillis: 30_000,
};

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * @typedef {{ id: string, first_name: string, last_name: string, email: string, status: string, created_at: Date,
 *   updated_at: Date, reached_out_at: Date | null, resume_path: string }} LeadRow
 * @typedef {{ id: string, username: string, hashed_password: string, is_active: boolean }} UserRow
 * @typedef {{ originalName: string, storageKey: string, sizeBytes: number, sha256: string }} KeptFile
 * @typedef {[text: string, values: unknown[]]} Statement
 */

const LEAD = 'id, first_name, last_name, email, status, created_at, updated_at, reached_out_at, resume_path';
export const USER_BY_NAME = `SELECT id, username, hashed_password, is_active FROM users WHERE lower(username) = lower($1)`;
export const USER_BY_ID = `SELECT id, username, hashed_password, is_active FROM users WHERE id = $1`;
export const LEAD_BY_ID = `SELECT ${LEAD} FROM leads WHERE id = $1`;
export const LOCK_LEAD = `${LEAD_BY_ID} FOR UPDATE`;
export const RESUME_BY_LEAD = `SELECT l.first_name, l.last_name, l.resume_path, f.media_type, f.sha256
  FROM leads AS l JOIN files AS f ON f.storage_key = l.resume_path WHERE l.id = $1`;
/**
 * That somebody took a résumé: on the disk before a byte of it leaves.
 * @param {string} leadId @param {UserRow} user @param {string} ip @returns {Statement}
 */
export function downloadRecord(leadId, user, ip) {
  return [
    `INSERT INTO audit_entries (id, at, actor_kind, actor_id, actor_name, ip, request_id, action, target_kind, target_id, outcome)
     VALUES ($1, $2, 'user', $3, $4, $5, $6, 'lead.resume_downloaded', 'lead', $7, 'done')`,
    [randomUUID(), new Date(), user.id, user.username, ip, randomUUID(), leadId],
  ];
}

const INSERT_CHANGE = `INSERT INTO lead_status_changes
  (id, lead_id, from_status, to_status, changed_by, changed_by_id, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`;

/**
 * One page and the kept total, from one snapshot: the statement that Forecourt sends.
 * @param {string | undefined} status @param {number} page @param {number} size @returns {Statement}
 */
export function listStatement(status, page, size) {
  const where = status === undefined ? '' : 'WHERE status = $3';
  return [
    `SELECT counted.page_total, paged.* FROM
       (SELECT (SELECT coalesce(sum(total), 0) FROM lead_totals ${where})::text AS page_total) AS counted
     LEFT JOIN LATERAL
       (SELECT ${LEAD} FROM leads ${where} ORDER BY created_at DESC, id DESC LIMIT $1 OFFSET $2) AS paged ON true`,
    [size, (page - 1) * size, ...(status === undefined ? [] : [status])],
  ];
}

/**
 * A new lead and everything that commits with it.
 * @param {{ first_name: string, last_name: string, email: string }} fields @param {KeptFile} file
 * @returns {{ lead: LeadRow, statements: Statement[] }}
 */
export function submission({ first_name, last_name, email }, file) {
  const now = new Date();
  const id = randomUUID();
  const lead = {
    id,
    first_name,
    last_name,
    email,
    status: 'PENDING',
    created_at: now,
    updated_at: now,
    reached_out_at: null,
    resume_path: file.storageKey,
  };
  const name = `${first_name} ${last_name}`;
  const mails = [
    { id: randomUUID(), template: 'prospect_confirmation', to: email, data: { prospect_name: name, lead_id: id } },
    {
      id: randomUUID(),
      template: 'attorney_notification',
      to: ATTORNEY,
      data: {
        prospect_name: name,
        prospect_email: email,
        resume_filename: file.originalName,
        lead_id: id,
        dashboard_url: `http://localhost:3000/leads/${id}`,
      },
    },
  ];
  return {
    lead,
    statements: [
      [
        `INSERT INTO files (id, storage_key, original_name, media_type, size_bytes, sha256, created_at)
         VALUES ($1, $2, $3, 'application/pdf', $4, $5, $6)`,
        [randomUUID(), file.storageKey, file.originalName, file.sizeBytes, file.sha256, now],
      ],
      [
        `INSERT INTO leads (id, first_name, last_name, email, resume_path, status, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 'PENDING', $6, $6)`,
        [id, first_name, last_name, email, file.storageKey, now],
      ],
      [INSERT_CHANGE, [randomUUID(), id, null, 'PENDING', 'public', null, now]],
      [
        `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, created_at)
         VALUES ($1, $2, $3, $4, 'lead', $9, $10), ($5, $6, $7, $8, 'lead', $9, $10)`,
        [...mails.flatMap((mail) => [mail.id, mail.template, mail.to, JSON.stringify(mail.data)]), id, now],
      ],
      [
        `SELECT graphile_worker.add_job('mail.deliver', payload, max_attempts => 25) FROM unnest($1::json[]) AS payload`,
        [mails.map((mail) => JSON.stringify({ message_id: mail.id }))],
      ],
    ],
  };
}

/**
 * What moving a locked lead writes; undefined when the step is not allowed.
 * @param {LeadRow} lead @param {string} status @param {UserRow} user
 * @returns {{ lead: LeadRow, statements: Statement[] } | undefined}
 */
export function statusChange(lead, status, user) {
  if (lead.status === status) return undefined;
  const now = new Date();
  const reached = status === 'REACHED_OUT';
  const moved = { ...lead, status, updated_at: now, reached_out_at: reached ? now : null };
  return {
    lead: moved,
    statements: [
      [
        `UPDATE leads SET status = $2, updated_at = $3, reached_out_at = $4, reached_out_by_id = $5 WHERE id = $1`,
        [lead.id, status, now, moved.reached_out_at, reached ? user.id : null],
      ],
      [INSERT_CHANGE, [randomUUID(), lead.id, lead.status, status, user.username, user.id, now]],
    ],
  };
}

const key = createSecretKey(Buffer.from(process.env['SECRET_KEY'] ?? ''));
const LIFETIME_SECONDS = 86_400;
const USER_BELIEVED_FOR_MS = 1000;
/** @type {Map<string, { user: UserRow | undefined, until: number }>} */
const known = new Map();

/** @param {UserRow} user */
export function issueToken(user) {
  const claims = { sub: user.id, username: user.username, type: 'access' };
  const access_token = jwt.sign(claims, key, {
    algorithm: 'HS256',
    issuer: 'forecourt',
    audience: 'forecourt-api',
    expiresIn: LIFETIME_SECONDS,
  });
  return { access_token, token_type: 'bearer', expires_in: LIFETIME_SECONDS };
}

/**
 * The user of a bearer token, asked of the database at most once a second, as Forecourt does.
 * @param {string | undefined} authorization @param {(id: string) => Promise<UserRow | undefined>} find
 * @returns {Promise<UserRow | undefined>}
 */
export async function userOf(authorization, find) {
  let id;
  try {
    const claims = jwt.verify(authorization?.replace(/^Bearer /, '') ?? '', key, {
      algorithms: ['HS256'],
      issuer: 'forecourt',
      audience: 'forecourt-api',
    });
    id = String(claims.sub);
  } catch {
    return undefined;
  }
  let entry = known.get(id);
  if (entry === undefined || entry.until < performance.now()) {
    entry = { user: await find(id), until: performance.now() + USER_BELIEVED_FOR_MS };
    known.set(id, entry);
  }
  return entry.user?.is_active === true ? entry.user : undefined;
}

/** @param {LeadRow} lead */
export function toLead({ id, first_name, last_name, email, status, created_at, updated_at, reached_out_at }) {
  return { id, first_name, last_name, email, status, created_at, updated_at, reached_out_at };
}

/** @param {LeadRow} lead */
export function toSubmitted({ id, first_name, last_name, email, status, created_at }) {
  const message = 'Lead submitted successfully. Confirmation email sent.';
  return { id, first_name, last_name, email, status, created_at, message };
}

/** @param {(LeadRow & { page_total: string })[]} rows @param {number} page @param {number} size */
export function toPage(rows, page, size) {
  const total = Number(rows[0]?.page_total ?? 0);
  return { items: rows.filter(({ id }) => id !== null).map(toLead), total, page, size, pages: Math.ceil(total / size) };
}

/** @param {{ first_name: string, last_name: string, resume_path: string, media_type: string }} resume */
export function resumeHeaders({ first_name, last_name, resume_path, media_type }) {
  return {
    'Content-Type': media_type,
    'Content-Disposition': contentDisposition(`${first_name}_${last_name}_resume${extname(resume_path)}`),
  };
}

/**
 * Reads the whole file before a byte of it leaves, as Forecourt does.
 * @param {string} path @param {string} sha256
 */
export async function throwUnlessWhole(path, sha256) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) hash.update(chunk);
  if (hash.digest('hex') !== sha256) throw new Error('the stored file is not what was uploaded');
}

/** @param {string} originalName */
export function storageKeyFor(originalName) {
  return `${randomUUID()}_${originalName.replace(/[^A-Za-z0-9._-]+/g, '_').slice(-50)}`;
}
