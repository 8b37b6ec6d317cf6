import { eventually } from './support/app.js';
import { cleanUp } from './support/clean-up.js';
import { aLead, anEmail, get, jsonOf, sendJson, tokenOf } from './support/leads.js';
import {
  attemptsAt,
  closeApps,
  expectNothingLeftToDo,
  isPaused,
  messageTo,
  oweMails,
  reaches,
  startMailingApp,
  writtenMails,
} from './support/mail.js';
import { someSettings, startProgram } from './support/program.js';
import { startSmtp } from './support/smtp.js';

afterEach(async () => {
  await cleanUp();
  await closeApps();
});

const OFF = { NOTIFICATIONS_ENABLED: 'false' };
const ADMIN_MAIL = '/api/v1/admin/mail';
const REASON = 'mail is switched off (NOTIFICATIONS_ENABLED)';

describe('an installation whose mail is switched off', () => {
  it('takes a lead, shows what nobody was told, asks no server and lets no admin send past the switch', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({ ...sink.settings, ...OFF });
    const [prospect, token] = [anEmail(), await tokenOf(app)];

    const lead = await aLead(app, { email: prospect });

    const { id } = await reaches(app, prospect, 'cancelled');
    await expectNothingLeftToDo(app);
    const { mails } = await jsonOf(await get(app, `/api/v1/leads/${lead}`, token));
    const unsent = {
      state: 'cancelled',
      summary: 'Not sent: an administrator cancelled it, or switched all mail off',
      attempts: 0,
      sent_at: null,
      last_error: REASON,
    };
    expect(mails).toEqual([expect.objectContaining(unsent), expect.objectContaining(unsent)]);
    const status = await jsonOf(await get(app, `${ADMIN_MAIL}/status`, token));
    expect(status).toMatchObject({ is_enabled: false, pause: null, queue: { cancelled: 2, queued: 0 } });
    for (const [path, body] of [
      [`/messages/${id}/resend`, undefined],
      ['/test', { to: 'me@practice.test' }],
    ] as const) {
      const response = await sendJson(app, 'POST', `${ADMIN_MAIL}${path}`, body, token);
      expect([response.status, await jsonOf(response)]).toMatchObject([409, { error_code: 'MAIL_SWITCHED_OFF' }]);
    }
    const records = await app.database.query(
      `SELECT FROM audit_entries WHERE action IN ('mail.resent', 'mail.test_sent')`,
    );
    expect(records).toEqual([]);
    expect([sink.asked.size, sink.arrived.length]).toEqual([0, 0]);
    expect(app.log).toContainEqual(
      expect.objectContaining({ level: 'WARNING', message: expect.stringMatching(/^mail is switched off/) }),
    );
  });

  it('writes nothing into the folder of mails either, and the inbox says so', async () => {
    const app = await startMailingApp(OFF);
    const one = anEmail();

    await oweMails(app, [one]);

    await reaches(app, one, 'cancelled');
    expect(await writtenMails(app.dataDir)).toEqual([]);
    expect(await (await app.request('/dev/mail')).text()).toContain('no further mail comes here');
  });

  it('lets go of what waited for the server, and of what a killed process was sending; switched on again, it sends what it is told to', async () => {
    const hanging = await startSmtp({ recipient: () => 'hang' });
    const app = await startMailingApp({ ROLE: 'http' });
    const settings = await someSettings({
      ...hanging.settings,
      ROLE: 'worker',
      DATABASE_URL: app.database.url,
      SMTP_CONNECTIONS: '1',
    });
    const [underWay, held] = [anEmail(), anEmail()];
    await oweMails(app, [underWay]);
    const killed = await startProgram(settings);
    await eventually('one is under way', async () => hanging.asked.size === 1);
    killed.signal('SIGKILL');
    await killed.ended;
    await app.database.query(
      `UPDATE mail_server_state SET paused_since = now(), failures = 1, round = 7, next_probe_at = now()`,
    );
    await app.database.query(`SELECT graphile_worker.add_job('mail.probe_server', '{"round": 7}', max_attempts => 25)`);
    await oweMails(app, [held]);
    await app.database.query(`UPDATE mail_messages SET held_at = now() WHERE recipient = $1`, [held]);

    const off = await startProgram({ ...settings, ...OFF });

    await reaches(app, held, 'cancelled');
    expect(await reaches(app, underWay, 'cancelled')).toMatchObject({ last_error: REASON });
    expect(await attemptsAt(app, underWay)).toMatchObject([{ number: 1, outcome: 'interrupted' }]);
    expect(await isPaused(app)).toBe(false);
    await expectNothingLeftToDo(app);
    expect(hanging.asked.size).toBe(1);
    expect(await off.stop()).toBe(0);
    await hanging.stop();

    const sink = await startSmtp();
    const on = await startProgram({ ...settings, ...sink.settings });
    const id = (await messageTo(app, held))?.id ?? '';
    const response = await sendJson(app, 'POST', `${ADMIN_MAIL}/messages/${id}/resend`, undefined, await tokenOf(app));
    expect(response.status).toBe(202);
    await reaches(app, held, 'sent');
    expect(await on.stop()).toBe(0);
    expect(sink.taken.map(({ to }) => to)).toEqual([held]);
  });
});
