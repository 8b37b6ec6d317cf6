import { randomUUID } from 'node:crypto';
import { eventually, type TestApp } from './support/app.js';
import { cleanUp } from './support/clean-up.js';
import { anEmail, bearer, get, jsonOf, tokenOf } from './support/leads.js';
import {
  attemptsAt,
  closeApps,
  expectDiscreet,
  expectNothingLeftToDo,
  isPaused,
  messageTo,
  oweMails,
  reaches,
  startMailingApp,
} from './support/mail.js';
import { type Answer, startSmtp } from './support/smtp.js';

afterEach(async () => {
  await cleanUp();
  await closeApps();
});

const MAIL = '/api/v1/admin/mail';
const REFUSAL: Answer = { code: 554, text: '5.7.1 looks like spam' };
const NO_MAILBOX: Answer = { code: 550, text: '5.1.1 no such user' };
const LATER: Answer = { code: 451, text: '4.7.1 try again later' };

const send = (app: TestApp, method: string, path: string, token: string): Promise<Response> =>
  app.request(`${MAIL}${path}`, { method, headers: bearer(token) });
const resend = (app: TestApp, id: string, token: string): Promise<Response> =>
  send(app, 'POST', `/messages/${id}/resend`, token);
const cancel = (app: TestApp, id: string, token: string): Promise<Response> =>
  send(app, 'POST', `/messages/${id}/cancel`, token);

/** Status and error code of each. */
const outcomesOf = (answers: readonly Response[]): Promise<string[]> =>
  Promise.all(
    answers.map(async (answer) => {
      if (answer.status === 204) return '204';
      const { error_code = '' } = await jsonOf<{ error_code?: string }>(answer);
      return `${answer.status} ${error_code}`.trim();
    }),
  );

const records = (app: TestApp): Promise<unknown[]> =>
  app.database.query(
    `SELECT action, actor_name, target_kind, target_id, details FROM audit_entries WHERE action LIKE 'mail.%' AND action NOT IN ('mail.listed', 'mail.viewed') ORDER BY at`,
  );

/** Lets the half minute pass in which nothing is sent again. */
const letTimePass = (app: TestApp): Promise<unknown> =>
  app.database.query(`UPDATE mail_messages SET requeued_at = requeued_at - interval '31 s'`);

/** Jobs of mail that wait or run. */
async function jobsOf(app: TestApp): Promise<number> {
  return (await app.database.query(`SELECT FROM graphile_worker.jobs WHERE task_identifier = 'mail.deliver'`)).length;
}

/** Makes jobs that wait for a later time due. */
const runWhatWaits = (app: TestApp): Promise<unknown> =>
  app.database.query(
    `UPDATE graphile_worker._private_jobs SET run_at = now() WHERE locked_at IS NULL AND key IS NULL AND run_at > now()`,
  );

/** A message in a state, with no job that would change it. */
async function aMessage(app: TestApp, state: string): Promise<string> {
  const id = randomUUID();
  await app.database.query(
    `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, state, sent_at, cancelled_at)
     SELECT id, 'prospect_confirmation', id || '@example.com', json_build_object('prospect_name', 'Ada', 'lead_id', id), 'lead', id,
       state::mail_state, CASE state WHEN 'sent' THEN now() END, CASE state WHEN 'cancelled' THEN now() END
     FROM (SELECT $1::uuid AS id, $2::text AS state) AS given`,
    [id, state],
  );
  return id;
}

