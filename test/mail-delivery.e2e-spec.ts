import { randomUUID } from 'node:crypto';
import { Transactions } from '../src/database/transactions.js';
import { MailService } from '../src/mail/mail.service.js';
import { eventually } from './support/app.js';
import { cleanUp } from './support/clean-up.js';
import { makeDatabase } from './support/database.js';
import { anEmail, formOf, submit } from './support/leads.js';
import {
  ATTORNEY,
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
import { someSettings, startProgram } from './support/program.js';
import { type Answer, startRawServer, startSmtp } from './support/smtp.js';

afterEach(async () => {
  await cleanUp();
  await closeApps();
});

/** Waits of one, two, four seconds; two seconds for a whole delivery. */
const QUICK = { MAIL_RETRY_SECONDS: '1', SMTP_TIMEOUT_SECONDS: '2' };

describe('a server that treats one recipient in its own way', () => {
  const LATER: Answer = { code: 451, text: '4.7.1 try again later' };
  const CLOSING: Answer = { code: 421, text: '4.3.2 closing' };
  const NEVER: Answer = { code: 550, text: '5.1.1 no such user' };
  const first =
    (answers: Answer[]) =>
    (before: number): Answer =>
      answers[before];
  const always = (answer: Answer) => (): Answer => answer;

  interface Expected {
    readonly state: string;
    readonly attempts: number;
    readonly deferrals: number;
    readonly outcomes: string[];
    /** How often the server said that it has the message. */
    readonly taken: number;
    /** From one time that the server was asked to the next, at least so many seconds. */
    readonly gaps: number[];
  }
  interface Case {
    readonly recipient?: (before: number) => Answer;
    readonly message?: (before: number) => Answer | Promise<Answer>;
    readonly expected: Expected;
  }
  const CASES: Record<string, Case> = {
    'refuses it (550)': {
      recipient: always(NEVER),
      expected: { state: 'failed', attempts: 1, deferrals: 0, outcomes: ['refused'], taken: 0, gaps: [] },
    },
    'refuses its message (554 after DATA)': {
      message: always({ code: 554, text: '5.7.1 looks like spam' }),
      expected: { state: 'failed', attempts: 1, deferrals: 0, outcomes: ['refused'], taken: 0, gaps: [] },
    },
    'says not now (451) twice and then yes': {
      recipient: first([LATER, LATER]),
      expected: {
        state: 'sent',
        attempts: 3,
        deferrals: 0,
        outcomes: ['postponed', 'postponed', 'sent'],
        taken: 1,
        gaps: [1, 2],
      },
    },
    'says not now (451) three times': {
      recipient: always(LATER),
      expected: {
        state: 'failed',
        attempts: 3,
        deferrals: 0,
        outcomes: ['postponed', 'postponed', 'postponed'],
        taken: 0,
        gaps: [1, 2],
      },
    },
    'closes the channel (421) and then takes it': {
      recipient: first([CLOSING]),
      expected: { state: 'sent', attempts: 1, deferrals: 1, outcomes: ['outage', 'sent'], taken: 1, gaps: [0] },
    },
    'closes the channel after DATA (421) and then takes it': {
      message: first([CLOSING]),
      expected: { state: 'sent', attempts: 1, deferrals: 1, outcomes: ['outage', 'sent'], taken: 1, gaps: [0] },
    },
    'hangs up in the middle and then takes it': {
      recipient: first(['cut']),
      expected: { state: 'sent', attempts: 1, deferrals: 1, outcomes: ['outage', 'sent'], taken: 1, gaps: [0] },
    },
    'hangs up after DATA, three times, and then takes it': {
      message: first(['cut', 'cut', 'cut']),
      expected: {
        state: 'sent',
        attempts: 1,
        deferrals: 3,
        outcomes: ['outage', 'outage', 'outage', 'sent'],
        taken: 1,
        gaps: [0, 2, 4],
      },
    },
    'says nothing to it, and then takes it': {
      recipient: first(['hang']),
      expected: { state: 'sent', attempts: 1, deferrals: 1, outcomes: ['outage', 'sent'], taken: 1, gaps: [2] },
    },
    'says nothing after DATA, and then takes it': {
      message: first(['hang']),
      expected: { state: 'sent', attempts: 1, deferrals: 1, outcomes: ['outage', 'sent'], taken: 1, gaps: [2] },
    },
    'is slow to take it': {
      message: () => new Promise<Answer>((resolve) => setTimeout(resolve, 1500, undefined)),
      expected: { state: 'sent', attempts: 1, deferrals: 0, outcomes: ['sent'], taken: 1, gaps: [] },
    },
  };

  it.each(Object.entries(CASES))(
    '%s: the others get their mail at once',
    async (_, { recipient, message, expected }) => {
      const one = anEmail();
      const others = Array.from({ length: 12 }, anEmail);
      const sink = await startSmtp({
        recipient: (address, before) => (address === one ? recipient?.(before) : undefined),
        message: (mail, before) => (mail.to === one ? message?.(before) : undefined),
      });
      const app = await startMailingApp({ ...sink.settings, ...QUICK });
      const began = performance.now();

      await oweMails(app, [one, ...others]);

      await eventually('all others are delivered', async () => others.every((other) => sink.to(other).length > 0));
      expect(performance.now() - began).toBeLessThan(8000);
      const { state, attempts, deferrals } = await reaches(app, one, expected.state);
      const outcomes = (await attemptsAt(app, one)).map(({ outcome }) => outcome);
      const asked = sink.asked.get(one) ?? [];
      const gaps = asked.slice(1).map((at, index) => (at - (asked[index] ?? 0)) / 1000);
      expect({
        state,
        attempts,
        deferrals,
        outcomes,
        taken: sink.taken.filter(({ to }) => to === one).length,
        gaps: gaps.map((gap, index) => (gap >= (expected.gaps[index] ?? NaN) ? expected.gaps[index] : gap)),
      }).toEqual(expected);
      expect(new Set(sink.to(one).map(({ parsed }) => parsed.messageId)).size).toBeLessThanOrEqual(1);
      expect(others.map((other) => [sink.asked.get(other)?.length, sink.to(other).length])).toEqual(
        others.map(() => [1, 1]),
      );
      await expectNothingLeftToDo(app);
      expect(await isPaused(app)).toBe(false);
      expectDiscreet(app.log, one, others[0] ?? '');
    },
  );

  it('hangs up on it for ever: it is tried again and again, and for three days at most', async () => {
    const [one, before, after] = [anEmail(), anEmail(), anEmail()];
    const sink = await startSmtp({ recipient: (address) => (address === one ? 'cut' : undefined) });
    const app = await startMailingApp({ ...sink.settings, ...QUICK });
    await oweMails(app, [one, before]);
    await eventually('it was tried twice', async () => ((await messageTo(app, one))?.deferrals ?? 0) >= 2);
    await oweMails(app, [after]);
    await reaches(app, after, 'sent');
    expect(await reaches(app, one, 'retrying')).toMatchObject({ attempts: 0 });

    await app.database.query(`UPDATE mail_messages SET created_at = now() - interval '71 hours' WHERE recipient = $1`, [
      one,
    ]);
    const tries = (await messageTo(app, one))?.deferrals ?? 0;
    await eventually('it is tried again', async () => ((await messageTo(app, one))?.deferrals ?? 0) > tries);
    expect(await reaches(app, one, 'retrying')).toMatchObject({ attempts: 0 });
    await app.database.query(`UPDATE mail_messages SET created_at = now() - interval '73 hours' WHERE recipient = $1`, [
      one,
    ]);

    expect((await reaches(app, one, 'failed')).last_error).toContain('closed');
    await expectNothingLeftToDo(app);
  });

  it('hangs for ever at twenty mails to it: they hold up nobody else for longer than one of them', async () => {
    const one = anEmail();
    const others = Array.from({ length: 20 }, anEmail);
    const sink = await startSmtp({ recipient: (address) => (address === one ? 'hang' : undefined) });
    const app = await startMailingApp({ ...sink.settings, ...QUICK });

    await oweMails(app, [...Array.from({ length: 20 }, () => one), ...others]);

    await eventually(
      'all others are delivered',
      async () => others.every((other) => sink.to(other).length > 0),
      20_000,
    );
    const newcomer = anEmail();
    await eventually('they are known for it', async () => {
      const [row] = await app.database.query<{ suspects: number }>(
        'SELECT count(*)::int AS suspects FROM mail_messages WHERE is_suspect',
      );
      return (row?.suspects ?? 0) > 0;
    });
    const began = performance.now();
    await oweMails(app, [newcomer]);
    await eventually('the newcomer is delivered', async () => sink.to(newcomer).length > 0);
    expect(performance.now() - began).toBeLessThan(8000);
  });
});

describe('a message that alone makes the server hang up', () => {
  it('holds up no other message to the same recipient for long, and is itself tried again', async () => {
    const one = anEmail();
    const poison = randomUUID();
    const sink = await startSmtp({ message: ({ source }) => (source.includes(poison) ? 'cut' : undefined) });
    const app = await startMailingApp({ ...sink.settings, ...QUICK });
    await oweMails(app, [anEmail()]);
    await app.database.query(
      `WITH owed AS (
         INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id)
         VALUES ($1::uuid, 'prospect_confirmation', $2, json_build_object('prospect_name', 'Ada', 'lead_id', $1::uuid), 'lead', $1::uuid)
         RETURNING id)
       SELECT graphile_worker.add_job('mail.deliver', json_build_object('message_id', id), max_attempts => 25) FROM owed`,
      [poison, one],
    );
    const isSuspect = async (): Promise<boolean> =>
      (await app.database.query('SELECT FROM mail_messages WHERE id = $1 AND is_suspect', [poison])).length === 1;
    await oweMails(app, [anEmail()]);
    await eventually('the trouble is known for its own', isSuspect);

    await oweMails(app, [one, one, one]);

    await eventually('the others are delivered', async () => sink.taken.filter(({ to }) => to === one).length === 3);
    expect(await isSuspect()).toBe(true);
    expect(await isPaused(app)).toBe(false);
  }, 60_000);
});

describe('an answer with signs that no row can hold', () => {
  it('is noted without them, once', async () => {
    const port = await startRawServer((socket) => {
      socket.write('220 odd.test ESMTP\r\n');
      socket.on('data', (chunk: Buffer) => {
        socket.write(/^RCPT/.test(chunk.toString()) ? '550 5.7.1 go\u0000away\u0007\r\n' : '250 odd.test\r\n');
      });
    });
    const app = await startMailingApp({ ...QUICK, SMTP_HOST: '127.0.0.1', SMTP_PORT: port });
    const one = anEmail();

    await oweMails(app, [one]);

    expect((await reaches(app, one, 'failed')).last_error).toContain('550 5.7.1 go away');
    expect(await attemptsAt(app, one)).toHaveLength(1);
  });
});

describe('the time limit of a delivery', () => {
  it('ends one in which the server always says something, and never the end of it', async () => {
    const port = await startRawServer((socket) => {
      socket.write('220 trickle.test ESMTP\r\n');
      socket.on('data', (chunk: Buffer) => {
        const command = chunk.toString();
        if (!command.startsWith('RCPT')) {
          socket.write('250 trickle.test\r\n');
          return;
        }
        const trickle = setInterval(() => socket.write('250-one moment\r\n'), 200);
        socket.on('close', () => {
          clearInterval(trickle);
        });
      });
    });
    const app = await startMailingApp({ ...QUICK, SMTP_HOST: '127.0.0.1', SMTP_PORT: port });
    const one = anEmail();

    await oweMails(app, [one]);

    const { last_error } = await reaches(app, one, 'retrying');
    expect(last_error).toBe('the mail server did not take the message within 2 seconds');
    const [attempt] = await attemptsAt(app, one);
    expect(attempt).toMatchObject({ outcome: 'outage' });
    expect(attempt?.seconds).toBeGreaterThanOrEqual(1.9);
    expect(attempt?.seconds).toBeLessThan(15);
  });
});

describe('a recipient who refused for good', () => {
  const NO: Answer = { code: 550, text: '5.1.1 no such user' };
  /** Who hears of alerts when nobody is named. */
  const OPERATOR = 'admin@forecourt.test';

  it('gets no further mail, in whatever case it is written, until that is lifted', async () => {
    const one = anEmail();
    let refuses = true;
    const sink = await startSmtp({ recipient: (address) => (address === one && refuses ? NO : undefined) });
    const app = await startMailingApp({ ...sink.settings, ...QUICK });
    await oweMails(app, [one]);
    await reaches(app, one, 'failed');
    refuses = false;

    const capitals = one.toUpperCase();
    await oweMails(app, [capitals]);

    const suppressed = await reaches(app, capitals, 'suppressed');
    expect(suppressed).toMatchObject({ attempts: 0, deferrals: 0 });
    expect(suppressed.last_error).toContain('550 5.1.1 no such user');
    expect(await attemptsAt(app, capitals)).toEqual([]);
    await expectNothingLeftToDo(app);
    expect([...sink.asked.keys()].sort()).toEqual([one, OPERATOR].sort());
    expect(await app.database.query('SELECT address, reason, lifted_at FROM mail_suppressions')).toEqual([
      { address: one, reason: suppressed.last_error, lifted_at: null },
    ]);
    await app.database.query(`UPDATE mail_suppressions SET lifted_at = now(), lifted_by = 'admin'`);
    await app.database.query('DELETE FROM mail_messages WHERE recipient = $1', [one]);
    await oweMails(app, [one]);
    await reaches(app, one, 'sent');
  });

  it('is made known to the operators, once, without the address; and if it is one of them, to nobody by mail', async () => {
    const one = anEmail();
    const sink = await startSmtp({ recipient: () => NO });
    const app = await startMailingApp({ ...sink.settings, ...QUICK });

    await oweMails(app, [one]);

    const { id } = await reaches(app, one, 'failed');
    await reaches(app, OPERATOR, 'failed');
    await expectNothingLeftToDo(app);
    const alerts = await app.database.query('SELECT cause, occurrences, details FROM alerts');
    // the second time is that of the operator's own address, by the mail about the first
    expect(alerts).toEqual([
      { cause: 'mail.recipient_refused', occurrences: 2, details: expect.objectContaining({ message_id: id }) },
    ]);
    const line = { level: 'ERROR', logger: 'alerts', cause: 'mail.recipient_refused' };
    expect(app.log).toContainEqual(expect.objectContaining(line));
    expect(sink.asked.get(OPERATOR)).toHaveLength(1);
    expectDiscreet(alerts, one, OPERATOR);
  });

  it.each<[string, Answer, 'recipient' | 'message']>([
    ['not this message', { code: 554, text: '5.7.1 looks like spam' }, 'message'],
    ['a mailbox that is full', { code: 552, text: '5.2.2 over quota' }, 'recipient'],
    ['a server that does not know us', { code: 550, text: '5.7.1 relaying denied' }, 'recipient'],
  ])('is not meant by the refusal of %s', async (_, answer, at) => {
    const one = anEmail();
    const sink = await startSmtp({ [at]: () => answer });
    const app = await startMailingApp({ ...sink.settings, ...QUICK });

    await oweMails(app, [one]);

    const { id } = await reaches(app, one, 'failed');
    expect(await app.database.query('SELECT * FROM mail_suppressions')).toEqual([]);
    // neither does the mail that tells of it arrive, and it raises no further alert
    await reaches(app, OPERATOR, 'failed');
    expect(await app.database.query('SELECT cause, occurrences, details FROM alerts')).toEqual([
      { cause: 'mail.given_up', occurrences: 1, details: expect.objectContaining({ message_id: id }) },
    ]);
  });

  it('is told of each time if it is an attorney, whom no lead reaches any more: operators hear it once an hour', async () => {
    const sink = await startSmtp({ recipient: (address) => (address === ATTORNEY ? NO : undefined) });
    const app = await startMailingApp({ ...sink.settings, ...QUICK });
    await oweMails(app, [ATTORNEY]);
    await reaches(app, ATTORNEY, 'failed');
    await app.database.query('DELETE FROM mail_messages WHERE recipient = $1', [ATTORNEY]);

    for (let time = 0; time < 2; time += 1) expect((await submit(app, { email: anEmail() })).status).toBe(201);

    await eventually('it is an alert, and counted', async () => {
      const [alert] = await app.database.query<{ occurrences: number }>(
        `SELECT occurrences FROM alerts WHERE cause = 'mail.practice_suppressed'`,
      );
      return alert?.occurrences === 2;
    });
    await eventually('the operator was told', async () => sink.to(OPERATOR).length === 2);
  });
});

describe('the same cause', () => {
  it('makes a message once, however often it is queued', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({ ...sink.settings, ...QUICK });
    const [mail, transactions] = [app.app.get(MailService), app.app.get(Transactions)];
    const [recipient, id] = [anEmail(), randomUUID()];
    const message = {
      template: 'prospect_confirmation' as const,
      recipient,
      data: { prospect_name: 'Ada', lead_id: id },
    };

    for (let time = 0; time < 3; time += 1)
      await transactions.run((tx) => mail.queue(tx, { kind: 'lead', id }, [message, message]));

    await reaches(app, recipient, 'sent');
    await expectNothingLeftToDo(app);
    expect(await app.database.query('SELECT recipient FROM mail_messages')).toEqual([{ recipient }]);
    expect(sink.arrived).toHaveLength(1);
  });
});

