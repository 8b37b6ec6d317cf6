import { generateKeyPairSync } from 'node:crypto';
import { type Account, anAccount, PASSWORD, recordsOf } from './support/accounts.js';
import { startApp, type TestApp } from './support/app.js';
import { Authenticator, type Ceremony, type CreationOptions, type RequestOptions } from './support/authenticator.js';
import { type Asked, challengeOf, enrol, type Tokens } from './support/factors.js';
import { get, jsonOf, sendJson, tokenOf } from './support/leads.js';

const FACTORS = '/api/v1/auth/factors';
const PASSKEYS = '/api/v1/auth/passkeys';

let app: TestApp;
let superadmin: string;
beforeAll(async () => {
  app = await startApp({ ROLE: 'http' });
  superadmin = await tokenOf(app);
});
afterAll(() => app.close());

const post = (path: string, body: object, token?: string): Promise<Response> =>
  sendJson(app, 'POST', path, body, token);
const codeOf = async (response: Response): Promise<unknown[]> => [
  response.status,
  (await jsonOf(response))['error_code'],
];
const claimsOf = (token: string): { sub: string; amr: string[] } =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as ReturnType<typeof claimsOf>;

async function creationOptions({ token }: Account, code?: string): Promise<CreationOptions> {
  const response = await post(`${FACTORS}/passkeys/options`, { current_password: PASSWORD, code }, token);
  if (response.status !== 200) throw new Error(`no options: ${await response.text()}`);
  return (await jsonOf<{ public_key: CreationOptions }>(response)).public_key;
}

async function requestOptions(challengeToken?: string): Promise<RequestOptions> {
  const response = await post(`${PASSKEYS}/options`, { challenge_token: challengeToken });
  if (response.status !== 200) throw new Error(`no options: ${await response.text()}`);
  return (await jsonOf<{ public_key: RequestOptions }>(response)).public_key;
}

interface Owner extends Account {
  readonly authenticator: Authenticator;
  readonly passkeyId: string;
  readonly codes: readonly string[];
}

/** Somebody whose only factor is a passkey. */
async function anOwner(): Promise<Owner> {
  const account = await anAccount(app, superadmin, 'attorney');
  const authenticator = new Authenticator();
  const credential = authenticator.create(await creationOptions(account));
  const response = await post(`${FACTORS}/passkeys`, { name: 'Laptop', credential }, account.token);
  if (response.status !== 201) throw new Error(`not added: ${await response.text()}`);
  const { id, recovery_codes: codes } = await jsonOf<{ id: string; recovery_codes: string[] }>(response);
  return { ...account, authenticator, passkeyId: id, codes };
}

const signIn = async (authenticator: Authenticator, how?: Ceremony): Promise<Response> =>
  post(`${PASSKEYS}/verify`, { credential: authenticator.get(await requestOptions(), how) });

async function secondStep(username: string, authenticator: Authenticator, how?: Ceremony): Promise<Response> {
  const challenge = await challengeOf(app, username);
  const credential = authenticator.get(await requestOptions(challenge), how);
  return post('/api/v1/auth/login/verify', { challenge_token: challenge, method: 'passkey', credential });
}

