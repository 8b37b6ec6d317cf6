import { readdirSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROSPECT, templatesWith } from '../../test/support/mail-templates.js';
import { PROJECT_ROOT } from '../config/project-root.js';
import type { MailTemplates } from './mail.templates.js';

const OWN = join(PROJECT_ROOT, 'templates', 'mail');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'forecourt-templates-'));
  await cp(OWN, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

const start = (settings = {}): Promise<MailTemplates> => templatesWith({ MAIL_TEMPLATES_DIR: folder, ...settings });

async function change(file: string, edit: (source: string) => string): Promise<void> {
  const before = await readFile(join(folder, file), 'utf8');
  const after = edit(before);
  if (after === before) throw new Error(`the edit of ${file} changes nothing`);
  await writeFile(join(folder, file), after);
}

/** What the start complains about, a problem a line. */
async function problems(settings = {}): Promise<string[]> {
  const message = await start(settings).then(
    () => '',
    (error: unknown) => (error as Error).message,
  );
  return message.split('\n  - ').slice(1);
}

describe('a folder of templates', () => {
  it('that is in order lets the program start, with its own words', async () => {
    await change('en/prospect_confirmation.text.hbs', (source) => source.replace('Dear', 'Dearest'));

    expect((await start()).render('prospect_confirmation', 'en', PROSPECT).text).toMatch(/^Dearest Ada/);
  });

  it('has a further language as soon as it has a further folder', async () => {
    await cp(join(folder, 'en'), join(folder, 'pt-BR'), { recursive: true });
    await change('pt-BR/prospect_confirmation.text.hbs', (source) => source.replace('Dear', 'Prezada'));

    const templates = await start({ DEFAULT_LOCALE: 'pt-BR' });

    expect(templates.locales).toEqual(['de', 'en', 'pt-BR']);
    expect(templates.render('prospect_confirmation', 'pt-BR', PROSPECT)).toMatchObject({
      html: expect.stringContaining('<html lang="pt-BR"') as string,
      text: expect.stringMatching(/^Prezada Ada/) as string,
    });
  });

  it.each(['subject', 'html', 'text'])('that lacks a %s stops the start', async (part) => {
    await rm(join(folder, `de/attorney_notification.${part}.hbs`));

    expect(await problems()).toEqual([`de/attorney_notification.${part}.hbs is missing`]);
  });

  it('that lacks the layout stops the start', async () => {
    await rm(join(folder, 'partials/layout.html.hbs'));

    expect(await problems()).toContain(
      'en/prospect_confirmation.html.hbs names layout, which is neither a value of the message nor a partial',
    );
  });

  it('that does not exist stops the start', async () => {
    const found = await problems({ MAIL_TEMPLATES_DIR: join(folder, 'nowhere') });

    expect(found).toEqual(['the folder cannot be read', 'there is no folder for DEFAULT_LOCALE, en']);
  });

  it('without the language of DEFAULT_LOCALE stops the start', async () => {
    expect(await problems({ DEFAULT_LOCALE: 'fr' })).toEqual(['there is no folder for DEFAULT_LOCALE, fr']);
  });

  it.each(['German', 'de_AT', 'DE'])('with a language called %s stops the start', async (name) => {
    await rename(join(folder, 'de'), join(folder, name));

    expect(await problems()).toEqual([`${name}/ must be named after a language as in BCP 47, such as de or pt-BR`]);
  });

  it.each([
    [
      'a file that belongs to no message',
      'en/prospect_confirmaton.html.hbs',
      'en/prospect_confirmaton.html.hbs belongs to no message',
    ],
    [
      'a partial that is neither HTML nor text',
      'partials/layout.hbs',
      'partials/layout.hbs must end in .html.hbs or .text.hbs',
    ],
  ])('with %s stops the start', async (_, file, problem) => {
    await writeFile(join(folder, file), 'x');

    expect(await problems()).toEqual([problem]);
  });

  it('names every problem at once', async () => {
    await rm(join(folder, 'de/prospect_confirmation.text.hbs'));
    await rm(join(folder, 'en/attorney_notification.subject.hbs'));

    expect(await problems({ DEFAULT_LOCALE: 'fr' })).toHaveLength(3);
  });
});

describe('a template', () => {
  const HTML = 'en/attorney_notification.html.hbs';

  it.each([
    [
      'is no Handlebars',
      (source: string) => source.replace('{{/layout}}', ''),
      /^en\/attorney_notification\.html\.hbs: Parse error/,
    ],
    [
      'prints a value as it is, with three braces',
      (source: string) => source.replace('{{resume_filename}}', '{{{resume_filename}}}'),
      /^en\/attorney_notification\.html\.hbs: prints a value unescaped in line \d+$/,
    ],
    [
      'prints a value as it is, with &',
      (source: string) => source.replace('{{resume_filename}}', '{{& resume_filename}}'),
      /^en\/attorney_notification\.html\.hbs: prints a value unescaped in line \d+$/,
    ],
    [
      'shows a value that the message does not have',
      (source: string) => source.replace('href=dashboard_url', 'href=dashboard'),
      /^en\/attorney_notification\.html\.hbs names dashboard, which is neither a value of the message nor a partial$/,
    ],
    [
      'does not show a value of the message',
      (source: string) => source.replace('{{resume_filename}}', ''),
      /^en\/attorney_notification\.html\.hbs does not show resume_filename$/,
    ],
    [
      'calls a helper that does not exist',
      (source: string) => source.replace('{{resume_filename}}', '{{upper resume_filename}}'),
      /^en\/attorney_notification\.html\.hbs names upper, which is neither a value of the message nor a partial$/,
    ],
  ])('that %s stops the start', async (_, edit, problem) => {
    await change(HTML, edit);

    expect(await problems()).toEqual([expect.stringMatching(problem)]);
  });

  it.each([
    [
      'plain text does not say all',
      'de/attorney_notification.text.hbs',
      '{{dashboard_url}}',
      'does not show dashboard_url',
    ],
    ['subject is empty', 'de/attorney_notification.subject.hbs', 'Neue Anfrage – {{prospect_name}}', 'is empty'],
  ])('whose %s stops the start', async (_, file, words, problem) => {
    await change(file, (source) => source.replace(words, ''));

    expect(await problems()).toEqual([`${file} ${problem}`]);
  });

  it('stops the start with a partial that prints a value as it is', async () => {
    await change('partials/section.html.hbs', (source) => `${source}{{{company_name}}}`);

    expect(await problems()).toEqual([
      expect.stringMatching(/^partials\/section\.html\.hbs: prints a value unescaped in line \d+$/),
    ]);
  });

  const files = readdirSync(join(PROJECT_ROOT, 'templates'), { recursive: true, encoding: 'utf8' });

  it.each(files.filter((file) => file.endsWith('.hbs')))('%s never prints a value unescaped', async (file) => {
    expect(await readFile(join(PROJECT_ROOT, 'templates', file), 'utf8')).not.toMatch(/\{\{\{|\{\{~?&/);
  });

  it('says nothing in the shared partials: words belong to a language', async () => {
    for (const file of await readdir(join(OWN, 'partials'))) {
      const source = await readFile(join(OWN, 'partials', file), 'utf8');
      const words = source.replace(/<!--[^]*?-->|<style>[^]*?<\/style>|<[^>]+>|\{\{[^}]*\}\}|&\w+;|--/g, '').trim();

      expect([file, words]).toEqual([file, '']);
    }
  });
});
