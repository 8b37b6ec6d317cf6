import { randomUUID } from 'node:crypto';
import { MailComposer } from '../src/mail/mail-composer.js';
import { MailRepository } from '../src/mail/mail.repository.js';
import { eventually, type TestApp } from './support/app.js';
import { cleanUp } from './support/clean-up.js';
import { bearer, get, jsonOf, sendJson, tokenOf } from './support/leads.js';
import { closeApps, expectDiscreet, reaches, startMailingApp } from './support/mail.js';
import { everythingStored, tokenIn } from './support/mailed-links.js';
import { startSmtp } from './support/smtp.js';

afterEach(async () => {
  await cleanUp();
  await closeApps();
});

const MESSAGES = '/api/v1/admin/mail/messages';

/** An invitation whose mail is owed; the id of the mail. */
async function invite(app: TestApp, admin: string): Promise<{ email: string; message: string }> {
  const email = `invited-${randomUUID()}@practice.test`;
  const response = await sendJson(app, 'POST', '/api/v1/admin/invitations', { email, role: 'attorney' }, admin);
  expect(response.status).toBe(201);
  const [row] = await app.database.query<{ id: string }>('SELECT id FROM mail_messages WHERE recipient = $1', [email]);
  return { email, message: row!.id };
}

/** The link, as the recipient would read it. */
async function linkOf(app: TestApp, message: string): Promise<string> {
  const found = await app.app.get(MailRepository).findById(message);
  return tokenIn(await app.app.get(MailComposer).compose(found!));
}

const resend = (app: TestApp, message: string, admin: string): Promise<Response> =>
  app.request(`${MESSAGES}/${message}/resend`, { method: 'POST', headers: bearer(admin) });

describe('a link that opens an account', () => {
  it('is sealed while its mail waits: neither the database, nor an admin, nor the log shows it', async () => {
    const app = await startMailingApp({ ROLE: 'http', DEBUG: 'true' });
    const admin = await tokenOf(app);
    const { message } = await invite(app, admin);
    const token = await linkOf(app, message);

    const shown = await Promise.all([
      get(app, `${MESSAGES}/${message}`, admin),
      get(app, `${MESSAGES}/${message}/preview?format=html`, admin),
      get(app, `${MESSAGES}/${message}/preview?format=text`, admin),
      get(app, MESSAGES, admin),
    ]);
    const texts = await Promise.all(shown.map((response) => response.text()));

    expect(shown.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expectDiscreet([texts, app.log, await everythingStored(app)], token);
    expect(texts.slice(0, 3).every((text) => text.includes('[only in the mail itself]'))).toBe(true);
    const [row] = await app.database.query<{ data: object; secrets: object }>(
      'SELECT data, secrets FROM mail_messages WHERE id = $1',
      [message],
    );
    expect(row).toEqual({
      data: { inviter: 'admin', expires_at: expect.any(String) },
      secrets: { accept_url: expect.stringMatching(/^[0-9a-f]{8}\.[\w-]+$/) },
    });
  });

  it('does not open in the row of another mail', async () => {
    const app = await startMailingApp({ ROLE: 'http' });
    const admin = await tokenOf(app);
    const [one, other] = [await invite(app, admin), await invite(app, admin)];
    await app.database.query(
      'UPDATE mail_messages SET secrets = (SELECT secrets FROM mail_messages WHERE id = $1) WHERE id = $2',
      [one.message, other.message],
    );

    await expect(linkOf(app, other.message)).rejects.toThrow('sealed for another purpose');
  });

  it('is in the mail that is sent, and then gone from the database; an admin cannot have it sent again', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp(sink.settings);
    const admin = await tokenOf(app);
    const { email, message } = await invite(app, admin);
    await reaches(app, email, 'sent');

    const response = await resend(app, message, admin);

    const token = tokenIn({ text: sink.to(email)[0]!.parsed.text ?? '' });
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(sink.to(email)[0]!.parsed.html).toContain(token);
    expect([response.status, await jsonOf(response)]).toMatchObject([409, { error_code: 'MAIL_SECRET_GONE' }]);
    const [row] = await app.database.query('SELECT secrets FROM mail_messages WHERE id = $1', [message]);
    expect(row).toEqual({ secrets: null });
    expectDiscreet([app.log, await everythingStored(app)], token);
  });

  it('is still there when the server takes the mail at the second attempt', async () => {
    const sink = await startSmtp({
      recipient: (_, before) => (before === 0 ? { code: 451, text: '4.7.1 later' } : undefined),
    });
    const app = await startMailingApp(sink.settings);
    const { email } = await invite(app, await tokenOf(app));
    await reaches(app, email, 'sent');

    expect(tokenIn({ text: sink.to(email)[0]!.parsed.text ?? '' })).toHaveLength(43);
  });

  it.each([
    ['failed', { code: 554, text: '5.7.1 no' }],
    ['suppressed', undefined],
    ['cancelled', undefined],
  ])('is gone when the mail is %s, which is not tried again', async (state, answer) => {
    const sink = await startSmtp({ recipient: () => answer });
    const app = await startMailingApp({ ...sink.settings, ...(state === 'cancelled' ? { ROLE: 'http' } : {}) });
    const admin = await tokenOf(app);
    if (state === 'suppressed')
      await app.database.query(
        `CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           INSERT INTO mail_suppressions (address, reason, since) VALUES (NEW.recipient, 'gone', now()); RETURN NEW; END $$;
         CREATE TRIGGER suppress BEFORE INSERT ON mail_messages FOR EACH ROW EXECUTE FUNCTION suppress()`,
      );
    const { email, message } = await invite(app, admin);
    if (state === 'cancelled')
      await app.request(`${MESSAGES}/${message}/cancel`, { method: 'POST', headers: bearer(admin) });
    await reaches(app, email, state);

    const response = await resend(app, message, admin);

    expect([response.status, await jsonOf(response)]).toMatchObject([409, { error_code: 'MAIL_SECRET_GONE' }]);
    const [row] = await app.database.query('SELECT secrets FROM mail_messages WHERE id = $1', [message]);
    expect(row).toEqual({ secrets: null });
  });

  it('that no SECRET_KEY opens any more ends its own mail and holds up no other', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({ ...sink.settings });
    const admin = await tokenOf(app);
    await app.database.query(
      `CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF NEW.secrets IS NOT NULL AND NEW.recipient LIKE 'invited-%' THEN NEW.secrets = '{"accept_url": "00000000.AAAA"}'; END IF;
         RETURN NEW; END $$;
       CREATE TRIGGER spoil BEFORE INSERT ON mail_messages FOR EACH ROW EXECUTE FUNCTION spoil()`,
    );

    const { email } = await invite(app, admin);

    const row = await reaches(app, email, 'failed');
    expect(row.last_error).toContain('SECRET_KEY');
    expect(sink.to(email)).toEqual([]);
    await eventually('mail is not paused', async () => {
      const [state] = await app.database.query<{ paused_since: Date | null }>(
        'SELECT paused_since FROM mail_server_state',
      );
      return state?.paused_since == null;
    });
  });
});
