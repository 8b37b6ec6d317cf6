import { randomUUID } from 'node:crypto';
import { SeldomEntries } from '../src/audit/seldom-entries.js';
import { BEFORE_FACTOR } from '../src/auth/auth.decorators.js';
import { may } from '../src/auth/permissions.js';
import { FactorSweep } from '../src/auth/factors/factor-sweep.js';
import { ApplicationSecret } from '../src/common/application-secret.js';
import { Clock } from '../src/common/clock.js';
import { SealedValues } from '../src/common/sealed-values.js';
import type { Config } from '../src/config/config.js';
import { Role } from '../src/users/role.js';
import { type Account, anAccount, loginFrom, PASSWORD, recordsOf } from './support/accounts.js';
import { startApp, type TestApp } from './support/app.js';
import {
  anEnrolled,
  type Asked,
  challengeOf,
  enrol,
  type Enrolled,
  forgetStep,
  signInTwice,
  type Tokens,
  verify,
} from './support/factors.js';
import { bearer, get, jsonOf, sendJson, tokenOf } from './support/leads.js';
import { routesOf } from './support/routes.js';
import { totpCode } from './support/totp.js';

const FACTORS = '/api/v1/auth/factors';
const REFUSED = {
  error_code: 'INVALID_SECOND_FACTOR',
  detail: 'The second factor is wrong, was used before or came too late; sign in again if that goes on',
};
const MINUTE_MS = 60_000;
const OLD_SECRET = 'the-secret-before-0123456789-abcdefghijklmnopqrs';

let app: TestApp;
let superadmin: string;
beforeAll(async () => {
  app = await startApp({
    SECOND_FACTOR_REQUIRED_FOR: 'admin',
    SECRET_KEY_PREVIOUS: OLD_SECRET,
    // more than the attempts of one challenge, so that both limits can be told apart
    LOCKOUT_FAILURES: '8',
    TRUST_PROXY: 'loopback',
    ROLE: 'http',
  });
  superadmin = await tokenOf(app);
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => app.close());

const me = async (token: string): Promise<number> => (await get(app, '/api/v1/auth/me', token)).status;
const post = (path: string, body: object, token?: string): Promise<Response> =>
  sendJson(app, 'POST', path, body, token);
const codeOf = async (response: Response): Promise<unknown[]> => [
  response.status,
  (await jsonOf(response))['error_code'],
];
const claimsOf = (token: string): { sid: string; amr: string[] } =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as ReturnType<typeof claimsOf>;
const refuse = async (response: Response): Promise<void> => {
  expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="forecourt"']);
  const { error_code, detail } = await jsonOf<typeof REFUSED>(response);
  expect({ error_code, detail }).toEqual(REFUSED);
};
const mailsTo = (recipient: string): Promise<{ template: string; data: Record<string, string> }[]> =>
  app.database.query('SELECT template, data FROM mail_messages WHERE recipient = $1 ORDER BY created_at', [recipient]);

/** Lets the present be later for the rest of a test. */
function later(ms: number): void {
  jest.spyOn(app.app.get(Clock), 'now').mockImplementation(() => new Date(Date.now() + ms));
}

/** A code that is right in no step that could be taken. */
function wrongCode(secret: string): string {
  const near = [-2, -1, 0, 1, 2].map((steps) => totpCode(secret, steps));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !near.includes(code))!;
}

