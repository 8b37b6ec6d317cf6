import { randomUUID } from 'node:crypto';
import { JOB_COMMANDS } from '../src/jobs/jobs.commands.js';
import { SCHEDULED } from '../src/jobs/scheduled.jobs.js';
import { eventually, startApp, type TestApp } from './support/app.js';
import { anAttorney, bearer, get, jsonOf, tokenOf } from './support/leads.js';

let app: TestApp;
let token: string;

beforeEach(async () => {
  app = await startApp();
  token = await tokenOf(app);
});
afterEach(() => app.close());

const JOBS = '/api/v1/admin/jobs';
const send = (method: string, path: string, by?: string): Promise<Response> =>
  app.request(`${JOBS}${path}`, { method, headers: by === undefined ? {} : bearer(by) });

/** A job that was tried in vain as often as it may, for a file that is not there. */
async function aBuriedJob(error = 'no answer for ada@example.com'): Promise<string> {
  const [job] = await app.database.query<{ id: string }>(
    `SELECT id::text FROM graphile_worker.add_job('files.scan', $1::json, run_at => now() + interval '1 day')`,
    [JSON.stringify({ file_id: randomUUID() })],
  );
  await app.database.query(
    `UPDATE graphile_worker._private_jobs SET attempts = max_attempts, run_at = now(), last_error = $2 WHERE id = $1`,
    [job?.id, error],
  );
  return job?.id ?? '';
}

const isThere = async (id: string): Promise<boolean> =>
  (await app.database.query('SELECT FROM graphile_worker.jobs WHERE id = $1', [id])).length === 1;
const records = (): Promise<unknown[]> =>
  app.database.query(
    `SELECT action, actor_name, details->>'name' AS name FROM audit_entries WHERE target_kind = 'job' ORDER BY at`,
  );

describe('GET /api/v1/admin/jobs', () => {
  it('counts jobs, and names the living workers and what comes round again', async () => {
    await aBuriedJob();
    await app.database.query(`SELECT graphile_worker.add_job('files.scan', '{}', run_at => now() + interval '1 day')`);
    await app.database.query(`INSERT INTO job_workers (id, seen_at) VALUES ('dead', now() - interval '31 s')`);

    const status = await jsonOf(await get(app, JOBS, token));

    const scheduled = Object.values(SCHEDULED).map(({ name }) => name);
    expect(status).toEqual({
      waiting: 0,
      later: 1 + scheduled.length,
      running: 0,
      buried: 1,
      oldest_waiting_seconds: 0,
      workers: [{ id: expect.stringMatching(/^pool-/), started_at: expect.any(String), seen_at: expect.any(String) }],
      scheduled: expect.any(Array),
    });
    const named = status['scheduled'] as { name: string; next_at: string }[];
    expect(named.map(({ name }) => name).sort()).toEqual(scheduled.sort());
    expect(named.every(({ next_at }) => Date.parse(next_at) > Date.now())).toBe(true);
  });
});

describe('the command jobs:status', () => {
  /** Whether all is well, and what it said. */
  async function status(): Promise<[boolean, string]> {
    const [command] = JOB_COMMANDS;
    const said: string[] = [];
    const isWell = await command!.run(app.app, {}, (line) => said.push(line));
    return [isWell, said.join('\n')];
  }

  it('says what GET /api/v1/admin/jobs says, and whether all is well', async () => {
    const [isWell, said] = await status();

    expect(isWell).toBe(true);
    expect(said).toMatch(/^\d+ jobs wait, the oldest for \d+ s; \d+ run, \d+ are for later\n0 failed for good/);
    expect(said).toMatch(/\npool-\w+ runs jobs since \S+Z, seen \S+Z\n/);
    for (const { name, everyMinutes } of Object.values(SCHEDULED))
      expect(said).toMatch(new RegExp(`^${name}, every ${everyMinutes} min: next \\S+Z$`, 'm'));
  });

  it('is not content with a buried job, or with nobody who runs jobs', async () => {
    await aBuriedJob();
    expect(await status()).toEqual([false, expect.stringContaining('\n1 failed for good')]);
    await app.database.query(`DELETE FROM graphile_worker._private_jobs WHERE attempts >= max_attempts`);

    await app.database.query('DELETE FROM job_workers');

    expect(await status()).toEqual([false, expect.stringContaining('\nno process runs jobs\n')]);
  });
});

