import { randomUUID } from 'node:crypto';
import { ADMIN, type TestApp } from './app.js';
import { makePdf, MEDIA } from './documents.mjs';

export interface Submission {
  readonly first_name?: string;
  readonly last_name?: string;
  readonly email?: string;
  readonly file?: {
    readonly bytes: Buffer;
    readonly name?: string;
    readonly type?: string;
    readonly field?: string;
  } | null;
  readonly extra?: Readonly<Record<string, string>>;
}

export const anEmail = (): string => `prospect-${randomUUID()}@example.com`;

/** A valid form, except where a test says otherwise; null leaves the file out. */
export function formOf(submission: Submission = {}): FormData {
  const { first_name = 'Ada', last_name = 'Lovelace', email = anEmail(), file, extra = {} } = submission;
  const form = new FormData();
  for (const [name, value] of Object.entries({ first_name, last_name, email, ...extra })) form.append(name, value);
  if (file !== null) {
    const { bytes = makePdf(), name = 'resume.pdf', type = MEDIA.pdf, field = 'resume' } = file ?? {};
    form.append(field, new Blob([new Uint8Array(bytes)], { type }), name);
  }
  return form;
}

export function submit(app: TestApp, submission: Submission = {}): Promise<Response> {
  return app.request('/api/v1/leads', { method: 'POST', body: formOf(submission) });
}

/** Submits a lead that must be accepted, and returns its id. */
export async function aLead(app: TestApp, submission: Submission = {}): Promise<string> {
  const response = await submit(app, submission);
  const body = (await response.json()) as { id: string };
  if (response.status !== 201) throw new Error(`not accepted: ${JSON.stringify(body)}`);
  return body.id;
}

export function login(app: TestApp, username: string, password: string): Promise<Response> {
  return app.request('/api/v1/auth/login', { method: 'POST', body: new URLSearchParams({ username, password }) });
}

export async function tokenOf(app: TestApp, username = ADMIN.username, password = ADMIN.password): Promise<string> {
  const response = await login(app, username, password);
  return ((await response.json()) as { access_token: string }).access_token;
}

export const bearer = (token: string): { Authorization: string } => ({ Authorization: `Bearer ${token}` });

/** A new attorney's token. */
export async function anAttorney(
  app: TestApp,
  adminToken: string,
  username = `attorney-${randomUUID().slice(0, 8)}`,
): Promise<{ id: string; token: string; username: string }> {
  const password = 'a fine password';
  const response = await sendJson(
    app,
    'POST',
    '/api/v1/auth/register',
    { username, email: `${username}@practice.test`, password },
    adminToken,
  );
  const { id } = (await response.json()) as { id: string };
  return { id, username, token: await tokenOf(app, username, password) };
}

export function sendJson(app: TestApp, method: string, path: string, body: unknown, token?: string): Promise<Response> {
  return app.request(path, {
    method,
    headers: { 'Content-Type': 'application/json', ...(token === undefined ? {} : bearer(token)) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

export function get(app: TestApp, path: string, token?: string): Promise<Response> {
  return app.request(path, { headers: token === undefined ? {} : bearer(token) });
}

export async function jsonOf<T = Record<string, unknown>>(response: Response): Promise<T> {
  return (await response.json()) as T;
}
