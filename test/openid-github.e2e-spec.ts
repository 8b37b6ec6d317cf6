import { createHash, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { startApp, type TestApp } from './support/app.js';
import { get, jsonOf } from './support/leads.js';
import { Browser, DASHBOARD_URL, PUBLIC_URL } from './support/openid.js';

/**
 * GitHub cannot be started here. This stands in for GitHub Enterprise Server: the three addresses that its documentation names,
 * with the checks and answers it describes (the token for a code, secret and PKCE verifier; the user; the user's addresses).
 */
const CALLBACK = `${PUBLIC_URL}/api/v1/auth/openid/github/callback`;
const github = {
  code: '',
  challenge: '',
  user: {} as Record<string, unknown>,
  emails: [] as unknown,
  userStatus: 200,
  scopes: '',
};
let server: Server;
let app: TestApp;

beforeAll(async () => {
  server = createServer((request, response) => {
    void (async () => {
      const form = new URLSearchParams(await text(request));
      const answer = (status: number, body: unknown): void => {
        response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
      };
      if (request.url === '/login/oauth/access_token') {
        const verifier = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url');
        const isRight =
          form.get('client_id') === 'hub' &&
          form.get('client_secret') === 'planted-hub-secret' &&
          form.get('redirect_uri') === CALLBACK &&
          form.get('code') === github.code &&
          verifier === github.challenge;
        // GitHub says so with status 200
        if (!isRight) answer(200, { error: 'bad_verification_code', error_description: 'planted words' });
        else answer(200, { access_token: 'gho_planted', token_type: 'bearer', scope: 'read:user,user:email' });
        return;
      }
      if (request.headers.authorization !== 'Bearer gho_planted') answer(401, { message: 'Bad credentials' });
      else if (request.url === '/api/v3/user') answer(github.userStatus, github.user);
      else if (request.url === '/api/v3/user/emails') answer(200, github.emails);
      else answer(404, { message: 'Not Found' });
    })();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  app = await startApp({
    PUBLIC_URL,
    DASHBOARD_URL,
    CORS_ORIGINS: DASHBOARD_URL,
    OIDC_PROVIDERS: 'github',
    OIDC_GITHUB_PRESET: 'github',
    OIDC_GITHUB_ISSUER: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    OIDC_GITHUB_CLIENT_ID: 'hub',
    OIDC_GITHUB_CLIENT_SECRET: 'planted-hub-secret',
    OIDC_GITHUB_PROVISION: 'domain',
    OIDC_GITHUB_ALLOWED_DOMAINS: 'practice.test',
  });
});
afterAll(async () => {
  await app.close();
  server.close();
});

const emailsOf = (email: string, changes: object = {}): object[] => [
  { email: 'private@home.test', primary: false, verified: true, visibility: null },
  { email, primary: true, verified: true, visibility: 'private', ...changes },
];

let number = 1_000_000;
/** Somebody new agrees at GitHub and comes back. */
async function travel(changes: Partial<typeof github> = {}, codeSent?: string): Promise<Record<string, string>> {
  const browser = new Browser(app);
  const url = await browser.begin({}, 'github');
  const login = `hub-${randomUUID().slice(0, 8)}`;
  number += 1;
  Object.assign(github, {
    code: randomUUID(),
    challenge: url.searchParams.get('code_challenge'),
    scopes: url.searchParams.get('scope'),
    user: { id: number, login, email: null },
    emails: emailsOf(`${login}@practice.test`),
    userStatus: 200,
    ...changes,
  });
  const callback = new URL(CALLBACK);
  callback.searchParams.set('code', codeSent ?? github.code);
  callback.searchParams.set('state', url.searchParams.get('state') ?? '');
  const found = await browser.arrive(callback);
  if (found['code'] === undefined) return found;
  const { access_token: token } = await jsonOf<{ access_token: string }>(await browser.exchange(found['code']));
  return jsonOf<Record<string, string>>(await get(app, '/api/v1/auth/me', token));
}

describe('signing in with GitHub', () => {
  it('makes an account of the verified primary address, known by the number that GitHub never gives to anybody else', async () => {
    const me = await travel();

    expect(github.scopes).toBe('read:user user:email');
    expect(me).toMatchObject({
      username: github.user['login'],
      email: `${String(github.user['login'])}@practice.test`,
    });
    expect(
      await app.database.query('SELECT provider, subject FROM user_identities WHERE user_id = $1', [me['id']]),
    ).toEqual([{ provider: 'github', subject: String(github.user['id']) }]);
  });

  it('finds the same account after the name and the address have changed', async () => {
    const me = await travel();
    const id = github.user['id'];

    const again = await travel({ user: { id, login: 'renamed' }, emails: emailsOf('renamed@practice.test') });

    expect(again).toEqual(me);
  });

  it('does not give somebody the account of whoever had their name before', async () => {
    const me = await travel();
    const { login } = github.user;

    const other = await travel({ user: { id: 7, login }, emails: emailsOf('another@practice.test') });

    expect(other['id']).not.toBe(me['id']);
  });

  it.each<[string, Partial<typeof github>, string]>([
    [
      'an address that is not verified',
      { emails: emailsOf('eve@practice.test', { verified: false }) },
      'IDENTITY_DOMAIN_REFUSED',
    ],
    [
      'a verified address that is not the primary one',
      { emails: emailsOf('eve@practice.test', { primary: false }) },
      'IDENTITY_DOMAIN_REFUSED',
    ],
    ['an address of another domain', { emails: emailsOf('eve@evil.test') }, 'IDENTITY_DOMAIN_REFUSED'],
    ['no number', { user: { login: 'eve' } }, 'OPENID_ANSWER_INVALID'],
    ['a number that is none', { user: { id: '1; DROP', login: 'eve' } }, 'OPENID_ANSWER_INVALID'],
    ['a refusal in place of a list', { emails: { message: 'Requires authentication' } }, 'OPENID_ANSWER_INVALID'],
    ['a refusal in place of a user', { userStatus: 403 }, 'OPENID_ANSWER_INVALID'],
    ['a code with another PKCE verifier', { challenge: 'of-another-flow' }, 'OPENID_ANSWER_INVALID'],
  ])('refuses %s', async (_, changes, error) => {
    expect(await travel(changes)).toEqual({ error, provider: 'github' });
  });

  it('refuses a code that GitHub does not know, and shows none of its words', async () => {
    expect(await travel({}, 'stolen')).toEqual({ error: 'OPENID_ANSWER_INVALID', provider: 'github' });
    expect(JSON.stringify([app.log, await app.database.query('SELECT * FROM audit_entries')])).not.toMatch(
      /planted|gho_/,
    );
  });
});
