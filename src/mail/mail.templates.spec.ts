import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../config/config.js';
import { PROJECT_ROOT } from '../config/project-root.js';
import { MailTemplates, type RenderedMail } from './mail.templates.js';

const TEMPLATES = join(PROJECT_ROOT, 'templates');
const LEAD_ID = '0d7f7c52-3f6e-4a1c-9f7e-6a1f6f1f2c11';
const PROSPECT = { prospect_name: 'Ada Lovelace', lead_id: LEAD_ID };
const ATTORNEY = {
  prospect_name: 'Ada Lovelace',
  prospect_email: 'ada@example.com',
  resume_filename: 'Résumé Ada.pdf',
  lead_id: LEAD_ID,
  dashboard_url: `https://app.test/leads/${LEAD_ID}`,
};

let templates: MailTemplates;
beforeAll(async () => {
  templates = new MailTemplates(loadConfig({ COMPANY_NAME: 'Byron & Partners', SMTP_FROM_NAME: 'Intake System' }));
  await templates.onModuleInit();
});

const prospect = (data = {}): RenderedMail => templates.render('prospect_confirmation', { ...PROSPECT, ...data });
const attorney = (data = {}): RenderedMail => templates.render('attorney_notification', { ...ATTORNEY, ...data });

/** The words of a page, without its markup. */
const wordsOf = (html: string): string =>
  html
    .replace(/<style>[^]*?<\/style>|<[^>]+>/g, ' ')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ');

