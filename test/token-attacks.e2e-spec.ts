import {
  constants,
  createHash,
  createHmac,
  createPublicKey,
  createSign,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, SECRET_KEY, startApp, type TestApp } from './support/app.js';
import { get, jsonOf, login, tokenOf } from './support/leads.js';

type Claims = Record<string, unknown>;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const encodeText = (text: string): string => Buffer.from(text).toString('base64url');
const partOf = (token: string, part: number): string => token.split('.')[part] ?? '';
const decode = (token: string, part = 1): Claims =>
  JSON.parse(Buffer.from(partOf(token, part), 'base64url').toString()) as Claims;
const hmac = (body: string, secret: string | Buffer, hash = 'sha256'): string =>
  createHmac(hash, secret).update(body).digest('base64url');
const kidOf = (secret: string): string => createHash('sha256').update(`kid:${secret}`).digest('hex').slice(0, 12);
const now = (): number => Math.floor(Date.now() / 1000);

let app: TestApp;
const me = (token: string): Promise<Response> => get(app, '/api/v1/auth/me', token);

/** 401 in the one envelope, with the challenge of RFC 6750, 3.1. */
async function expectRefused(token: string): Promise<void> {
  const response = await me(token);
  const body = await jsonOf(response);
  expect([response.status, response.headers.get('www-authenticate')]).toEqual([
    401,
    'Bearer realm="forecourt", error="invalid_token"',
  ]);
  expect(body).toEqual({
    detail: 'The access token is invalid or has expired',
    error_code: 'INVALID_TOKEN',
    timestamp: expect.any(String),
    request_id: response.headers.get('x-request-id'),
  });
}