describe('adding a passkey', () => {
  it('asks the authenticator for a new key of this place and account, and brings recovery codes', async () => {
    const account = await anAccount(app, superadmin, 'attorney');
    const authenticator = new Authenticator();

    const options = await creationOptions(account);

    expect(options).toMatchObject({
      rp: { name: 'Forecourt Law', id: 'localhost' },
      user: { id: Buffer.from(account.id.replaceAll('-', ''), 'hex').toString('base64url'), name: account.username },
      attestation: 'none',
      excludeCredentials: [],
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
    });
    expect(Buffer.from(options.challenge, 'base64url')).toHaveLength(32);
    const credential = authenticator.create(options);
    const added = await post(`${FACTORS}/passkeys`, { name: 'Laptop', credential }, account.token);

    expect(added.status).toBe(201);
    const { id, recovery_codes: codes } = await jsonOf<{ id: string; recovery_codes: string[] }>(added);
    expect(codes).toHaveLength(10);
    expect(await jsonOf(await get(app, FACTORS, account.token))).toMatchObject({
      factors: [{ id, kind: 'passkey', name: 'Laptop', last_used_at: null }],
    });
    expect(await recordsOf(app, account.id)).toContainEqual({
      action: 'factor.added',
      actor_name: account.username,
      details: { factor_id: id, kind: 'passkey' },
    });
    const mails = await app.database.query('SELECT template FROM mail_messages WHERE recipient = $1', [account.email]);
    expect(mails).toEqual([{ template: 'factor_added' }]);
    const again = await creationOptions(account);
    expect(again).toMatchObject({ excludeCredentials: [{ id: authenticator.credentialId.toString('base64url') }] });
  });

  it('takes the password', async () => {
    const { token } = await anAccount(app, superadmin, 'attorney');

    expect(await codeOf(await post(`${FACTORS}/passkeys/options`, { current_password: 'guessed' }, token))).toEqual([
      403,
      'WRONG_PASSWORD',
    ]);
  });

  it.each<[string, Ceremony]>([
    ['for a page of elsewhere', { origin: 'https://elsewhere.example' }],
    ['for another place', { rpId: 'elsewhere.example' }],
    ['for no challenge of ours', { challenge: 'x'.repeat(43) }],
    ['as a sign-in', { type: 'webauthn.get' }],
    ['without anybody there', { isUserPresent: false }],
  ])('refuses one that was made %s', async (_, how) => {
    const account = await anAccount(app, superadmin, 'attorney');
    const credential = new Authenticator().create(await creationOptions(account), how);

    expect(await codeOf(await post(`${FACTORS}/passkeys`, { credential }, account.token))).toEqual([
      422,
      'PASSKEY_REFUSED',
    ]);
    expect(await jsonOf(await get(app, FACTORS, account.token))).toMatchObject({ factors: [] });
  });

  it('takes each challenge once, from whom it was given to, for what it was given', async () => {
    const account = await anAccount(app, superadmin, 'attorney');
    const other = await anAccount(app, superadmin, 'attorney');
    const add = async (credential: object, { token }: Account): Promise<unknown[]> =>
      codeOf(await post(`${FACTORS}/passkeys`, { credential }, token));
    const options = await creationOptions(account);

    expect((await add(new Authenticator().create(options), account))[0]).toBe(201);
    expect(await add(new Authenticator().create(options), account)).toEqual([422, 'PASSKEY_REFUSED']);
    const stolen = await creationOptions(account);
    expect(await add(new Authenticator().create(stolen), other)).toEqual([422, 'PASSKEY_REFUSED']);
    const { challenge } = await requestOptions();
    const forSignIn = { ...(await creationOptions(account)), challenge };
    expect(await add(new Authenticator().create(forSignIn), account)).toEqual([422, 'PASSKEY_REFUSED']);
    const late = await creationOptions(account);
    await app.database.query(`UPDATE passkey_challenges SET expires_at = now() - interval '1 ms'`);
    expect(await add(new Authenticator().create(late), account)).toEqual([422, 'PASSKEY_REFUSED']);
  });

  it('takes no passkey twice, nor what is none', async () => {
    const { authenticator } = await anOwner();
    const other = await anAccount(app, superadmin, 'attorney');

    const credential = authenticator.create(await creationOptions(other));
    expect(await codeOf(await post(`${FACTORS}/passkeys`, { credential }, other.token))).toEqual([
      422,
      'PASSKEY_REFUSED',
    ]);
    const broken = [{}, { id: 'x' }, 'text', [], { ...credential, rawId: 'other' }, { ...credential, response: {} }];
    for (const each of broken)
      expect(await codeOf(await post(`${FACTORS}/passkeys`, { credential: each }, other.token))).toEqual([
        422,
        'VALIDATION_ERROR',
      ]);
  });
});

