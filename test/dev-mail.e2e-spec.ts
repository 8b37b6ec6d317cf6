import { randomUUID } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { startApp, type TestApp } from './support/app.js';
import { cleanUp } from './support/clean-up.js';
import { aLead, anEmail } from './support/leads.js';
import { ATTORNEY, closeApps, expectDiscreet, reaches, startMailingApp } from './support/mail.js';
import { startSmtp } from './support/smtp.js';

afterEach(async () => {
  await cleanUp();
  await closeApps();
});

describe('without a mail server', () => {
  let app: TestApp;
  let prospect: string;
  let leadId: string;
  let id: string;

  beforeAll(async () => {
    app = await startApp({ SMTP_HOST: '' });
    prospect = anEmail();
    leadId = await aLead(app, { email: prospect });
    await reaches(app, ATTORNEY, 'sent');
    ({ id } = await reaches(app, prospect, 'sent'));
  });
  afterAll(() => app.close());

  it('every mail is a file of its own that only its owner can read', async () => {
    const folder = join(app.dataDir, 'mail');

    expect(await readdir(folder)).toHaveLength(2);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const source = await readFile(join(folder, `${id}.eml`), 'utf8');
    expect((await stat(join(folder, `${id}.eml`))).mode & 0o777).toBe(0o600);
    expect(source).toContain(`Message-ID: <${id}@forecourt.test>\r\n`);
    expect(source).toContain(`To: ${prospect}\r\n`);
    expectDiscreet(app.log, prospect, ATTORNEY);
  });

  it('the inbox lists the mails, newest first, with links', async () => {
    const response = await app.request('/dev/mail');

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const page = await response.text();
    expect(page).toContain(`<td>${prospect}</td><td><a href="/dev/mail/${id}">Thank you for your submission</a></td>`);
    expect(page).toContain(`>New Lead Submission - Ada Lovelace</a>`);
  });

  it('a mail has a page that runs nothing of it', async () => {
    const response = await app.request(`/dev/mail/${id}`);

    expect(response.status).toBe(200);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('script-src');
    const page = await response.text();
    expect(page).toContain('<h1>Thank you for your submission</h1>');
    expect(page).toContain(`<iframe sandbox="" src="/dev/mail/${id}/html"`);
  });

  it('its HTML comes in a sandbox', async () => {
    const response = await app.request(`/dev/mail/${id}/html`);

    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none';/);
    expect(response.headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(await response.text()).toContain('What Happens Next?');
  });

  it('its text is plain text', async () => {
    const response = await app.request(`/dev/mail/${id}/text`);

    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await response.text()).toContain(`Your reference: ${leadId}`);
  });

  it('its source is the file itself', async () => {
    const response = await app.request(`/dev/mail/${id}/source`);

    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe(await readFile(join(app.dataDir, 'mail', `${id}.eml`), 'utf8'));
  });

  it.each(['', '/html', '/text', '/source'])('an unknown mail is not found (/dev/mail/:id%s)', async (part) => {
    for (const unknown of [randomUUID(), 'x', encodeURIComponent('../secret-key'), `${id}.eml`]) {
      const response = await app.request(`/dev/mail/${unknown}${part}`);

      expect(response.status).toBe(404);
      expect(await response.json()).toEqual({
        detail: 'There is no such message',
        error_code: 'MAIL_NOT_FOUND',
        timestamp: expect.any(String) as string,
        request_id: response.headers.get('x-request-id'),
      });
    }
  });

  it('and only without one is there an inbox', async () => {
    const sink = await startSmtp();
    const other = await startMailingApp(sink.settings);

    const response = await other.request('/dev/mail');

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error_code: 'ROUTE_NOT_FOUND' });
  });
});
