import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { eventually, type TestApp } from './app.js';

export interface WrittenMail {
  readonly id: string;
  readonly template: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** The mails to an address that were written for want of a mail server, oldest first. */
export async function mailsTo(app: TestApp, address: string): Promise<WrittenMail[]> {
  const rows = await app.database.query<{ id: string; template: string }>(
    `SELECT id, template FROM mail_messages WHERE recipient = $1 AND state = 'sent' ORDER BY created_at, id`,
    [address],
  );
  const folder = join(app.dataDir, 'mail');
  const files = await readdir(folder).catch(() => []);
  return Promise.all(
    rows.map(async ({ id, template }) => {
      const file = files.find((name) => name.includes(id)) ?? id;
      const { subject = '', text = '', html = '' } = await PostalMime.parse(await readFile(join(folder, file)));
      return { id, template, subject, text, html };
    }),
  );
}

/** The latest mail of a template to an address, as soon as there are so many of it. */
export async function mailTo(app: TestApp, address: string, template: string, count = 1): Promise<WrittenMail> {
  return eventually(`mail ${count} of ${template} is written`, async () => {
    const found = (await mailsTo(app, address)).filter((mail) => mail.template === template);
    return found.length >= count && found[count - 1];
  });
}

/** The token in the link of a mail. */
export function tokenIn({ text }: Pick<WrittenMail, 'text'>): string {
  const [, token] = /#token=([\w-]+)/.exec(text) ?? [];
  if (token === undefined) throw new Error('there is no link in the mail');
  return token;
}

/** Every row of every table, the queue of jobs among them, as text. */
export async function everythingStored(app: Pick<TestApp, 'database'>): Promise<string> {
  const tables = await app.database.query<{ name: string }>(
    `SELECT table_schema || '.' || quote_ident(table_name) AS name FROM information_schema.tables
     WHERE table_schema IN ('public', 'graphile_worker') AND table_type = 'BASE TABLE'`,
  );
  const rows = await Promise.all(tables.map(({ name }) => app.database.query(`SELECT t::text FROM ${name} AS t`)));
  return JSON.stringify(rows);
}

/** The headers of an answer, without those that are another at each request. */
export function headersOf({ headers }: Response): Record<string, string> {
  const all = Object.fromEntries(headers);
  return Object.fromEntries(Object.entries(all).filter(([name]) => !['date', 'x-request-id'].includes(name)));
}
