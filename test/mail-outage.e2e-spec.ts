import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { eventually } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { Gate } from './support/gate.js';
import { anEmail } from './support/leads.js';
import {
  attemptsAt,
  closeApps,
  expectNothingLeftToDo,
  isPaused,
  messageTo,
  oweMails,
  reaches,
  startMailingApp,
} from './support/mail.js';
import { someSettings, startProgram } from './support/program.js';
import { startSmtp } from './support/smtp.js';

afterEach(async () => {
  await cleanUp();
  await closeApps();
});

const QUICK = { MAIL_RETRY_SECONDS: '1', SMTP_TIMEOUT_SECONDS: '5' };

interface BrokenServer {
  readonly port: number;
  /** When each connection came, in milliseconds. */
  readonly connected: number[];
  /** The most connections at one time since the last call. */
  mostAtOnce(): number;
  stop(): Promise<void>;
}

/** Takes every connection and hangs up on it after a moment. */
async function startBrokenServer(): Promise<BrokenServer> {
  const connected: number[] = [];
  const open = new Set<Socket>();
  let most = 0;
  const server = createServer((socket) => {
    connected.push(performance.now());
    open.add(socket);
    most = Math.max(most, open.size);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    setTimeout(() => socket.end('421 4.3.2 not now\r\n'), 100);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const stop = async (): Promise<void> => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  atEnd(stop);
  return {
    port: (server.address() as AddressInfo).port,
    connected,
    mostAtOnce() {
      const found = most;
      most = open.size;
      return found;
    },
    stop,
  };
}

/** `condition`: of messages. */
const countIn = async (app: Parameters<typeof isPaused>[0], condition: string): Promise<number> => {
  const [row] = await app.database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM mail_messages WHERE ${condition}`,
  );
  return row?.count ?? 0;
};

describe('while the mail server is away', () => {
  it('messages that waited for a connection are held, and not tried one after the other', async () => {
    // four get a connection and hear nothing; twelve are begun and wait behind them
    const sink = await startSmtp({ recipient: () => 'hang' });
    const app = await startMailingApp({ ...sink.settings, SMTP_TIMEOUT_SECONDS: '5', MAIL_RETRY_SECONDS: '600' });
    await oweMails(app, Array.from({ length: 16 }, anEmail));

    await eventually('all are begun', async () => (await countIn(app, `state = 'sending'`)) === 16);
    await eventually('four are with the server', async () => sink.asked.size === 4);
    await eventually('the rest is held', async () => (await countIn(app, 'held_at IS NOT NULL')) >= 15);

    // and one more may be on its way to find out whether the server is back
    expect(sink.asked.size).toBeLessThanOrEqual(5);
    const untried = `NOT EXISTS (SELECT FROM mail_attempts WHERE message_id = id) AND deferrals = 0 AND state = 'queued'`;
    expect(await countIn(app, untried)).toBeGreaterThanOrEqual(11);
  });

  it('a probe that is under way when other mail shows that the server is back is not sent a second time', async () => {
    const [broken, slow, probed] = [anEmail(), anEmail(), anEmail()];
    const [isSlow, isProbed] = [new Gate(), new Gate()];
    const gates = new Map([
      [slow, isSlow],
      [probed, isProbed],
    ]);
    const sink = await startSmtp({
      recipient: (address, before) => (address === broken && before === 0 ? 'cut' : undefined),
      message: async ({ to }) => gates.get(to)?.opened.then(() => undefined),
    });
    const app = await startMailingApp({ ...sink.settings, MAIL_RETRY_SECONDS: '5', SMTP_TIMEOUT_SECONDS: '10' });
    await oweMails(app, [slow]);
    await eventually('one is under way', async () => sink.to(slow).length === 1);
    await oweMails(app, [broken]);
    await eventually('mail waits', async () => isPaused(app));
    await oweMails(app, [probed]);
    await eventually('the probe is under way', async () => sink.to(probed).length === 1);

    isSlow.open();
    await eventually('the pause is over', async () => !(await isPaused(app)));
    // its turn comes after that of the probe, if the probe gets another
    await reaches(app, broken, 'sent');
    expect(sink.asked.get(probed)).toHaveLength(1);

    isProbed.open();
    await reaches(app, probed, 'sent');
    await expectNothingLeftToDo(app);
    expect(sink.to(probed)).toHaveLength(1);
  });

  it('all processes together try it with one message at a time, seldomer and seldomer, and all goes on once it is back', async () => {
    const broken = await startBrokenServer();
    const smtp = { SMTP_HOST: '127.0.0.1', SMTP_PORT: String(broken.port) };
    const app = await startMailingApp({ ...smtp, ...QUICK, MAIL_MAX_ATTEMPTS: '1' });
    const other = await startProgram(
      await someSettings({ ...smtp, ...QUICK, ROLE: 'worker', DATABASE_URL: app.database.url, MAIL_MAX_ATTEMPTS: '1' }),
    );
    const everybody = Array.from({ length: 40 }, anEmail);

    await oweMails(app, everybody);

    await eventually('all mail is held', async () => (await countIn(app, 'held_at IS NOT NULL')) === everybody.length);
    broken.mostAtOnce();
    const beforeProbes = broken.connected.length;
    // those under way at the beginning, four in each process, and the pool's one repetition of each
    expect(beforeProbes).toBeLessThanOrEqual(20);
    const probes = await eventually(
      'the server was tried four times',
      async () => {
        const times = broken.connected.slice(beforeProbes);
        // the pool repeats a connection once, at once
        const tries = times.filter((at, index) => at - (times[index - 1] ?? -Infinity) > 500);
        return tries.length >= 4 && tries.slice(0, 4);
      },
      90_000,
    );
    expect(broken.mostAtOnce()).toBe(1);
    const gaps = probes.slice(1).map((at, index) => at - (probes[index] ?? 0));
    // at least the wait that was planned: a busy machine makes each longer, by as much as it likes
    for (const [index, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual(1000 * 2 ** (index + 1));
    const late = Array.from({ length: 5 }, anEmail);
    await oweMails(app, late);
    await eventually(
      'late mail is held',
      async () => (await countIn(app, 'held_at IS NOT NULL')) === everybody.length + late.length,
    );
    await expectNoJobsButOneProbe(app);

    await broken.stop();
    const sink = await startSmtp({ port: broken.port });
    await app.database.query(`UPDATE graphile_worker._private_jobs SET run_at = now()`);
    await eventually('everything is delivered', async () => sink.arrived.length === 45);

    await expectNothingLeftToDo(app);
    expect(sink.taken.map(({ to }) => to).sort()).toEqual([...everybody, ...late].sort());
    expect(await isPaused(app)).toBe(false);
    for (const one of [...everybody, ...late])
      expect(await messageTo(app, one)).toMatchObject({ attempts: 1, state: 'sent' });
    expect(await other.stop()).toBe(0);
  }, 180_000);

  it('that does not take the sender counts as away: nothing is given up, and all goes on once it does', async () => {
    let refuses = true;
    const sink = await startSmtp({
      options: {
        onMailFrom(_address, _session, done) {
          done(refuses ? Object.assign(new Error('5.7.1 not your address'), { responseCode: 553 }) : undefined);
        },
      },
    });
    const app = await startMailingApp({ ...sink.settings, ...QUICK });
    const everybody = Array.from({ length: 4 }, anEmail);
    await oweMails(app, everybody);
    await eventually('all mail is held', async () => (await countIn(app, 'held_at IS NOT NULL')) === everybody.length);
    expect(await countIn(app, `state = 'failed'`)).toBe(0);

    refuses = false;

    for (const one of everybody) expect(await reaches(app, one, 'sent')).toMatchObject({ attempts: 1 });
    expect(await isPaused(app)).toBe(false);
  });

  it('mail is not given up, however old it gets', async () => {
    const broken = await startBrokenServer();
    const app = await startMailingApp({ SMTP_HOST: '127.0.0.1', SMTP_PORT: String(broken.port), ...QUICK });
    const [one, other] = [anEmail(), anEmail()];
    await oweMails(app, [one, other]);
    await eventually('both wait', async () => (await countIn(app, 'held_at IS NOT NULL')) === 2);

    await app.database.query(`UPDATE mail_messages SET created_at = now() - interval '100 days'`);
    await eventually('each was tried again', async () => {
      const rows = await Promise.all([messageTo(app, one), messageTo(app, other)]);
      return rows.every((row) => (row?.deferrals ?? 0) >= 2);
    });

    for (const each of [one, other]) expect(await reaches(app, each, 'retrying')).toMatchObject({ attempts: 0 });
  });

  it('the operators hear of it after ten minutes, and not before', async () => {
    const broken = await startBrokenServer();
    // a mail about it waits like all others
    const heard: string[] = [];
    const webhook = createHttpServer((request, response) => {
      request.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
      request.on('end', () => response.writeHead(204).end());
    });
    await once(webhook.listen(0, '127.0.0.1'), 'listening');
    atEnd(() => new Promise((resolve) => webhook.close(resolve)));
    const app = await startMailingApp({
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(broken.port),
      ALERT_WEBHOOK_URL: `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/`,
      ALERT_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'k').toString('base64')}`,
      ...QUICK,
    });
    await oweMails(app, [anEmail(), anEmail()]);
    const failures = async (): Promise<number> =>
      (await app.database.query<{ failures: number }>('SELECT failures FROM mail_server_state'))[0]?.failures ?? 0;
    await eventually('it was tried in vain twice', async () => (await failures()) >= 2);
    await app.database.query(`UPDATE mail_server_state SET paused_since = now() - interval '9 minutes'`);
    const before = await failures();
    await eventually('it is tried again', async () => (await failures()) > before);
    expect(await app.database.query('SELECT cause FROM alerts')).toEqual([]);

    await app.database.query(`UPDATE mail_server_state SET paused_since = now() - interval '11 minutes'`);
    await app.database.query(`UPDATE graphile_worker._private_jobs SET run_at = now()`);

    await eventually('there is an alert', async () => {
      const alerts = await app.database.query<{ cause: string }>('SELECT cause FROM alerts');
      return alerts.some(({ cause }) => cause === 'mail.server_down');
    });
    await eventually('it was called out', async () => heard.join('').includes('mail.server_down'));
  });

  it.each([
    ['never heard of', 'cut' as const],
    ['refused', { code: 550, text: '5.1.1 no such user' }],
  ])('a probe whose message is deleted under way, and is %s, is not the last', async (_, answer) => {
    const [one, other] = [anEmail(), anEmail()];
    const [isProbed, isAnswered] = [new Gate(), new Gate()];
    let isAway = true;
    const sink = await startSmtp({
      message: async ({ to }) => {
        if (!isAway) return undefined;
        if (to !== one) return 'cut';
        isProbed.open();
        await isAnswered.opened;
        return answer;
      },
    });
    const app = await startMailingApp({ ...sink.settings, ...QUICK });
    await app.database.query(
      `UPDATE mail_server_state SET paused_since = now(), failures = 1, round = 7, next_probe_at = now()`,
    );
    await oweMails(app, [one]);
    await eventually('it is held', async () => (await countIn(app, 'held_at IS NOT NULL')) === 1);
    await app.database.query(`SELECT graphile_worker.add_job('mail.probe_server', '{"round": 7}', max_attempts => 25)`);
    await isProbed.opened;
    await app.database.query('DELETE FROM mail_messages WHERE recipient = $1', [one]);
    await oweMails(app, [other]);
    await eventually('the other waits', async () => (await countIn(app, 'held_at IS NOT NULL')) === 1);
    isAway = false;

    isAnswered.open();

    await reaches(app, other, 'sent');
    expect(await isPaused(app)).toBe(false);
  });

  it('somebody tries it again, even where every job for that was lost', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({ ...sink.settings, ...QUICK });
    const one = anEmail();
    await app.database.query(`UPDATE mail_server_state SET paused_since = now(), failures = 3, next_probe_at = NULL`);
    await oweMails(app, [one]);
    await eventually('it is held', async () => (await countIn(app, 'held_at IS NOT NULL')) === 1);

    await app.database.query(`UPDATE graphile_worker._private_jobs SET run_at = now() WHERE key = 'mail.watch_pause'`);

    await reaches(app, one, 'sent');
  });

  it('a probe whose process is killed is taken up by the next one', async () => {
    const sockets: Socket[] = [];
    const hanging = createServer((socket) => {
      sockets.push(socket.on('error', () => undefined));
    });
    await once(hanging.listen(0, '127.0.0.1'), 'listening');
    const { port } = hanging.address() as AddressInfo;
    const app = await startMailingApp({ ROLE: 'http' });
    const settings = await someSettings({
      ...QUICK,
      SMTP_TIMEOUT_SECONDS: '30',
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(port),
      ROLE: 'worker',
      DATABASE_URL: app.database.url,
    });
    const everybody = Array.from({ length: 6 }, anEmail);
    await app.database.query(
      `UPDATE mail_server_state SET paused_since = now(), failures = 3, round = 7, next_probe_at = now()`,
    );
    await app.database.query(`SELECT graphile_worker.add_job('mail.probe_server', '{"round": 7}', max_attempts => 25)`);
    await oweMails(app, everybody);
    await app.database.query(`UPDATE mail_messages SET held_at = now()`);
    const program = await startProgram(settings);
    await eventually('the probe is under way', async () => sockets.length === 1);
    program.signal('SIGKILL');
    await program.ended;
    await new Promise((resolve) => hanging.close(resolve));
    const sink = await startSmtp({ port });

    const again = await startProgram(settings);

    await eventually('everything is delivered', async () => sink.taken.length === everybody.length);
    await expectNothingLeftToDo(app);
    expect(sink.taken.map(({ to }) => to).sort()).toEqual([...everybody].sort());
    expect(await isPaused(app)).toBe(false);
    expect(await again.stop()).toBe(0);
  });
});

