import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../src/config/project-root.js';
import { ADMIN, startApp, type TestApp } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { makeDatabase } from './support/database.js';
import { anEmail, formOf, jsonOf } from './support/leads.js';
import { ATTORNEY, closeApps, expectDiscreet, reaches, startMailingApp } from './support/mail.js';
import { Program } from './support/program.js';
import { startSmtp } from './support/smtp.js';

afterEach(async () => {
  await cleanUp();
  await closeApps();
});

/** Fetch sends "*" for a language that nobody names. */
function submitIn(app: TestApp, email: string, accepted = '*', locale?: string): Promise<Response> {
  const form = formOf({ email, extra: locale === undefined ? {} : { locale } });
  return app.request('/api/v1/leads', { method: 'POST', body: form, headers: { 'Accept-Language': accepted } });
}

describe('the language of a confirmation', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ SMTP_HOST: '' });
  });
  afterAll(() => app.close());

  it.each([
    ['the field', '*', 'de', 'de', 'Vielen Dank für Ihre Anfrage'],
    ['the field in another spelling', '*', 'DE-at', 'de-AT', 'Vielen Dank für Ihre Anfrage'],
    ['the field rather than Accept-Language', 'en-GB,en', 'de', 'de', 'Vielen Dank für Ihre Anfrage'],
    ['Accept-Language', 'de-CH', undefined, 'de-CH', 'Vielen Dank für Ihre Anfrage'],
    ['Accept-Language where the field is empty', 'de', '', 'de', 'Vielen Dank für Ihre Anfrage'],
    [
      'the best of Accept-Language',
      'fr;q=0.9, en;q=0.5, de-DE;q=0.7',
      undefined,
      'de-DE',
      'Vielen Dank für Ihre Anfrage',
    ],
    ['Accept-Language where the field asks for what there is not', 'de', 'fr', 'de', 'Vielen Dank für Ihre Anfrage'],
    ['DEFAULT_LOCALE where nothing fits', 'fr-CA, es;q=0.5', 'it', 'en', 'Thank you for your submission'],
    ['DEFAULT_LOCALE where nothing is asked for', '*', undefined, 'en', 'Thank you for your submission'],
    ['DEFAULT_LOCALE where nothing can be read', 'x_y, ;;;, "', undefined, 'en', 'Thank you for your submission'],
  ])('is that of %s', async (_, accepted, locale, kept, subject) => {
    const prospect = anEmail();

    const response = await submitIn(app, prospect, accepted, locale);

    expect(response.status).toBe(201);
    const { id: lead } = await jsonOf<{ id: string }>(response);
    const { id: message } = await reaches(app, prospect, 'sent');
    const page = await (await app.request(`/dev/mail/${message}`)).text();
    expect(page).toContain(`<h1>${subject}</h1>`);
    expect(await app.database.query('SELECT locale FROM leads WHERE id = $1', [lead])).toEqual([{ locale: kept }]);
    expect(
      await app.database.query('SELECT template, locale FROM mail_messages WHERE about_id = $1 ORDER BY template', [
        lead,
      ]),
    ).toEqual([
      { template: 'attorney_notification', locale: 'en' },
      { template: 'prospect_confirmation', locale: kept },
    ]);
  });

  it('must be a language, or nothing is taken in', async () => {
    const prospect = anEmail();

    const response = await submitIn(app, prospect, 'de', 'Deutsch, bitte');

    expect(response.status).toBe(400);
    expect(await jsonOf(response)).toMatchObject({
      field_errors: { locale: ['Must be a language tag such as en or de-AT'] },
    });
    expect(await app.database.query('SELECT id FROM leads WHERE email = $1', [prospect])).toEqual([]);
  });
});

describe('DEFAULT_LOCALE', () => {
  it('is the language of the mails to attorneys, whatever the prospect reads', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({ ...sink.settings, DEFAULT_LOCALE: 'de' });
    const prospect = anEmail();

    await submitIn(app, prospect, 'en');

    await reaches(app, prospect, 'sent');
    await reaches(app, ATTORNEY, 'sent');
    expect(sink.to(prospect)[0]?.parsed.subject).toBe('Thank you for your submission');
    const [mail] = sink.to(ATTORNEY);
    expect(mail?.parsed.subject).toBe('Neue Anfrage – Ada Lovelace');
    expect(mail?.parsed.html).toContain('<html lang="de"');
  });
});

describe('a mail whose template fails', () => {
  it('goes out as plain text with what is known, operators are alerted, and the log says which', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({ ...sink.settings, COMPANY_NAME: 'Byron & Partners' });
    const id = randomUUID();

    // a row of an older version, which lacks a value of the template
    await app.database.query(
      `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id)
       VALUES ($1, 'attorney_notification', $2, '{"prospect_name": "Ada Lovelace"}', 'lead', $1)`,
      [id, ATTORNEY],
    );
    await app.database.query(
      `SELECT graphile_worker.add_job('mail.deliver', json_build_object('message_id', $1::text))`,
      [id],
    );

    await reaches(app, ATTORNEY, 'sent');
    const [mail] = sink.to(ATTORNEY);
    expect(mail?.parsed.subject).toBe('Byron & Partners');
    expect(mail?.parsed.text).toBe('Byron & Partners\n\nProspect name: Ada Lovelace\n');
    expect(mail?.parsed.html).toBeUndefined();
    expect(mail?.source).toMatch(/^Content-Type: text\/plain; charset=utf-8/m);
    const failures = app.log.filter(({ message }) => message === 'mail template failed; plain text goes out');
    expect(failures).toEqual([
      expect.objectContaining({ level: 'ERROR', message_id: id, template: 'attorney_notification', locale: 'en' }),
    ]);
    expect(await app.database.query('SELECT cause, details FROM alerts')).toEqual([
      {
        cause: 'mail.template_failed:attorney_notification',
        details: { message_id: id, template: 'attorney_notification', locale: 'en' },
      },
    ]);
    expectDiscreet(app.log, ATTORNEY);
  });
});

describe('a folder of templates of the practice', () => {
  let home: string;
  let folder: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'forecourt-templates-'));
    folder = join(home, 'templates');
    await cp(join(PROJECT_ROOT, 'templates', 'mail'), folder, { recursive: true });
  });
  afterEach(() => rm(home, { recursive: true }));

  it('that lacks a part stops the start, and the log names its file', async () => {
    await rm(join(folder, 'de', 'prospect_confirmation.text.hbs'));
    const database = await makeDatabase();
    atEnd(() => database.drop());
    const program = new Program({
      DATABASE_URL: database.url,
      DATA_DIR: join(home, 'data'),
      PORT: '0',
      DB_POOL_SIZE: '2',
      MAIL_TEMPLATES_DIR: folder,
      ADMIN_PASSWORD: ADMIN.password,
    });

    expect(await program.ended).toBe(1);
    expect(program.output).toContain('do not allow a start');
    expect(program.output).toContain('de/prospect_confirmation.text.hbs is missing');
  });

  it('with a language of its own answers in that language', async () => {
    await cp(join(folder, 'de'), join(folder, 'nds'), { recursive: true });
    const sink = await startSmtp();
    const app = await startMailingApp({ ...sink.settings, MAIL_TEMPLATES_DIR: folder });
    const prospect = anEmail();

    await submitIn(app, prospect, 'nds, en');

    await reaches(app, prospect, 'sent');
    expect(sink.to(prospect)[0]?.parsed.html).toContain('<html lang="nds"');
  });
});