describe('a sign-in with a passkey alone', () => {
  it('takes no name and no password, and counts as one with two factors', async () => {
    const { authenticator, id } = await anOwner();

    const options = await requestOptions();
    const response = await post(`${PASSKEYS}/verify`, { credential: authenticator.get(options) });

    expect(options).toMatchObject({ rpId: 'localhost', allowCredentials: [], userVerification: 'required' });
    expect(response.status).toBe(200);
    const { access_token: token } = await jsonOf<Tokens>(response);
    expect(claimsOf(token)).toMatchObject({ sub: id, amr: ['pop', 'mfa'] });
    expect((await get(app, '/api/v1/leads', token)).status).toBe(200);
    const record = await app.database.query(
      `SELECT details FROM audit_entries WHERE target_id = $1 AND action = 'auth.signed_in' AND details ->> 'method' = 'passkey'`,
      [id],
    );
    expect(record).toEqual([{ details: { method: 'passkey', session_id: expect.any(String) } }]);
  });

  describe('is refused in the same words', () => {
    let owner: Owner;
    beforeAll(async () => {
      owner = await anOwner();
    });

    it.each<[string, () => Promise<Response>]>([
      ['for a passkey that nobody has', () => signIn(new Authenticator(), { userHandle: null })],
      [
        'for another key',
        () => signIn(owner.authenticator, { key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }),
      ],
      ['when the device does not know its user', () => signIn(owner.authenticator, { isUserVerified: false })],
      ['when nobody is there', () => signIn(owner.authenticator, { isUserPresent: false })],
      ['on a page of elsewhere', () => signIn(owner.authenticator, { origin: 'https://elsewhere.example' })],
      ['at another place', () => signIn(owner.authenticator, { rpId: 'elsewhere.example' })],
      ['as the making of a passkey', () => signIn(owner.authenticator, { type: 'webauthn.create' })],
      ['for a challenge that never was', () => signIn(owner.authenticator, { challenge: 'x'.repeat(43) })],
      [
        'for another account',
        () => signIn(owner.authenticator, { userHandle: Buffer.alloc(16).toString('base64url') }),
      ],
      [
        'for the challenge of a second step',
        async () => {
          const options = await requestOptions(await challengeOf(app, owner.username));
          return post(`${PASSKEYS}/verify`, { credential: owner.authenticator.get(options) });
        },
      ],
      [
        'for a challenge of 5 minutes ago',
        async () => {
          const options = await requestOptions();
          await app.database.query(`UPDATE passkey_challenges SET expires_at = now() - interval '1 ms'`);
          return post(`${PASSKEYS}/verify`, { credential: owner.authenticator.get(options) });
        },
      ],
    ])('%s', async (_, attempt) => {
      const response = await attempt();

      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="forecourt"']);
      expect(await jsonOf(response)).toMatchObject({
        error_code: 'INVALID_PASSKEY',
        detail: 'This passkey does not open any account here',
      });
      expect((await signIn(owner.authenticator)).status).toBe(200);
    });
  });

  it('takes an answer once, 16 times at once as well', async () => {
    const { authenticator } = await anOwner();
    const credential = authenticator.get(await requestOptions());

    const answers = await Promise.all(Array.from({ length: 16 }, () => post(`${PASSKEYS}/verify`, { credential })));

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(15);
  });

  it('with a passkey that counts backwards is refused, and operators are alerted', async () => {
    const { authenticator, id, passkeyId } = await anOwner();
    authenticator.count = 10;
    expect((await signIn(authenticator)).status).toBe(200);
    authenticator.count = 10;

    expect(await codeOf(await signIn(authenticator))).toEqual([401, 'INVALID_PASSKEY']);

    const alerts = await app.database.query(`SELECT details FROM alerts WHERE cause = 'passkey.copied'`);
    expect(alerts).toEqual([{ details: { user_id: id, passkey_id: passkeyId, expected_above: 11, count: 11 } }]);
    authenticator.count = -1;
    expect((await signIn(authenticator)).status).toBe(401);
    authenticator.count = 11;
    expect((await signIn(authenticator)).status).toBe(200);
  });

  it('with an authenticator that never counts is let in each time', async () => {
    const { authenticator } = await anOwner();
    for (let time = 0; time < 2; time += 1) {
      authenticator.count = -1;
      expect((await signIn(authenticator)).status).toBe(200);
    }
  });

  it('of a disabled account is refused, and of a removed passkey too', async () => {
    const { authenticator, id } = await anOwner();
    await sendJson(app, 'PATCH', `/api/v1/admin/users/${id}`, { is_active: false }, superadmin);
    expect(await codeOf(await signIn(authenticator))).toEqual([401, 'INVALID_PASSKEY']);
    await sendJson(app, 'PATCH', `/api/v1/admin/users/${id}`, { is_active: true }, superadmin);
    const { access_token: token } = await jsonOf<Tokens>(await signIn(authenticator));
    const { factors } = await jsonOf<{ factors: { id: string }[] }>(await get(app, FACTORS, token));

    // that sign-in is fresh and was one with two factors, so no code is asked for
    const removed = await post(`${FACTORS}/${factors[0]!.id}/remove`, { current_password: PASSWORD }, token);

    expect(removed.status).toBe(204);
    expect(await codeOf(await signIn(authenticator))).toEqual([401, 'INVALID_PASSKEY']);
  });
});

