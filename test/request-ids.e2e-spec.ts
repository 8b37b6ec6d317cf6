import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { eventually, type TestApp } from './support/app.js';
import { cleanUp } from './support/clean-up.js';
import { anEmail, bearer, formOf, get, jsonOf, tokenOf } from './support/leads.js';
import { ATTORNEY, closeApps, expectNothingLeftToDo, messageTo, reaches, startMailingApp } from './support/mail.js';
import { makePdf } from './support/documents.mjs';
import { startSmtp } from './support/smtp.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

afterEach(async () => {
  await cleanUp();
  await closeApps();
});

type Line = Record<string, unknown>;

const linesOf = (app: TestApp, requestId: string): Line[] => app.log.filter((line) => line['request_id'] === requestId);
const saying = (lines: readonly Line[], logger: string, message: RegExp): Line[] =>
  lines.filter((line) => line['logger'] === logger && message.test(String(line['message'])));

async function submit(app: TestApp, email: string, requestId: string): Promise<Response> {
  const body = formOf({ email, file: { bytes: makePdf() } });
  return app.request('/api/v1/leads', { method: 'POST', headers: { 'X-Request-ID': requestId }, body });
}

async function requestOf(app: TestApp, recipient: string, about = '%'): Promise<string | null | undefined> {
  const [row] = await app.database.query<{ request_id: string | null }>(
    `SELECT request_id FROM mail_messages WHERE recipient = $1 AND template LIKE $2 ORDER BY created_at DESC LIMIT 1`,
    [recipient, about],
  );
  return row?.request_id;
}

