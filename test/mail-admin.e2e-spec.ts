import { cleanUp } from './support/clean-up.js';
import { aLead, anAttorney, anEmail, bearer, get, jsonOf, tokenOf } from './support/leads.js';
import { ATTORNEY, attemptsAt, closeApps, messageTo, oweMails, reaches, startMailingApp } from './support/mail.js';
import { startSmtp } from './support/smtp.js';

afterEach(async () => {
  await cleanUp();
  await closeApps();
});

const MESSAGES = '/api/v1/admin/mail/messages';
/** Serves requests and delivers nothing, so that what a test writes stays as it is. */
const ONLY_HTTP = { ROLE: 'http' };

describe('GET /api/v1/admin/mail/messages/{id}', () => {
  it('shows the row, its attempts, and the words that arrived', async () => {
    const sink = await startSmtp({
      recipient: (_, before) => (before === 0 ? { code: 451, text: '4.7.1 later' } : undefined),
    });
    const app = await startMailingApp(sink.settings);
    const one = anEmail();
    await oweMails(app, [one]);
    const { id } = await reaches(app, one, 'sent');

    const response = await get(app, `${MESSAGES}/${id.toUpperCase()}`, await tokenOf(app));

    const body = await jsonOf<{ rendered: Record<string, string> }>(response);
    expect(body).toMatchObject({
      id,
      recipient: one,
      state: 'sent',
      attempts: 2,
      last_error: null,
      resent_as: null,
      attempt_log: [
        { number: 1, outcome: 'postponed', words: expect.stringContaining('451 4.7.1 later') },
        { number: 2, outcome: 'sent', words: null, started_at: expect.any(String), ended_at: expect.any(String) },
      ],
      rendered: { problem: null },
    });
    const [arrived] = sink.to(one);
    const { rendered } = body;
    expect([rendered['subject'], rendered['html']?.trim(), rendered['text']?.trim()]).toEqual([
      arrived?.parsed.subject,
      arrived?.parsed.html?.trim(),
      arrived?.parsed.text?.trim(),
    ]);
  });

  it('shows one that can no longer be rendered as it would go out, and says so, and alerts nobody', async () => {
    const app = await startMailingApp(ONLY_HTTP);
    const token = await tokenOf(app);
    const one = anEmail();
    await oweMails(app, [one]);
    await app.database.query(`UPDATE mail_messages SET template = 'nothing'`);
    const { id } = (await messageTo(app, one))!;

    const shown = await jsonOf(await get(app, `${MESSAGES}/${id}`, token));
    const html = await get(app, `${MESSAGES}/${id}/preview?format=html`, token);
    const text = await get(app, `${MESSAGES}/${id}/preview?format=text`, token);

    expect(shown['rendered']).toEqual({
      subject: 'Forecourt Law',
      html: null,
      text: expect.stringContaining('Prospect name: Ada'),
      problem: 'there is no mail template nothing',
    });
    expect([html.status, await jsonOf(html)]).toEqual([
      409,
      expect.objectContaining({ error_code: 'MAIL_NOT_RENDERABLE' }),
    ]);
    expect([text.status, await text.text()]).toEqual([200, expect.stringContaining('Prospect name: Ada')]);
    expect(await app.database.query('SELECT FROM alerts')).toEqual([]);
  });

  it('shows a preview in which nothing that a stranger wrote can run', async () => {
    const app = await startMailingApp(ONLY_HTTP);
    const token = await tokenOf(app);
    const attack = `<script>alert(1)</script><img src=x onerror="alert(2)">`;
    await aLead(app, { first_name: attack, last_name: '{{lead_id}}' });
    const [mail] = await app.database.query<{ id: string }>(
      `SELECT id FROM mail_messages WHERE template = 'attorney_notification'`,
    );

    const html = await get(app, `${MESSAGES}/${mail?.id}/preview`, token);
    const text = await get(app, `${MESSAGES}/${mail?.id}/preview?format=text`, token);

    const page = await html.text();
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src');
    expect(page).not.toMatch(/<script|<img src=x|\sonerror="/i);
    expect(page).toContain('{{lead_id}}');
    expect(await text.text()).toContain(attack);
    for (const [answer, type] of [
      [html, 'text/html; charset=utf-8'],
      [text, 'text/plain; charset=utf-8'],
    ] as const) {
      expect(answer.headers.get('content-type')).toBe(type);
      expect(answer.headers.get('content-security-policy')).toBe(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox",
      );
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
  });
});

describe('a lead', () => {
  it('tells an attorney what was sent to whom, and whether it arrived at the server', async () => {
    const [prospect, attorney] = [anEmail(), 'desk@practice.test'];
    const sink = await startSmtp({
      recipient: (address) => (address === prospect ? { code: 550, text: '5.1.1 no such user' } : undefined),
    });
    const app = await startMailingApp({ ...sink.settings, ATTORNEY_EMAIL: attorney });
    const { token } = await anAttorney(app, await tokenOf(app));
    await aLead(app);
    const lead = await aLead(app, { email: prospect });
    await reaches(app, prospect, 'failed');
    await app.database.query(`DELETE FROM mail_messages WHERE about_id <> $1`, [lead]);
    await reaches(app, attorney, 'sent');

    const { mails } = await jsonOf(await get(app, `/api/v1/leads/${lead}`, token));

    const mail = { id: expect.any(String), attempts: 1, created_at: expect.any(String) };
    expect(mails).toEqual([
      {
        ...mail,
        template: 'attorney_notification',
        recipient: attorney,
        state: 'sent',
        summary: 'Arrived at the mail server',
        sent_at: expect.any(String),
        last_error: null,
      },
      {
        ...mail,
        template: 'prospect_confirmation',
        recipient: prospect,
        state: 'failed',
        summary: 'Not arrived: the mail server did not take it, and it is given up',
        sent_at: null,
        last_error: expect.stringContaining('550 5.1.1 no such user'),
      },
    ]);
  });
});

describe('a lead where no mail server is set', () => {
  it('says that its mails lie in a folder, and does not claim that they arrived', async () => {
    const app = await startMailingApp({});
    const email = anEmail();
    const lead = await aLead(app, { email });
    await reaches(app, email, 'sent');
    await reaches(app, ATTORNEY, 'sent');

    const { mails } = await jsonOf(await get(app, `/api/v1/leads/${lead}`, await tokenOf(app)));

    const kept = expect.objectContaining({ summary: 'Written into a folder: there is no mail server' });
    expect(mails).toEqual([kept, kept]);
  });
});

describe('every route about messages and suppressions', () => {
  const NOBODY = '00000000-0000-4000-8000-000000000000';
  const SUPPRESSIONS = '/api/v1/admin/mail/suppressions';
  const WITH_ID = (id: string): [string, string][] => [
    ['GET', `${MESSAGES}/${id}`],
    ['GET', `${MESSAGES}/${id}/preview`],
    ['POST', `${MESSAGES}/${id}/resend`],
    ['POST', `${MESSAGES}/${id}/cancel`],
    ['DELETE', `${SUPPRESSIONS}/${id}`],
  ];

  it('is closed to attorneys and strangers, knows no unknown id, and refuses what is none; nothing changes', async () => {
    const app = await startMailingApp(ONLY_HTTP);
    const token = await tokenOf(app);
    const attorney = await anAttorney(app, token);
    const one = anEmail();
    await oweMails(app, [one]);
    const { id } = (await messageTo(app, one))!;
    const answersTo = async (routes: [string, string][], by?: string): Promise<unknown[]> =>
      Promise.all(
        routes.map(async ([method, path]) => {
          const response = await app.request(path, { method, headers: by === undefined ? {} : bearer(by) });
          return [response.status, (await jsonOf(response))['error_code']];
        }),
      );
    const all: [string, string][] = [['GET', MESSAGES], ['GET', SUPPRESSIONS], ...WITH_ID(id)];

    expect(await answersTo(all, attorney.token)).toEqual(all.map(() => [403, 'FORBIDDEN']));
    expect(await answersTo(all)).toEqual(all.map(() => [401, 'NOT_AUTHENTICATED']));
    expect(await answersTo(WITH_ID(NOBODY), token)).toEqual(
      ['MAIL', 'MAIL', 'MAIL', 'MAIL', 'MAIL_SUPPRESSION'].map((what) => [404, `${what}_NOT_FOUND`]),
    );
    for (const hostile of ['abc', `${NOBODY}0`, "'%20OR%201=1--", '%00', '..%2f..%2fetc'])
      expect(await answersTo(WITH_ID(hostile), token)).toEqual(WITH_ID('').map(() => [422, 'VALIDATION_ERROR']));
    expect(await messageTo(app, one)).toMatchObject({ state: 'queued' });
    expect(await attemptsAt(app, one)).toEqual([]);
    expect(await app.database.query(`SELECT FROM audit_entries WHERE action LIKE 'mail.%'`)).toEqual([]);
  });
});