describe('POST /api/v1/admin/mail/messages/{id}/resend', () => {
  it('tries a failed message anew: the same row and Message-ID, its attempts go on counting, and it is on record', async () => {
    let refuses = true;
    const sink = await startSmtp({ message: () => (refuses ? REFUSAL : undefined) });
    const app = await startMailingApp(sink.settings);
    const [one, token] = [anEmail(), await tokenOf(app)];
    await oweMails(app, [one]);
    const { id } = await reaches(app, one, 'failed');
    refuses = false;

    const response = await resend(app, id, token);

    expect([response.status, await jsonOf(response)]).toEqual([
      202,
      expect.objectContaining({ id, state: 'queued', attempts: 0, last_error: null, failed_at: null, resend_of: null }),
    ]);
    expect(await reaches(app, one, 'sent')).toMatchObject({ id, attempts: 1 });
    expect(await attemptsAt(app, one)).toMatchObject([
      { number: 1, outcome: 'refused' },
      { number: 2, outcome: 'sent' },
    ]);
    expect(sink.to(one).map(({ parsed }) => parsed.messageId)).toEqual(Array(2).fill(`<${id}@forecourt.test>`));
    await expectNothingLeftToDo(app);
    expect(await records(app)).toEqual([
      {
        action: 'mail.resent',
        actor_name: 'admin',
        target_kind: 'mail',
        target_id: id,
        details: { template: 'prospect_confirmation', queued_as: id },
      },
    ]);
    expectDiscreet([await records(app), app.log], one);
  });

  it('repeats a sent message by a new one that names it, each once, and the repetition in its turn', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp(sink.settings);
    const [one, token] = [anEmail(), await tokenOf(app)];
    await oweMails(app, [one]);
    const { id } = await reaches(app, one, 'sent');
    const resent = async (of: string): Promise<{ id: string; resend_of: string }> => {
      const response = await resend(app, of, token);
      expect(response.status).toBe(202);
      return jsonOf(response);
    };
    const arrives = (count: number): Promise<unknown> =>
      eventually('it arrived', async () => sink.to(one).length === count);
    const isSent = (which: string): Promise<unknown> =>
      eventually('it is sent', async () => {
        const [row] = await app.database.query('SELECT state FROM mail_messages WHERE id = $1', [which]);
        return row?.['state'] === 'sent';
      });

    const second = await resent(id);
    await arrives(2);
    await isSent(second.id);
    const again = await outcomesOf([await resend(app, id, token), await resend(app, second.id, token)]);
    await letTimePass(app);
    const third = await resent(second.id);
    await arrives(3);

    expect([second.resend_of, third.resend_of]).toEqual([id, second.id]);
    expect(again).toEqual(['409 MAIL_ALREADY_RESENT', '409 MAIL_JUST_RESENT']);
    expect(sink.to(one).map(({ parsed }) => parsed.messageId)).toEqual(
      [id, second.id, third.id].map((each) => `<${each}@forecourt.test>`),
    );
    expect(new Set(sink.to(one).map(({ parsed }) => parsed.text)).size).toBe(1);
    expect(await jsonOf(await get(app, `${MAIL}/messages/${id}`, token))).toMatchObject({
      state: 'sent',
      resend_of: null,
      resent_as: second.id,
    });
  });

  it.each([
    ['failed', 'MAIL_STILL_UNDER_WAY|MAIL_JUST_RESENT'],
    ['sent', 'MAIL_ALREADY_RESENT'],
    ['cancelled', 'MAIL_STILL_UNDER_WAY|MAIL_JUST_RESENT'],
  ])('queues a %s message once, of 16 who ask at once', async (state, refusals) => {
    const sink = await startSmtp();
    const app = await startMailingApp(sink.settings);
    const token = await tokenOf(app);
    const id = await aMessage(app, state);

    const outcomes = await outcomesOf(await Promise.all(Array.from({ length: 16 }, () => resend(app, id, token))));

    expect(outcomes.sort()[0]).toBe('202');
    for (const outcome of outcomes.slice(1)) expect(outcome).toMatch(new RegExp(`^409 (${refusals})$`));
    await eventually('it arrived', async () => sink.taken.length > 0);
    await expectNothingLeftToDo(app);
    expect(sink.taken).toHaveLength(1);
    expect(await records(app)).toHaveLength(1);
  });

  it.each(['queued', 'sending', 'retrying'])('refuses one that is %s, and leaves it alone', async (state) => {
    const app = await startMailingApp({});
    const id = await aMessage(app, state);

    expect(await outcomesOf([await resend(app, id, await tokenOf(app))])).toEqual(['409 MAIL_STILL_UNDER_WAY']);

    expect(await app.database.query('SELECT state, round FROM mail_messages')).toEqual([{ state, round: 0 }]);
    await expectNothingLeftToDo(app);
    expect(await records(app)).toEqual([]);
  });

  it('leaves a job of an earlier time nothing to do: the message goes out once', async () => {
    let refuses = true;
    let takeIt: () => void = () => undefined;
    const sink = await startSmtp({
      recipient: () => (refuses ? LATER : undefined),
      message: () =>
        new Promise<Answer>((resolve) => {
          takeIt = () => {
            resolve(undefined);
          };
        }),
    });
    const app = await startMailingApp({ ...sink.settings, MAIL_RETRY_SECONDS: '300' });
    const [one, token] = [anEmail(), await tokenOf(app)];
    await oweMails(app, [one]);
    const { id } = await reaches(app, one, 'retrying');
    refuses = false;

    const outcomes = await outcomesOf([await cancel(app, id, token), await resend(app, id, token)]);
    await eventually('it is being sent', async () => sink.arrived.length === 1);
    await runWhatWaits(app);
    await eventually('the earlier job is done', async () => (await jobsOf(app)) === 1);
    takeIt();

    expect(outcomes).toEqual(['204', '202']);
    await reaches(app, one, 'sent');
    await expectNothingLeftToDo(app);
    expect(sink.to(one)).toHaveLength(1);
    expect((await attemptsAt(app, one)).map(({ outcome }) => outcome)).toEqual(['postponed', 'sent']);
  });

  it('gives a message whose three days are over another three', async () => {
    const sink = await startSmtp({ recipient: (_, before) => (before < 1 ? 'cut' : undefined) });
    const app = await startMailingApp(sink.settings);
    const token = await tokenOf(app);
    const id = await aMessage(app, 'failed');
    const recipient = `${id}@example.com`;
    await app.database.query(`UPDATE mail_messages SET created_at = now() - interval '9 days'`);
    // the server was seen since, so that the trouble is the message's own
    await app.database.query(`UPDATE mail_messages SET is_suspect = true, deferrals = 1`);

    await resend(app, id, token);

    expect(await reaches(app, recipient, 'sent')).toMatchObject({ id });
  });
});

