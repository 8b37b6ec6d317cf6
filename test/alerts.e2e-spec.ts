import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AlertsService } from '../src/alerts/alerts.service.js';
import { Transactions } from '../src/database/transactions.js';
import { eventually, startApp, type TestApp } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';

let app: TestApp;
let alerts: AlertsService;

beforeEach(async () => {
  app = await startApp({ ADMIN_ALERT_EMAIL: 'operator@practice.test, second@practice.test' });
  alerts = app.app.get(AlertsService);
});
afterEach(async () => {
  await app.close();
  await cleanUp();
});

const EVENT = { cause: 'test.trouble', summary: 'Something is wrong', details: { code: 7 } };

const raised = (): Promise<{ cause: string; occurrences: number }[]> =>
  app.database.query('SELECT cause, occurrences FROM alerts ORDER BY raised_at');
const told = async (): Promise<string[]> => {
  const rows = await app.database.query<{ recipient: string }>(
    `SELECT recipient FROM mail_messages WHERE template = 'alert' AND state = 'sent' ORDER BY recipient`,
  );
  return rows.map(({ recipient }) => recipient);
};

describe('an alert', () => {
  it('reaches everybody in ADMIN_ALERT_EMAIL, with what happened and when', async () => {
    await alerts.raiseAlone(EVENT);

    await eventually('both were told', async () => (await told()).length === 2);
    const [mail] = await app.database.query<{ data: Record<string, string> }>('SELECT data FROM mail_messages LIMIT 1');
    expect(mail?.data).toEqual({
      cause: 'test.trouble',
      summary: 'Something is wrong',
      details: '{"code":7}',
      raised_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    expect(await told()).toEqual(['operator@practice.test', 'second@practice.test']);
  });

  it('of one cause is told once an hour, however often and however many at once', async () => {
    await Promise.all(Array.from({ length: 16 }, () => alerts.raiseAlone(EVENT)));
    await alerts.raiseAlone({ ...EVENT, cause: 'test.other' });
    expect(await raised()).toEqual([
      { cause: 'test.trouble', occurrences: 16 },
      { cause: 'test.other', occurrences: 1 },
    ]);

    await app.database.query(`UPDATE alerts SET raised_at = raised_at - interval '61 minutes'`);
    await alerts.raiseAlone(EVENT);

    expect((await raised()).map(({ cause, occurrences }) => `${cause} ${occurrences}`).sort()).toEqual([
      'test.other 1',
      'test.trouble 1',
      'test.trouble 16',
    ]);
  });

  it('does not exist when the transaction that raises it rolls back', async () => {
    const refused = app.app.get(Transactions).run(async (tx) => {
      await alerts.raise(tx, EVENT);
      throw new Error('the use case failed');
    });

    await expect(refused).rejects.toThrow('the use case failed');
    expect(await raised()).toEqual([]);
  });

  it('that cannot be raised costs whoever raises it nothing but a line in the log', async () => {
    await app.database.query('ALTER TABLE alerts RENAME TO alerts_away');

    await alerts.raiseAlone(EVENT);

    expect(app.log).toEqual(
      expect.arrayContaining([expect.objectContaining({ level: 'ERROR', cause: 'test.trouble' })]),
    );
  });
});

describe('ALERT_WEBHOOK_URL', () => {
  interface Call {
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }

  /** A program that answers with these statuses in turn, the last for ever, and keeps what it was sent. */
  async function listener(...statuses: number[]): Promise<{ url: string; calls: Call[] }> {
    const calls: Call[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        calls.push({ headers: request.headers, body });
        response.writeHead(statuses[calls.length - 1] ?? statuses.at(-1) ?? 204, { Location: '/elsewhere' }).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(() => new Promise((resolve) => server.close(resolve)));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, calls };
  }

  const SECRET = Buffer.alloc(32, 'k');

  async function startWith(url: string): Promise<void> {
    await app.close();
    app = await startApp({ ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: `whsec_${SECRET.toString('base64')}` });
    alerts = app.app.get(AlertsService);
  }

  it('is called with the alert, signed as Standard Webhooks says', async () => {
    const { url, calls } = await listener(204);
    await startWith(url);

    await alerts.raiseAlone(EVENT);
    await eventually('it was called', async () => calls.length === 1);

    const [{ headers, body }] = calls as [Call];
    const [alert] = await app.database.query<{ id: string }>('SELECT id FROM alerts');
    expect(JSON.parse(body)).toEqual({
      type: 'alert.raised',
      timestamp: expect.stringMatching(/Z$/),
      data: { id: alert?.id, ...EVENT },
    });
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', SECRET).update(signed).digest('base64')}`);
    expect(headers['webhook-id']).toBe(alert?.id);
    expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
  });

  it('is called again under the same id when it fails, and never follows a redirection', async () => {
    const { url, calls } = await listener(500, 302, 204);
    await startWith(url);

    await alerts.raiseAlone(EVENT);
    await eventually('it was called three times', async () => calls.length === 3, 40_000);

    expect(new Set(calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  }, 60_000);
});
