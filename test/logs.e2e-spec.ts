import { randomUUID } from 'node:crypto';
import { eventually, startApp, type TestApp } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { makeDatabase } from './support/database.js';
import { makePdf } from './support/documents.mjs';
import { anEmail, bearer, formOf, jsonOf, login, sendJson, tokenOf } from './support/leads.js';
import { someSettings, startProgram } from './support/program.js';
import { startSmtp } from './support/smtp.js';

afterEach(() => cleanUp());

describe('SIGUSR2', () => {
  it('shows everything of a running process, and at the next one what LOG_LEVEL asks for again', async () => {
    const database = await makeDatabase();
    atEnd(() => database.drop());
    const program = await startProgram(await someSettings({ DATABASE_URL: database.url }));
    const debugLines = (): number => program.output.match(/Completed task/g)?.length ?? 0;
    /** Both mails of a new lead are sent, so both jobs have said what they say. */
    const work = async (mails: number): Promise<void> => {
      expect((await program.submit(anEmail())).status).toBe(201);
      await eventually('its mails are sent', async () => (program.output.match(/mail sent/g)?.length ?? 0) >= mails);
    };
    await work(2);
    expect(debugLines()).toBe(0);

    program.signal('SIGUSR2');
    await program.says(/the log level is DEBUG from here on/);
    await work(4);
    await eventually('both jobs are told of', async () => debugLines() >= 2);

    program.signal('SIGUSR2');
    await program.says(/the log level is INFO from here on/);
    const before = debugLines();
    await work(6);
    expect(await program.stop()).toBe(0);
    expect(debugLines()).toBe(before);
  });
});

describe('no line of the log', () => {
  let app: TestApp;
  afterEach(() => app.close());

  it('names a person, whatever they send, whatever fails, and whatever the mail server says about them', async () => {
    const first = `Zebedee${randomUUID().slice(0, 8)}`;
    const last = `Quagmire${randomUUID().slice(0, 8)}`;
    const mailbox = `zeb-${randomUUID().slice(0, 8)}`;
    const email = `${mailbox}@planted.example.com`;
    const file = `cv-of-${randomUUID().slice(0, 8)}`;
    const typed = `typed-${randomUUID()}`;
    const secret = `secret-${randomUUID()}`;
    const smtp = await startSmtp({
      recipient: (address) =>
        address === email ? { code: 550, text: `${address} (<${email}>) has moved` } : undefined,
    });
    app = await startApp({ DEBUG: 'true', ...smtp.settings });
    const admin = await tokenOf(app);
    const submission = {
      first_name: first,
      last_name: last,
      email,
      file: { bytes: makePdf(), name: `${file}.pdf` },
    };
    const post = (body: FormData): Promise<Response> => app.request('/api/v1/leads', { method: 'POST', body });

    const lead = await jsonOf<{ id: string }>(await post(formOf(submission)));
    const statuses = [
      (await post(formOf(submission))).status,
      (await post(formOf({ ...submission, email: `${mailbox}@@planted.example.com` }))).status,
      (await post(formOf({ ...submission, extra: { [typed]: typed } }))).status,
      (
        await post(
          formOf({ ...submission, email: anEmail(), file: { bytes: Buffer.from(typed), name: `${file}.exe` } }),
        )
      ).status,
    ];
    await login(app, email, typed);
    await login(app, typed, typed);
    for (const path of ['password/forgot', 'magic-link', 'email/verification'])
      await sendJson(app, 'POST', `/api/v1/auth/${path}`, { email });
    await sendJson(app, 'POST', '/api/v1/auth/password/reset', { token: secret, new_password: typed });
    await sendJson(app, 'POST', '/api/v1/auth/magic-link/verify', { token: secret });
    await sendJson(app, 'POST', '/api/v1/auth/refresh', { refresh_token: secret });
    await sendJson(app, 'POST', '/api/v1/auth/login', `{"username":"${typed}`);
    await app.request(`/api/v1/leads/${lead.id}?email=${email}&token=${secret}`, { headers: bearer(admin) });
    await app.request(`/${typed}/${email}?token=${secret}`, { headers: { 'User-Agent': typed, Cookie: secret } });
    await app.request('/api/v1/leads', {
      headers: { ...bearer(secret), 'X-API-Key': `fck_${secret}`, 'X-Request-ID': typed },
    });
    await app.request(`/api/v1/leads/${lead.id}/resume`, { headers: bearer(admin) });
    // a statement fails with the row in its error
    await app.database.query(`ALTER TABLE leads ADD CONSTRAINT ck_planted CHECK (first_name <> '${first}') NOT VALID`);
    statuses.push((await post(formOf({ ...submission, email: `2${email}` }))).status);
    await eventually('the mail server has refused', async () =>
      app.log.find((line) => line['logger'] === 'mail' && line['message'] === 'mail given up'),
    );

    expect(statuses).toEqual([409, 400, 409, 415, 500]);
    expect(app.log.length).toBeGreaterThan(50);
    const log = JSON.stringify(app.log);
    for (const planted of [first, last, mailbox, file, typed, secret, admin]) expect(log).not.toContain(planted);
    expect(log).not.toMatch(/\$2[aby]\$|eyJ[\w-]+\.eyJ/);
    // what is masked is still there to be told apart
    expect(log).toContain('z***@planted.example.com');
  });
});