describe('a message that cannot be made', () => {
  it('goes out as plain text, and holds up nobody', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({ ...sink.settings, ...QUICK });
    const [bad, good] = [anEmail(), anEmail()];
    await app.database.query(
      `CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.template := 'nothing'; RETURN NEW; END $$`,
    );
    await app.database.query(
      `CREATE TRIGGER spoil BEFORE INSERT ON mail_messages FOR EACH ROW WHEN (NEW.recipient = '${bad}') EXECUTE FUNCTION spoil()`,
    );

    await oweMails(app, [bad, good]);

    await reaches(app, good, 'sent');
    await reaches(app, bad, 'sent');
    expect(sink.to(bad)[0]?.parsed.html).toBeUndefined();
    expect(await attemptsAt(app, bad)).toMatchObject([{ outcome: 'sent' }]);
    expect(await isPaused(app)).toBe(false);
  });
});

describe('kill -9', () => {
  it.each<[string, Answer, number]>([
    ['before the server has it, and it arrives once', 'hang', 1],
    ['after the server has it, and it arrives twice at most', undefined, 2],
  ])('in mid-send, %s: within 30 seconds of the restart, under the same Message-ID', async (_, answer, taken) => {
    const one = anEmail();
    const sink = await startSmtp({
      message: (mail, before) => {
        if (mail.to !== one || before > 0) return undefined;
        program.signal('SIGKILL');
        return answer;
      },
    });
    const database = await makeDatabase();
    const settings = await someSettings({
      ...sink.settings,
      ...QUICK,
      SMTP_TIMEOUT_SECONDS: '30',
      DATABASE_URL: database.url,
    });
    const program = await startProgram(settings);
    await program.request('/api/v1/leads', { method: 'POST', body: formOf({ email: one }) }).catch(() => undefined);
    await program.ended;
    expect(await messageTo({ database }, one)).toMatchObject({ state: 'sending' });
    const killed = sink.to(one);
    expect(killed).toHaveLength(1);

    const again = await startProgram(settings);
    const began = performance.now();

    const { id } = await eventually(
      'it is sent',
      async () => {
        const message = await messageTo({ database }, one);
        return message?.state === 'sent' ? message : undefined;
      },
      30_000,
    );
    expect(performance.now() - began).toBeLessThan(30_000);
    expect(sink.to(one).map(({ parsed }) => parsed.messageId)).toEqual(
      Array.from({ length: 2 }, () => `<${id}@forecourt.test>`),
    );
    expect(sink.taken.filter(({ to }) => to === one)).toHaveLength(taken);
    expect(await attemptsAt({ database }, one)).toMatchObject([{ outcome: 'interrupted' }, { outcome: 'sent' }]);
    expect(await again.stop()).toBe(0);
    await database.drop();
  });
});