describe('a suppressed recipient', () => {
  it('is refused until the suppression is lifted; then the message goes out, and so does the next', async () => {
    let refuses = true;
    const sink = await startSmtp({ recipient: (address) => (refuses && address === one ? NO_MAILBOX : undefined) });
    const one = anEmail();
    const app = await startMailingApp(sink.settings);
    const token = await tokenOf(app);
    await oweMails(app, [one]);
    const { id } = await reaches(app, one, 'failed');
    const capitals = one.toUpperCase();
    await oweMails(app, [capitals]);
    const { id: suppressed } = await reaches(app, capitals, 'suppressed');
    refuses = false;
    const listed = await jsonOf<{ items: { id: string }[] }>(
      await get(app, `${MAIL}/suppressions?address=${capitals}`, token),
    );

    const before = await outcomesOf([await resend(app, id, token), await resend(app, suppressed, token)]);
    const lifted = await outcomesOf(
      await Promise.all(
        Array.from({ length: 16 }, () => send(app, 'DELETE', `/suppressions/${listed.items[0]?.id}`, token)),
      ),
    );
    const after = await outcomesOf([await resend(app, id, token), await resend(app, suppressed, token)]);

    expect(before).toEqual(['409 MAIL_RECIPIENT_SUPPRESSED', '409 MAIL_RECIPIENT_SUPPRESSED']);
    expect(lifted.sort()).toEqual(['204', ...Array<string>(15).fill('404 MAIL_SUPPRESSION_NOT_FOUND')]);
    expect(after).toEqual(['202', '202']);
    await reaches(app, one, 'sent');
    await reaches(app, capitals, 'sent');
    expect(listed.items).toEqual([
      {
        id: expect.any(String),
        address: one,
        reason: expect.stringContaining('550 5.1.1 no such user'),
        since: expect.any(String),
        lifted_at: null,
        lifted_by: null,
      },
    ]);
    expect(await records(app)).toMatchObject([
      { action: 'mail.suppression_lifted', target_kind: 'mail_suppression', target_id: listed.items[0]?.id },
      { action: 'mail.resent', target_id: id },
      { action: 'mail.resent', target_id: suppressed },
    ]);
    expectDiscreet(await records(app), one);
  });

  it('is listed, latest first, a page at a time, by address and by whether it was lifted', async () => {
    const app = await startMailingApp({ ROLE: 'http' });
    const token = await tokenOf(app);
    await app.database.query(
      `INSERT INTO mail_suppressions (address, reason, since, lifted_at, lifted_by) VALUES
         ('a@b.test', 'no', '2026-01-01Z', '2026-01-02Z', 'admin'), ('a@b.test', 'again no', '2026-01-03Z', NULL, NULL),
         ('c@d.test', 'no', '2026-01-04Z', NULL, NULL)`,
    );
    const list = async (query: string): Promise<unknown[]> => {
      const response = await get(app, `${MAIL}/suppressions${query}`, token);
      const { items, total } = await jsonOf<{ items: { address: string; since: string }[]; total: number }>(response);
      return [total, ...items.map(({ address, since }) => `${address} ${since.slice(0, 10)}`)];
    };

    expect(await list('')).toEqual([2, 'c@d.test 2026-01-04', 'a@b.test 2026-01-03']);
    expect(await list('?size=1&page=2')).toEqual([2, 'a@b.test 2026-01-03']);
    expect(await list('?state=lifted')).toEqual([1, 'a@b.test 2026-01-01']);
    expect(await list('?state=all&address=A@B.test')).toEqual([2, 'a@b.test 2026-01-03', 'a@b.test 2026-01-01']);
    expect(await list("?address=' OR 1=1--")).toEqual([0]);
    for (const query of ['?state=both', '?address=', '?size=0', '?reason=no'])
      expect((await get(app, `${MAIL}/suppressions${query}`, token)).status).toBe(422);
  });
});

