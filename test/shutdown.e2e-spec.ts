import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { PROJECT_ROOT } from '../src/config/project-root.js';
import { killTree, postmasterOf } from '../tools/processes.mjs';
import { eventually } from './support/app.js';
import { cleanUp } from './support/clean-up.js';
import { makePdf } from './support/documents.mjs';
import { anEmail } from './support/leads.js';
import { ATTORNEY, writtenMails } from './support/mail.js';
import { isClosed } from './support/ports.js';
import { Program, type RunningForecourt, someSettings, startProgram } from './support/program.js';
import { aSlowSubmission } from './support/slow-submission.js';
import { startRawServer } from './support/smtp.js';

const ADMIN_PASSWORD = 'Blue-Harbour-42-Lantern';

afterEach(() => cleanUp());

describe('SIGTERM', () => {
  it('lets an upload in flight finish, takes no new connection, and ends everything within fifteen seconds', async () => {
    const settings = await someSettings({ ADMIN_PASSWORD });
    const program = await startProgram(settings);
    const finish = await aSlowSubmission(program.url, settings.DATA_DIR);
    const began = performance.now();

    program.signal('SIGTERM');
    await program.says(/Forecourt stops/);
    // an impatient operator
    program.signal('SIGTERM');
    program.signal('SIGINT');
    await eventually('no connection is taken', async () => isClosed(program.url));
    const answer = await finish();

    expect(answer.statusCode).toBe(201);
    expect(await program.ended).toBe(0);
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(postmasterOf(settings.DATA_DIR)).toBeUndefined();
    answer.resume();
    const again = await startProgram(settings);
    const list = await again.request('/api/v1/leads', { headers: await again.signIn(ADMIN_PASSWORD) });
    expect(await list.json()).toMatchObject({ total: 1 });
  });

  it('does not wait longer for an upload that never ends', async () => {
    const settings = await someSettings();
    const program = await startProgram(settings);
    const finish = await aSlowSubmission(program.url, settings.DATA_DIR);
    const began = performance.now();

    expect(await program.stop()).toBe(0);

    expect(performance.now() - began).toBeLessThan(15_000);
    expect(postmasterOf(settings.DATA_DIR)).toBeUndefined();
    // told after five seconds without a byte that it takes too long, or cut off with the end of the process
    const outcome = await finish().then(
      ({ statusCode }) => statusCode,
      () => 'cut off',
    );
    expect([408, 'cut off']).toContain(outcome);
  });

  it('does not wait longer for a mail server that never answers', async () => {
    const connections: Socket[] = [];
    const port = await startRawServer((socket) => connections.push(socket));
    const settings = await someSettings({ SMTP_HOST: '127.0.0.1', SMTP_PORT: port });
    const program = await startProgram(settings);
    expect((await program.submit(anEmail())).status).toBe(201);
    await eventually('a mail is under way', async () => connections.length > 0);
    const began = performance.now();

    expect(await program.stop()).toBe(0);

    expect(performance.now() - began).toBeLessThan(15_000);
    expect(postmasterOf(settings.DATA_DIR)).toBeUndefined();
  });

  it('ends everything when it comes in the middle of the start', async () => {
    const settings = await someSettings();
    const program = new Program(settings);
    await eventually('PostgreSQL runs', async () => postmasterOf(settings.DATA_DIR), 20_000);

    expect(await program.stop()).toBe(0);

    expect(postmasterOf(settings.DATA_DIR)).toBeUndefined();
  });

  it.each<[string, (npm: RunningForecourt) => void]>([
    [
      'npm gets it',
      (npm) => {
        npm.signal('SIGTERM');
      },
    ],
    [
      'a terminal sends npm and all below it SIGINT instead',
      (npm) => {
        npm.signalGroup('SIGINT');
      },
    ],
  ])('ends everything when %s', async (_, end) => {
    const settings = await someSettings({ HOME: process.env['HOME'] ?? '' });
    const npm = await startProgram(settings, { command: ['npm', 'start'], cwd: PROJECT_ROOT, isGroup: true });
    expect((await npm.request('/health/live')).status).toBe(200);

    end(npm);
    await npm.ended;

    await npm.says(/Forecourt has stopped/);
    await eventually('PostgreSQL is gone', async () => postmasterOf(settings.DATA_DIR) === undefined);
    await expect(npm.request('/health/live')).rejects.toThrow('fetch failed');
  });
});

describe('kill -9', () => {
  it('of everything in the middle of submissions loses no lead, no file and no mail that was promised', async () => {
    const settings = await someSettings({ ADMIN_PASSWORD, ATTORNEY_EMAIL: ATTORNEY });
    const program = await startProgram(settings);
    const promised: { id: string; email: string; sha256: string }[] = [];
    const submitting = Array.from({ length: 4 }, async () => {
      for (;;) {
        const [email, bytes] = [anEmail(), Buffer.concat([makePdf(50_000), randomBytes(16)])];
        const response = await program.submit(email, bytes).catch(() => undefined);
        const body = (await response?.json().catch(() => undefined)) as { id: string } | undefined;
        if (body === undefined) return;
        expect(response?.status).toBe(201);
        promised.push({ id: body.id, email, sha256: createHash('sha256').update(bytes).digest('hex') });
      }
    });
    await eventually('submissions are taken', async () => promised.length >= 12);

    program.signal('SIGKILL');
    await killTree(postmasterOf(settings.DATA_DIR) ?? 0);
    await Promise.all(submitting);
    const again = await startProgram(settings);

    const headers = await again.signIn(ADMIN_PASSWORD);
    for (const { id, sha256 } of promised) {
      const resume = await again.request(`/api/v1/leads/${id}/resume`, { headers });
      expect(resume.status).toBe(200);
      const bytes = Buffer.from(await resume.arrayBuffer());
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    }
    await eventually(
      'both mails of each lead are there',
      async () => {
        const mails = await writtenMails(settings.DATA_DIR);
        return promised.every(({ id, email }) =>
          [email, ATTORNEY].every(
            (to) => mails.filter((mail) => mail.includes(`To: ${to}`) && mail.includes(id)).length === 1,
          ),
        );
      },
      30_000,
    );
    expect(await again.stop()).toBe(0);
    expect(postmasterOf(settings.DATA_DIR)).toBeUndefined();
  });
});
