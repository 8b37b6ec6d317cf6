import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import type { Resolver } from 'node:dns/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { DNS_RESOLVER } from '../src/mail/mail-dns.service.js';
import { ADMIN, type TestApp } from './support/app.js';
import { makeCertificate } from './support/certificate.js';
import { cleanUp } from './support/clean-up.js';
import { makeDatabase } from './support/database.js';
import { verifyDkim } from './support/dkim.js';
import { type DnsZone, startDns } from './support/dns.js';
import { anAttorney, anEmail, get, jsonOf, sendJson, tokenOf } from './support/leads.js';
import { closeApps, expectDiscreet, oweMails, reaches, startMailingApp, writtenMails } from './support/mail.js';
import { makeFolder, someSettings, startProgram } from './support/program.js';
import { type Answer, startRawServer, startSmtp } from './support/smtp.js';

afterEach(async () => {
  await cleanUp();
  await closeApps();
});

const MAIL = '/api/v1/admin/mail';
/** Serves requests and delivers nothing, so that what a test writes stays as it is. */
const ONLY_HTTP = { ROLE: 'http' };

interface Status {
  readonly delivery: string;
  readonly folder: string | null;
  readonly server: Record<string, unknown> | null;
  readonly pause: Record<string, unknown> | null;
  readonly queue: Record<string, number>;
  readonly last_hour: Record<string, unknown>;
  readonly last_day: Record<string, unknown>;
}

async function statusOf(app: TestApp, token?: string): Promise<Status> {
  const response = await get(app, `${MAIL}/status`, token ?? (await tokenOf(app)));
  expect(response.status).toBe(200);
  return jsonOf<Status>(response);
}

interface TestResult {
  readonly is_accepted: boolean;
  readonly message_id: string;
  readonly steps: readonly { readonly stage: string; readonly result: string; readonly words: string }[];
}

async function sendTest(app: TestApp, to: string): Promise<TestResult> {
  const response = await sendJson(app, 'POST', `${MAIL}/test`, { to }, await tokenOf(app));
  expect(response.status).toBe(200);
  return jsonOf<TestResult>(response);
}

const stagesOf = ({ steps }: TestResult): string[] => steps.map(({ stage, result }) => `${stage} ${result}`);

/** A port that nobody listens on. */
async function aClosedPort(): Promise<string> {
  const sink = await startSmtp();
  await sink.stop();
  return String(sink.port);
}