describe('with a secret key, a forged token', () => {
  let good: string;
  let refreshToken: string;
  let claims: Claims;
  beforeAll(async () => {
    app = await startApp({ ROLE: 'http' });
    const tokens = await jsonOf<{ access_token: string; refresh_token: string }>(
      await login(app, 'admin', 'a good admin password'),
    );
    [good, refreshToken] = [tokens.access_token, tokens.refresh_token];
    claims = decode(good);
  });
  afterAll(() => app.close());

  const header = { alg: 'HS256', typ: 'at+jwt', kid: kidOf(SECRET_KEY) };
  /** With the right key: everything but what a case changes would be let in. */
  const sign = (head: unknown, body: unknown): string => {
    const signed = `${encode(head)}.${encode(body)}`;
    return `${signed}.${hmac(signed, SECRET_KEY)}`;
  };
  const signTexts = (head: string, body: string): string => {
    const signed = `${encodeText(head)}.${encodeText(body)}`;
    return `${signed}.${hmac(signed, SECRET_KEY)}`;
  };
  const withHeader = (change: object): string => sign({ ...header, ...change }, claims);
  const withClaims = (change: object): string => sign(header, { ...claims, ...change });
  const withoutClaim = (name: string): string =>
    sign(header, Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name)));
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

  it('is told from a good one: the same with nothing changed is let in', async () => {
    expect((await me(sign(header, claims))).status).toBe(200);
    expect((await me(withClaims({ username: 'anything' }))).status).toBe(200);
    expect((await me(good)).status).toBe(200);
  });

  it('is told from one that was good a moment ago: the same is refused once its end has passed', async () => {
    const short = withClaims({ exp: now() + 2 });
    expect((await me(short)).status).toBe(200);
    expect((await me(short)).status).toBe(200);
    await eventually('it has ended', async () => (await me(short)).status === 401);
    await expectRefused(short);
    expect((await me(good)).status).toBe(200);
  });

  it.each<[string, () => string]>([
    // unsigned, or signed by somebody else
    ['algorithm none', () => `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`],
    ['algorithm None', () => `${encode({ ...header, alg: 'None' })}.${encode(claims)}.`],
    ['algorithm NONE', () => `${encode({ ...header, alg: 'NONE' })}.${encode(claims)}.`],
    ['algorithm nOnE', () => `${encode({ ...header, alg: 'nOnE' })}.${encode(claims)}.`],
    [
      'algorithm none with a signature',
      () => `${encode({ ...header, alg: 'none' })}.${encode(claims)}.${partOf(good, 2)}`,
    ],
    ['no algorithm', () => sign({ typ: 'at+jwt', kid: header.kid }, claims)],
    ['an empty algorithm', () => withHeader({ alg: '' })],
    ['an algorithm that is a list', () => withHeader({ alg: ['HS256'] })],
    ['an algorithm in lower case', () => withHeader({ alg: 'hs256' })],
    ['HS384 under the same key', () => withHeader({ alg: 'HS384' })],
    ['HS512 under the same key', () => withHeader({ alg: 'HS512' })],
    [
      'HS512 properly signed',
      () => {
        const body = `${encode({ ...header, alg: 'HS512' })}.${encode(claims)}`;
        return `${body}.${hmac(body, SECRET_KEY, 'sha512')}`;
      },
    ],
    [
      'RS256 by a key of the forger',
      () => {
        const body = `${encode({ ...header, alg: 'RS256' })}.${encode(claims)}`;
        return `${body}.${createSign('sha256').update(body).sign(rsa.privateKey, 'base64url')}`;
      },
    ],
    ['EdDSA', () => withHeader({ alg: 'EdDSA' })],
    ['PS256', () => withHeader({ alg: 'PS256' })],
    ['an encrypted token’s algorithm', () => withHeader({ alg: 'dir', enc: 'A256GCM' })],
    ['the signature stripped', () => `${partOf(good, 0)}.${partOf(good, 1)}.`],
    ['the signature stripped, and an unknown kid', () => `${encode({ ...header, kid: 'x' })}.${partOf(good, 1)}.`],
    ['two parts', () => `${partOf(good, 0)}.${partOf(good, 1)}`],
    ['one part', () => partOf(good, 0)],
    ['four parts', () => `${good}.x`],
    ['five parts, as an encrypted token has', () => `${good}.x.y`],
    ['only dots', () => '..'],
    [
      'the signature of other claims',
      () => `${partOf(good, 0)}.${encode({ ...claims, username: 'x' })}.${partOf(good, 2)}`,
    ],
    [
      'the signature of another header',
      () => `${encode({ ...header, kid: undefined })}.${partOf(good, 1)}.${partOf(good, 2)}`,
    ],
    ['a signature cut short', () => good.slice(0, -8)],
    ['a signature grown longer', () => `${good}AAAA`],
    ['a signature of zeros', () => `${partOf(good, 0)}.${partOf(good, 1)}.${'A'.repeat(43)}`],
    [
      'the key of another installation',
      () => {
        const body = `${encode(header)}.${encode(claims)}`;
        return `${body}.${hmac(body, 'another-0123456789-abcdefghijklmnopqrstuvw')}`;
      },
    ],
    [
      'an empty key',
      () => {
        const body = `${encode(header)}.${encode(claims)}`;
        return `${body}.${hmac(body, '')}`;
      },
    ],
    // headers that point at a key, or change the rules
    ['an unknown kid', () => withHeader({ kid: 'nobody' })],
    ['a kid that is a path', () => withHeader({ kid: '../../../../dev/null' })],
    ['a kid that is SQL', () => withHeader({ kid: "' UNION SELECT 'x" })],
    ['a kid that is a number', () => withHeader({ kid: 1 })],
    ['a kid that is an object', () => withHeader({ kid: { $ne: null } })],
    ['a kid that is __proto__', () => withHeader({ kid: '__proto__' })],
    ['jku', () => withHeader({ jku: 'https://evil.example/jwks.json' })],
    ['jwk', () => withHeader({ jwk: rsa.publicKey.export({ format: 'jwk' }) })],
    ['x5u', () => withHeader({ x5u: 'https://evil.example/key.pem' })],
    ['x5c', () => withHeader({ x5c: ['MIIB'] })],
    ['crit', () => withHeader({ crit: ['exp'] })],
    ['b64 false', () => withHeader({ b64: false, crit: ['b64'] })],
    ['zip', () => withHeader({ zip: 'DEF' })],
    ['cty of a nested token', () => withHeader({ cty: 'JWT' })],
    // another kind of token
    ['typ JWT beside a session', () => withHeader({ typ: 'JWT' })],
    ['typ of an identity token', () => withHeader({ typ: 'id+jwt' })],
    ['typ of a logout token', () => withHeader({ typ: 'logout+jwt' })],
    ['typ in capitals', () => withHeader({ typ: 'AT+JWT' })],
    ['typ that is a list', () => withHeader({ typ: ['at+jwt'] })],
    ['typ at+jwt without a session', () => withoutClaim('sid')],
    ['typ at+jwt without jti', () => withoutClaim('jti')],
    ['type refresh', () => withClaims({ type: 'refresh' })],
    ['type of a link', () => withClaims({ type: 'magic_link' })],
    ['type that is a list', () => withClaims({ type: ['access'] })],
    ['no type', () => withoutClaim('type')],
    ['a refresh token', () => refreshToken],
    // somebody else's, or of another time
    ['another issuer', () => withClaims({ iss: 'https://evil.example' })],
    ['an issuer that is a list', () => withClaims({ iss: ['forecourt'] })],
    ['no issuer', () => withoutClaim('iss')],
    ['another audience', () => withClaims({ aud: 'other-api' })],
    ['several audiences', () => withClaims({ aud: ['forecourt-api', 'other-api'] })],
    ['no audience', () => withoutClaim('aud')],
    ['an end that has passed', () => withClaims({ exp: now() - 1 })],
    ['an end that is now', () => withClaims({ exp: now() })],
    ['an end that is a text', () => withClaims({ exp: String(now() + 600) })],
    ['an end that is null', () => withClaims({ exp: null })],
    [
      'an end beyond numbers',
      () => signTexts(JSON.stringify(header), JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e999')),
    ],
    ['no end', () => withoutClaim('exp')],
    ['no beginning', () => withoutClaim('iat')],
    ['a time before which it is not valid', () => withClaims({ nbf: now() + 600 })],
    ['a time before which it is not valid that is a text', () => withClaims({ nbf: 'tomorrow' })],
    // of nobody
    ['an unknown user', () => withClaims({ sub: randomUUID() })],
    ['a user that is SQL', () => withClaims({ sub: "' OR 1=1--" })],
    ['a user that is a number', () => withClaims({ sub: 1 })],
    ['a user that is a list', () => withClaims({ sub: [claims['sub']] })],
    ['a user that is an object', () => withClaims({ sub: { id: claims['sub'] } })],
    ['no user', () => withoutClaim('sub')],
    ['an unknown session', () => withClaims({ sid: randomUUID() })],
    ['a session that is SQL', () => withClaims({ sid: "'; DROP TABLE sessions--" })],
    ['a session that is a number', () => withClaims({ sid: 1 })],
    // odd spellings
    [
      'the name of a claim twice',
      () => signTexts(JSON.stringify(header), JSON.stringify(claims).replace('{', `{"sub":"${randomUUID()}",`)),
    ],
    [
      'the name of a header twice',
      () => signTexts(JSON.stringify(header).replace('{', '{"alg":"none",'), JSON.stringify(claims)),
    ],
    ['claims with a space', () => signTexts(JSON.stringify(header), JSON.stringify(claims, null, 1))],
    ['a header with a space', () => signTexts(JSON.stringify(header, null, 1), JSON.stringify(claims))],
    ['claims that are a list', () => sign(header, [claims])],
    ['claims that are null', () => sign(header, null)],
    ['claims that are a text', () => sign(header, 'claims')],
    ['claims that are no JSON', () => signTexts(JSON.stringify(header), '{')],
    ['a header that is null', () => sign(null, claims)],
    ['a header that is a list', () => sign([header], claims)],
    ['a header that is no JSON', () => signTexts('{', JSON.stringify(claims))],
    ['ordinary base64 with padding', () => `${partOf(good, 0)}=.${partOf(good, 1)}.${partOf(good, 2)}`],
    ['a padded signature', () => `${good}=`],
    ['base64 with + and /', () => `${partOf(good, 0)}.${partOf(good, 1)}.${'+/'.repeat(21)}A`],
    [
      'stray bits at the end of the signature',
      () => {
        const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
        return good.slice(0, -1) + alphabet.charAt(alphabet.indexOf(good.slice(-1)) ^ 1);
      },
    ],
    ['a letter of the header in another case', () => good.replace(/^e/, 'E')],
    ['a claim of ten thousand letters', () => withClaims({ username: 'x'.repeat(10_000) })],
    ['nine thousand letters', () => 'x'.repeat(9000)],
    ['nine thousand dots', () => '.'.repeat(9000)],
    ['claims nested 1,500 deep', () => signTexts(JSON.stringify(header), `${'['.repeat(1500)}${']'.repeat(1500)}`)],
  ])('with %s is refused', async (_, make) => {
    await expectRefused(make());
  });

  it('an access token and a refresh token of somebody are never taken for each other', async () => {
    const response = await app.request('/api/v1/auth/refresh', {
      method: 'POST',
      body: new URLSearchParams({ refresh_token: good }),
    });

    expect([response.status, (await jsonOf(response))['error_code']]).toEqual([401, 'INVALID_REFRESH_TOKEN']);
  });

  it('leaves nothing of itself, nor of the key, in the log', () => {
    const log = JSON.stringify(app.log);

    expect(log).not.toContain(partOf(good, 2));
    expect(log).not.toContain(SECRET_KEY);
    expect(log).not.toContain(refreshToken);
    expect(app.log.filter((line) => line['level'] === 'ERROR')).toEqual([]);
  });

  it('of the public key set there is none: the key is a secret', async () => {
    const response = await app.request('/.well-known/jwks.json');

    expect([response.status, response.headers.get('cache-control'), await jsonOf(response)]).toEqual([
      200,
      'public, max-age=300',
      { keys: [] },
    ]);
  });
});

