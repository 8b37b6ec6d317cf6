import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { eventually } from './support/app.js';
import { makeCertificate } from './support/certificate.js';
import { cleanUp } from './support/clean-up.js';
import { makeDatabase } from './support/database.js';
import { findExim, startExim } from './support/exim.js';
import { formOf } from './support/leads.js';
import { expectDiscreet, reaches } from './support/mail.js';
import { makeFolder, someSettings, startProgram } from './support/program.js';
import { describeWith } from './support/real-servers.js';

const exim = findExim();

afterEach(() => cleanUp());

describeWith(
  typeof exim === 'string' ? undefined : exim,
  'Exim',
  typeof exim === 'string' ? exim : '',
)('a real mail server (Exim) with TLS and a password', () => {
  const PASSWORD = 'Quiet-Harbour-77';

  it('delivers to the mailboxes; an unknown mailbox is refused, and nothing is lost while it is restarted', async () => {
    if (typeof exim === 'string') throw new Error(exim);
    const folder = await makeFolder();
    const certificate = makeCertificate();
    const options = { certificate, user: 'desk', password: PASSWORD, mailboxes: ['ada', 'grace', 'attorney'], folder };
    const server = await startExim(exim, options);
    const authority = join(await makeFolder(), 'authority.pem');
    await writeFile(authority, certificate.cert);
    const database = await makeDatabase();
    const program = await startProgram(
      await someSettings({
        DATABASE_URL: database.url,
        SMTP_HOST: 'localhost',
        SMTP_PORT: String(server.port),
        SMTP_TLS: 'starttls',
        SMTP_USERNAME: 'desk',
        SMTP_PASSWORD: PASSWORD,
        SMTP_FROM_EMAIL: 'desk@practice.test',
        MAIL_RETRY_SECONDS: '1',
        ATTORNEY_EMAIL: 'attorney@practice.test',
        LOG_LEVEL: 'DEBUG',
        NODE_EXTRA_CA_CERTS: authority,
      }),
    );
    const submit = async (email: string): Promise<void> => {
      const response = await program.request('/api/v1/leads', { method: 'POST', body: formOf({ email }) });
      expect(response.status).toBe(201);
    };

    await submit('ada@practice.test');

    const { id } = await reaches({ database }, 'ada@practice.test', 'sent');
    const [delivered] = await eventually('it is in the mailbox', async () => {
      const mails = await server.mailsOf('ada');
      return mails.length === 1 && mails;
    });
    const mail = await PostalMime.parse(delivered ?? '');
    expect(mail.messageId).toBe(`<${id}@practice.test>`);
    expect(mail.subject).toBe('Thank you for your submission');
    expect(mail.text).toContain('Ada Lovelace');
    expect(mail.html).toContain('Ada Lovelace');
    // esmtpsa: over TLS, and with the password (RFC 3848)
    expect(delivered).toMatch(/^\s+by mail\.practice\.test with esmtpsa/m);

    await submit('nobody@practice.test');

    const refused = await reaches({ database }, 'nobody@practice.test', 'failed');
    expect(refused).toMatchObject({ attempts: 1, deferrals: 0 });
    expect(refused.last_error).toContain('550 5.1.1 no such mailbox');
    expect(await database.query('SELECT address FROM mail_suppressions')).toEqual([
      { address: 'nobody@practice.test' },
    ]);

    await server.stop();
    await submit('grace@practice.test');
    await reaches({ database }, 'grace@practice.test', 'retrying');
    const restarted = await startExim(exim, { ...options, port: server.port });

    await reaches({ database }, 'grace@practice.test', 'sent');
    await eventually('all mail is in the mailboxes', async () => {
      const [grace, attorney] = [await restarted.mailsOf('grace'), await restarted.mailsOf('attorney')];
      return grace.length === 1 && attorney.length === 3;
    });
    expect(await program.stop()).toBe(0);
    expectDiscreet(program.output, PASSWORD, 'ada@practice.test', 'nobody@practice.test');
    await database.drop();
  });
});
