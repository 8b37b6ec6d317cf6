import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, startApp, type TestApp } from './app.js';

/** The only attorney, unless a test says otherwise. */
export const ATTORNEY = 'attorney@practice.test';

const apps: TestApp[] = [];

/** The application with quick repetitions. What it talks to must be gone before {@link closeApps}, or that waits for it. */
export async function startMailingApp(settings: Record<string, string>): Promise<TestApp> {
  const app = await startApp({ MAIL_RETRY_SECONDS: '1', ATTORNEY_EMAIL: ATTORNEY, ...settings });
  apps.push(app);
  return app;
}

export async function closeApps(): Promise<void> {
  for (const app of apps.splice(0)) await app.close();
}

/** The mails that were written for want of a mail server, each as its text. */
export async function writtenMails(dataDir: string): Promise<string[]> {
  const folder = join(dataDir, 'mail');
  const names = await readdir(folder).catch(() => []);
  return Promise.all(names.filter((name) => name.endsWith('.eml')).map((name) => readFile(join(folder, name), 'utf8')));
}

type WithDatabase = Pick<TestApp, 'database'>;

export interface MessageRow {
  readonly id: string;
  readonly recipient: string;
  readonly state: string;
  readonly attempts: number;
  readonly deferrals: number;
  readonly last_error: string | null;
}

export async function messageTo(app: WithDatabase, recipient: string): Promise<MessageRow | undefined> {
  const rows = await app.database.query<MessageRow>(
    `SELECT id, recipient, state, attempts, deferrals, last_error FROM mail_messages WHERE recipient = $1`,
    [recipient],
  );
  return rows[0];
}

/** The row of the message to a recipient, as soon as it is in a state. */
export function reaches(app: WithDatabase, recipient: string, state: string): Promise<MessageRow> {
  return eventually(
    `the mail is ${state}`,
    async () => {
      const message = await messageTo(app, recipient);
      return message?.state === state ? message : undefined;
    },
    20_000,
  );
}

export async function expectNothingLeftToDo(app: WithDatabase): Promise<void> {
  await eventually('no job is left', async () => {
    const [row] = await app.database.query<{ left: number }>(
      'SELECT count(*)::int AS left FROM graphile_worker.jobs WHERE key IS NULL',
    );
    return row?.left === 0;
  });
}

/** No secret stands anywhere in a log. */
export function expectDiscreet(log: unknown, ...secrets: string[]): void {
  const text = JSON.stringify(log);
  for (const secret of secrets) expect(text).not.toContain(secret);
}