describe('the id of a request', () => {
  it('stands in the lines of the request, of its jobs and of both mails, and an admin sees it', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp(sink.settings);
    const [id, other, email] = [randomUUID(), randomUUID(), anEmail()];

    expect((await submit(app, email, id)).status).toBe(201);
    await submit(app, anEmail(), other);
    await reaches(app, email, 'sent');
    await expectNothingLeftToDo(app);
    const lines = await eventually('both jobs have ended', async () => {
      const found = linesOf(app, id);
      return saying(found, 'jobs', /^Completed task/).length === 2 ? found : undefined;
    });

    expect(saying(lines, 'http', /POST/)).toEqual([expect.objectContaining({ status: 201 })]);
    expect(saying(lines, 'jobs', /^(job begins|Completed)/).map((line) => line['job'])).toEqual(
      Array<string>(4).fill('mail.deliver'),
    );
    expect(new Set(saying(lines, 'jobs', /./).map((line) => line['job_id'])).size).toBe(2);
    expect(saying(lines, 'mail', /^mail sent$/).map((line) => line['template'])).toEqual(
      expect.arrayContaining(['prospect_confirmation', 'attorney_notification']),
    );
    expect(lines.some((line) => JSON.stringify(line).includes(other))).toBe(false);
    const { id: message } = (await messageTo(app, email))!;
    const shown = await jsonOf(await get(app, `/api/v1/admin/mail/messages/${message}`, await tokenOf(app)));
    expect(shown['request_id']).toBe(id);
  });

  it('goes along when a mail is tried again, is given up, alerts, and is held back', async () => {
    const refused = anEmail();
    const sink = await startSmtp({
      recipient: (address, before) => {
        if (address === refused) return { code: 550, text: '5.1.1 no such user' };
        return address === ATTORNEY && before === 0 ? { code: 451, text: '4.7.1 later' } : undefined;
      },
    });
    const app = await startMailingApp({ ...sink.settings, ADMIN_ALERT_EMAIL: 'operator@practice.test' });
    const [id, again] = [randomUUID(), randomUUID()];

    await submit(app, refused, id);
    await reaches(app, refused, 'failed');
    await reaches(app, 'operator@practice.test', 'sent');
    await reaches(app, ATTORNEY, 'sent');
    // whoever refused for good is not asked again
    await app.database.query(`INSERT INTO mail_suppressions (address, reason, since) VALUES ($1, 'gone', now())`, [
      'second@practice.test',
    ]);
    await submit(app, 'second@practice.test', again);
    await reaches(app, 'second@practice.test', 'suppressed');
    await expectNothingLeftToDo(app);

    const lines = linesOf(app, id);
    expect(saying(lines, 'mail', /given up/)).toHaveLength(1);
    expect(saying(lines, 'mail', /not delivered yet/)).toEqual([expect.objectContaining({ kind: 'postponed' })]);
    // the confirmation, the notification twice, the alert and its mail
    expect(saying(lines, 'jobs', /^job begins/).map((line) => line['job'])).toEqual(
      expect.arrayContaining(['mail.deliver', 'mail.deliver', 'mail.deliver', 'alerts.tell', 'mail.deliver']),
    );
    expect(await requestOf(app, 'operator@practice.test')).toBe(id);
    expect(saying(linesOf(app, again), 'mail', /refuses for good/)).toHaveLength(1);
  });

  it('is each mail’s own when they waited together for a server that was away', async () => {
    const sink = await startSmtp();
    const port = sink.port;
    await sink.stop();
    const app = await startMailingApp(sink.settings);
    const sent = [0, 1, 2].map(() => ({ id: randomUUID(), email: anEmail() }));
    for (const { id, email } of sent) await submit(app, email, id);
    await eventually('they wait', async () => {
      const [row] = await app.database.query<{ held: number }>(
        'SELECT count(*)::int AS held FROM mail_messages WHERE held_at IS NOT NULL',
      );
      return row?.held === 6;
    });

    await startSmtp({ port });
    for (const { email } of sent) await reaches(app, email, 'sent');
    await expectNothingLeftToDo(app);

    for (const { id, email } of sent) {
      expect(await requestOf(app, email)).toBe(id);
      expect(saying(linesOf(app, id), 'mail', /^mail sent$/)).toHaveLength(2);
    }
    // but for the one that tested the server, each goes on by a job of its own request
    const mine = sent.map(({ id }) => saying(linesOf(app, id), 'jobs', /^job begins/).length);
    expect(Math.min(...mine)).toBeGreaterThanOrEqual(3);
  });

  it('is that of whoever asked for a link, through the job that finds out who is behind it; and of whoever resends', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp(sink.settings);
    const [asked, resent] = [randomUUID(), randomUUID()];
    const token = await tokenOf(app);
    const { email } = await jsonOf<{ email: string }>(await get(app, '/api/v1/auth/me', token));
    await app.request('/api/v1/auth/password/forgot', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Request-ID': asked },
      body: JSON.stringify({ email }),
    });
    const mail = await reaches(app, email, 'sent');
    const lead = anEmail();
    await submit(app, lead, randomUUID());
    const { id } = await reaches(app, lead, 'sent');
    await app.request(`/api/v1/admin/mail/messages/${id}/resend`, {
      method: 'POST',
      headers: { ...bearer(token), 'X-Request-ID': resent },
    });

    expect(mail.subject).toMatch(/password/i);
    expect(await requestOf(app, email, 'password_reset')).toBe(asked);
    expect(await requestOf(app, lead)).toBe(resent);
    const entries = await app.database.query(
      `SELECT actor_kind, action FROM audit_entries WHERE request_id = $1 ORDER BY at`,
      [asked],
    );
    expect(entries).toContainEqual({ actor_kind: 'system', action: 'auth.link_sent' });
  });

  it('that a stranger made up is replaced before anything remembers it', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp(sink.settings);
    const made = [
      'a'.repeat(10_240),
      Array<string>(3).fill(randomUUID()).join(', '),
      `${randomUUID()}\u009b2J`,
      `${randomUUID()}","level":"CRITICAL`,
    ];
    const given: unknown[] = [];
    for (const [index, id] of made.entries()) {
      const response = await submit(app, `${index}@example.com`, id);
      expect(response.status).toBe(201);
      given.push(response.headers.get('x-request-id'));
    }
    await expectNothingLeftToDo(app);

    expect(new Set(given).size).toBe(made.length);
    for (const [index, id] of made.entries()) {
      expect(given[index]).toMatch(UUID);
      expect(id).not.toContain(given[index]);
      expect(await requestOf(app, `${index}@example.com`)).toBe(given[index]);
      expect(JSON.stringify(app.log)).not.toContain(JSON.stringify(id).slice(1, -1));
    }
  });

  it('with a line break in it is no request at all', async () => {
    const app = await startMailingApp({ ROLE: 'http' });
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.end(`GET /health/live HTTP/1.1\r\nHost: a\r\nX-Request-ID: ${randomUUID()}\n planted: line\r\n\r\n`);

    const answer = await text(socket);

    expect(answer).toMatch(/^HTTP\/1\.1 (400|200) /);
    expect(JSON.stringify(app.log)).not.toContain('planted');
  });
});
