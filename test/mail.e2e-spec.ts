import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { eventually, type TestApp } from './support/app.js';
import { cleanUp } from './support/clean-up.js';
import { aLead, anEmail, submit } from './support/leads.js';
import {
  ATTORNEY,
  closeApps,
  expectDiscreet,
  expectNothingLeftToDo,
  reaches,
  startMailingApp,
} from './support/mail.js';
import { type SmtpSink, startRawServer, startSmtp } from './support/smtp.js';

afterEach(async () => {
  await cleanUp();
  await closeApps();
});

describe('a submission', () => {
  it('sends one mail to the prospect and one to the attorney, and nothing else', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({ ...sink.settings, DASHBOARD_URL: 'https://desk.practice.test' });
    const prospect = anEmail();

    const leadId = await aLead(app, { email: prospect });

    const toProspect = await reaches(app, prospect, 'sent');
    const toAttorney = await reaches(app, ATTORNEY, 'sent');
    await expectNothingLeftToDo(app);
    expect(sink.arrived).toHaveLength(2);
    const [confirmation] = sink.to(prospect);
    const [notification] = sink.to(ATTORNEY);
    expect([confirmation?.parsed.subject, notification?.parsed.subject]).toEqual([
      'Thank you for your submission',
      'New Lead Submission - Ada Lovelace',
    ]);
    expect(confirmation?.parsed.text).toContain('Dear Ada Lovelace,');
    expect(confirmation?.parsed.text).toContain(`Your reference: ${leadId}`);
    expect(confirmation?.parsed.html).toContain('What Happens Next?');
    expect(notification?.parsed.text).toContain(`E-mail   ${prospect}`);
    expect(notification?.parsed.text).toContain('Résumé   resume.pdf');
    expect(notification?.parsed.html).toContain(`href="https://desk.practice.test/leads/${leadId}"`);
    expect(
      [toProspect, toAttorney].map(({ attempts, deferrals, last_error }) => [attempts, deferrals, last_error]),
    ).toEqual([
      [1, 0, null],
      [1, 0, null],
    ]);
    expectDiscreet(app.log, prospect, ATTORNEY);
  });

  it('sends mails that say who they are from, to whom, that a machine wrote them, and which message they are', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({
      ...sink.settings,
      SMTP_FROM_NAME: 'Doe & Père',
      SMTP_FROM_EMAIL: 'desk@practice.test',
      MAIL_REPLY_TO: 'answers@practice.test',
    });
    const prospect = anEmail();

    await aLead(app, { email: prospect });

    const { id } = await reaches(app, prospect, 'sent');
    const [mail] = sink.to(prospect);
    expect(mail?.from).toBe('desk@practice.test');
    expect(mail?.parsed.from).toEqual({ name: 'Doe & Père', address: 'desk@practice.test' });
    expect(mail?.parsed.to).toEqual([{ name: '', address: prospect }]);
    expect(mail?.parsed.replyTo).toEqual([{ name: '', address: 'answers@practice.test' }]);
    expect([mail?.parsed.cc, mail?.parsed.bcc]).toEqual([undefined, undefined]);
    expect(mail?.parsed.messageId).toBe(`<${id}@practice.test>`);
    expect(mail?.parsed.headers.find(({ key }) => key === 'auto-submitted')?.value).toBe('auto-generated');
    expect(mail?.parsed.attachments).toEqual([]);
    expect(mail?.source).toMatch(/^Content-Type: multipart\/alternative;/m);
    expect(mail?.source.match(/^Content-Type: text\/\w+/gm)).toEqual([
      'Content-Type: text/plain',
      'Content-Type: text/html',
    ]);
  });

  it('notifies each attorney of a list by a mail of their own', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({
      ...sink.settings,
      ATTORNEY_EMAIL: 'one@practice.test, two@practice.test,three@practice.test',
    });

    await aLead(app);

    await expectNothingLeftToDo(app);
    const notified = sink.arrived.filter(({ to }) => to.endsWith('@practice.test'));
    expect(notified.map(({ to }) => to).sort()).toEqual([
      'one@practice.test',
      'three@practice.test',
      'two@practice.test',
    ]);
    expect(new Set(notified.map(({ parsed }) => parsed.messageId)).size).toBe(3);
    expect(sink.arrived).toHaveLength(4);
  });

  it('is answered at once although the mail server takes the connection and says nothing', async () => {
    const connections: Socket[] = [];
    const port = await startRawServer((socket) => connections.push(socket));
    const app = await startMailingApp({ SMTP_HOST: '127.0.0.1', SMTP_PORT: port });
    await aLead(app);
    await eventually('the mails are under way', async () => connections.length === 2);
    const began = performance.now();

    expect((await submit(app)).status).toBe(201);

    expect(performance.now() - began).toBeLessThan(8000);
  });
});