describe('GET /api/v1/admin/mail/status', () => {
  it('says that mail goes into the folder where no mail server is set', async () => {
    const app = await startMailingApp(ONLY_HTTP);

    const status = await statusOf(app);

    const nothing = {
      sent: 0,
      refused: 0,
      postponed: 0,
      outage: 0,
      interrupted: 0,
      delay_median_seconds: null,
      delay_p95_seconds: null,
      last_failure: null,
    };
    expect(status).toEqual({
      is_enabled: true,
      delivery: 'folder',
      folder: join(app.dataDir, 'mail'),
      server: null,
      pause: null,
      queue: {
        queued: 0,
        sending: 0,
        retrying: 0,
        held: 0,
        failed: 0,
        suppressed: 0,
        cancelled: 0,
        oldest_waiting_seconds: 0,
      },
      last_hour: nothing,
      last_day: nothing,
    });
  });

  it('reaches the server, and says that the line is open and that no name was asked for', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({ ...ONLY_HTTP, ...sink.settings });

    const { delivery, folder, server } = await statusOf(app);

    expect({ delivery, folder, server }).toEqual({
      delivery: 'smtp',
      folder: null,
      server: {
        host: '127.0.0.1',
        port: sink.port,
        checked_at: expect.any(String),
        is_reachable: true,
        tls_version: null,
        is_authenticated: null,
        error: null,
      },
    });
    expect(sink.asked.size).toBe(0);
  });

  it.each([
    ['is not there', aClosedPort],
    ['says nothing', () => startRawServer(() => undefined)],
    ['hangs up at once', () => startRawServer((socket) => socket.destroy())],
    ['speaks something else', () => startRawServer((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))],
    ['greets and then says nothing', () => startRawServer((socket) => socket.write('220 quiet.test ESMTP\r\n'))],
    [
      'speaks without end',
      () =>
        startRawServer((socket) => {
          const talk = setInterval(() => socket.write('220-still here\r\n'), 50);
          socket.on('close', () => {
            clearInterval(talk);
          });
        }),
    ],
  ])('says what is wrong with a server that %s', async (_, port) => {
    const app = await startMailingApp({
      ...ONLY_HTTP,
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: await port(),
      SMTP_TIMEOUT_SECONDS: '1',
    });

    const { server } = await statusOf(app);

    expect(server).toMatchObject({ is_reachable: false, is_authenticated: null, error: expect.stringMatching(/\S/) });
  });

  it('opens one connection for 16 who ask at once', async () => {
    const sockets: Socket[] = [];
    const port = await startRawServer((socket) => sockets.push(socket));
    const app = await startMailingApp({
      ...ONLY_HTTP,
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: port,
      SMTP_TIMEOUT_SECONDS: '1',
    });
    const token = await tokenOf(app);

    const answers = await Promise.all(Array.from({ length: 16 }, () => statusOf(app, token)));

    expect(new Set(answers.map(({ server }) => server?.['is_reachable']))).toEqual(new Set([false]));
    expect(sockets).toHaveLength(1);
  });

  it('says how deep the queue is, since when mail is paused, when the server is tried next and why, without addresses', async () => {
    const app = await startMailingApp({ ...ONLY_HTTP, SMTP_HOST: '127.0.0.1', SMTP_PORT: await aClosedPort() });
    const states = ['queued', 'queued', 'sending', 'retrying', 'failed', 'suppressed', 'cancelled', 'sent'];
    await app.database.query(
      `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, state, sent_at, cancelled_at, held_at, created_at)
       SELECT gen_random_uuid(), 'alert', 'a@b.test', '{}', 'alert', gen_random_uuid(), state::mail_state,
         CASE state WHEN 'sent' THEN now() END, CASE state WHEN 'cancelled' THEN now() END,
         CASE state WHEN 'retrying' THEN now() END,
         now() - CASE state WHEN 'sending' THEN interval '10 minutes' WHEN 'failed' THEN interval '3 hours' ELSE '0' END
       FROM unnest($1::text[]) AS state`,
      [states],
    );
    await app.database.query(
      `UPDATE mail_server_state SET paused_since = '2026-01-31T10:30:00Z', failures = 3,
         next_probe_at = '2026-01-31T10:31:00Z', last_error = 'no answer for ada@example.com'`,
    );

    const { queue, pause } = await statusOf(app);

    expect(queue).toEqual({
      queued: 2,
      sending: 1,
      retrying: 1,
      held: 1,
      failed: 1,
      suppressed: 1,
      cancelled: 1,
      oldest_waiting_seconds: expect.any(Number),
    });
    expect(queue['oldest_waiting_seconds']).toBeGreaterThanOrEqual(600);
    expect(queue['oldest_waiting_seconds']).toBeLessThan(3 * 3600);
    expect(pause).toEqual({
      since: '2026-01-31T10:30:00.000Z',
      next_probe_at: '2026-01-31T10:31:00.000Z',
      last_error: 'no answer for a***@example.com',
    });
  });

  it('counts the outcomes of the last hour and day, and how long mail was on its way', async () => {
    const app = await startMailingApp(ONLY_HTTP);
    // sent after 1, 2, … 21 seconds, each at its first attempt; the last ten hours ago and after waiting again
    await app.database.query(
      `WITH sent AS (
         INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, state, created_at, requeued_at, sent_at)
         SELECT gen_random_uuid(), 'alert', n::text, '{}', 'alert', gen_random_uuid(), 'sent',
           CASE n WHEN 21 THEN now() - interval '3 days' ELSE ended_at - n * interval '1 second' END,
           CASE n WHEN 21 THEN ended_at - n * interval '1 second' END, ended_at
         FROM generate_series(1, 21) AS n,
           LATERAL (SELECT now() - CASE n WHEN 21 THEN interval '10 hours' ELSE '10 minutes' END AS ended_at) AS ending
         RETURNING id, sent_at)
       INSERT INTO mail_attempts SELECT id, 1, sent_at, sent_at, 'sent' FROM sent`,
    );
    await app.database.query(
      `WITH other AS (
         INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id)
         VALUES ($1, 'alert', 'other', '{}', 'alert', $1) RETURNING id)
       INSERT INTO mail_attempts
       SELECT id, n, now() - ago, now() - ago, outcome, words FROM other, (VALUES
         (1, interval '2 days', 'refused', 'long ago'), (2, interval '5 hours', 'outage', 'away'),
         (3, interval '4 hours', 'interrupted', NULL), (4, interval '40 minutes', 'postponed', '451 later'),
         (5, interval '30 minutes', 'refused', '550 no <ada@example.com>'), (6, interval '29 minutes', 'outage', 'gone')
       ) AS attempt (n, ago, outcome, words)`,
      [randomUUID()],
    );

    const { last_hour, last_day } = await statusOf(app);

    expect(last_hour).toEqual({
      sent: 20,
      refused: 1,
      postponed: 1,
      outage: 1,
      interrupted: 0,
      delay_median_seconds: 10.5,
      delay_p95_seconds: expect.closeTo(19.05, 5),
      last_failure: { at: expect.any(String), words: 'gone' },
    });
    expect(last_day).toMatchObject({
      sent: 21,
      refused: 1,
      postponed: 1,
      outage: 2,
      interrupted: 1,
      delay_median_seconds: 11,
      delay_p95_seconds: 20,
    });
    await app.database.query(`DELETE FROM mail_attempts WHERE number = 6`);
    expect((await statusOf(app)).last_hour['last_failure']).toMatchObject({ words: '550 no <a***@example.com>' });
  });
});

