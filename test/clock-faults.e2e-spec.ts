import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './support/app.js';
import { cleanUp } from './support/clean-up.js';
import { anEmail, bearer } from './support/leads.js';
import { writtenMails } from './support/mail.js';
import { MAIN, type RunningForecourt, someSettings, startProgram } from './support/program.js';

const PRELOAD = new URL('support/skewed-clock.mjs', `file://${__dirname}/`).href;
const ADMIN_PASSWORD = 'Blue-Harbour-42-Lantern';
const SIGN_INS = 4;
const HOUR_S = 3600;

describe('a clock that is set an hour ahead, then an hour behind, then right', () => {
  let program: RunningForecourt;
  let dataDir: string;
  let clock: string;
  const tokens: string[] = [];
  const setClock = (aheadSeconds: number): Promise<void> => writeFile(clock, String(aheadSeconds));
  const signIn = async (): Promise<number> => {
    const body = new URLSearchParams({ username: 'admin', password: ADMIN_PASSWORD });
    const answer = await program.request('/api/v1/auth/login', { method: 'POST', body });
    const { access_token: token } = (await answer.json()) as { access_token?: string };
    if (token !== undefined) tokens.push(token);
    return answer.status;
  };

  beforeAll(async () => {
    const settings = await someSettings({
      ADMIN_PASSWORD,
      RATE_LIMIT_ENABLED: 'true',
      RATE_LIMIT_LOGIN: String(SIGN_INS),
    });
    dataDir = settings.DATA_DIR;
    clock = join(dataDir, 'clock');
    await setClock(0);
    program = await startProgram(
      { ...settings, SKEWED_CLOCK: clock },
      { command: [process.execPath, '--import', PRELOAD, MAIN], lifetime: 'the whole file' },
    );
  }, 60_000);
  afterAll(async () => {
    await cleanUp('the whole file');
    // the folder, and what runs in it
    await cleanUp();
  });

  it.each<[string, number]>([
    ['right', 0],
    ['an hour ahead', HOUR_S],
    ['an hour behind', -HOUR_S],
    ['right again', 0],
  ])('%s: signs in, signs nobody out, takes leads and sends their mails', async (_, ahead) => {
    await setClock(ahead);
    const mails = (await writtenMails(dataDir)).length;

    expect(await signIn()).toBe(200);
    const statuses = tokens.map(async (token) => program.request('/api/v1/leads', { headers: bearer(token) }));
    expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual(tokens.map(() => 200));
    expect((await program.submit(anEmail())).status).toBe(201);
    await eventually('both mails', async () => (await writtenMails(dataDir)).length >= mails + 2);
    expect((await program.request('/health/ready')).status).toBe(200);
    // who was refused under one time is not refused for an hour under the next
    for (let attempts = 1; (await signIn()) !== 429; attempts += 1) expect(attempts).toBeLessThanOrEqual(SIGN_INS);
  });

  it('has lost and doubled nothing', async () => {
    const list = await program.request('/api/v1/leads', { headers: bearer(tokens[0] ?? '') });
    const { items } = (await list.json()) as { items: { created_at: string }[] };

    expect(items).toHaveLength(4);
    expect(await writtenMails(dataDir)).toHaveLength(8);
  });
});