describe('POST /api/v1/admin/mail/messages/{id}/cancel', () => {
  it('keeps a message that waits for its next attempt from ever being sent, once, of 16 who ask at once', async () => {
    const sink = await startSmtp({ recipient: () => LATER });
    const app = await startMailingApp({ ...sink.settings, MAIL_RETRY_SECONDS: '300' });
    const [one, token] = [anEmail(), await tokenOf(app)];
    await oweMails(app, [one]);
    const { id } = await reaches(app, one, 'retrying');

    const outcomes = await outcomesOf(await Promise.all(Array.from({ length: 16 }, () => cancel(app, id, token))));
    await runWhatWaits(app);
    await expectNothingLeftToDo(app);

    expect(outcomes.sort()).toEqual(['204', ...Array<string>(15).fill('409 MAIL_NOT_WAITING')]);
    expect(sink.asked.get(one)).toHaveLength(1);
    expect(await messageTo(app, one)).toMatchObject({ state: 'cancelled' });
    expect(await records(app)).toEqual([
      {
        action: 'mail.cancelled',
        actor_name: 'admin',
        target_kind: 'mail',
        target_id: id,
        details: { template: 'prospect_confirmation' },
      },
    ]);
  });

  it('lets go of a message that nobody is sending any more, an hour after its last attempt began', async () => {
    const app = await startMailingApp({ ROLE: 'http' });
    const [id, token] = [await aMessage(app, 'sending'), await tokenOf(app)];
    await app.database.query(
      `INSERT INTO mail_attempts (message_id, number, started_at) VALUES ($1, 1, now() - interval '59 minutes')`,
      [id],
    );
    expect(await outcomesOf([await cancel(app, id, token)])).toEqual(['409 MAIL_NOT_WAITING']);

    await app.database.query(`UPDATE mail_attempts SET started_at = now() - interval '61 minutes'`);

    expect(await outcomesOf([await cancel(app, id, token), await resend(app, id, token)])).toEqual(['204', '202']);
  });

  it('takes a message that waits for the server out of the pause, and the pause goes on for the others', async () => {
    const sink = await startSmtp();
    await sink.stop();
    const app = await startMailingApp(sink.settings);
    const [one, other, token] = [anEmail(), anEmail(), await tokenOf(app)];
    await oweMails(app, [one, other]);
    await eventually('both are held', async () => {
      const rows = await app.database.query(
        `SELECT FROM mail_messages WHERE held_at IS NOT NULL AND state = 'retrying'`,
      );
      return rows.length === 2 || undefined;
    });
    const { id } = (await messageTo(app, one))!;

    await eventually('it is cancelled between two probes', async () => (await cancel(app, id, token)).status === 204);
    expect(await isPaused(app)).toBe(true);
    const back = await startSmtp({ port: sink.port });

    await reaches(app, other, 'sent');
    await expectNothingLeftToDo(app);
    expect(back.to(one)).toEqual([]);
    expect(await messageTo(app, one)).toMatchObject({ state: 'cancelled' });
    expect(await isPaused(app)).toBe(false);
  });

  it.each(['sending', 'sent', 'failed', 'suppressed', 'cancelled'])(
    'refuses one that is %s, and leaves it alone',
    async (state) => {
      const app = await startMailingApp({});
      const id = await aMessage(app, state);

      expect(await outcomesOf([await cancel(app, id, await tokenOf(app))])).toEqual(['409 MAIL_NOT_WAITING']);

      expect(await app.database.query('SELECT state FROM mail_messages')).toEqual([{ state }]);
      expect(await records(app)).toEqual([]);
    },
  );

  it('races with the sender: what was cancelled never arrives, and what is being sent is not cancelled', async () => {
    const sink = await startSmtp({
      recipient: () => undefined,
      message: () => new Promise<Answer>((resolve) => setTimeout(resolve, 100, undefined)),
    });
    const app = await startMailingApp({ ...sink.settings, WORKER_CONCURRENCY: '2' });
    const token = await tokenOf(app);
    const recipients = Array.from({ length: 40 }, anEmail);
    await oweMails(app, recipients);
    const rows = await app.database.query<{ id: string; recipient: string }>('SELECT id, recipient FROM mail_messages');
    await eventually('some were sent', async () => sink.taken.length >= 4);

    const answers = await Promise.all(
      rows.map(async ({ id, recipient }) => ({ recipient, status: (await cancel(app, id, token)).status })),
    );

    await expectNothingLeftToDo(app);
    const cancelled = answers.filter(({ status }) => status === 204).map(({ recipient }) => recipient);
    const refused = answers.filter(({ status }) => status === 409).map(({ recipient }) => recipient);
    expect(cancelled.length).toBeGreaterThan(0);
    expect(refused.length).toBeGreaterThanOrEqual(4);
    expect(cancelled.length + refused.length).toBe(40);
    expect(sink.arrived.map(({ to }) => to).sort()).toEqual(refused.sort());
    const states = await app.database.query(
      `SELECT state, array_agg(recipient ORDER BY recipient COLLATE "C") AS recipients FROM mail_messages GROUP BY state ORDER BY state`,
    );
    expect(states).toEqual([
      { state: 'sent', recipients: refused.sort() },
      { state: 'cancelled', recipients: cancelled.sort() },
    ]);
  });
});