describe('POST /api/v1/admin/mail/test', () => {
  it('sends a message at once, past the queue, and says what the server said; on record without the address', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({ ...ONLY_HTTP, ...sink.settings, COMPANY_NAME: 'Ada & Co' });
    const to = anEmail();

    const result = await sendTest(app, to);

    expect(result).toEqual({
      is_accepted: true,
      message_id: expect.stringMatching(/^<[0-9a-f-]{36}@forecourt\.test>$/),
      steps: [
        { stage: 'connected', result: 'ok', words: expect.stringMatching(/^220 /) },
        { stage: 'encrypted', result: 'skipped', words: 'the connection is not encrypted' },
        { stage: 'authenticated', result: 'skipped', words: 'SMTP_USERNAME is not set' },
        { stage: 'accepted', result: 'ok', words: expect.stringMatching(/^250 /) },
      ],
    });
    expect(sink.to(to)).toHaveLength(1);
    expect(sink.to(to)[0]?.parsed).toMatchObject({
      subject: 'Test message from Ada & Co',
      messageId: result.message_id,
    });
    expect(await app.database.query('SELECT FROM mail_messages')).toEqual([]);
    const entries = await app.database.query(`SELECT * FROM audit_entries WHERE action LIKE 'mail.%'`);
    expect(entries).toEqual([
      expect.objectContaining({ action: 'mail.test_sent', actor_name: 'admin', outcome: 'done' }),
    ]);
    expectDiscreet([entries, app.log], to);
  });

  it.each<[string, 'recipient' | 'message', Answer, string]>([
    ['refuses the recipient', 'recipient', { code: 550, text: '5.1.1 no such user' }, '550 5.1.1 no such user'],
    ['puts the recipient off', 'recipient', { code: 451, text: '4.7.1 try later' }, '451 4.7.1 try later'],
    ['refuses the message', 'message', { code: 554, text: '5.7.1 looks like spam' }, '554 5.7.1 looks like spam'],
    ['hangs after the message', 'message', 'hang', 'no answer within 1 seconds'],
    ['hangs up', 'message', 'cut', 'Connection closed unexpectedly'],
  ])('answers with the words of a server that %s', async (_, when, answer, words) => {
    const sink = await startSmtp({ [when]: () => answer });
    const app = await startMailingApp({ ...ONLY_HTTP, ...sink.settings, SMTP_TIMEOUT_SECONDS: '1' });

    const result = await sendTest(app, anEmail());

    expect(result.is_accepted).toBe(false);
    expect(result.steps.at(-1)).toMatchObject({ stage: 'accepted', result: 'failed' });
    expect(result.steps.at(-1)?.words).toMatch(new RegExp(`^(${words}|Timeout)$`));
    expect(await app.database.query('SELECT FROM mail_suppressions')).toEqual([]);
  });

  it('answers with what is wrong when the server is not there', async () => {
    const app = await startMailingApp({ ...ONLY_HTTP, SMTP_HOST: '127.0.0.1', SMTP_PORT: await aClosedPort() });

    const { is_accepted, steps } = await sendTest(app, anEmail());

    expect({ is_accepted, steps }).toEqual({
      is_accepted: false,
      steps: [{ stage: 'connected', result: 'failed', words: expect.stringContaining('ECONNREFUSED') }],
    });
  });

  it('stops at a certificate that nobody vouches for, before any password', async () => {
    let asked = 0;
    const sink = await startSmtp({
      options: {
        ...makeCertificate(),
        onAuth(_auth, _session, done) {
          asked += 1;
          done(null, { user: 'desk' });
        },
      },
    });
    const app = await startMailingApp({
      ...ONLY_HTTP,
      ...sink.settings,
      SMTP_USERNAME: 'desk',
      SMTP_PASSWORD: 'Quiet-Harbour-77',
    });

    const result = await sendTest(app, anEmail());

    expect(stagesOf(result)).toEqual(['connected ok', 'encrypted failed']);
    expect(asked).toBe(0);
  });

  it('writes the message into the folder where no mail server is set', async () => {
    const app = await startMailingApp(ONLY_HTTP);

    const result = await sendTest(app, 'me@practice.test');

    expect(stagesOf(result)).toEqual(['accepted ok']);
    expect(await writtenMails(app.dataDir)).toEqual([expect.stringContaining('To: me@practice.test')]);
    expect(await readdir(join(app.dataDir, 'mail'))).toEqual([`${result.message_id.slice(1, 37)}.eml`]);
  });

  it('refuses addresses that are none, and more than may be tried in a minute', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({
      ...ONLY_HTTP,
      ...sink.settings,
      RATE_LIMIT_ENABLED: 'true',
      RATE_LIMIT_MAIL_TEST: '6',
    });
    const token = await tokenOf(app);
    const send = (body: unknown): Promise<Response> => sendJson(app, 'POST', `${MAIL}/test`, body, token);

    const refused = [];
    for (const to of ['nobody', 'a@b.test\r\nBcc: c@d.test', 'a@b.test, c@d.test', 7, null])
      refused.push((await send({ to })).status);
    const statuses = [(await send({ to: 'a@b.test' })).status, (await send({ to: 'a@b.test' })).status];

    expect(refused).toEqual([422, 422, 422, 422, 422]);
    expect(statuses).toEqual([200, 429]);
    expect([...sink.asked.keys()]).toEqual(['a@b.test']);
  });

  it('is, with the rest, no business of attorneys', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({ ...ONLY_HTTP, ...sink.settings });
    const { token } = await anAttorney(app, await tokenOf(app));

    const answers = await Promise.all([
      sendJson(app, 'POST', `${MAIL}/test`, { to: 'a@b.test' }, token),
      get(app, `${MAIL}/status`, token),
      get(app, `${MAIL}/dns`, token),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(sink.asked.size).toBe(0);
  });
});

