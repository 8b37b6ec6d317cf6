import type { TestApp } from './app.js';
import { jsonOf, sendJson } from './leads.js';

export interface IssuedKey {
  readonly id: string;
  readonly key: string;
  readonly prefix: string;
}

/** Asks for a key of whoever has the token. */
export function askForKey(app: TestApp, token: string, body: object = {}): Promise<Response> {
  return sendJson(app, 'POST', '/api/v1/auth/api-keys', { name: 'Export', scopes: ['leads:read'], ...body }, token);
}

/** A key of whoever has the token. */
export async function aKey(app: TestApp, token: string, body: object = {}): Promise<IssuedKey> {
  const response = await askForKey(app, token, body);
  if (response.status !== 201) throw new Error(`not made: ${await response.text()}`);
  return jsonOf<IssuedKey>(response);
}

export const withKey = (key: string): { 'X-API-Key': string } => ({ 'X-API-Key': key });