describe('a message that alone meets with an outage', () => {
  it('does not make the next one wait for the time that the server would be given', async () => {
    const [one, next] = [anEmail(), anEmail()];
    const sink = await startSmtp({ recipient: (address) => (address === one ? 'cut' : undefined) });
    const app = await startMailingApp({ ...sink.settings, ...QUICK, MAIL_RETRY_SECONDS: '60' });
    await oweMails(app, [one]);
    await eventually('mail waits', () => isPaused(app));
    const began = performance.now();

    await oweMails(app, [next]);

    await reaches(app, next, 'sent');
    expect(performance.now() - began).toBeLessThan(20_000);
    await eventually('it is tried again, and waits by itself', async () => {
      const message = await messageTo(app, one);
      return message?.state === 'retrying' && message.deferrals === 2;
    });
    expect(await isPaused(app)).toBe(false);
    expect((await attemptsAt(app, one)).map(({ number, outcome }) => [number, outcome])).toEqual([
      [1, 'outage'],
      [2, 'outage'],
    ]);
  });
});

async function expectNoJobsButOneProbe(app: Parameters<typeof isPaused>[0]): Promise<void> {
  await eventually('no job is left but one probe', async () => {
    const jobs = await app.database.query<{ task_identifier: string }>(
      `SELECT task_identifier FROM graphile_worker.jobs WHERE task_identifier LIKE 'mail.%' AND key IS NULL`,
    );
    return jobs.length === 1 && jobs[0]?.task_identifier === 'mail.probe_server';
  });
}
