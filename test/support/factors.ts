import { type Account, anAccount, PASSWORD } from './accounts.js';
import type { TestApp } from './app.js';
import { jsonOf, sendJson } from './leads.js';
import { totpCode } from './totp.js';

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

export interface Asked {
  readonly second_factor: { readonly challenge_token: string; readonly methods: string[]; readonly expires_in: number };
}

/** Somebody with an authenticator app. */
export interface Enrolled extends Account {
  readonly factorId: string;
  readonly secret: string;
  readonly codes: readonly string[];
}

/** Adds an authenticator app to an account that has no factor yet. */
export async function enrol(app: TestApp, account: Account): Promise<Enrolled> {
  const path = '/api/v1/auth/factors/totp';
  const enrolling = await sendJson(app, 'POST', path, { current_password: PASSWORD, name: 'Phone' }, account.token);
  const { id, secret } = await jsonOf<{ id: string; secret: string }>(enrolling);
  const confirming = await sendJson(app, 'POST', `${path}/${id}/confirm`, { code: totpCode(secret) }, account.token);
  if (confirming.status !== 200) throw new Error(`not confirmed: ${await confirming.text()}`);
  const { recovery_codes: codes } = await jsonOf<{ recovery_codes: string[] }>(confirming);
  await forgetStep(app, id);
  return { ...account, factorId: id, secret, codes };
}

export async function anEnrolled(app: TestApp, superadmin: string, role = 'attorney'): Promise<Enrolled> {
  return enrol(app, await anAccount(app, superadmin, role));
}

/** So that the code of this very half minute is good again. */
export async function forgetStep(app: TestApp, factorId: string): Promise<void> {
  await app.database.query('UPDATE totp_factors SET last_step = 0 WHERE id = $1', [factorId]);
}

/** The first step of a sign-in, which asks for a second one. */
export async function challengeOf(app: TestApp, username: string, password = PASSWORD): Promise<string> {
  const response = await sendJson(app, 'POST', '/api/v1/auth/login', { username, password });
  const answer = await jsonOf<Partial<Asked>>(response);
  if (answer.second_factor === undefined) throw new Error(`not asked: ${JSON.stringify(answer)}`);
  return answer.second_factor.challenge_token;
}

export function verify(
  app: TestApp,
  challengeToken: string,
  code: string,
  method: 'totp' | 'recovery_code' = 'totp',
): Promise<Response> {
  return sendJson(app, 'POST', '/api/v1/auth/login/verify', { challenge_token: challengeToken, method, code });
}

/** Both steps. */
export async function signInTwice(app: TestApp, { username, secret, factorId }: Enrolled): Promise<Tokens> {
  const response = await verify(app, await challengeOf(app, username), totpCode(secret));
  if (response.status !== 200) throw new Error(`not signed in: ${await response.text()}`);
  await forgetStep(app, factorId);
  return jsonOf<Tokens>(response);
}
