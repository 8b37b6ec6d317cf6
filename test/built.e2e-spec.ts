import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { postmasterOf } from '../tools/processes.mjs';
import { eventually } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { makeDatabase } from './support/database.js';
import { anEmail } from './support/leads.js';
import { writtenMails } from './support/mail.js';
import { Program, someSettings, startProgram } from './support/program.js';
import { startRawServer } from './support/smtp.js';

const ADMIN_PASSWORD = 'Blue-Harbour-42-Lantern';
/** What production asks for at least, but for the database. */
const PRODUCTION = {
  ENVIRONMENT: 'production',
  SECRET_KEY: randomBytes(48).toString('base64'),
  ADMIN_PASSWORD,
  BCRYPT_ROUNDS: '12',
};

afterEach(() => cleanUp());

async function aDatabaseUrl(): Promise<string> {
  const database = await makeDatabase();
  atEnd(() => database.drop());
  return database.url;
}

describe('a start in development', () => {
  it('greets with address, docs, inbox, admin and a random password, which the next start does not print', async () => {
    const settings = await someSettings();
    const first = await startProgram(settings);
    const password = await first.says(/Password +(\S{16}) +\(shown only this once\)/);
    const address = first.url.replace('127.0.0.1', 'localhost');
    expect(first.output).toContain(`
  Forecourt      ${address}
  API docs       ${address}/docs
  Mail inbox     ${address}/dev/mail
  Admin          admin
  Password       ${password}   (shown only this once)
`);
    expect((await first.request('/dev/mail')).status).toBe(200);
    const headers = await first.signIn(password);
    expect(await first.stop()).toBe(0);
    expect(first.output.split(password)).toHaveLength(2);

    const second = await startProgram(settings);

    await second.says(/Admin +admin/);
    await second.signIn(password);
    // the signing key was kept as well
    expect((await second.request('/api/v1/auth/me', { headers })).status).toBe(200);
    expect(await second.stop()).toBe(0);
    expect(second.output).not.toMatch(/Password/);
    expect(second.output).not.toContain(password);
  });

  it('keeps the signing key that it makes for its owner alone', async () => {
    const settings = await someSettings();
    const program = await startProgram(settings);

    const { mode, size } = await stat(join(settings.DATA_DIR, 'secret-key'));

    expect(mode & 0o777).toBe(0o600);
    expect(size).toBeGreaterThan(32);
    expect(program.output).not.toContain((await readFile(join(settings.DATA_DIR, 'secret-key'), 'utf8')).trim());
  });

  it('prints no password that was chosen in the settings', async () => {
    const program = await startProgram(await someSettings({ ADMIN_PASSWORD }));

    await program.says(/Admin +admin/);
    await program.signIn(ADMIN_PASSWORD);
    expect(await program.stop()).toBe(0);
    expect(program.output).not.toContain(ADMIN_PASSWORD);
    expect(program.output).not.toMatch(/Password/);
  });
});

