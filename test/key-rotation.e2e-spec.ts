import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KEY_COMMANDS } from '../src/auth/tokens/keys.commands.js';
import { readOptions, UsageError } from '../src/common/command.js';
import { ADMIN, eventually, SECRET_KEY, startApp, type TestApp } from './support/app.js';
import { cleanUp } from './support/clean-up.js';
import { get, jsonOf, login, tokenOf } from './support/leads.js';
import { MAIN, Program, someSettings, startProgram } from './support/program.js';

const CLI = join(dirname(MAIN), 'cli.js');
const ID = /^\d{8}T\d{6}Z-[0-9a-f]{8}$/;

let app: TestApp;
afterEach(async () => {
  await cleanUp();
  await app.close();
});

const kidOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()) as { kid: string }).kid;
const me = async (token: string): Promise<number> => (await get(app, '/api/v1/auth/me', token)).status;
const published = async (): Promise<string[]> =>
  (await jsonOf<{ keys: { kid: string }[] }>(await app.request('/.well-known/jwks.json'))).keys.map(({ kid }) => kid);
const filesOf = async (): Promise<string[]> => (await readdir(join(app.dataDir, 'keys'))).sort();

/** The command beside the service in this process: what it said. */
async function rotate(...args: string[]): Promise<string[]> {
  const [command] = KEY_COMMANDS;
  const said: string[] = [];
  expect(await command!.run(app.app, readOptions(command!, args), (line) => said.push(line))).toBe(true);
  return said;
}

/** Dates a key back, as if it had been made so many minutes ago. */
async function age(id: string, minutes: number): Promise<string> {
  const folder = join(app.dataDir, 'keys');
  const time = new Date(Date.now() - minutes * 60_000).toISOString().replace(/[-:]|\.\d+/g, '');
  const older = id.replace(/^[^-]+/, time);
  await writeFile(join(folder, `${older}.pem`), await readFile(join(folder, `${id}.pem`)));
  await rm(join(folder, `${id}.pem`));
  return older;
}

describe('a key of the folder', () => {
  it('is made at the first start of development, for its owner alone', async () => {
    app = await startApp({ ROLE: 'http', ALGORITHM: 'ES256' });

    const [file = ''] = await filesOf();

    expect(await published()).toEqual([file.replace('.pem', '')]);
    expect(file.replace('.pem', '')).toMatch(ID);
    expect((await stat(join(app.dataDir, 'keys', file))).mode & 0o777).toBe(0o600);
    expect((await stat(join(app.dataDir, 'keys'))).mode & 0o777).toBe(0o700);
  });

  it('is replaced by keys:rotate without a restart and without signing anybody out', async () => {
    app = await startApp({ ROLE: 'http', ALGORITHM: 'RS256' });
    const before = await tokenOf(app);

    const [said = ''] = await rotate();

    const id = said.split(' ')[0]!;
    expect(said).toMatch(/^\S+ signs from now on, within ten seconds without a restart$/);
    const after = await eventually('the new key signs', async () => {
      const token = await tokenOf(app);
      return kidOf(token) === id && token;
    });
    expect([await me(before), await me(after)]).toEqual([200, 200]);
    expect(await published()).toEqual([id, kidOf(before)]);
    // an unfinished or foreign file is none of its business
    await writeFile(join(app.dataDir, 'keys', `${id}.pem.new`), 'half');
    await writeFile(join(app.dataDir, 'keys', 'README'), 'x');
    expect(await rotate('--retire')).toHaveLength(1);
  });

  it('of another process is found as soon as one of its tokens comes', async () => {
    app = await startApp({ ROLE: 'http', ALGORITHM: 'ES256' });
    const settings = await someSettings({
      DATA_DIR: app.dataDir,
      DATABASE_URL: app.database.url,
      SECRET_KEY,
      ADMIN_PASSWORD: ADMIN.password,
      ALGORITHM: 'ES256',
      ROLE: 'http',
    });
    await rotate();
    const other = await startProgram(settings);
    const body = new URLSearchParams({ username: ADMIN.username, password: ADMIN.password });
    const answer = await other.request('/api/v1/auth/login', { method: 'POST', body });
    const { access_token: token } = (await answer.json()) as { access_token: string };

    await eventually('it is let in here', async () => (await me(token)) === 200);
  });

  it('verifies until its tokens have expired, and then --retire removes it', async () => {
    app = await startApp({ ROLE: 'http', ALGORITHM: 'ES256', ACCESS_TOKEN_EXPIRE_MINUTES: '15' });
    const first = await age((await published())[0]!, 60);
    await rotate();
    expect((await rotate('--retire')).join()).toMatch(
      new RegExp(`^${first} verifies until its last token expires at `),
    );
    expect(await filesOf()).toHaveLength(2);

    const [file = ''] = (await filesOf()).slice(-1);
    await age(file.replace('.pem', ''), 16);

    expect(await rotate('--retire')).toEqual([`${first} was removed`]);
    expect(await filesOf()).toHaveLength(1);
    expect(await rotate('--retire')).toEqual([]);
  });

  it('that fell into the wrong hands is refused at once with --retire --at-once', async () => {
    app = await startApp({ ROLE: 'http', ALGORITHM: 'ES256' });
    const stolen = await tokenOf(app);
    const { refresh_token: refreshToken } = await jsonOf<{ refresh_token: string }>(
      await login(app, ADMIN.username, ADMIN.password),
    );
    await rotate();
    await rotate('--retire', '--at-once');

    await eventually('its token is refused', async () => (await me(stolen)) === 401);
    expect(await filesOf()).toHaveLength(1);
    const renewed = await app.request('/api/v1/auth/refresh', {
      method: 'POST',
      body: new URLSearchParams({ refresh_token: refreshToken }),
    });
    expect(await me((await jsonOf<{ access_token: string }>(renewed)).access_token)).toBe(200);
  });
});