describe('the confirmation to the prospect', () => {
  it('has the subject that was agreed on', () => {
    expect(prospect().subject).toBe('Thank you for your submission');
  });

  it.each([
    ['greets by full name', /Dear Ada Lovelace,/],
    ['names the reference', new RegExp(`Your reference:? ${LEAD_ID}`)],
    ['has the section "What Happens Next?"', /What Happens Next\?/],
    ['promises a review by the attorneys', /Our attorney team reviews what you sent/],
    ['promises contact within 3-5 business days', /contact you within 3-5 business days/],
    ['announces the talk about next steps', /discuss the next steps/],
    ['is signed with the company name', /Kind regards The team of Byron & Partners/],
    ['says that it is automated', /This is an automated message; please do not reply/],
    ['says why it was sent', /because this address was entered in the form of Byron & Partners/],
  ])('%s, in HTML and in plain text', (_, words) => {
    const { html, text } = prospect();

    expect(wordsOf(html)).toMatch(words);
    expect(text.replace(/\s+/g, ' ')).toMatch(words);
  });

  it('tells the three steps in their order', () => {
    for (const words of [wordsOf(prospect().html), prospect().text])
      expect(words).toMatch(/1\W+Our attorney team[^]*2\W+We contact you[^]*3\W+Together we discuss/);
  });

  it.each([
    ['a green header with a check mark', /background:#15803d[^]*?✓[^]*?<h1/],
    ['a width for small screens', /<meta name="viewport" content="width=device-width, initial-scale=1">/],
    ['rules for small screens', /@media \(max-width: 480px\)/],
    ['rules for dark screens', /@media \(prefers-color-scheme: dark\)/],
  ])('shows %s', (_, markup) => {
    expect(prospect().html).toMatch(markup);
  });
});

describe('the notification to the attorney', () => {
  it('has the prospect in its subject', () => {
    expect(attorney().subject).toBe('New Lead Submission - Ada Lovelace');
  });

  it.each([
    ['says NEW LEAD', /NEW LEAD/],
    ['names the prospect', /Name Ada Lovelace/],
    ['names the address', /E-mail ada@example\.com/],
    ['names the résumé', /Résumé Résumé Ada\.pdf/],
    ['names the lead', new RegExp(`Lead ID ${LEAD_ID}`)],
    ['names the status', /Status PENDING/],
    ['says what to do, and by when', /Action required[.:] the prospect was told[^]*3-5 business days[^]*REACHED_OUT/i],
    ['says who sent it for whom', /Sent by Intake System for Byron & Partners/],
    ['says why the résumé is not attached', /The résumé is not attached: it is confidential/],
  ])('%s, in HTML and in plain text', (_, words) => {
    const { html, text } = attorney();

    expect(wordsOf(html)).toMatch(words);
    expect(text.replace(/\s+/g, ' ')).toMatch(words);
  });

  it.each([
    ['a blue header with a bell and a badge', /background:#1d4ed8[^]*?🔔[^]*?border-radius:999px[^>]*>NEW LEAD</],
    ['the name in bold', /<strong>Ada Lovelace<\/strong>/],
    ['the address as a link', /href="mailto:ada@example\.com"[^>]*>ada@example\.com</],
    ['the lead in monospace', new RegExp(`font-family:[^"]*monospace[^"]*">${LEAD_ID}<`)],
    ['the status in orange', /background:#ffedd5;color:#c2410c[^>]*>PENDING</],
    [
      'the button to the dashboard',
      new RegExp(`<a class="button" href="https://app\\.test/leads/${LEAD_ID}"[^>]*>View Lead in Dashboard<`),
    ],
    ['a box with what is to be done', /class="box"[^]*?Action required/],
    ['a width for small screens', /<meta name="viewport" content="width=device-width, initial-scale=1">/],
    ['rules for small screens', /@media \(max-width: 480px\)/],
  ])('shows %s', (_, markup) => {
    expect(attorney().html).toMatch(markup);
  });

  it('carries the link to the dashboard in plain text', () => {
    expect(attorney().text).toContain(`\n${ATTORNEY.dashboard_url}\n`);
  });
});

describe('what a stranger wrote', () => {
  const SCRIPT = `<script>alert("1")</script>`;

  it('is escaped in HTML, wherever it stands', () => {
    const pages = [
      prospect({ prospect_name: SCRIPT, lead_id: SCRIPT }).html,
      attorney(Object.fromEntries(Object.keys(ATTORNEY).map((name) => [name, SCRIPT]))).html,
    ];

    for (const html of pages) {
      expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;');
      expect(html).not.toContain('<script');
    }
  });

  it('cannot leave the attribute it stands in', () => {
    const { html } = attorney({
      dashboard_url: 'https://app.test/" onmouseover="alert(1)',
      prospect_email: '"><b>@x.test',
    });

    expect(html).not.toMatch(/onmouseover="|"><b>/);
  });

  it('stands in plain text as it was written', () => {
    expect(prospect({ prospect_name: `Zoë O'Neil <b> & "Co"` }).text).toContain(`Dear Zoë O'Neil <b> & "Co",`);
  });

  it.each([
    ['CR and LF', 'Ada\r\nBcc: eve@example.com', 'Ada Bcc: eve@example.com'],
    ['LF alone', 'Ada\nX: y', 'Ada X: y'],
    ['CR alone', 'Ada\rX: y', 'Ada X: y'],
    ['NUL', 'Ada\0X', 'Ada X'],
    ['separators of Unicode', 'Ada\u2028X\u2029Y\u0085Z', 'Ada X Y Z'],
    ['line ends at the end', 'Ada\r\n\r\n', 'Ada'],
  ])('cannot break the line of the subject with %s', (_, name, shown) => {
    expect(attorney({ prospect_name: name }).subject).toBe(`New Lead Submission - ${shown}`);
  });

  it.each([
    ['a recipient', 'a?bcc=eve@example.com', 'a%3Fbcc%3Deve@example.com'],
    ['a body', 'a&body=hello@example.com', 'a%26body%3Dhello@example.com'],
    ['a fragment', 'a#b@example.com', 'a%23b@example.com'],
    ['a percent sign', 'a%3fb@example.com', 'a%253fb@example.com'],
    ['a second address', 'a,b@example.com', 'a%2Cb@example.com'],
  ])('cannot add %s to the link that writes to the prospect', (_, address, inLink) => {
    const [, link] = /href="mailto:([^"]*)"/.exec(attorney({ prospect_email: address }).html) ?? [];

    expect(link).toBe(inLink);
  });

  it('is never taken for a template', () => {
    const { html, text, subject } = attorney({ prospect_name: '{{lead_id}} {{{company_name}}} {{uri lead_id}}' });

    for (const part of [html, text, subject]) expect(part).toContain('{{lead_id}} {{{company_name}}} {{uri lead_id}}');
  });
});

describe('a template', () => {
  it.each([
    ...Object.keys(PROSPECT).map((name) => ['prospect_confirmation', name, PROSPECT] as const),
    ...Object.keys(ATTORNEY).map((name) => ['attorney_notification', name, ATTORNEY] as const),
  ])('%s cannot be rendered without %s', (template, missing, data) => {
    const rest = Object.fromEntries(Object.entries(data).filter(([name]) => name !== missing));

    expect(() => templates.render(template, rest)).toThrow(missing);
  });

  it.each(['nothing', '', 'constructor', '../dev/mail-list', 'partials/layout'])('named %j does not exist', (name) => {
    expect(() => templates.render(name, ATTORNEY)).toThrow(`there is no mail template ${name}`);
  });

  const files = readdirSync(TEMPLATES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.hbs'));

  it.each(files)('%s never prints a value unescaped', (file) => {
    expect(readFileSync(join(TEMPLATES, file), 'utf8')).not.toMatch(/\{\{\{|\{\{~?&/);
  });

  it.each(files.filter((file) => file.startsWith('mail')))(
    '%s loads nothing from elsewhere: no script, no picture, no style sheet, no font',
    (file) => {
      expect(readFileSync(join(TEMPLATES, file), 'utf8')).not.toMatch(
        /<script|<img|<link|@import|url\(|https?:\/\/(?!www\.w3\.org\/1999\/xhtml)/i,
      );
    },
  );

  it('exists in HTML and in plain text, with a subject, for each message', () => {
    const parts = readdirSync(join(TEMPLATES, 'mail')).filter((name) => name.endsWith('.hbs'));

    expect(parts.sort()).toEqual(
      ['attorney_notification', 'prospect_confirmation'].flatMap((name) =>
        ['html', 'subject', 'text'].map((part) => `${name}.${part}.hbs`),
      ),
    );
  });

  it.each(['prospect_confirmation', 'attorney_notification'])('%s is made with the shared layout', (name) => {
    expect(readFileSync(join(TEMPLATES, 'mail', `${name}.html.hbs`), 'utf8')).toMatch(/^\{\{#> layout /);
    expect(templates.render(name, ATTORNEY).html).toMatch(/^<!doctype html>[^]*<\/html>\s*$/);
  });
});
