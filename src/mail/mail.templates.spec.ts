import {
  ATTORNEY,
  EVERY_MESSAGE,
  LOCALES,
  LEAD_ID,
  MESSAGES,
  PROSPECT,
  templatesWith,
} from '../../test/support/mail-templates.js';
import type { MailData } from './mail-message.entity.js';
import type { MailTemplates, RenderedMail } from './mail.templates.js';

let templates: MailTemplates;
beforeAll(async () => {
  templates = await templatesWith();
});

const prospect = (locale = 'en', data = {}): RenderedMail =>
  templates.render('prospect_confirmation', locale, { ...PROSPECT, ...data });
const attorney = (locale = 'en', data = {}): RenderedMail =>
  templates.render('attorney_notification', locale, { ...ATTORNEY, ...data });

describe.each(EVERY_MESSAGE)('in %s the message %s', (locale, name, data) => {
  const render = (values: MailData = data): RenderedMail => templates.render(name, locale, values);

  it.each([
    ['a whole page in its language', new RegExp(`^<!doctype html>\\n<html lang="${locale}"[^]*</html>\\s*$`)],
    ['a width for small screens', /<meta name="viewport" content="width=device-width, initial-scale=1">/],
    ['rules for small screens', /@media \(max-width: 480px\)/],
    [
      'rules for dark screens',
      /<meta name="color-scheme" content="light dark">[^]*@media \(prefers-color-scheme: dark\)/,
    ],
    ['a fixed width for Outlook', /<!--\[if mso\]><table role="presentation" width="600"/],
    ['who sent it and from where', /<strong>Byron &amp; Partners<\/strong>/],
  ])('has %s', (_, markup) => {
    expect(render().html).toMatch(markup);
  });

  it('is made of tables with their styles in place, as programs want it that read no style sheets', () => {
    const { html } = render();

    expect(html).not.toMatch(/display:\s*(flex|grid)|position:|<script|<link|@import|url\(/);
    for (const [tag] of html.matchAll(/<(h1|h2|p|td|a|strong|span) [^>]*>/g)) expect(tag).toMatch(/ style="|^<td>$/);
    for (const [table] of html.matchAll(/<table[^>]*>/g)) expect(table).toContain('role="presentation"');
  });

  it('says at its foot why it was sent, in HTML and in plain text', () => {
    const { html, text } = render();

    const why = locale === 'en' ? /You receive it because \S/ : /Sie erhalten (sie|diese Nachricht), weil \S/;
    for (const part of [html, text]) expect(part.replace(/\s+/g, ' ')).toMatch(why);
  });

  it('has at most 60 KB with the longest values there can be', () => {
    const longest = Object.fromEntries(Object.keys(data).map((key) => [key, '&"=<'.repeat(64)]));

    expect(Buffer.byteLength(render(longest).html)).toBeLessThan(60 * 1024);
  });

  it('keeps the lines of its own words short in plain text, and says nothing in markup there', () => {
    const { text } = render(Object.fromEntries(Object.keys(data).map((key) => [key, 'x'])));

    expect(text.split('\n').filter((line) => line.length > 76)).toEqual([]);
    expect(text).not.toMatch(/<[a-z/]|&[a-z#]+;|\n{4}|[ \t]\n/);
  });

  it.each(Object.keys(data))('cannot be rendered without %s', (missing) => {
    const rest = Object.fromEntries(Object.entries(data).filter(([key]) => key !== missing));

    expect(() => render(rest)).toThrow(`mail template ${name} lacks its value ${missing}`);
  });
});

describe('a language', () => {
  it.each([
    ['de-AT', 'Guten Tag'],
    ['en-GB', 'Dear'],
    ['fr-CA', 'Dear'],
    ['', 'Dear'],
  ])('%j is answered with %j', (locale, greeting) => {
    expect(prospect(locale).text).toMatch(new RegExp(`^${greeting} Ada`));
  });

  it('that is unknown is answered in DEFAULT_LOCALE', async () => {
    const german = await templatesWith({ DEFAULT_LOCALE: 'de-CH' });

    expect(german.render('prospect_confirmation', 'fr', PROSPECT).text).toMatch(/^Guten Tag Ada/);
    expect(german.render('prospect_confirmation', 'en', PROSPECT).text).toMatch(/^Dear Ada/);
    expect([german.serves('de-AT'), german.serves('fr')]).toEqual([true, false]);
  });
});

describe('the practice', () => {
  it('shows its own colours, logo, signature and address', async () => {
    const branded = await templatesWith({
      BRAND_COLOR_PRIMARY: '#7A1F2B',
      BRAND_COLOR_SUCCESS: 'facc15',
      LOGO_URL: 'https://practice.test/logo.png?a=1&b=2',
      MAIL_SIGNATURE: 'Annabella Byron\\nAttorney at Law',
      COMPANY_ADDRESS: '12 St James’s Square\\nLondon <SW1Y>',
    });
    const [toProspect, toAttorney] = MESSAGES.map(([name, data]) => branded.render(name, 'en', data));

    expect(toAttorney?.html).toContain('bgcolor="#7a1f2b"');
    expect(toAttorney?.html).not.toMatch(/#1d4ed8/);
    // neither white on yellow nor yellow on white could be read
    expect(toProspect?.html).toMatch(/bgcolor="#facc15"[^]*?color:#1b2230[^>]*>✓<[^]*?<h1 [^>]*color:#1b2230/);
    expect(toProspect?.html).toContain(
      '<img src="https://practice.test/logo.png?a&#x3D;1&amp;b&#x3D;2" alt="Byron &amp; Partners"',
    );
    expect(toProspect?.html).toContain('Annabella Byron<br>Attorney at Law<br></strong>Byron &amp; Partners');
    expect(toProspect?.html).toContain('12 St James’s Square<br>London &lt;SW1Y&gt;</p>');
    expect(toProspect?.text).toContain(
      'Kind regards\nAnnabella Byron\nAttorney at Law\nByron & Partners\n\n--\nThis is an automated',
    );
    expect(toProspect?.text).toMatch(/\n\nByron & Partners\n12 St James’s Square\nLondon <SW1Y>\n$/);
  });

  it('without a logo is named, and no picture is loaded from anywhere', () => {
    expect(prospect().html).toMatch(/<span class="ink"[^>]*>Byron &amp; Partners<\/span>/);
    for (const { html } of [prospect(), attorney()]) expect(html).not.toContain('<img');
  });
});

describe('what a stranger wrote', () => {
  const SCRIPT = `<script>alert("1")</script>`;

  it.each(EVERY_MESSAGE)('is escaped in %s HTML of %s, wherever it stands', (locale, name, data) => {
    const { html } = templates.render(name, locale, Object.fromEntries(Object.keys(data).map((key) => [key, SCRIPT])));

    expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;');
    expect(html).not.toContain('<script');
  });

  it.each(LOCALES)('cannot leave the attribute it stands in (%s)', (locale) => {
    const { html } = attorney(locale, {
      dashboard_url: 'https://app.test/" onmouseover="alert(1)',
      prospect_email: `"'><b>@x.test`,
    });

    expect(html).not.toMatch(/onmouseover="|"><b>|'><b>/);
  });

  it('stands in plain text as it was written', () => {
    expect(prospect('en', { prospect_name: `Zoë O'Neil <b> & "Co"` }).text).toContain(`Dear Zoë O'Neil <b> & "Co",`);
  });

  it.each([
    ['CR and LF', 'Ada\r\nBcc: eve@example.com', 'Ada Bcc: eve@example.com'],
    ['LF alone', 'Ada\nX: y', 'Ada X: y'],
    ['CR alone', 'Ada\rX: y', 'Ada X: y'],
    ['NUL', 'Ada\0X', 'Ada X'],
    ['separators of Unicode', 'Ada\u2028X\u2029Y\u0085Z', 'Ada X Y Z'],
    ['line ends at the end', 'Ada\r\n\r\n', 'Ada'],
    ['marks that turn the direction of text', 'Ada\u202Egpj.exe\u2066', 'Adagpj.exe'],
  ])('cannot break a line with %s, neither of the subject nor of the text', (_, name, shown) => {
    const { subject, text } = attorney('en', { prospect_name: name });

    expect(subject).toBe(`New Lead Submission - ${shown}`);
    expect(text).toContain(`\n  Name     ${shown}\n`);
  });

  it.each([
    ['a recipient', 'a?bcc=eve@example.com', 'a%3Fbcc%3Deve@example.com'],
    ['a body', 'a&body=hello@example.com', 'a%26body%3Dhello@example.com'],
    ['a fragment', 'a#b@example.com', 'a%23b@example.com'],
    ['a percent sign', 'a%3fb@example.com', 'a%253fb@example.com'],
    ['a second address', 'a,b@example.com', 'a%2Cb@example.com'],
    ['a second @', 'a@b@example.com', 'a@b%40example.com'],
    ['another scheme', 'javascript:alert(1)', 'javascript%3Aalert(1)'],
    ['a quote', `a"'b@example.com`, 'a%22&#x27;b@example.com'],
  ])('cannot add %s to the link that writes to the prospect', (_, address, inLink) => {
    for (const locale of LOCALES) {
      const [, link] = /href="mailto:([^"]*)"/.exec(attorney(locale, { prospect_email: address }).html) ?? [];

      expect(link).toBe(inLink);
    }
  });

  it.each([
    '{{lead_id}} {{{company_name}}} {{uri lead_id}}',
    '{{constructor}}',
    '{{> layout}}',
    '{{#each this}}x{{/each}}',
  ])('is never taken for a template: %s', (name) => {
    const { html, text, subject } = attorney('en', { prospect_name: name });

    for (const part of [html.replaceAll('&gt;', '>'), text, subject]) expect(part).toContain(name);
  });
});

describe('a message that cannot be rendered', () => {
  const { dashboard_url: _, ...incomplete } = ATTORNEY;

  it('goes out as its plain text where only the HTML fails', () => {
    const { html: _html, ...plain } = prospect('de');

    expect(templates.renderPlain('prospect_confirmation', 'de', PROSPECT)).toEqual(plain);
  });

  it('goes out as what is known where everything fails', () => {
    expect(() => templates.render('attorney_notification', 'en', incomplete)).toThrow('lacks its value dashboard_url');
    expect(
      templates.renderPlain('attorney_notification', 'en', { ...incomplete, prospect_name: 'Ada\r\nBcc: x' }),
    ).toEqual({
      subject: 'Byron & Partners',
      text: [
        'Byron & Partners',
        '',
        'Prospect name: Ada Bcc: x',
        'Prospect email: ada@example.com',
        'Resume filename: Résumé Ada.pdf',
        `Lead id: ${LEAD_ID}`,
        '',
      ].join('\n'),
    });
  });

  it.each(['nothing', '', 'constructor', '__proto__', '../dev/mail-list', 'partials/layout'])(
    'because there is none called %j says so',
    (name) => {
      expect(() => templates.render(name, 'en', ATTORNEY)).toThrow(`there is no mail template ${name}`);
      expect(templates.renderPlain(name, 'en', {})).toEqual({
        subject: 'Byron & Partners',
        text: 'Byron & Partners\n\n\n',
      });
    },
  );
});
