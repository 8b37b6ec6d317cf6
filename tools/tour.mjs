// `npm run tour`: a fresh Forecourt in a temporary folder, and the whole story of a lead over HTTP. Prints each request and
// its answer in short, checks both, and ends with a non-zero code at the first wrong answer.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MEDIA } from '../test/support/documents.mjs';
import { Forecourt, leadForm } from './forecourt.mjs';

const ADMIN = { username: 'admin', password: randomBytes(12).toString('base64url') };

const folder = mkdtempSync(join(tmpdir(), 'forecourt-tour-'));
const forecourt = new Forecourt({
  DATA_DIR: folder,
  PORT: '0',
  ADMIN_PASSWORD: ADMIN.password,
  ATTORNEY_EMAIL: 'attorney@practice.test',
});

class WrongAnswer extends Error {}

/** @param {boolean} condition @param {string} what @returns {asserts condition} */
function check(condition, what) {
  if (!condition) throw new WrongAnswer(what);
  console.log(`      ✓ ${what}`);
}

/** @param {unknown} value @returns {string} */
function short(value) {
  const text = JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 157)}…` : text;
}

let step = 0;

/**
 * One request, printed with its answer; the status must be the expected one.
 * @param {string} title @param {string} method @param {string} path @param {number} expected @param {RequestInit} [init]
 * @returns {Promise<{ response: Response, bytes: Buffer, json: any }>}
 */
async function ask(title, method, path, expected, init = {}) {
  step += 1;
  console.log(`\n${String(step).padStart(2)}. ${title}\n      ${method} ${path}`);
  const response = await fetch(forecourt.url + path, { ...init, method });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  const json = isJson ? JSON.parse(bytes.toString()) : undefined;
  console.log(
    `      ${response.status} ${isJson ? short(json) : `${response.headers.get('content-type')}, ${bytes.length} bytes`}`,
  );
  check(response.status === expected, `answers ${expected}`);
  return { response, bytes, json };
}

/** @param {string} first @param {string} last @param {string} email @param {keyof typeof MEDIA} kind @returns {FormData} */
function form(first, last, email, kind) {
  return leadForm({ first, last, email, bytes: resume(kind), name: `resume.${kind}`, type: MEDIA[kind] });
}

/** @param {keyof typeof MEDIA} kind */
const resume = (kind) => readFileSync(new URL(`../test/support/documents/resume.${kind}`, import.meta.url));

async function tour() {
  await forecourt.listening();
  console.log(`A fresh Forecourt at ${forecourt.url}, everything it keeps under a temporary folder.`);

  await ask('Is it ready?', 'GET', '/health/ready', 200);

  /** @type {{ kind: keyof typeof MEDIA, id: string }[]} */
  const leads = [];
  const people = /** @type {const} */ ([
    ['Ada', 'Lovelace', 'pdf'],
    ['Grace', 'Hopper', 'doc'],
    ['Zoë', 'Åström', 'docx'],
  ]);
  for (const [first, last, kind] of people) {
    const email = `${kind}.prospect@example.com`;
    const { json } = await ask(
      `${first} submits the public form with a ${kind.toUpperCase()}`,
      'POST',
      '/api/v1/leads',
      201,
      { body: form(first, last, email, kind) },
    );
    check(json.status === 'PENDING' && json.email === email, 'the lead is PENDING');
    check(json.message === 'Lead submitted successfully. Confirmation email sent.', 'the message is the promised one');
    leads.push({ kind, id: json.id });
  }
  const twice = await ask('Ada submits again', 'POST', '/api/v1/leads', 409, {
    body: form('Ada', 'Lovelace', 'PDF.prospect@example.com', 'pdf'),
  });
  check(twice.json.error_code === 'LEAD_EMAIL_DUPLICATE', 'one lead per address');
  const empty = await ask('Somebody sends an empty form', 'POST', '/api/v1/leads', 400, { body: new FormData() });
  check(
    Object.keys(empty.json.field_errors).join() === 'first_name,last_name,email,resume',
    'all field errors at once',
  );

  const inbox = await forecourt.eventually('six mails', async () => {
    const page = await (await fetch(`${forecourt.url}/dev/mail`)).text();
    const ids = [...page.matchAll(/\/dev\/mail\/([0-9a-f-]{36})/g)].map((match) => match[1]);
    return ids.length === 6 ? ids : undefined;
  });
  step += 1;
  console.log(`\n${String(step).padStart(2)}. Both sides have mail\n      GET /dev/mail`);
  check(inbox.length === 6, 'two mails for each of the three leads');
  const sources = await Promise.all(
    inbox.map(async (id) => (await fetch(`${forecourt.url}/dev/mail/${id}/source`)).text()),
  );
  check(
    sources.filter((source) => source.includes('Subject: Thank you for your submission')).length === 3,
    'three confirmations to prospects',
  );
  check(
    sources.filter((source) => source.includes('To: attorney@practice.test')).length === 3,
    'three notifications to the attorney',
  );
  const texts = await Promise.all(
    inbox.map(async (id) => (await fetch(`${forecourt.url}/dev/mail/${id}/text`)).text()),
  );
  check(
    leads.every(({ id }) => texts.filter((text) => text.includes(id)).length === 2),
    'each lead is named in two of them',
  );

  await ask('A stranger asks for the leads', 'GET', '/api/v1/leads', 401);
  const wrong = new URLSearchParams({ username: ADMIN.username, password: 'wrong' });
  await ask('Somebody guesses a password', 'POST', '/api/v1/auth/login', 401, { body: wrong });
  const login = await ask('The attorney signs in', 'POST', '/api/v1/auth/login', 200, {
    body: new URLSearchParams(ADMIN),
  });
  check(login.json.token_type === 'bearer' && login.json.expires_in === 86_400, 'a bearer token for 86,400 seconds');
  const headers = { Authorization: `Bearer ${login.json.access_token}` };
  await ask('Who am I?', 'GET', '/api/v1/auth/me', 200, { headers });

  const list = await ask('The newest leads', 'GET', '/api/v1/leads?status=PENDING&size=2', 200, { headers });
  check(
    list.json.total === 3 && list.json.pages === 2 && list.json.items[0].id === leads[2]?.id,
    'three in all, two a page, newest first',
  );

  for (const { kind, id } of leads) {
    const { response, bytes } = await ask(
      `The ${kind.toUpperCase()} résumé comes back`,
      'GET',
      `/api/v1/leads/${id}/resume`,
      200,
      { headers },
    );
    check(response.headers.get('content-type') === MEDIA[kind], `as ${MEDIA[kind].slice(0, 40)}`);
    check(bytes.equals(resume(kind)), 'byte for byte');
  }

  const [first] = leads;
  const path = `/api/v1/leads/${first?.id}`;
  /** @param {string} status */
  const to = (status) => ({
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify({ status }),
  });
  const moved = await ask('Ada was called', 'PATCH', path, 200, to('REACHED_OUT'));
  check(typeof moved.json.reached_out_at === 'string', 'reached_out_at is set');
  const again = await ask('Once more', 'PATCH', path, 400, to('REACHED_OUT'));
  check(again.json.detail === 'Cannot transition from REACHED_OUT to REACHED_OUT', 'it says why not');
  const reverted = await ask('It was the wrong number', 'PATCH', path, 200, to('PENDING'));
  check(reverted.json.reached_out_at === null, 'reached_out_at is null again');
  const history = await ask('The whole story', 'GET', `${path}/history`, 200, { headers });
  check(
    history.json.items.map((/** @type {any} */ item) => item.to_status).join(' ') === 'PENDING REACHED_OUT PENDING',
    'three moves, by whom and when',
  );

  step += 1;
  console.log(`\n${String(step).padStart(2)}. Forecourt is told to stop\n      SIGTERM`);
  check((await forecourt.stop()) === 0, 'ends with code 0 within 15 s');
}

try {
  await tour();
  console.log('\nThe tour is over: every answer was right.');
} catch (error) {
  console.error(`\nWRONG: ${error instanceof WrongAnswer ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  if (!forecourt.hasEnded) await forecourt.stop().catch(() => forecourt.child.kill('SIGKILL'));
  rmSync(folder, { recursive: true, force: true });
}