describe('an outage of the mail server', () => {
  it('delays a mail and does not change it', async () => {
    const down = await startSmtp();
    await down.stop();
    const app = await startMailingApp(down.settings);
    const prospect = anEmail();
    const began = performance.now();

    expect((await submit(app, { email: prospect })).status).toBe(201);

    expect(performance.now() - began).toBeLessThan(8000);
    const waiting = await reaches(app, prospect, 'retrying');
    const up = await startSmtp({ port: down.port });
    const sent = await reaches(app, prospect, 'sent');
    expect(sent).toEqual({
      ...waiting,
      state: 'sent',
      attempts: 1,
      deferrals: sent.deferrals,
      last_error: null,
      subject: 'Thank you for your submission',
    });
    expect(sent.deferrals).toBeGreaterThan(0);
    expect(up.to(prospect).map(({ parsed }) => parsed.messageId)).toEqual([`<${sent.id}@forecourt.test>`]);
    await reaches(app, ATTORNEY, 'sent');
    await expectNothingLeftToDo(app);
    expect(up.arrived).toHaveLength(2);
  });

  it('such as 421 in the middle of a session uses up no attempt', async () => {
    const sink = await startSmtp({
      recipient: (_, before) => (before < 2 ? { code: 421, text: '4.3.2 shutting down' } : undefined),
    });
    const app = await startMailingApp({ ...sink.settings, MAIL_MAX_ATTEMPTS: '1' });
    const prospect = anEmail();

    await aLead(app, { email: prospect });

    expect(await reaches(app, prospect, 'sent')).toMatchObject({ attempts: 1, deferrals: 2 });
  });

  it('such as a refusal in the greeting gives no mail up', async () => {
    let greetings = 0;
    const port = await startRawServer((socket) => {
      greetings += 1;
      socket.end('554 5.3.2 no service here\r\n');
    });
    const app = await startMailingApp({ SMTP_HOST: '127.0.0.1', SMTP_PORT: port, MAIL_MAX_ATTEMPTS: '1' });
    const prospect = anEmail();

    await aLead(app, { email: prospect });

    await eventually('it was tried more than once', async () => greetings > 2);
    expect(await reaches(app, prospect, 'retrying')).toMatchObject({ attempts: 0 });
  });

  it('after the message was sent and before it was acknowledged brings it again under the same Message-ID', async () => {
    const sink: SmtpSink = await startSmtp({
      message: (mail, before) => {
        if (before === 0 && mail.to !== ATTORNEY) sink.cut();
        return undefined;
      },
    });
    const app = await startMailingApp(sink.settings);
    const prospect = anEmail();

    await aLead(app, { email: prospect });

    const { id } = await reaches(app, prospect, 'sent');
    expect(sink.to(prospect).map(({ parsed }) => parsed.messageId)).toEqual([
      `<${id}@forecourt.test>`,
      `<${id}@forecourt.test>`,
    ]);
  });
});