describe('a server with TLS and a password', () => {
  const PASSWORD = 'Quiet-Harbour-77';
  const REFUSED = Buffer.from(`\0desk\0${PASSWORD}`).toString('base64');

  it.each([
    ['STARTTLS', false, 'auto'],
    ['TLS from the first byte', true, 'tls'],
  ])(
    'over %s: status and test say so, and no answer shows the password, whatever the server repeats',
    async (_, secure, tls) => {
      const certificate = makeCertificate();
      let lets = true;
      const sink = await startSmtp({
        options: {
          ...certificate,
          secure,
          authOptional: false,
          onAuth({ username }, _session, done) {
            if (lets) done(null, { user: username });
            else done(Object.assign(new Error(`5.7.8 not with ${PASSWORD} nor ${REFUSED}`), { responseCode: 535 }));
          },
        },
      });
      const database = await makeDatabase();
      const authority = join(await makeFolder(), 'authority.pem');
      await writeFile(authority, certificate.cert);
      const program = await startProgram(
        await someSettings({
          DATABASE_URL: database.url,
          ADMIN_PASSWORD: ADMIN.password,
          SMTP_HOST: 'localhost',
          SMTP_PORT: String(sink.port),
          SMTP_TLS: tls,
          SMTP_USERNAME: 'desk',
          SMTP_PASSWORD: PASSWORD,
          LOG_LEVEL: 'DEBUG',
          NODE_EXTRA_CA_CERTS: authority,
        }),
      );
      const headers = { ...(await program.signIn(ADMIN.password)), 'Content-Type': 'application/json' };
      const test = async (): Promise<TestResult> =>
        jsonOf<TestResult>(
          await program.request(`${MAIL}/test`, {
            method: 'POST',
            headers,
            body: JSON.stringify({ to: 'me@practice.test' }),
          }),
        );

      const { server } = await jsonOf<Status>(await program.request(`${MAIL}/status`, { headers }));
      const accepted = await test();
      lets = false;
      const refused = await test();

      expect(server).toMatchObject({
        is_reachable: true,
        tls_version: expect.stringMatching(/^TLSv1\.[23]$/),
        is_authenticated: true,
        error: null,
      });
      expect(stagesOf(accepted)).toEqual(['connected ok', 'encrypted ok', 'authenticated ok', 'accepted ok']);
      expect(accepted.steps[1]?.words).toMatch(/^TLSv1\.[23], /);
      expect(accepted.steps[2]?.words).toMatch(/^235 /);
      expect(stagesOf(refused)).toEqual(['connected ok', 'encrypted ok', 'authenticated failed']);
      expect(refused.steps[2]?.words).toBe('535 5.7.8 not with *** nor ***');
      expect(sink.taken).toEqual([expect.objectContaining({ isEncrypted: true, user: 'desk' })]);
      expect(await program.stop()).toBe(0);
      expectDiscreet([refused, accepted, server, program.output], PASSWORD, REFUSED);
      await database.drop();
    },
  );
});

