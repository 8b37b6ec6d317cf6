import { randomUUID } from 'node:crypto';
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
  readonly subject: string | null;
}

/** Owes each of these a message, all at once, as a submission does; but there is no lead. */
export async function oweMails(app: WithDatabase, recipients: readonly string[]): Promise<void> {
  const ids = recipients.map(() => randomUUID());
  await app.database.query(
    `WITH owed AS (
       INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id)
       SELECT id, 'prospect_confirmation', recipient, json_build_object('prospect_name', 'Ada', 'lead_id', id), 'lead', id
       FROM unnest($1::uuid[], $2::text[]) AS mail (id, recipient) RETURNING id)
     SELECT graphile_worker.add_job('mail.deliver', json_build_object('message_id', id), max_attempts => 25) FROM owed`,
    [ids, recipients],
  );
}

export interface AttemptRow {
  readonly number: number;
  readonly outcome: string | null;
  readonly words: string | null;
  /** Undefined while it is under way. */
  readonly seconds: number | null;
}

/** Every attempt at the message to a recipient, in order. */
export function attemptsAt(app: WithDatabase, recipient: string): Promise<AttemptRow[]> {
  return app.database.query<AttemptRow>(
    `SELECT number, outcome, words, extract(epoch FROM ended_at - started_at)::float8 AS seconds
     FROM mail_attempts JOIN mail_messages ON mail_messages.id = message_id WHERE recipient = $1 ORDER BY number`,
    [recipient],
  );
}

/** Whether mail waits for the server. */
export async function isPaused(app: WithDatabase): Promise<boolean> {
  const [row] = await app.database.query<{ paused_since: Date | null }>('SELECT paused_since FROM mail_server_state');
  return row?.paused_since != null;
}

export async function messageTo(app: WithDatabase, recipient: string): Promise<MessageRow | undefined> {
  const rows = await app.database.query<MessageRow>(
    `SELECT id, recipient, state, attempts, deferrals, last_error, subject FROM mail_messages WHERE recipient = $1`,
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
