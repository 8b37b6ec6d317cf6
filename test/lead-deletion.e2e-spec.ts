import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FilePurge } from '../src/files/care/file-purge.js';
import { FileTexts } from '../src/files/text/file-texts.js';
import { anAccount } from './support/accounts.js';
import { eventually, startApp, type TestApp } from './support/app.js';
import { makePdf } from './support/documents.mjs';
import { aLead, anAttorney, anEmail, bearer, get, jsonOf, sendJson, submit, tokenOf } from './support/leads.js';

let app: TestApp;
let admin: string;

async function start(settings: Record<string, string> = {}): Promise<void> {
  app = await startApp(settings);
  admin = (await anAccount(app, await tokenOf(app), 'admin')).token;
}
afterEach(() => app.close());

const remove = (id: string, token = admin): Promise<Response> =>
  app.request(`/api/v1/leads/${id}`, { method: 'DELETE', headers: bearer(token) });

/** How many rows there are of what a lead has. */
async function rows(): Promise<Record<string, number>> {
  const [found] = await app.database.query<Record<string, number>>(`
    SELECT (SELECT count(*)::int FROM leads) AS leads, (SELECT count(*)::int FROM lead_status_changes) AS changes,
      (SELECT count(*)::int FROM mail_messages) AS mails, (SELECT count(*)::int FROM mail_attempts) AS attempts,
      (SELECT count(*)::int FROM file_texts) AS texts,
      (SELECT count(*)::int FROM files WHERE deleted_at IS NULL) AS files`);
  return found!;
}

const NOTHING = { leads: 0, changes: 0, mails: 0, attempts: 0, texts: 0, files: 0 };

const entries = (): Promise<Record<string, unknown>[]> =>
  app.database.query(
    `SELECT actor_kind, outcome, target_kind, target_id, details FROM audit_entries WHERE action = 'lead.deleted'`,
  );