describe('POST /api/v1/auth/factors/totp', () => {
  it('gives a secret as text, as otpauth URI and as QR codes, and counts only once a code confirmed it', async () => {
    const account = await anAccount(app, superadmin, 'attorney');

    const response = await post(`${FACTORS}/totp`, { current_password: PASSWORD, name: 'My phone' }, account.token);

    expect([response.status, response.headers.get('cache-control')]).toEqual([201, 'no-store']);
    const body = await jsonOf<{ id: string; secret: string; qr_png: string; qr_svg: string }>(response);
    expect(body).toEqual({
      id: expect.any(String),
      secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
      otpauth_uri: `otpauth://totp/Forecourt%20Law:${account.username}?issuer=Forecourt%20Law&secret=${body.secret}&algorithm=SHA1&digits=6&period=30`,
      qr_svg: expect.stringMatching(/^data:image\/svg\+xml;base64,/),
      qr_png: expect.stringMatching(/^data:image\/png;base64,iVBORw0KGgo/),
    });
    expect(await tokenOf(app, account.username, PASSWORD)).toEqual(expect.any(String));
    expect(await jsonOf(await get(app, FACTORS, account.token))).toEqual({
      factors: [],
      recovery_codes_left: 0,
      is_required: false,
    });

    const confirmed = await post(`${FACTORS}/totp/${body.id}/confirm`, { code: totpCode(body.secret) }, account.token);

    expect(confirmed.status).toBe(200);
    const { recovery_codes: codes } = await jsonOf<{ recovery_codes: string[] }>(confirmed);
    expect([codes.length, new Set(codes).size]).toEqual([10, 10]);
    expect(await jsonOf(await get(app, FACTORS, account.token))).toEqual({
      factors: [
        {
          id: body.id,
          kind: 'totp',
          name: 'My phone',
          created_at: expect.any(String),
          last_used_at: expect.any(String),
        },
      ],
      recovery_codes_left: 10,
      is_required: false,
    });
    expect(await recordsOf(app, account.id)).toContainEqual({
      action: 'factor.added',
      actor_name: account.username,
      details: { factor_id: body.id, kind: 'totp' },
    });
    expect(await mailsTo(account.email)).toEqual([
      {
        template: 'factor_added',
        data: { username: account.username, factor: 'My phone', changed_at: expect.stringMatching(/ UTC$/) },
      },
    ]);
  });

  it('keeps neither the secret nor a code in the database, the log, the record or a mail', async () => {
    const { secret, codes, id, factorId } = await anEnrolled(app, superadmin);
    const sealed = await app.database.query<{ sealed_secret: string }>(
      'SELECT sealed_secret FROM totp_factors WHERE id = $1',
      [factorId],
    );
    const raw = codes.map((code) => code.replaceAll('-', ''));
    await app.app.get(SeldomEntries).writeAll();

    const everything = JSON.stringify([
      app.log,
      await app.database.query('SELECT * FROM totp_factors, users'),
      await app.database.query('SELECT encode(hash, $1) FROM recovery_codes WHERE user_id = $2', ['escape', id]),
      await app.database.query('SELECT * FROM audit_entries'),
      await app.database.query('SELECT * FROM mail_messages'),
    ]);

    expect(sealed[0]!.sealed_secret).toMatch(/^[0-9a-f]{8}\.[\w-]{80,}$/);
    expect([secret, ...codes, ...raw].filter((each) => everything.includes(each))).toEqual([]);
    expect(everything).toContain(factorId);
  });

  it('takes the password, and counts wrong ones', async () => {
    const { token, username } = await anAccount(app, superadmin, 'attorney');

    expect(await codeOf(await post(`${FACTORS}/totp`, {}, token))).toEqual([422, 'VALIDATION_ERROR']);
    for (let round = 0; round < 8; round += 1)
      expect(await codeOf(await post(`${FACTORS}/totp`, { current_password: 'guessed' }, token))).toEqual([
        403,
        'WRONG_PASSWORD',
      ]);

    expect(await codeOf(await post(`${FACTORS}/totp`, { current_password: PASSWORD }, token))).toEqual([
      403,
      'WRONG_PASSWORD',
    ]);
    expect((await loginFrom(app, '127.0.0.1', username, PASSWORD)).status).toBe(401);
  });

  it('is confirmed by its owner alone, with a right code, within 15 minutes, once', async () => {
    const account = await anAccount(app, superadmin, 'attorney');
    const other = await anAccount(app, superadmin, 'attorney');
    const enrolOne = async (): Promise<{ path: string; secret: string }> => {
      const answer = await post(`${FACTORS}/totp`, { current_password: PASSWORD }, account.token);
      const { id, secret } = await jsonOf<{ id: string; secret: string }>(answer);
      return { path: `${FACTORS}/totp/${id}/confirm`, secret };
    };
    const first = await enrolOne();
    const { path, secret } = await enrolOne();
    const code = totpCode(secret);

    expect(await codeOf(await post(path, { code }, other.token))).toEqual([404, 'FACTOR_NOT_FOUND']);
    expect(await codeOf(await post(path, { code: wrongCode(secret) }, account.token))).toEqual([
      403,
      'WRONG_FACTOR_CODE',
    ]);
    expect(await codeOf(await post(first.path, { code: totpCode(first.secret) }, account.token))).toEqual([
      404,
      'FACTOR_NOT_FOUND',
    ]);
    later(16 * MINUTE_MS);
    expect(await codeOf(await post(path, { code }, account.token))).toEqual([404, 'FACTOR_NOT_FOUND']);
    jest.restoreAllMocks();
    expect((await post(path, { code: totpCode(secret) }, account.token)).status).toBe(200);
    expect((await post(path, { code: totpCode(secret) }, account.token)).status).toBe(404);
  });

  it('ends the sessions that were begun without it, save the one that added it', async () => {
    const account = await anAccount(app, superadmin, 'attorney');
    const elsewhere = await tokenOf(app, account.username, PASSWORD);

    await enrol(app, account);

    expect([await me(elsewhere), await me(account.token)]).toEqual([401, 200]);
  });
});

