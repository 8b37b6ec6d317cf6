import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core';
import { type Account, anAccount, PASSWORD } from './support/accounts.js';
import { startApp, type TestApp } from './support/app.js';
import { findChromium } from './support/chromium.js';
import { get, jsonOf, sendJson, tokenOf } from './support/leads.js';
import { describeWith } from './support/real-servers.js';

/** What a page of the practice does; runs in the browser. */
const SCRIPT = `
  window.call = async (path, body, token) => {
    const response = await fetch(window.api + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: 'Bearer ' + token } : {}) },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  window.addPasskey = async (password, token) => {
    const { body } = await call('/auth/factors/passkeys/options', { current_password: password }, token);
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(body.public_key);
    const credential = await navigator.credentials.create({ publicKey });
    return call('/auth/factors/passkeys', { name: 'Browser', credential: credential.toJSON() }, token);
  };
  window.getPasskey = async (challengeToken) => {
    const { body } = await call('/auth/passkeys/options', { challenge_token: challengeToken });
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(body.public_key);
    return (await navigator.credentials.get({ publicKey })).toJSON();
  };
  window.signInWithPasskey = async () => call('/auth/passkeys/verify', { credential: await getPasskey() });
  window.signInWithBoth = async (username, password) => {
    const { body } = await call('/auth/login', { username, password });
    const challenge_token = body.second_factor.challenge_token;
    return call('/auth/login/verify', { challenge_token, method: 'passkey', credential: await getPasskey(challenge_token) });
  };
`;

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const found = findChromium();
const isMissing = typeof found === 'string';

describeWith(
  isMissing ? undefined : found,
  'Chromium',
  isMissing ? found : '',
)('passkeys in Chromium', () => {
  let site: Server;
  let app: TestApp;
  let browser: Browser;
  let page: Page;
  let devTools: CDPSession;
  let authenticatorId: string;
  let person: Account;

  beforeAll(async () => {
    site = createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>Practice</title>');
    });
    await new Promise<void>((resolve) => site.listen(0, 'localhost', resolve));
    const origin = `http://localhost:${(site.address() as AddressInfo).port}`;
    app = await startApp({ CORS_ORIGINS: origin, ROLE: 'http' });
    person = await anAccount(app, await tokenOf(app), 'attorney');
    const { path, env } = found as Exclude<typeof found, string>;
    // it loads nothing but our own page, and needs no sandbox, which it refuses to root
    browser = await chromium.launch({
      executablePath: path,
      args: ['--no-sandbox', '--disable-gpu'],
      env: { ...(process.env as Record<string, string>), ...env },
      timeout: 120_000,
    });
    page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    await page.goto(origin);
    await page.evaluate(`window.api = ${JSON.stringify(`${app.url}/api/v1`)}; ${SCRIPT}`);
    devTools = await page.context().newCDPSession(page);
    await devTools.send('WebAuthn.enable');
    ({ authenticatorId } = await devTools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    }));
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    await app.close();
    site.closeAllConnections();
    site.close();
  });

  const run = (name: string, ...args: string[]): Promise<Answer> =>
    page.evaluate<Answer>(`${name}(${args.map((each) => JSON.stringify(each)).join(', ')})`);

  it('are added, sign in alone, and follow a password', async () => {
    const added = await run('addPasskey', PASSWORD, person.token);
    expect(added).toEqual({
      status: 201,
      body: { id: expect.any(String), recovery_codes: expect.any(Array) },
    });

    const alone = await run('signInWithPasskey');
    expect(alone).toMatchObject({ status: 200, body: { token_type: 'bearer' } });
    const me = await jsonOf(await get(app, '/api/v1/auth/me', String(alone.body['access_token'])));
    expect(me).toMatchObject({ username: person.username });

    const both = await run('signInWithBoth', person.username, PASSWORD);
    expect(both).toMatchObject({ status: 200, body: { token_type: 'bearer' } });
  }, 180_000);

  it('sign a challenge that is good once', async () => {
    const credential = await page.evaluate('getPasskey()');
    const verify = `call('/auth/passkeys/verify', { credential: ${JSON.stringify(credential)} })`;

    expect(await page.evaluate(verify)).toMatchObject({ status: 200 });
    expect(await page.evaluate(verify)).toMatchObject({ status: 401, body: { error_code: 'INVALID_PASSKEY' } });
  }, 180_000);

  it('are no more asked for when the device does not know its user', async () => {
    await devTools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });

    const failed = await page.evaluate('getPasskey().then(() => "signed", (error) => error.name)');

    expect(failed).toBe('NotAllowedError');
  }, 180_000);

  it('stand beside QR codes that it can show', async () => {
    const { token } = await anAccount(app, await tokenOf(app), 'attorney');
    const enrolled = await sendJson(app, 'POST', '/api/v1/auth/factors/totp', { current_password: PASSWORD }, token);
    const { qr_png: png, qr_svg: svg } = await jsonOf<{ qr_png: string; qr_svg: string }>(enrolled);
    const sizeOf = (uri: string): Promise<unknown> =>
      page.evaluate(
        `new Promise((resolve, reject) => {
          const image = new Image();
          image.onload = () => resolve([image.naturalWidth, image.naturalHeight]);
          image.onerror = () => reject(new Error('no picture'));
          image.src = ${JSON.stringify(uri)};
        })`,
      );

    const [width, height] = (await sizeOf(png)) as [number, number];

    expect([width, width % 6]).toEqual([height, 0]);
    expect(width).toBeGreaterThan(6 * 40);
    const [wide, high] = (await sizeOf(svg)) as [number, number];
    expect(wide).toBe(high);
  });
});
