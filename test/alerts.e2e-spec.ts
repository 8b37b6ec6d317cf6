import { AlertsService } from '../src/alerts/alerts.service.js';
import { Transactions } from '../src/database/transactions.js';
import { eventually, startApp, type TestApp } from './support/app.js';

let app: TestApp;
let alerts: AlertsService;

beforeEach(async () => {
  app = await startApp({ ADMIN_ALERT_EMAIL: 'operator@practice.test, second@practice.test' });
  alerts = app.app.get(AlertsService);
});
afterEach(() => app.close());

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