describe('a sign-in with a second factor', () => {
  it('gives no token for the password alone, and all of them for the code', async () => {
    const { username, secret, id } = await anEnrolled(app, superadmin);

    const first = await post('/api/v1/auth/login', { username, password: PASSWORD });

    expect([first.status, first.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const asked = await jsonOf<Asked>(first);
    expect(asked).toEqual({
      second_factor: {
        challenge_token: expect.stringMatching(/^[\w-]{43}$/),
        methods: ['totp', 'recovery_code'],
        expires_in: 300,
      },
    });

    const second = await verify(app, asked.second_factor.challenge_token, totpCode(secret));

    expect([second.status, second.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const tokens = await jsonOf<Tokens>(second);
    expect(await me(tokens.access_token)).toBe(200);
    const { sid, amr } = claimsOf(tokens.access_token);
    expect(amr).toEqual(['pwd', 'otp', 'mfa']);
    expect(await app.database.query('SELECT methods FROM sessions WHERE id = $1', [sid])).toEqual([
      { methods: ['password', 'totp'] },
    ]);
    const record = await app.database.query(
      `SELECT action, details FROM audit_entries WHERE target_id = $1 AND action LIKE 'auth.%' ORDER BY at DESC LIMIT 2`,
      [id],
    );
    expect(record).toEqual([
      { action: 'auth.signed_in', details: { method: 'password', second_factor: 'totp', session_id: sid } },
      { action: 'auth.second_factor_asked', details: { method: 'password' } },
    ]);
    // the refreshed session is the same one
    const refreshed = await post('/api/v1/auth/refresh', { refresh_token: tokens.refresh_token });
    expect(claimsOf((await jsonOf<Tokens>(refreshed)).access_token).amr).toEqual(['pwd', 'otp', 'mfa']);
  });

  it('without one is as it was, and says so in its token', async () => {
    const { token } = await anAccount(app, superadmin, 'attorney');

    expect(claimsOf(token).amr).toEqual(['pwd']);
  });

  it.each([[-1], [0], [1]])('takes the code of a clock that is %d steps off', async (steps) => {
    const { username, secret } = await anEnrolled(app, superadmin);
    const challenge = await challengeOf(app, username);
    // so that the half minute does not end between the code and its arrival
    const fixed = new Date(Math.floor(Date.now() / 30_000) * 30_000 + 15_000);
    const code = totpCode(secret, steps, fixed);
    jest.spyOn(app.app.get(Clock), 'now').mockReturnValue(fixed);

    expect((await verify(app, challenge, code)).status).toBe(200);
  });

  it.each([[-2], [2], [20]])('refuses the code of a clock that is %d steps off', async (steps) => {
    const { username, secret } = await anEnrolled(app, superadmin);
    const challenge = await challengeOf(app, username);
    const fixed = new Date(Math.floor(Date.now() / 30_000) * 30_000 + 15_000);
    const code = totpCode(secret, steps, fixed);
    jest.spyOn(app.app.get(Clock), 'now').mockReturnValue(fixed);

    await refuse(await verify(app, challenge, code));
  });

  it('takes a code once, and none of an earlier step after it', async () => {
    const { username, secret } = await anEnrolled(app, superadmin);
    const code = totpCode(secret, 0);
    const earlier = totpCode(secret, -1);
    expect((await verify(app, await challengeOf(app, username), code)).status).toBe(200);

    await refuse(await verify(app, await challengeOf(app, username), code));
    await refuse(await verify(app, await challengeOf(app, username), earlier));
  });

  it('16 times at once with one code signs in once, over as many challenges', async () => {
    const { username, secret, id } = await anEnrolled(app, superadmin);
    const challenges = await Promise.all(Array.from({ length: 16 }, () => challengeOf(app, username)));
    await app.database.query('UPDATE sessions SET ended_at = now(), end_reason = $2 WHERE user_id = $1', [id, 'test']);
    const code = totpCode(secret);

    const answers = await Promise.all(challenges.map((challenge) => verify(app, challenge, code)));

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(15);
    const open = await app.database.query('SELECT FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [id]);
    expect(open).toHaveLength(1);
  });

  it('16 times at once with one challenge signs in once', async () => {
    const { username, secret } = await anEnrolled(app, superadmin);
    const challenge = await challengeOf(app, username);

    const answers = await Promise.all(Array.from({ length: 16 }, () => verify(app, challenge, totpCode(secret))));

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('can be carried in a cookie, when the first step asked for it as well', async () => {
    const { username, secret, factorId } = await anEnrolled(app, superadmin);
    const page = { Origin: 'http://localhost:3000', 'Content-Type': 'application/json' };
    const send = (path: string, body: object): Promise<Response> =>
      app.request(`/api/v1/auth/${path}`, { method: 'POST', headers: page, body: JSON.stringify(body) });
    const first = await send('login', { username, password: PASSWORD, cookies: true });
    expect(first.headers.get('set-cookie')).toBeNull();
    const { second_factor: asked } = await jsonOf<Asked>(first);
    const given = { challenge_token: asked.challenge_token, method: 'totp', code: totpCode(secret) };

    await refuse(await send('login/verify', given));
    const second = await send('login/verify', { ...given, cookies: true });

    expect(second.status).toBe(200);
    expect(second.headers.get('set-cookie')).toMatch(/^forecourt_refresh=[\w-]{43}; .*HttpOnly.*SameSite=Strict/);
    expect(await jsonOf(second)).not.toHaveProperty('refresh_token');
    await forgetStep(app, factorId);
    const foreign = { ...page, Origin: 'https://elsewhere.example' };
    const body = JSON.stringify({ ...given, challenge_token: await challengeOf(app, username), cookies: true });
    const stolen = await app.request('/api/v1/auth/login/verify', { method: 'POST', headers: foreign, body });
    expect(await codeOf(stolen)).toEqual([403, 'CROSS_SITE_REQUEST']);
  });

  describe('refuses in the same words', () => {
    let person: Enrolled;
    let stranger: Enrolled;
    beforeAll(async () => {
      person = await anEnrolled(app, superadmin);
      stranger = await anEnrolled(app, superadmin);
    });
    beforeEach(() => forgetStep(app, person.factorId));

    it.each<[string, () => Promise<Response>]>([
      ['a wrong code', async () => verify(app, await challengeOf(app, person.username), wrongCode(person.secret))],
      [
        'the code of another account',
        async () => verify(app, await challengeOf(app, person.username), totpCode(stranger.secret)),
      ],
      [
        'a recovery code of another account',
        async () => verify(app, await challengeOf(app, person.username), stranger.codes[0]!, 'recovery_code'),
      ],
      [
        'a code as another kind of code',
        async () => verify(app, await challengeOf(app, person.username), totpCode(person.secret), 'recovery_code'),
      ],
      [
        'the challenge of another account',
        async () => verify(app, await challengeOf(app, stranger.username), totpCode(person.secret)),
      ],
      ['a challenge that never was', () => verify(app, 'x'.repeat(43), totpCode(person.secret))],
      ['an access token as a challenge', () => verify(app, stranger.token, totpCode(person.secret))],
      [
        'a challenge that is 5 minutes old',
        async () => {
          const challenge = await challengeOf(app, person.username);
          await app.database.query(`UPDATE sign_in_challenges SET expires_at = now() - interval '1 ms'`);
          return verify(app, challenge, totpCode(person.secret));
        },
      ],
      [
        'a challenge in another program',
        async () =>
          app.request('/api/v1/auth/login/verify', {
            method: 'POST',
            headers: { 'Content-Type': 'application/json', 'User-Agent': 'somebody else' },
            body: JSON.stringify({
              challenge_token: await challengeOf(app, person.username),
              method: 'totp',
              code: totpCode(person.secret),
            }),
          }),
      ],
      [
        'no code at all',
        async () =>
          post('/api/v1/auth/login/verify', {
            challenge_token: await challengeOf(app, person.username),
            method: 'totp',
          }),
      ],
      [
        'a passkey that is none',
        async () =>
          post('/api/v1/auth/login/verify', {
            challenge_token: await challengeOf(app, person.username),
            method: 'passkey',
            code: totpCode(person.secret),
          }),
      ],
    ])('%s', async (_, attempt) => {
      await refuse(await attempt());
      // and the owner still gets in, which forgives
      expect((await signInTwice(app, person)).access_token).toEqual(expect.any(String));
    });
  });

  it('is put on record when it is refused', async () => {
    const { username, secret, id } = await anEnrolled(app, superadmin);

    await verify(app, await challengeOf(app, username), wrongCode(secret));

    const entries = await app.database.query(
      `SELECT outcome, actor_kind FROM audit_entries WHERE target_id = $1 AND action = 'auth.second_factor_refused'`,
      [id],
    );
    expect(entries).toEqual([{ outcome: 'refused', actor_kind: 'anonymous' }]);
  });

  it('has a challenge that opens nothing: neither as an access token nor as a refresh token', async () => {
    const { username } = await anEnrolled(app, superadmin);
    const challenge = await challengeOf(app, username);

    expect(await codeOf(await get(app, '/api/v1/auth/me', challenge))).toEqual([401, 'INVALID_TOKEN']);
    expect(await codeOf(await get(app, FACTORS, challenge))).toEqual([401, 'INVALID_TOKEN']);
    expect(await codeOf(await post('/api/v1/auth/refresh', { refresh_token: challenge }))).toEqual([
      401,
      'INVALID_REFRESH_TOKEN',
    ]);
    const kept = JSON.stringify(await app.database.query(`SELECT *, encode(hash, 'escape') FROM sign_in_challenges`));
    expect(kept).not.toContain(challenge);
  });

  it('bears five attempts, one after the other or at once', async () => {
    const { username, secret } = await anEnrolled(app, superadmin);
    const challenge = await challengeOf(app, username);
    for (let attempt = 0; attempt < 5; attempt += 1) await refuse(await verify(app, challenge, wrongCode(secret)));

    await refuse(await verify(app, challenge, totpCode(secret)));

    expect((await verify(app, await challengeOf(app, username), totpCode(secret))).status).toBe(200);
    const other = await anEnrolled(app, superadmin);
    const guessed = await challengeOf(app, other.username);
    await Promise.all(Array.from({ length: 16 }, () => verify(app, guessed, wrongCode(other.secret))));
    const [row] = await app.database.query<{ failures: number }>(
      `SELECT coalesce(max(cardinality(failed_at)), 0) AS failures FROM sign_in_locks WHERE changed_at > now() - interval '1 minute' AND length(source) > 0`,
    );
    expect(row!.failures).toBeLessThanOrEqual(5);
  });

  it('cannot be guessed over many challenges: the account is closed to whoever does, but not to its owner', async () => {
    const person = await anEnrolled(app, superadmin);
    const { username, secret } = person;
    await signInTwice(app, person);
    const from = (ip: string, path: string, body: object): Promise<Response> =>
      app.request(`/api/v1/auth/${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': ip },
        body: JSON.stringify(body),
      });
    const attempt = async (ip: string, code: string): Promise<Response> => {
      const answer = await from(ip, 'login', { username, password: PASSWORD });
      if (answer.status !== 200) return answer;
      const { second_factor: asked } = await jsonOf<Asked>(answer);
      return from(ip, 'login/verify', { challenge_token: asked.challenge_token, method: 'totp', code });
    };
    // the right password between two guesses forgives nothing
    for (let guess = 0; guess < 8; guess += 1)
      expect(await codeOf(await attempt('203.0.113.9', wrongCode(secret)))).toEqual([401, 'INVALID_SECOND_FACTOR']);

    expect(await codeOf(await attempt('203.0.113.9', totpCode(secret)))).toEqual([401, 'INVALID_CREDENTIALS']);
    expect((await attempt('127.0.0.1', totpCode(secret))).status).toBe(200);
  });

  it('of an account that is disabled after the first step ends there', async () => {
    const { username, secret, id } = await anEnrolled(app, superadmin);
    const challenge = await challengeOf(app, username);
    await sendJson(app, 'PATCH', `/api/v1/admin/users/${id}`, { is_active: false }, superadmin);

    await refuse(await verify(app, challenge, totpCode(secret)));
    await sendJson(app, 'PATCH', `/api/v1/admin/users/${id}`, { is_active: true }, superadmin);
    await refuse(await verify(app, challenge, totpCode(secret)));
  });

  it('of an account whose password is changed after the first step ends there', async () => {
    const person = await anEnrolled(app, superadmin);
    const challenge = await challengeOf(app, person.username);
    const changed = await post(
      '/api/v1/auth/password',
      { current_password: PASSWORD, new_password: 'herons sleep at dawn' },
      person.token,
    );
    expect(changed.status).toBe(204);

    await refuse(await verify(app, challenge, totpCode(person.secret)));
  });
});

describe('the secret of an authenticator app', () => {
  const sealedOf = async ({ factorId }: Enrolled): Promise<string> => {
    const [row] = await app.database.query<{ sealed_secret: string }>(
      'SELECT sealed_secret FROM totp_factors WHERE id = $1',
      [factorId],
    );
    return row!.sealed_secret;
  };
  const reseal = ({ factorId }: Enrolled, sealed: string): Promise<unknown> =>
    app.database.query('UPDATE totp_factors SET sealed_secret = $2 WHERE id = $1', [factorId, sealed]);

  it('is read under SECRET_KEY_PREVIOUS, and sealed anew when it is used', async () => {
    const person = await anEnrolled(app, superadmin);
    const before = new SealedValues(new ApplicationSecret({ auth: { secretKey: OLD_SECRET } } as Config));
    const old = await before.seal(`totp/${person.factorId}`, person.secret);
    await reseal(person, old);

    await signInTwice(app, person);

    const now = await sealedOf(person);
    expect(now.split('.')[0]).not.toBe(old.split('.')[0]);
    expect(await app.app.get(SealedValues).open(`totp/${person.factorId}`, now)).toBe(person.secret);
    await signInTwice(app, person);
  });

  it('of another row, or under a secret that is lost, opens nothing; a recovery code still does', async () => {
    const person = await anEnrolled(app, superadmin);
    const other = await anEnrolled(app, superadmin);
    await reseal(person, await sealedOf(other));

    for (const { secret } of [person, other])
      await refuse(await verify(app, await challengeOf(app, person.username), totpCode(secret)));

    expect(app.log.some((line) => line['factor_id'] === person.factorId && line['level'] === 'ERROR')).toBe(true);
    const challenge = await challengeOf(app, person.username);
    expect((await verify(app, challenge, person.codes[0]!, 'recovery_code')).status).toBe(200);
  });
});

describe('the sweep', () => {
  it('removes challenges that nobody answered in time, and no others', async () => {
    const { username, secret } = await anEnrolled(app, superadmin);
    await challengeOf(app, username);
    await post('/api/v1/auth/passkeys/options', {});
    const count = async (): Promise<unknown> =>
      (
        await app.database.query(
          `SELECT (SELECT count(*)::int FROM sign_in_challenges) AS sign_ins, (SELECT count(*)::int FROM passkey_challenges) AS passkeys`,
        )
      )[0];
    await app.database.query(`UPDATE sign_in_challenges SET expires_at = now() - interval '1 s'`);
    await app.database.query(`UPDATE passkey_challenges SET expires_at = now() - interval '1 s'`);
    const challenge = await challengeOf(app, username);
    await post('/api/v1/auth/passkeys/options', {});

    await app.app.get(FactorSweep).run();

    expect(await count()).toEqual({ sign_ins: 1, passkeys: 1 });
    expect((await verify(app, challenge, totpCode(secret))).status).toBe(200);
  });
});

describe('recovery codes', () => {
  it('stand in for the factor, each once, however they are typed, and the owner is told', async () => {
    const { username, codes, id, email } = await anEnrolled(app, superadmin);
    const typed = ` ${codes[3]!.toUpperCase().replaceAll('-', ' ')} `;

    const response = await verify(app, await challengeOf(app, username), typed, 'recovery_code');

    const { access_token: token } = await jsonOf<Tokens>(response);
    expect([response.status, claimsOf(token).amr]).toEqual([200, ['pwd', 'otp', 'mfa']]);
    await refuse(await verify(app, await challengeOf(app, username), codes[3]!, 'recovery_code'));
    expect(await jsonOf(await get(app, FACTORS, token))).toMatchObject({ recovery_codes_left: 9 });
    expect(await recordsOf(app, id)).toContainEqual({
      action: 'factor.recovery_code_used',
      actor_name: null,
      details: { left: 9 },
    });
    expect((await mailsTo(email)).at(-1)).toEqual({
      template: 'recovery_code_used',
      data: { username, used_at: expect.stringMatching(/ UTC$/), codes_left: '9' },
    });
  });

  it('16 times at once work once', async () => {
    const { username, codes } = await anEnrolled(app, superadmin);
    const challenges = await Promise.all(Array.from({ length: 16 }, () => challengeOf(app, username)));

    const answers = await Promise.all(challenges.map((each) => verify(app, each, codes[0]!, 'recovery_code')));

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('are made anew with password and code, and the old ones work no more', async () => {
    const person = await anEnrolled(app, superadmin);
    const path = `${FACTORS}/recovery-codes`;
    const without = await anAccount(app, superadmin, 'attorney');

    expect(await codeOf(await post(path, { current_password: PASSWORD }, without.token))).toEqual([
      409,
      'NO_SECOND_FACTOR',
    ]);
    // the session that added the factor is one with two, but not from a sign-in that anybody showed it at
    await app.database.query(`UPDATE sessions SET created_at = now() - interval '1 hour' WHERE user_id = $1`, [
      person.id,
    ]);
    await afterCaches();
    expect(await codeOf(await post(path, { current_password: PASSWORD }, person.token))).toEqual([
      403,
      'WRONG_FACTOR_CODE',
    ]);
    const proof = { current_password: PASSWORD, code: totpCode(person.secret) };
    const renewed = await post(path, proof, person.token);

    expect(renewed.status).toBe(200);
    const { recovery_codes: codes } = await jsonOf<{ recovery_codes: string[] }>(renewed);
    expect([codes.length, codes.some((code) => person.codes.includes(code))]).toEqual([10, false]);
    await refuse(await verify(app, await challengeOf(app, person.username), person.codes[0]!, 'recovery_code'));
    expect((await verify(app, await challengeOf(app, person.username), codes[0]!, 'recovery_code')).status).toBe(200);
    // the code was good once
    expect(await codeOf(await post(path, proof, person.token))).toEqual([403, 'WRONG_FACTOR_CODE']);
  });
});

/** What processes believe for a second at most. */
const afterCaches = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1100));

describe('POST /api/v1/auth/factors/:factor_id/remove', () => {
  const remove = (account: Account, factorId: string, proof: object): Promise<Response> =>
    post(`${FACTORS}/${factorId}/remove`, proof, account.token);

  it('takes the password and a current factor, and then the password alone signs in', async () => {
    const person = await anEnrolled(app, superadmin);
    await app.database.query(`UPDATE sessions SET created_at = now() - interval '1 hour' WHERE user_id = $1`, [
      person.id,
    ]);
    await afterCaches();
    const { factorId, secret } = person;

    expect(await codeOf(await remove(person, factorId, { code: totpCode(secret) }))).toEqual([422, 'VALIDATION_ERROR']);
    expect(
      await codeOf(await remove(person, factorId, { current_password: 'guessed', code: totpCode(secret) })),
    ).toEqual([403, 'WRONG_PASSWORD']);
    expect(await codeOf(await remove(person, factorId, { current_password: PASSWORD }))).toEqual([
      403,
      'WRONG_FACTOR_CODE',
    ]);
    expect(
      await codeOf(await remove(person, factorId, { current_password: PASSWORD, code: wrongCode(secret) })),
    ).toEqual([403, 'WRONG_FACTOR_CODE']);
    expect(await jsonOf(await get(app, FACTORS, person.token))).toMatchObject({ factors: [{ id: factorId }] });

    const removed = await remove(person, factorId, { current_password: PASSWORD, code: totpCode(secret) });

    expect(removed.status).toBe(204);
    expect(await tokenOf(app, person.username, PASSWORD)).toEqual(expect.any(String));
    expect(await app.database.query('SELECT FROM recovery_codes WHERE user_id = $1', [person.id])).toEqual([]);
    expect((await recordsOf(app, person.id)).at(-1)).toEqual({
      action: 'factor.removed',
      actor_name: person.username,
      details: { factor_id: factorId, kind: 'totp' },
    });
    expect((await mailsTo(person.email)).map(({ template }) => template)).toEqual(['factor_added', 'factor_removed']);
  });

  it('finds no factor of anybody else, and none that never was', async () => {
    const person = await anEnrolled(app, superadmin);
    const other = await anEnrolled(app, superadmin);

    const answers = await Promise.all(
      [other.factorId, randomUUID()].map((id) => remove(person, id, { current_password: PASSWORD })),
    );

    expect(await Promise.all(answers.map(codeOf))).toEqual([
      [404, 'FACTOR_NOT_FOUND'],
      [404, 'FACTOR_NOT_FOUND'],
    ]);
    expect(await jsonOf(await get(app, FACTORS, other.token))).toMatchObject({ factors: [{ id: other.factorId }] });
  });

  it('leaves the last one to a role that needs one', async () => {
    const admin = await anEnrolled(app, superadmin, 'admin');

    const answer = await remove(admin, admin.factorId, { current_password: PASSWORD, code: totpCode(admin.secret) });

    expect(await codeOf(answer)).toEqual([409, 'LAST_FACTOR']);
    expect((await get(app, '/api/v1/leads', admin.token)).status).toBe(200);
  });
});

describe('a role that needs a second factor', () => {
  it('opens nothing to a sign-in without one, on any route, save adding one and leaving', async () => {
    const admin = await anAccount(app, superadmin, 'admin');
    // what is for superadmins alone is refused to an admin in other words
    const closed = routesOf(app.app).filter(
      ({ access }) => access !== undefined && access !== 'public' && may(Role.Admin, access, true),
    );
    const open = closed.filter(({ handler }) => Reflect.getMetadata(BEFORE_FACTOR, handler) === true);

    const answers = await Promise.all(
      closed
        .filter((route) => !open.includes(route))
        .map(async ({ name, method, path }) => {
          const address = path.replace(/:\w+/g, randomUUID());
          return [name, ...(await codeOf(await app.request(address, { method, headers: bearer(admin.token) })))];
        }),
    );

    expect(answers.length).toBeGreaterThan(30);
    expect(answers.filter(([, status, code]) => status !== 403 || code !== 'SECOND_FACTOR_REQUIRED')).toEqual([]);
    expect(open.map(({ name }) => name).sort()).toEqual([
      'GET /api/v1/auth/factors',
      'GET /api/v1/auth/me',
      'POST /api/v1/auth/factors/passkeys',
      'POST /api/v1/auth/factors/passkeys/options',
      'POST /api/v1/auth/factors/totp',
      'POST /api/v1/auth/factors/totp/:factor_id/confirm',
      'POST /api/v1/auth/logout',
      'POST /api/v1/auth/logout-everywhere',
    ]);
    expect(await jsonOf(await get(app, FACTORS, admin.token))).toMatchObject({ factors: [], is_required: true });
  });

  it('opens as soon as that very sign-in has added one, and at the next one with it', async () => {
    const admin = await anAccount(app, superadmin, 'admin');
    expect(await codeOf(await get(app, '/api/v1/leads', admin.token))).toEqual([403, 'SECOND_FACTOR_REQUIRED']);

    const enrolled = await enrol(app, admin);

    expect((await get(app, '/api/v1/leads', admin.token)).status).toBe(200);
    const { access_token: token } = await signInTwice(app, enrolled);
    expect((await get(app, '/api/v1/leads', token)).status).toBe(200);
  });

  it('stays closed to a token that was refreshed', async () => {
    const { username } = await anAccount(app, superadmin, 'admin');
    const signedIn = await jsonOf<Tokens>(await post('/api/v1/auth/login', { username, password: PASSWORD }));

    const refreshed = await post('/api/v1/auth/refresh', { refresh_token: signedIn.refresh_token });

    const { access_token: token } = await jsonOf<Tokens>(refreshed);
    expect(await codeOf(await get(app, '/api/v1/leads', token))).toEqual([403, 'SECOND_FACTOR_REQUIRED']);
  });
});

describe('DELETE /api/v1/admin/users/:user_id/factors', () => {
  const reset = (id: string, token: string): Promise<Response> =>
    app.request(`/api/v1/admin/users/${id}/factors`, { method: 'DELETE', headers: bearer(token) });

  it('takes all factors, codes and sessions; the owner is told and signs in with the password', async () => {
    const person = await anEnrolled(app, superadmin);
    const challenge = await challengeOf(app, person.username);

    expect((await reset(person.id, superadmin)).status).toBe(204);

    expect(await me(person.token)).toBe(401);
    await refuse(await verify(app, challenge, person.codes[0]!, 'recovery_code'));
    const token = await tokenOf(app, person.username, PASSWORD);
    expect(await jsonOf(await get(app, FACTORS, token))).toMatchObject({ factors: [], recovery_codes_left: 0 });
    expect(await recordsOf(app, person.id)).toContainEqual({
      action: 'factor.all_removed',
      actor_name: 'admin',
      details: { factors: 1 },
    });
    expect((await mailsTo(person.email)).at(-1)).toEqual({
      template: 'factors_reset',
      data: { username: person.username, reset_at: expect.stringMatching(/ UTC$/) },
    });
  });

  it('is for admins, those of admins for superadmins alone', async () => {
    const admin = await anEnrolled(app, superadmin, 'admin');
    const other = await anEnrolled(app, superadmin, 'admin');
    const person = await anEnrolled(app, superadmin);

    expect(await codeOf(await reset(other.id, admin.token))).toEqual([403, 'FORBIDDEN']);
    expect(await codeOf(await reset(admin.id, person.token))).toEqual([403, 'FORBIDDEN']);
    expect(await codeOf(await reset(randomUUID(), admin.token))).toEqual([404, 'USER_NOT_FOUND']);
    expect(await app.database.query('SELECT FROM totp_factors WHERE user_id = $1', [other.id])).toHaveLength(1);
    expect((await reset(person.id, admin.token)).status).toBe(204);
  });
});