describe('keys:rotate', () => {
  it('is the operator’s, and works beside the service', async () => {
    app = await startApp({ ROLE: 'http', ALGORITHM: 'ES256' });
    const settings = { DATA_DIR: app.dataDir, DATABASE_URL: app.database.url };
    const run = async (args: string[], more: Record<string, string> = {}): Promise<[number | string, string]> => {
      const program = new Program(
        { ...settings, ...more },
        { command: [process.execPath, CLI, 'keys:rotate', ...args] },
      );
      return [await program.ended, program.output];
    };

    expect(await run([], { ALGORITHM: 'ES256' })).toEqual([0, expect.stringContaining('signs from now on')]);
    expect(await filesOf()).toHaveLength(2);
    expect(await run([])).toEqual([2, expect.stringContaining('ALGORITHM is HS256: put the old SECRET_KEY into')]);
    expect(await run([], { ALGORITHM: 'RS256', JWT_PRIVATE_KEYS: 'a:/x' })).toEqual([
      2,
      expect.stringContaining('JWT_PRIVATE_KEYS names the keys'),
    ]);
    expect(await filesOf()).toHaveLength(2);
  });

  it('does not take --at-once by itself', async () => {
    app = await startApp({ ROLE: 'http', ALGORITHM: 'ES256' });

    await expect(rotate('--at-once')).rejects.toThrow(UsageError);
    expect(await filesOf()).toHaveLength(1);
  });
});

describe('a start is refused', () => {
  it.each<[string, Record<string, string>, RegExp]>([
    ['in production without a key', {}, /There is no key for ALGORITHM=ES256: make one with npm run keys:rotate/],
    ['with a file that is not there', { JWT_PRIVATE_KEYS: 'a:/nowhere/key.pem' }, /The key a could not be read from/],
    ['with a file that is no key', { JWT_PRIVATE_KEYS: `a:${MAIN}` }, /The key a could not be read from/],
  ])('%s', async (_, more, sentence) => {
    app = await startApp({ ROLE: 'http' });
    const program = new Program(
      await someSettings({
        ENVIRONMENT: 'production',
        DATABASE_URL: app.database.url,
        SECRET_KEY: 'q8Zr1v-K3mWt_Xy7Lp0Bn5Hd2Gj9Fs4CaE6uTi',
        BCRYPT_ROUNDS: '12',
        ALGORITHM: 'ES256',
        ...more,
      }),
    );

    expect(await program.ended).toBe(1);
    expect(program.output).toMatch(sentence);
    expect(program.output).not.toContain('PRIVATE KEY');
  });
});