describe('a mail server that refuses', () => {
  it('for good (550) is asked once, and the other mail arrives all the same', async () => {
    const prospect = anEmail();
    const sink = await startSmtp({
      recipient: (address) =>
        address === prospect ? { code: 550, text: `5.1.1 <${prospect}>: no such user` } : undefined,
    });
    const app = await startMailingApp(sink.settings);

    await aLead(app, { email: prospect });

    const failed = await reaches(app, prospect, 'failed');
    expect(failed).toMatchObject({ attempts: 1, deferrals: 0 });
    expect(failed.last_error).toContain('550 5.1.1');
    await reaches(app, ATTORNEY, 'sent');
    await expectNothingLeftToDo(app);
    expect(sink.asked.get(prospect)).toHaveLength(1);
    expect(app.log.filter(({ message }) => message === 'mail given up')).toHaveLength(1);
    expectDiscreet(app.log, prospect, ATTORNEY);
  });

  it('for now (451) is asked three times with growing gaps, and then no more', async () => {
    const prospect = anEmail();
    const sink = await startSmtp({
      recipient: (address) => (address === prospect ? { code: 451, text: '4.7.1 try again later' } : undefined),
    });
    const app = await startMailingApp(sink.settings);

    await aLead(app, { email: prospect });

    expect(await reaches(app, prospect, 'failed')).toMatchObject({ attempts: 3, deferrals: 0 });
    await expectNothingLeftToDo(app);
    const [first = 0, second = 0, third = 0, ...more] = sink.asked.get(prospect) ?? [];
    expect(more).toEqual([]);
    expect(second - first).toBeGreaterThanOrEqual(1000);
    expect(third - second).toBeGreaterThanOrEqual(2000);
    await reaches(app, ATTORNEY, 'sent');
    expectDiscreet(app.log, prospect);
  });

  it('for now may take it the third time', async () => {
    const prospect = anEmail();
    const sink = await startSmtp({
      recipient: (address, before) =>
        address === prospect && before < 2 ? { code: 451, text: '4.7.1 try again later' } : undefined,
    });
    const app = await startMailingApp(sink.settings);

    await aLead(app, { email: prospect });

    expect(await reaches(app, prospect, 'sent')).toMatchObject({ attempts: 3, deferrals: 0, last_error: null });
    expect(sink.to(prospect)).toHaveLength(1);
  });

  it('the content itself (554 after DATA) is asked once', async () => {
    const prospect = anEmail();
    const sink = await startSmtp({
      message: ({ to }) => (to === prospect ? { code: 554, text: '5.7.1 looks like spam' } : undefined),
    });
    const app = await startMailingApp(sink.settings);

    await aLead(app, { email: prospect });

    expect(await reaches(app, prospect, 'failed')).toMatchObject({ attempts: 1, deferrals: 0 });
    await reaches(app, ATTORNEY, 'sent');
    expect(sink.to(prospect)).toHaveLength(1);
  });
});

describe('a name in a mail', () => {
  /** Past the API, which refuses such values. */
  async function owe(app: TestApp, data: Record<string, string>): Promise<void> {
    const id = randomUUID();
    await app.database.query(
      `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id) VALUES ($1, 'attorney_notification', $2, $3, 'lead', $1)`,
      [
        id,
        ATTORNEY,
        JSON.stringify({
          prospect_email: 'p@q.test',
          resume_filename: 'r.pdf',
          lead_id: id,
          dashboard_url: 'x',
          ...data,
        }),
      ],
    );
    await app.database.query(
      `SELECT graphile_worker.add_job('mail.deliver', json_build_object('message_id', $1::text))`,
      [id],
    );
  }

  it('adds no header, recipient or body, whatever line breaks it has', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp(sink.settings);

    await owe(app, {
      prospect_name: 'Eve\r\nBcc: victim@example.com\nX-Forged: yes\r\n\r\nforged body\u2028Cc: other@example.com',
    });

    await reaches(app, ATTORNEY, 'sent');
    expect(sink.arrived.map(({ to }) => to)).toEqual([ATTORNEY]);
    const [mail] = sink.arrived;
    expect(mail?.parsed.subject).toBe(
      'New Lead Submission - Eve Bcc: victim@example.com X-Forged: yes forged body Cc: other@example.com',
    );
    expect([mail?.parsed.bcc, mail?.parsed.cc]).toEqual([undefined, undefined]);
    const head = mail?.source.split('\r\n\r\n')[0] ?? '';
    expect(head).not.toMatch(/^(Bcc|Cc|X-Forged):/im);
    expect([...sink.asked.keys()]).toEqual([ATTORNEY]);
  });

  it('is text and no markup', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp(sink.settings);

    await aLead(app, { first_name: '<img src=x>', last_name: '{{lead_id}}' });

    await reaches(app, ATTORNEY, 'sent');
    const [mail] = sink.to(ATTORNEY);
    expect(mail?.parsed.html).toContain('&lt;img src&#x3D;x&gt; {{lead_id}}');
    expect(mail?.parsed.html).not.toContain('<img');
    expect(mail?.parsed.text).toContain('<img src=x> {{lead_id}}');
  });
});