describe('buried jobs', () => {
  it('are listed with why they failed, without addresses, latest first', async () => {
    const [first, second] = [await aBuriedJob(), await aBuriedJob('another reason')];

    const page = await jsonOf(await get(app, `${JOBS}/buried?size=1`, token));
    const next = await jsonOf<{ items: unknown[] }>(await get(app, `${JOBS}/buried?size=1&page=2`, token));

    const item = { name: 'files.scan', attempts: 25, created_at: expect.any(String), updated_at: expect.any(String) };
    expect(page).toEqual({
      items: [{ ...item, id: second, last_error: 'another reason' }],
      total: 2,
      page: 1,
      size: 1,
      pages: 2,
    });
    expect(next.items).toEqual([{ ...item, id: first, last_error: expect.stringMatching(/^no answer for \S+$/) }]);
    expect(JSON.stringify(next)).not.toContain('ada@example.com');
  });

  it('run again when an admin says so, which is on record', async () => {
    const id = await aBuriedJob();

    expect((await send('POST', `/buried/${id}/retry`, token)).status).toBe(204);

    await eventually('it ran', async () => !(await isThere(id)));
    expect((await send('POST', `/buried/${id}/retry`, token)).status).toBe(404);
    expect(await records()).toEqual([{ action: 'job.retried', actor_name: 'admin', name: 'files.scan' }]);
  });

  it('are gone when an admin discards them, one of 16 at once', async () => {
    const id = await aBuriedJob();

    const answers = await Promise.all(Array.from({ length: 16 }, () => send('DELETE', `/buried/${id}`, token)));

    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array<number>(15).fill(404)]);
    expect(await isThere(id)).toBe(false);
    expect(await records()).toEqual([{ action: 'job.discarded', actor_name: 'admin', name: 'files.scan' }]);
  });

  it('are not jobs that still have attempts', async () => {
    const [job] = await app.database.query<{ id: string }>(
      `SELECT id::text FROM graphile_worker.add_job('files.scan', '{}', run_at => now() + interval '1 day')`,
    );

    const answers = [
      await send('DELETE', `/buried/${job?.id}`, token),
      await send('POST', `/buried/${job?.id}/retry`, token),
    ];

    expect(await Promise.all(answers.map(async (each) => [each.status, await jsonOf(each)]))).toEqual(
      answers.map((): unknown => [404, expect.objectContaining({ error_code: 'JOB_NOT_FOUND' })]),
    );
    expect(await isThere(job?.id ?? '')).toBe(true);
  });

  it.each(['0', '-1', 'abc', '1e3', '9'.repeat(19), '%00'])('have no id %j: 422', async (id) => {
    expect((await send('DELETE', `/buried/${id}`, token)).status).toBe(422);
  });

  it('are no business of attorneys or strangers, whose attempts change nothing', async () => {
    const id = await aBuriedJob();
    const attorney = await anAttorney(app, token);

    for (const [by, status] of [
      [attorney.token, 403],
      [undefined, 401],
    ] as const) {
      expect((await send('DELETE', `/buried/${id}`, by)).status).toBe(status);
      expect((await send('POST', `/buried/${id}/retry`, by)).status).toBe(status);
      expect((await send('GET', '/buried', by)).status).toBe(status);
      expect((await send('GET', '', by)).status).toBe(status);
    }

    expect(await isThere(id)).toBe(true);
    expect(await records()).toEqual([]);
  });
});
