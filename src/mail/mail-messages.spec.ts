import { ALERT, ATTORNEY, LEAD_ID, LOCALES, PROSPECT, templatesWith } from '../../test/support/mail-templates.js';
import type { MailTemplates, RenderedMail } from './mail.templates.js';

let templates: MailTemplates;
beforeAll(async () => {
  templates = await templatesWith();
});

const prospect = (locale = 'en', data = {}): RenderedMail =>
  templates.render('prospect_confirmation', locale, { ...PROSPECT, ...data });
const attorney = (locale = 'en', data = {}): RenderedMail =>
  templates.render('attorney_notification', locale, { ...ATTORNEY, ...data });

/** The words that a reader sees, without markup. */
const wordsOf = (html: string): string =>
  html
    .replace(/<!--[^]*?-->|<style>[^]*?<\/style>|<[^>]+>/g, ' ')
    .replace(/&amp;/g, '&')
    .replace(/&quot;/g, '"')
    .replace(/\s+/g, ' ')
    .replace(/ ([.,])/g, '$1');

const inBoth = ({ html, text }: RenderedMail): string[] => [wordsOf(html), text.replace(/\s+/g, ' ')];

describe('the confirmation to the prospect', () => {
  it.each([
    ['en', 'Thank you for your submission'],
    ['de', 'Vielen Dank für Ihre Anfrage'],
  ])('has in %s the subject %j', (locale, subject) => {
    expect(prospect(locale).subject).toBe(subject);
  });

  it.each([
    ['en', 'greets by full name', /Dear Ada Lovelace,/],
    ['en', 'names the reference', new RegExp(`Your reference:? ${LEAD_ID}`)],
    ['en', 'says what happens next', /What Happens Next\?/],
    ['en', 'promises a review by the attorneys', /1\.? Our attorney team reviews what you sent/],
    ['en', 'promises contact within 3-5 business days', /2\.? We contact you within 3-5 business days\./],
    ['en', 'announces the talk about next steps', /3\.? Together we discuss the next steps/],
    ['en', 'is signed with the company name', /Kind regards The team of Byron & Partners/],
    ['en', 'says that it is automated', /This is an automated message; please do not reply/],
    ['en', 'says why it was sent', /because this address was entered in the form of Byron & Partners/],
    ['de', 'greets by full name', /Guten Tag Ada Lovelace,/],
    ['de', 'names the reference', new RegExp(`Ihre Referenznummer:? ${LEAD_ID}`)],
    ['de', 'says what happens next', /Wie geht es weiter\?/],
    ['de', 'promises a review by the attorneys', /1\.? Unsere Anwältinnen und Anwälte prüfen Ihre Angaben/],
    [
      'de',
      'promises contact within 3-5 business days',
      /2\.? Wir melden uns innerhalb von 3 bis 5 Werktagen bei Ihnen/,
    ],
    ['de', 'announces the talk about next steps', /3\.? Gemeinsam besprechen wir die nächsten Schritte/],
    ['de', 'is signed with the company name', /Mit freundlichen Grüßen Ihr Team von Byron & Partners/],
    ['de', 'says that it is automated', /automatisch erstellt; bitte antworten Sie nicht darauf/],
    ['de', 'says why it was sent', /weil diese Adresse im Formular von Byron & Partners angegeben wurde/],
  ])('in %s %s, in HTML and in plain text', (locale, _, words) => {
    for (const part of inBoth(prospect(locale))) expect(part).toMatch(words);
  });

  it.each([
    ['en', 'automated message; replies to it reach office@practice.test.'],
    ['de', 'automatisch erstellt; Antworten darauf erreichen office@practice.test.'],
  ])('says in %s where answers go, when somebody reads them', async (locale, words) => {
    const answered = await templatesWith({ MAIL_REPLY_TO: 'office@practice.test' });

    for (const part of inBoth(answered.render('prospect_confirmation', locale, PROSPECT))) {
      expect(part).toContain(words);
      expect(part).not.toMatch(/do not reply|antworten Sie nicht/);
    }
  });

  it.each(LOCALES)('has in %s a green header with a check mark', (locale) => {
    expect(prospect(locale).html).toMatch(/bgcolor="#15803d"[^]*?color:#15803d[^>]*>✓<[^]*?<h1[^]*?<\/h1>/);
  });
});

describe('the notification to the attorney', () => {
  it.each([
    ['en', 'New Lead Submission - Ada Lovelace'],
    ['de', 'Neue Anfrage – Ada Lovelace'],
  ])('has in %s the subject %j', (locale, subject) => {
    expect(attorney(locale).subject).toBe(subject);
  });

  it.each([
    ['en', 'says NEW LEAD', /NEW LEAD/],
    ['en', 'names the prospect', /Name Ada Lovelace/],
    ['en', 'names the address', /E-mail ada@example\.com/],
    ['en', 'names the résumé', /Résumé Résumé Ada\.pdf/],
    ['en', 'names the lead', new RegExp(`Lead ID ${LEAD_ID}`)],
    ['en', 'names the status', /Status PENDING/],
    ['en', 'says what to do', /Action required[.:] The prospect was told to expect an answer/i],
    ['en', 'says by when', /within 3-5 business days\. Please get in touch and mark the lead as REACHED_OUT\./],
    ['en', 'says who sent it for whom', /Sent by Intake System for Byron & Partners/],
    ['en', 'says why the résumé is not attached', /The résumé is not attached: it is confidential/],
    ['de', 'says NEUE ANFRAGE', /NEUE ANFRAGE/],
    ['de', 'names the prospect', /Name Ada Lovelace/],
    ['de', 'names the address', /E-Mail ada@example\.com/],
    ['de', 'names the résumé', /Lebenslauf Résumé Ada\.pdf/],
    ['de', 'names the lead', new RegExp(`Lead-ID ${LEAD_ID}`)],
    ['de', 'names the status', /Status PENDING/],
    ['de', 'says what to do', /Bitte handeln[.:] Der anfragenden Person wurde eine Antwort/i],
    ['de', 'says by when', /innerhalb von 3 bis 5 Werktagen zugesagt\. Bitte nehmen Sie Kontakt auf [^]*REACHED_OUT\./],
    ['de', 'says who sent it for whom', /Gesendet von Intake System für Byron & Partners/],
    ['de', 'says why the résumé is not attached', /Der Lebenslauf ist nicht angehängt: Er ist vertraulich/],
  ])('in %s %s, in HTML and in plain text', (locale, _, words) => {
    for (const part of inBoth(attorney(locale))) expect(part).toMatch(words);
  });

  describe.each([
    ['en', 'NEW LEAD', 'View Lead in Dashboard', 'Action required'],
    ['de', 'NEUE ANFRAGE', 'Anfrage im Dashboard öffnen', 'Bitte handeln'],
  ])('in %s', (locale, badge, button, action) => {
    it.each([
      ['a blue header with a bell', /bgcolor="#1d4ed8"[^]*?>🔔<[^]*?<h1/],
      ['its badge', new RegExp(`border-radius:999px[^>]*>${badge}</span>`)],
      ['the name in bold', /<strong[^>]*>Ada Lovelace<\/strong>/],
      ['the address as a link', /href="mailto:ada@example\.com"[^>]*>ada@example\.com</],
      ['the lead in monospace', new RegExp(`font-family:[^"]*monospace[^"]*">${LEAD_ID}<`)],
      ['the status in orange', /background-color:#fdba74;color:#7c2d12[^>]*>PENDING</],
      ['the button to the dashboard', new RegExp(`<a href="https://app\\.test/leads/${LEAD_ID}"[^>]*>${button}<`)],
      ['a box with what is to be done', new RegExp(`class="notice"[^]*?<strong>${action}\\.</strong>`)],
    ])('shows %s', (_, markup) => {
      expect(attorney(locale).html).toMatch(markup);
    });

    it('carries the link to the dashboard in plain text, in a line of its own', () => {
      expect(attorney(locale).text).toContain(`\n${ATTORNEY.dashboard_url}\n`);
    });
  });
});

describe('the alert to operators', () => {
  it.each([
    ['en', /When 2026-01-31T10:30:00\.000Z Cause file\.infected Details \{"code":7\}/, /you hear once an hour/],
    ['de', /Wann 2026-01-31T10:30:00\.000Z Ursache file\.infected Einzelheiten \{"code":7\}/, /einmal in der Stunde/],
  ])('says in %s what happened, when, and how often it is told', (locale, facts, often) => {
    const mail = templates.render('alert', locale, ALERT);

    expect(mail.subject).toBe('[Intake System] An upload holds malware');
    for (const part of inBoth(mail)) {
      expect(part).toContain('An upload holds malware');
      expect(part).toMatch(facts);
      expect(part).toMatch(often);
    }
  });
});
