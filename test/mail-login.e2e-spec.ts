import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './support/app.js';
import { makeCertificate } from './support/certificate.js';
import { cleanUp } from './support/clean-up.js';
import { makeDatabase } from './support/database.js';
import { aLead, anEmail, formOf } from './support/leads.js';
import { ATTORNEY, closeApps, expectDiscreet, messageTo, reaches, startMailingApp } from './support/mail.js';
import { makeFolder, someSettings, startProgram } from './support/program.js';
import { startRawServer, startSmtp } from './support/smtp.js';

afterEach(async () => {
  await cleanUp();
  await closeApps();
});

describe('the password of the mail server', () => {
  const LOGIN = { SMTP_USERNAME: 'desk', SMTP_PASSWORD: 'Quiet-Harbour-77' };

  it.each([
    ['STARTTLS', false, 'auto'],
    ['TLS from the first byte', true, 'tls'],
  ])('goes over %s, and is tried again after it was refused', async (_, secure, tls) => {
    const certificate = makeCertificate();
    const given: unknown[][] = [];
    const sink = await startSmtp({
      options: {
        ...certificate,
        secure,
        authOptional: false,
        onAuth({ username, password }, session, done) {
          given.push([username, password, session.secure ? 'encrypted' : 'open']);
          // both mails may sign in at the same moment
          if (given.length <= 2) done(Object.assign(new Error('5.7.8 not yet'), { responseCode: 535 }));
          else done(null, { user: username });
        },
      },
    });
    const database = await makeDatabase();
    const authority = join(await makeFolder(), 'authority.pem');
    await writeFile(authority, certificate.cert);
    const program = await startProgram(
      await someSettings({
        ...LOGIN,
        DATABASE_URL: database.url,
        SMTP_HOST: 'localhost',
        SMTP_PORT: String(sink.port),
        SMTP_TLS: tls,
        MAIL_RETRY_SECONDS: '1',
        MAIL_MAX_ATTEMPTS: '1',
        ATTORNEY_EMAIL: ATTORNEY,
        LOG_LEVEL: 'DEBUG',
        NODE_EXTRA_CA_CERTS: authority,
      }),
    );

    expect((await program.request('/api/v1/leads', { method: 'POST', body: formOf() })).status).toBe(201);

    await reaches({ database }, ATTORNEY, 'sent');
    expect(sink.to(ATTORNEY)).toEqual([expect.objectContaining({ isEncrypted: true, user: 'desk' })]);
    expect(given.length).toBeGreaterThan(2);
    for (const each of given) expect(each).toEqual(['desk', 'Quiet-Harbour-77', 'encrypted']);
    expect(await program.stop()).toBe(0);
    expectDiscreet(program.output, LOGIN.SMTP_PASSWORD, ATTORNEY);
    await database.drop();
  });

  it('is not sent to a server without STARTTLS: the message waits', async () => {
    const heard: string[] = [];
    const port = await startRawServer((socket) => {
      socket.write('220 plain.test ESMTP\r\n');
      socket.on('data', (chunk: Buffer) => {
        heard.push(chunk.toString());
        socket.write(
          /^EHLO/i.test(chunk.toString()) ? '250-plain.test\r\n250 AUTH PLAIN LOGIN\r\n' : '502 5.5.1 what?\r\n',
        );
      });
    });
    const app = await startMailingApp({ ...LOGIN, SMTP_HOST: '127.0.0.1', SMTP_PORT: port, MAIL_MAX_ATTEMPTS: '1' });
    const prospect = anEmail();

    await aLead(app, { email: prospect });

    await eventually('it was tried twice', async () => ((await messageTo(app, prospect))?.deferrals ?? 0) > 1);
    expect(await reaches(app, prospect, 'retrying')).toMatchObject({ attempts: 0 });
    expect(heard.join('')).not.toMatch(/AUTH|MAIL FROM|Quiet-Harbour/i);
    expectDiscreet(app.log, LOGIN.SMTP_PASSWORD, prospect);
  });

  it('is not sent to a server whose certificate nobody vouches for: the message waits', async () => {
    let asked = 0;
    const sink = await startSmtp({
      options: {
        ...makeCertificate(),
        onAuth(_auth, _session, done) {
          asked += 1;
          done(null, { user: 'desk' });
        },
      },
    });
    const app = await startMailingApp({ ...LOGIN, ...sink.settings, MAIL_MAX_ATTEMPTS: '1' });
    const prospect = anEmail();

    await aLead(app, { email: prospect });

    const waiting = await reaches(app, prospect, 'retrying');
    expect(waiting.attempts).toBe(0);
    expect([asked, sink.arrived.length]).toEqual([0, 0]);
  });
});