describe('DKIM', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const published = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const SIGNING = {
    DKIM_DOMAIN: 'practice.test',
    DKIM_SELECTOR: 'mail',
    DKIM_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().replaceAll('\n', '\\n'),
    SMTP_FROM_EMAIL: 'desk@practice.test',
  };

  describe('signatures', () => {
    it('stand under every message and test message, and prove sender, subject and body', async () => {
      const sink = await startSmtp();
      const app = await startMailingApp({ ...sink.settings, ...SIGNING });
      const [one, two] = [anEmail(), anEmail()];

      await oweMails(app, [one]);
      await reaches(app, one, 'sent');
      await sendTest(app, two);

      const sources = [one, two].map((each) => sink.to(each)[0]?.source ?? '');
      for (const source of sources) {
        const verdict = verifyDkim(source, published);
        expect(verdict).toEqual({
          domain: 'practice.test',
          selector: 'mail',
          signedHeaders: expect.arrayContaining(['from', 'to', 'subject', 'date', 'message-id']),
          isBodyIntact: true,
          isSignatureGood: true,
        });
        const changed = source.replace(/^Subject: /m, 'Subject: Re: ');
        expect(verifyDkim(changed, published)).toMatchObject({ isBodyIntact: true, isSignatureGood: false });
        expect(verifyDkim(`${source}x`, published)).toMatchObject({ isBodyIntact: false, isSignatureGood: true });
      }
    });

    it('are not there without a key', async () => {
      const sink = await startSmtp();
      const app = await startMailingApp(sink.settings);
      const one = anEmail();

      await oweMails(app, [one]);

      await reaches(app, one, 'sent');
      expect(sink.to(one)[0]?.source).not.toMatch(/^DKIM-Signature:/im);
    });
  });

  describe('GET /api/v1/admin/mail/dns', () => {
    async function hintsOf(
      zone: DnsZone,
      settings: Record<string, string> = SIGNING,
    ): Promise<Record<string, unknown>> {
      const app = await startMailingApp({ ...ONLY_HTTP, ...settings });
      const dns = await startDns(zone);
      app.app.get<Resolver>(DNS_RESOLVER).setServers([dns.address]);
      const response = await get(app, `${MAIL}/dns`, await tokenOf(app));
      expect(response.status).toBe(200);
      expect(dns.asked.some((name) => name.endsWith('practice.test'))).toBe(true);
      return jsonOf(response);
    }
    const resultsOf = (hints: Record<string, unknown>): unknown[] =>
      ['spf', 'dkim', 'dmarc'].map((name) => (hints[name] as { result: string }).result);

    it('says that all is well, and shows the records', async () => {
      const key = `v=DKIM1; k=rsa; p=${published}`;
      const hints = await hintsOf({
        'practice.test': ['other=1', 'v=spf1 mx -all'],
        'mail._domainkey.practice.test': [key],
        '_dmarc.practice.test': ['v=DMARC1; p=reject'],
      });

      expect(hints).toEqual({
        domain: 'practice.test',
        spf: { result: 'ok', hint: expect.any(String), record: 'v=spf1 mx -all' },
        dkim: { result: 'ok', hint: expect.any(String), record: key },
        dmarc: { result: 'ok', hint: expect.any(String), record: 'v=DMARC1; p=reject' },
      });
    });

    it('says what is missing, and what is weak', async () => {
      expect(resultsOf(await hintsOf({}))).toEqual(['missing', 'missing', 'missing']);
      await closeApps();
      const weak = {
        'practice.test': ['v=spf1 +all'],
        'mail._domainkey.practice.test': ['v=DKIM1; p=AAAA'],
        '_dmarc.practice.test': ['v=DMARC1; p=none'],
      };
      expect(resultsOf(await hintsOf(weak))).toEqual(['weak', 'weak', 'weak']);
    });

    it('takes the DMARC record of the domain above where the sender’s own has none', async () => {
      const hints = await hintsOf(
        { 'mail.practice.test': [], '_dmarc.practice.test': ['v=DMARC1; p=none; sp=reject'] },
        { ...SIGNING, SMTP_FROM_EMAIL: 'desk@mail.practice.test' },
      );

      expect(hints['dmarc']).toMatchObject({ result: 'ok', record: 'v=DMARC1; p=none; sp=reject' });
    });

    it.each([
      ['is silent', 'silent'],
      ['fails', 'fails'],
    ] as const)('knows nothing where DNS %s', async (_, how) => {
      const hints = await hintsOf({
        'practice.test': how,
        'mail._domainkey.practice.test': how,
        '_dmarc.practice.test': how,
      });

      expect(resultsOf(hints)).toEqual(['unknown', 'unknown', 'unknown']);
    });

    it('cannot tell of DKIM where Forecourt does not sign', async () => {
      const hints = await hintsOf({ 'practice.test': ['v=spf1 mx -all'] }, { SMTP_FROM_EMAIL: 'desk@Practice.test' });

      expect(resultsOf(hints)).toEqual(['ok', 'unknown', 'missing']);
    });
  });
});