describe.each(['RS256', 'ES256'] as const)('with %s, a token', (algorithm) => {
  const pair = (): { privateKey: KeyObject } =>
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [current, previous, foreign] = [pair().privateKey, pair().privateKey, pair().privateKey];
  const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string;
  const publicPem = (key: KeyObject): string => createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string;
  const folder = mkdtempSync(join(tmpdir(), 'forecourt-keys-'));
  const seal = (body: string, key: KeyObject): string =>
    createSign('sha256').update(body).sign({ key, dsaEncoding: 'ieee-p1363' }, 'base64url');
  const sign = (header: object, claims: object, key = current): string => {
    const body = `${encode(header)}.${encode(claims)}`;
    return `${body}.${seal(body, key)}`;
  };
  const header = { alg: algorithm, typ: 'at+jwt', kid: 'new' };
  let good: string;
  let claims: Claims;

  beforeAll(async () => {
    const [newer, older] = [join(folder, 'new.pem'), join(folder, 'old.pem')];
    writeFileSync(newer, pem(current));
    writeFileSync(older, pem(previous));
    app = await startApp({ ROLE: 'http', ALGORITHM: algorithm, JWT_PRIVATE_KEYS: `new:${newer},old:${older}` });
    good = await tokenOf(app);
    claims = decode(good);
  });
  afterAll(async () => {
    await app.close();
    await rm(folder, { recursive: true });
  });

  it('is signed by the first key, and one of the second is let in as well', async () => {
    expect(decode(good, 0)).toEqual(header);
    expect((await me(good)).status).toBe(200);
    expect((await me(sign(header, claims))).status).toBe(200);
    expect((await me(sign({ ...header, kid: 'old' }, claims, previous))).status).toBe(200);
  });

  it('can be verified with the published keys, which say nothing private', async () => {
    const response = await app.request('/.well-known/jwks.json');

    const { keys } = await jsonOf<{ keys: Record<string, string>[] }>(response);
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    expect(keys.map(({ kid, alg, use }) => [kid, alg, use])).toEqual([
      ['new', algorithm, 'sig'],
      ['old', algorithm, 'sig'],
    ]);
    const names = algorithm === 'RS256' ? ['e', 'n'] : ['crv', 'x', 'y'];
    for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'kid', 'kty', 'use', ...names].sort());
    const published = createPublicKey({ key: keys[0]!, format: 'jwk' });
    expect(publicPem(current)).toBe(published.export({ type: 'spki', format: 'pem' }));
  });

  it.each<[string, () => string]>([
    [
      'the secret key',
      () => {
        const body = `${encode({ ...header, alg: 'HS256', kid: kidOf(SECRET_KEY) })}.${encode(claims)}`;
        return `${body}.${hmac(body, SECRET_KEY)}`;
      },
    ],
    ...['HS256', 'HS384', 'HS512'].map((alg): [string, () => string] => [
      `the public key as the secret of ${alg}`,
      () => {
        const body = `${encode({ ...header, alg })}.${encode(claims)}`;
        return `${body}.${hmac(body, publicPem(current), alg.replace('HS', 'sha'))}`;
      },
    ]),
    [
      'the public key, without its last line, as the secret of HS256',
      () => {
        const body = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
        return `${body}.${hmac(body, publicPem(current).trim())}`;
      },
    ],
    [
      'the public key as DER as the secret of HS256',
      () => {
        const body = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
        return `${body}.${hmac(body, createPublicKey(current).export({ type: 'spki', format: 'der' }))}`;
      },
    ],
    ['a foreign key', () => sign(header, claims, foreign)],
    ['the other key of the two', () => sign(header, claims, previous)],
    [
      'a foreign key in its jwk',
      () => sign({ ...header, jwk: createPublicKey(foreign).export({ format: 'jwk' }) }, claims, foreign),
    ],
    [
      'a signature of another hash',
      () => {
        const body = `${encode({ ...header, alg: algorithm.replace('256', '512') })}.${encode(claims)}`;
        return `${body}.${createSign('sha512').update(body).sign({ key: current, dsaEncoding: 'ieee-p1363' }, 'base64url')}`;
      },
    ],
    ['a signature of no algorithm', () => `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`],
    ['a signature that is stripped', () => `${partOf(good, 0)}.${partOf(good, 1)}.`],
    ['a signature of zeros', () => `${partOf(good, 0)}.${partOf(good, 1)}.${'A'.repeat(86)}`],
    [
      'an empty signature of DER',
      () => `${partOf(good, 0)}.${partOf(good, 1)}.${encodeText('0\u0006\u0002\u0001\u0000\u0002\u0001\u0000')}`,
    ],
    ...(algorithm === 'RS256'
      ? [
          [
            'the padding of PSS',
            (): string => {
              const body = `${encode(header)}.${encode(claims)}`;
              const key = { key: current, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
              return `${body}.${createSign('sha256').update(body).sign(key, 'base64url')}`;
            },
          ] as [string, () => string],
        ]
      : [
          [
            'a signature written as DER',
            (): string => {
              const body = `${encode(header)}.${encode(claims)}`;
              return `${body}.${createSign('sha256').update(body).sign(current, 'base64url')}`;
            },
          ] as [string, () => string],
        ]),
  ])('under %s is refused', async (_, make) => {
    await expectRefused(make());
  });
});