describe('a passkey as the second factor', () => {
  it('follows the password, and need not know its user again', async () => {
    const { username, authenticator } = await anOwner();
    const first = await post('/api/v1/auth/login', { username, password: PASSWORD });
    const { second_factor: asked } = await jsonOf<Asked>(first);
    expect(asked.methods).toEqual(['passkey', 'recovery_code']);

    const options = await requestOptions(asked.challenge_token);
    const credential = authenticator.get(options, { isUserVerified: false });
    const given = { challenge_token: asked.challenge_token, method: 'passkey', credential };
    const response = await post('/api/v1/auth/login/verify', given);

    expect(options).toMatchObject({
      allowCredentials: [{ id: authenticator.credentialId.toString('base64url'), transports: ['internal'] }],
      userVerification: 'preferred',
    });
    expect(response.status).toBe(200);
    expect(claimsOf((await jsonOf<Tokens>(response)).access_token).amr).toEqual(['pwd', 'pop', 'mfa']);
  });

  it('must be one of the account, and answer this very sign-in', async () => {
    const owner = await anOwner();
    const stranger = await anOwner();
    const challenge = await challengeOf(app, owner.username);
    const verify = (credential: object): Promise<Response> =>
      post('/api/v1/auth/login/verify', { challenge_token: challenge, method: 'passkey', credential });
    const refused = [401, 'INVALID_SECOND_FACTOR'];

    expect(await codeOf(await secondStep(owner.username, stranger.authenticator))).toEqual(refused);
    expect(await codeOf(await verify(owner.authenticator.get(await requestOptions())))).toEqual(refused);
    const other = await requestOptions(await challengeOf(app, owner.username));
    expect(await codeOf(await verify(owner.authenticator.get(other)))).toEqual(refused);
    expect((await verify(owner.authenticator.get(await requestOptions(challenge)))).status).toBe(200);
    expect(await codeOf(await post(`${PASSKEYS}/options`, { challenge_token: challenge }))).toEqual(refused);
  });

  it('stands beside an authenticator app', async () => {
    const person = await enrol(app, await anAccount(app, superadmin, 'attorney'));
    const authenticator = new Authenticator();
    // the session that added the app was signed in to just now, and has it
    const credential = authenticator.create(await creationOptions(person));
    const added = await post(`${FACTORS}/passkeys`, { credential }, person.token);

    expect([added.status, await jsonOf(added)]).toEqual([201, { id: expect.any(String) }]);
    const { second_factor: asked } = await jsonOf<Asked>(
      await post('/api/v1/auth/login', { username: person.username, password: PASSWORD }),
    );
    expect([...asked.methods].sort()).toEqual(['passkey', 'recovery_code', 'totp']);
  });
});