describe('DELETE /api/v1/leads/{id}', () => {
  it('takes the lead, its story, its mails and what its résumé says, and answers 204 with nothing', async () => {
    await start({ ROLE: 'http' });
    const id = await aLead(app);
    await sendJson(app, 'PATCH', `/api/v1/leads/${id}`, { status: 'REACHED_OUT' }, admin);
    await app.app.get(FileTexts).extractOwed();
    expect(await rows()).toMatchObject({ leads: 1, changes: 2, mails: 2, texts: 1, files: 1 });

    const answer = await remove(id);

    expect([answer.status, await answer.text()]).toEqual([204, '']);
    expect(await rows()).toEqual(NOTHING);
    expect((await get(app, `/api/v1/leads/${id}`, admin)).status).toBe(404);
    expect((await get(app, `/api/v1/leads/${id}/resume`, admin)).status).toBe(404);
    expect((await get(app, `/api/v1/leads/${id}/history`, admin)).status).toBe(404);
  });

  it('is on record with the id alone', async () => {
    await start({ ROLE: 'http' });
    const id = await aLead(app);

    await remove(id);

    expect(await entries()).toEqual([
      { actor_kind: 'user', outcome: 'done', target_kind: 'lead', target_id: id, details: { files: 1, mails: 2 } },
    ]);
  });

  it('leaves other leads as they are, and the totals right', async () => {
    await start({ ROLE: 'http' });
    const [gone, kept, reached] = [await aLead(app), await aLead(app), await aLead(app)];
    for (const id of [gone, reached])
      await sendJson(app, 'PATCH', `/api/v1/leads/${id}`, { status: 'REACHED_OUT' }, admin);

    await remove(gone);

    const page = await jsonOf<{ total: number; items: { id: string }[] }>(await get(app, '/api/v1/leads', admin));
    expect([page.total, page.items.map(({ id }) => id).sort()]).toEqual([2, [kept, reached].sort()]);
    const filtered = await jsonOf<{ total: number }>(await get(app, '/api/v1/leads?status=REACHED_OUT', admin));
    expect(filtered.total).toBe(1);
    expect((await get(app, `/api/v1/leads/${kept}/resume`, admin)).status).toBe(200);
  });

  it('frees the address: whoever was deleted may ask for help again', async () => {
    await start({ ROLE: 'http' });
    const email = anEmail();
    await remove(await aLead(app, { email }));

    expect((await submit(app, { email })).status).toBe(201);
  });

  it('keeps the bytes of the résumé for FILE_RETENTION_DAYS, and then destroys them with its name', async () => {
    await start({ ROLE: 'http', FILE_RETENTION_DAYS: '7' });
    const id = await aLead(app, { file: { bytes: makePdf(), name: 'Ada Lovelace.pdf' } });
    await remove(id);
    expect(await app.app.get(FilePurge).run()).toBe(0);
    expect(await app.storedFiles()).toHaveLength(1);
    await app.database.query(`UPDATE files SET deleted_at = now() - interval '7 days 1 second'`);

    expect(await app.app.get(FilePurge).run()).toBe(1);

    expect(await app.storedFiles()).toEqual([]);
    const text = JSON.stringify(await app.database.query('SELECT * FROM files'));
    expect(text).not.toMatch(/lovelace/i);
  });

  it('of sixteen at once lets one delete it, and tells the others that it is gone', async () => {
    await start({ ROLE: 'http' });
    const [id, other] = [await aLead(app), await aLead(app)];

    const answers = await Promise.all(Array.from({ length: 16 }, () => remove(id)));

    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array<number>(15).fill(404)]);
    expect(await entries()).toHaveLength(1);
    expect((await get(app, `/api/v1/leads/${other}`, admin)).status).toBe(200);
  });

  it('and changes of the same lead at once end in a lead that is gone', async () => {
    await start({ ROLE: 'http' });
    const ids = await Promise.all(Array.from({ length: 8 }, () => aLead(app)));

    const answers = await Promise.all(
      ids.flatMap((id) => [
        sendJson(app, 'PATCH', `/api/v1/leads/${id}`, { status: 'REACHED_OUT' }, admin),
        remove(id),
      ]),
    );

    expect(answers.filter((_, index) => index % 2 === 1).map(({ status }) => status)).toEqual(Array(8).fill(204));
    for (const [index, { status }] of answers.entries()) if (index % 2 === 0) expect([200, 404]).toContain(status);
    expect(await rows()).toEqual(NOTHING);
    const totals = await app.database.query('SELECT sum(total)::int AS total FROM lead_totals');
    expect(totals).toEqual([{ total: 0 }]);
  });

  it('leaves no letter in the inbox of development, though mail is under way', async () => {
    await start();
    const ids = await Promise.all(Array.from({ length: 8 }, () => aLead(app)));

    const answers = await Promise.all(ids.map((id) => remove(id)));

    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(204));
    await eventually('no job of a letter is left but the second look', async () => {
      const [left] = await app.database.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM graphile_worker.jobs
         WHERE task_identifier IN ('mail.deliver', 'mail.forget_letters') AND run_at <= now()`,
      );
      return left?.count === 0;
    });
    // a letter that was being written meanwhile is what the second look is for
    await app.database.query(
      `UPDATE graphile_worker._private_jobs SET run_at = now() WHERE task_id IN
         (SELECT id FROM graphile_worker._private_tasks WHERE identifier = 'mail.forget_letters')`,
    );
    await eventually('the inbox is empty', async () => {
      const names = await readdir(join(app.dataDir, 'mail')).catch(() => []);
      return names.length === 0;
    });
    expect(await rows()).toEqual(NOTHING);
  });

  it('is refused to an attorney, and changes nothing', async () => {
    await start({ ROLE: 'http' });
    const id = await aLead(app);
    const attorney = await anAttorney(app, await tokenOf(app));
    const before = await rows();

    const answer = await remove(id, attorney.token);

    expect([answer.status, await answer.json()]).toEqual([403, expect.objectContaining({ error_code: 'FORBIDDEN' })]);
    expect(await rows()).toEqual(before);
  });

  it('answers 404 to an id that nobody has, and 422 to what is none', async () => {
    await start({ ROLE: 'http' });

    const answers = await Promise.all([remove(randomUUID()), remove('nonsense'), remove('%27%20OR%201=1')]);

    expect(answers.map(({ status }) => status)).toEqual([404, 422, 422]);
    expect(await entries()).toEqual([]);
  });

  it('that fails at its last line has changed nothing', async () => {
    await start({ ROLE: 'http' });
    const id = await aLead(app);
    const before = await rows();
    await app.database.query(`ALTER TABLE audit_entries ADD CONSTRAINT planted CHECK (action <> 'lead.deleted')`);

    expect((await remove(id)).status).toBe(500);

    expect(await rows()).toEqual(before);
    expect((await get(app, `/api/v1/leads/${id}/resume`, admin)).status).toBe(200);
  });
});