describe('a start in production', () => {
  const DATABASE_URL = 'postgresql://forecourt:w9-Hidden-Word@127.0.0.1:1/forecourt';

  it.each([
    ['no SECRET_KEY', { SECRET_KEY: '' }, 'SECRET_KEY is required in production'],
    ['a short SECRET_KEY', { SECRET_KEY: 'zX8-only-22-bytes-long' }, 'SECRET_KEY must be at least 32 bytes long'],
    [
      'a SECRET_KEY of an example',
      { SECRET_KEY: 'change-me-in-production-0123456789-abcdef' },
      'SECRET_KEY must not be a default or a pattern; make one with: openssl rand -base64 48',
    ],
    ['no DATABASE_URL', { DATABASE_URL: '' }, 'DATABASE_URL is required in production'],
    ['a default ADMIN_PASSWORD', { ADMIN_PASSWORD: 'changeme123' }, 'ADMIN_PASSWORD must not be a default password'],
  ])('is refused with %s: within ten seconds, by name, without any value', async (_, change, problem) => {
    const settings = await someSettings({ ...PRODUCTION, DATABASE_URL, ...change });
    const began = performance.now();

    const program = new Program(settings);

    expect(await program.ended).toBe(1);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(program.output).toBe(`The settings do not allow a start:\n  - ${problem}\n`);
  });

  it('is refused with all problems at once', async () => {
    const settings = await someSettings({
      ...PRODUCTION,
      SECRET_KEY: 'zX8-only-22-bytes-long',
      ADMIN_PASSWORD: 'changeme123',
      PORT: 'eighty',
      DEBUG: 'true',
      BCRYPT_ROUNDS: '10',
    });

    const program = new Program(settings);

    expect(await program.ended).toBe(1);
    expect(program.output).toBe(`The settings do not allow a start:
  - PORT must be a whole number from 0 to 65535
  - SECRET_KEY must be at least 32 bytes long
  - ADMIN_PASSWORD must not be a default password
  - DATABASE_URL is required in production
  - DEBUG must be false in production
  - BCRYPT_ROUNDS must be at least 12 in production
`);
  });

  it('serves neither documentation nor inbox, and logs nothing but JSON lines without secrets', async () => {
    const settings = await someSettings({ ...PRODUCTION, DATABASE_URL: await aDatabaseUrl() });
    const program = await startProgram(settings);

    for (const path of ['/docs', '/docs/', '/redoc', '/redoc/redoc.standalone.js', '/openapi.json', '/dev/mail']) {
      const response = await program.request(path);
      expect([path, response.status]).toEqual([path, 404]);
      expect(await response.json()).toEqual({
        detail: 'There is nothing at this address',
        error_code: 'ROUTE_NOT_FOUND',
        timestamp: expect.any(String) as string,
        request_id: response.headers.get('x-request-id'),
      });
    }
    await program.signIn(ADMIN_PASSWORD);
    expect((await program.submit(anEmail())).status).toBe(201);
    expect(await program.stop()).toBe(0);
    const lines = program.output.trim().split('\n');
    expect(lines.every((line) => typeof JSON.parse(line) === 'object')).toBe(true);
    expect(lines.at(-1)).toContain('Forecourt has stopped');
    for (const secret of [settings.SECRET_KEY, ADMIN_PASSWORD, settings.DATABASE_URL])
      expect(program.output).not.toContain(secret);
  });

  it('serves the documentation when DOCS_ENABLED says so', async () => {
    const settings = await someSettings({ ...PRODUCTION, DATABASE_URL: await aDatabaseUrl(), DOCS_ENABLED: 'true' });
    const program = await startProgram(settings);

    expect(await (await program.request('/docs')).text()).toContain('<title>Forecourt API</title>');
    expect(await (await program.request('/redoc')).text()).toContain('<redoc spec-url="/openapi.json">');
    expect((await program.request('/redoc/redoc.standalone.js')).status).toBe(200);
    const document = (await (await program.request('/openapi.json')).json()) as { openapi: string; paths: object };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toContain('/api/v1/leads');
    expect((await program.request('/dev/mail')).status).toBe(404);
    expect(await program.stop()).toBe(0);
  });

  it('tells why it failed although its log is written behind the scenes', async () => {
    const program = new Program(await someSettings({ ...PRODUCTION, DATABASE_URL }));

    expect(await program.ended).toBe(1);
    const lines = program.output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const [fatal] = lines.filter(({ level }) => level === 'CRITICAL');
    expect(fatal).toMatchObject({ message: 'Forecourt could not start', err: { cause: { code: 'ECONNREFUSED' } } });
  });
});

describe('a port that is in use', () => {
  it('ends the start with its reason, and without a PostgreSQL left behind', async () => {
    const port = await startRawServer(() => undefined);
    const settings = await someSettings({ PORT: port });

    const program = new Program(settings);

    expect(await program.ended).toBe(1);
    expect(program.output).toContain('Forecourt could not start');
    expect(program.output).toContain(`address already in use 127.0.0.1:${port}`);
    expect(postmasterOf(settings.DATA_DIR)).toBeUndefined();
  });
});

describe('ROLE', () => {
  it('divides one database between a process that serves and one that works in the background', async () => {
    const settings = await someSettings();
    const web = await startProgram({ ...settings, ROLE: 'http' });
    expect((await web.submit(anEmail())).status).toBe(201);
    const worker = await startProgram({ ...settings, ROLE: 'worker' });

    await eventually('both mails are there', async () => (await writtenMails(settings.DATA_DIR)).length === 2);

    expect(await (await web.request('/dev/mail')).text()).toContain('Thank you for your submission');
    expect(await web.stop()).toBe(0);
    // the worker still uses it
    expect(postmasterOf(settings.DATA_DIR)).toBeGreaterThan(0);
    expect(await worker.stop()).toBe(0);
    expect(postmasterOf(settings.DATA_DIR)).toBeUndefined();
    expect(web.output).not.toContain('mail sent');
    expect(worker.output.match(/mail sent/g)).toHaveLength(2);
    expect(worker.output).not.toContain('listens on port');
  });

  it('lets two processes start at the same moment on an empty folder: one database, one admin, one signing key', async () => {
    const settings = await someSettings();

    const programs = await Promise.all([startProgram(settings), startProgram(settings)]);

    await Promise.all(programs.map((program) => program.says(/Admin +admin/)));
    const [password = '', ...others] = programs.flatMap(({ output }) => /Password +(\S{16}) /.exec(output)?.[1] ?? []);
    expect(others).toEqual([]);
    const [one, other] = programs;
    const [ofOne, ofOther] = [await one.signIn(password), await other.signIn(password)];
    expect((await one.request('/api/v1/auth/me', { headers: ofOther })).status).toBe(200);
    expect((await other.request('/api/v1/auth/me', { headers: ofOne })).status).toBe(200);
    expect(await Promise.all(programs.map((program) => program.stop()))).toEqual([0, 0]);
    expect(postmasterOf(settings.DATA_DIR)).toBeUndefined();
  });
});
