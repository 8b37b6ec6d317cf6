import { randomUUID } from 'node:crypto';
import { rowsIn, Transactions } from '../src/database/transactions.js';
import { LegalHoldsService } from '../src/persons/legal-holds.service.js';
import { RetentionRuns } from '../src/privacy/retention-runs.js';
import { eventually, startApp, type TestApp } from './support/app.js';
import { aLead, anEmail, get, jsonOf, sendJson, tokenOf } from './support/leads.js';

interface Rule {
  readonly rule: string;
  readonly days: number | null;
  readonly due: number;
  readonly oldest_at: string | null;
  readonly sample_ids: string[];
}

let app: TestApp;
let superadmin: string;
const running = new AbortController().signal;

// one application for all tests: starting it takes most of the time
beforeAll(async () => {
  app = await startApp({
    ROLE: 'http',
    RETENTION_LEADS_DAYS: '100',
    RETENTION_MAIL_DAYS: '50',
    RETENTION_SESSIONS_DAYS: '10',
    FILE_RETENTION_DAYS: '5',
  });
  superadmin = await tokenOf(app);
}, 60_000);
afterAll(() => app.close());
beforeEach(async () => {
  for (const table of ['leads', 'files', 'mail_messages', 'legal_holds'])
    await app.database.query(`DELETE FROM ${table}`);
});

const apply = (stop = running): Promise<void> => app.app.get(RetentionRuns).run(stop);

async function preview(): Promise<Record<string, Rule>> {
  const { items } = await jsonOf<{ items: Rule[] }>(await get(app, '/api/v1/admin/privacy/retention', superadmin));
  return Object.fromEntries(items.map((each) => [each.rule, each]));
}

/** So many leads with their files, by SQL alone: reached and not touched for so many days. Returns their ids, oldest first. */
async function leads(count: number, days: number, status = 'REACHED_OUT'): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await app.database.query(
    `INSERT INTO files (id, storage_key, original_name, media_type, size_bytes, sha256, owner_kind, owner_id)
     SELECT gen_random_uuid(), id, 'cv.pdf', 'application/pdf', 1, repeat('0', 64), 'lead', id FROM unnest($1::uuid[]) AS id`,
    [ids],
  );
  await app.database.query(
    `INSERT INTO leads (id, first_name, last_name, email, resume_path, status, created_at, updated_at, reached_out_at)
     SELECT id, 'Wilhelmina', 'Planted', id || '@planted.test', id, $3::lead_status, at, at, CASE $3 WHEN 'PENDING' THEN NULL ELSE at END
     FROM unnest($1::uuid[]) WITH ORDINALITY AS made (id, n), LATERAL (SELECT now() - make_interval(days => $2, secs => -n)) AS times (at)`,
    [ids, days, status],
  );
  return ids;
}

interface Mail {
  readonly state?: string;
  /** Since when it is settled. */
  readonly days?: number;
  readonly recipient?: string;
  readonly about?: string;
  readonly resendOf?: string;
  readonly number?: number;
}

async function mail({ state = 'sent', days = 60, recipient, about, resendOf, number = 0 }: Mail = {}): Promise<string> {
  const id = randomUUID();
  await app.database.query(
    `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, state, created_at, sent_at, failed_at,
       cancelled_at, resend_of, resend_number)
     SELECT $1, 'prospect_confirmation', $2, '{"prospect_name": "Wilhelmina"}', 'lead', $3, $4::mail_state, at - interval '1 hour',
       CASE $4 WHEN 'sent' THEN at END, CASE WHEN $4 IN ('failed', 'suppressed') THEN at END,
       CASE $4 WHEN 'cancelled' THEN at END, $6, $7
     FROM (SELECT now() - make_interval(days => $5)) AS times (at)`,
    [id, recipient ?? `${id}@planted.test`, about ?? id, state, days, resendOf ?? null, number],
  );
  return id;
}

const idsOf = async (table: string): Promise<string[]> =>
  (await app.database.query<{ id: string }>(`SELECT id FROM ${table}`)).map(({ id }) => id).sort();
const hold = async (email: string): Promise<string> =>
  (
    await jsonOf<{ id: string }>(
      await sendJson(app, 'POST', '/api/v1/admin/privacy/holds', { email, reason: 'x' }, superadmin),
    )
  ).id;
const lift = (id: string): Promise<Response> =>
  sendJson(app, 'DELETE', `/api/v1/admin/privacy/holds/${id}`, {}, superadmin);
const totals = async (): Promise<[listed: number, there: number]> => [
  (await jsonOf<{ total: number }>(await get(app, '/api/v1/leads', superadmin))).total,
  (await idsOf('leads')).length,
];
const deletionsOf = async (ids: readonly string[]): Promise<string[]> =>
  (
    await app.database.query<{ target_id: string }>(
      `SELECT target_id FROM audit_entries WHERE action = 'lead.deleted' AND target_id = ANY ($1::uuid[])`,
      [ids],
    )
  ).map((entry) => entry.target_id);

describe('GET /admin/privacy/retention', () => {
  it('shows each rule, and just what a run removes', async () => {
    const due = await leads(12, 101);
    const stays = [...(await leads(2, 99)), ...(await leads(2, 400, 'PENDING'))];
    const [held = ''] = await leads(1, 500);
    await hold(`${held}@planted.test`);
    const mails = [
      await mail(),
      await mail({ state: 'failed' }),
      await mail({ state: 'suppressed' }),
      await mail({ state: 'cancelled' }),
    ];
    const kept = [
      await mail({ days: 49 }),
      await mail({ state: 'queued' }),
      await mail({ state: 'retrying' }),
      await mail({ recipient: `${held}@PLANTED.test` }),
      await mail({ about: held }),
    ];

    const shown = await preview();

    const { leads: ofLeads, mail: ofMail } = shown;
    expect(ofLeads).toEqual({
      rule: 'leads',
      removes: 'leads that were reached and not touched since, with their stories, mails and résumés',
      setting: 'RETENTION_LEADS_DAYS',
      days: 100,
      job: 'privacy.retain',
      due: 12,
      oldest_at: expect.stringMatching(/Z$/),
      sample_ids: due.slice(0, 10),
    });
    expect([ofMail?.due, [...(ofMail?.sample_ids ?? [])].sort()]).toEqual([4, [...mails].sort()]);
    expect(Object.keys(shown).sort()).toEqual(['files', 'leads', 'mail', 'sessions']);
    expect(shown['files']).toMatchObject({ days: 5, job: 'files.purge' });
    expect(shown['sessions']).toMatchObject({ days: 10, job: 'auth.forget_sessions' });

    await apply();

    expect(await idsOf('leads')).toEqual([...stays, held].sort());
    expect(await idsOf('mail_messages')).toEqual([...kept].sort());
    expect((await preview())['leads']).toMatchObject({ due: 0, oldest_at: null, sample_ids: [] });
    expect((await preview())['mail']).toMatchObject({ due: 0, oldest_at: null, sample_ids: [] });
  });

  it('counts what the rules of files and sessions remove, which have jobs of their own', async () => {
    const [lead = ''] = await leads(1, 1);
    await app.database.query(`UPDATE files SET deleted_at = now() - interval '6 days' WHERE owner_id = $1`, [lead]);
    const [session] = await app.database.query<{ id: string }>(
      `INSERT INTO sessions SELECT (jsonb_populate_record(sessions, jsonb_build_object('id', gen_random_uuid(),
         'ended_at', now() - interval '11 days', 'end_reason', 'signed_out'))).* FROM sessions LIMIT 1 RETURNING id`,
    );

    const { files, sessions } = await preview();

    expect(files).toMatchObject({ due: 1, sample_ids: await idsOf('files') });
    expect(sessions).toMatchObject({ due: 1, sample_ids: [session!.id] });
    // at the rules' own jobs
    await apply();
    expect((await preview())['files']?.due).toBe(1);
  });

  it('is on record', async () => {
    await preview();

    const entries = await app.database.query(
      `SELECT DISTINCT actor_name, target_kind FROM audit_entries WHERE action = 'retention.previewed'`,
    );
    expect(entries).toEqual([{ actor_name: 'admin', target_kind: 'retention' }]);
  });
});

describe('a run', () => {
  it('removes a lead with all that belongs to it, on record without naming anybody, and keeps the totals right', async () => {
    const email = anEmail();
    const lead = await aLead(app, { email });
    await sendJson(app, 'PATCH', `/api/v1/leads/${lead}`, { status: 'REACHED_OUT' }, superadmin);
    await app.database.query(`UPDATE leads SET updated_at = now() - interval '101 days' WHERE id = $1`, [lead]);
    const other = await aLead(app);

    await apply();

    expect(await idsOf('leads')).toEqual([other]);
    expect(await totals()).toEqual([1, 1]);
    expect(await app.database.query('SELECT id FROM mail_messages WHERE about_id = $1', [lead])).toEqual([]);
    expect(
      await app.database.query('SELECT deleted_at IS NOT NULL AS gone FROM files WHERE owner_id = $1', [lead]),
    ).toEqual([{ gone: true }]);
    const entries = [
      ...(await app.database.query(
        `SELECT actor_name, action, target_id, details FROM audit_entries WHERE target_id = $1 AND action = 'lead.deleted'`,
        [lead],
      )),
      ...(await app.database.query(
        `SELECT actor_name, action, target_id, details FROM audit_entries WHERE action = 'retention.applied'
         ORDER BY at DESC LIMIT 1`,
      )),
    ];
    expect(entries).toEqual([
      {
        actor_name: 'privacy',
        action: 'lead.deleted',
        target_id: lead,
        details: { files: 1, mails: 2, rule: 'RETENTION_LEADS_DAYS' },
      },
      {
        actor_name: 'privacy',
        action: 'retention.applied',
        target_id: null,
        details: { rule: 'leads', days: 100, before: expect.any(String), rows: 1 },
      },
    ]);
    expect(JSON.stringify(app.log)).not.toContain(email);
  });

  it('beside others at once removes each lead once', async () => {
    const ids = await leads(120, 200);

    await Promise.all([apply(), apply(), apply()]);

    expect(await totals()).toEqual([0, 0]);
    expect((await deletionsOf(ids)).sort()).toEqual([...ids].sort());
  });

  it('that is cut off has removed whole batches, and the next one goes on', async () => {
    const ids = await leads(120, 200);
    // the 61st lead cannot be deleted
    await app.database.query(
      `CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planted'; END $$`,
    );
    await app.database.query(
      `CREATE TRIGGER planted BEFORE DELETE ON leads FOR EACH ROW WHEN (OLD.id = '${ids[60]!}') EXECUTE FUNCTION planted()`,
    );

    await expect(apply()).rejects.toThrow();

    expect(await totals()).toEqual([70, 70]);
    expect((await deletionsOf(ids)).sort()).toEqual(ids.slice(0, 50).sort());
    await app.database.query('DROP FUNCTION planted CASCADE');
    await apply();
    expect(await totals()).toEqual([0, 0]);
    expect((await deletionsOf(ids)).sort()).toEqual([...ids].sort());
  });

  it('that cannot be recorded removes nothing', async () => {
    await leads(3, 200);
    await app.database.query(
      `ALTER TABLE audit_entries ADD CONSTRAINT planted CHECK (action <> 'retention.applied') NOT VALID`,
    );

    await expect(apply()).rejects.toThrow();
    await app.database.query('ALTER TABLE audit_entries DROP CONSTRAINT planted');

    expect(await totals()).toEqual([3, 3]);
  });

  it('does nothing any more when the process is to end', async () => {
    await leads(3, 200);
    const stop = new AbortController();
    stop.abort();

    await apply(stop.signal);

    expect(await totals()).toEqual([3, 3]);
  });

  it('removes nothing about a person on hold, until it is lifted', async () => {
    const [lead = ''] = await leads(1, 200);
    const id = await hold(`${lead}@planted.test`);
    await mail({ about: lead });

    await apply();
    expect([await idsOf('leads'), (await idsOf('mail_messages')).length]).toEqual([[lead], 1]);
    await lift(id);
    await apply();

    expect([await idsOf('leads'), await idsOf('mail_messages')]).toEqual([[], []]);
  });

  it('waits for a hold that is being placed, and keeps whom it is about', async () => {
    const [lead = ''] = await leads(1, 200);
    const actor = { kind: 'system', name: 'test' } as const;
    let run: Promise<void> | undefined;

    await app.app.get(Transactions).run(async (tx) => {
      await app.app.get(LegalHoldsService).place(tx, actor, { email: `${lead}@planted.test`, reason: 'x' });
      run = apply();
      await waitsForLock();
    });
    await run;

    expect(await idsOf('leads')).toEqual([lead]);
  });

  it('lets no hold be placed in the middle of a batch', async () => {
    let placing: Promise<string> | undefined;

    await app.app.get(Transactions).run(async (tx) => {
      await app.app.get(LegalHoldsService).freeze(tx);
      placing = hold('late@planted.test');
      await waitsForLock();
      expect(await idsOf('legal_holds')).toEqual([]);
    });

    expect(await idsOf('legal_holds')).toEqual([await placing]);
  });

  it('passes over a lead that somebody is changing, which is not removed once it was touched', async () => {
    const [first = '', second = ''] = await leads(2, 200);

    await app.app.get(Transactions).run(async (tx) => {
      await rowsIn(tx, `UPDATE leads SET updated_at = now() WHERE id = $1`, [first]);
      await apply();
      expect(await idsOf('leads')).toEqual([first]);
    });
    await apply();

    expect(await idsOf('leads')).toEqual([first]);
    expect(await deletionsOf([first, second])).toEqual([second]);
  });

  it('keeps a mail for as long as the one that repeats it', async () => {
    const [recent, old] = [await mail({ days: 90 }), await mail({ days: 90 })];
    const again = async (id: string, days: number): Promise<string> =>
      mail({ days, recipient: `${id}@planted.test`, about: id, resendOf: id, number: 1 });
    const [repeated, repeatedToo] = [await again(recent, 10), await again(old, 60)];
    expect((await preview())['mail']).toMatchObject({ due: 2, sample_ids: [old, repeatedToo] });

    await apply();

    expect(await idsOf('mail_messages')).toEqual([recent, repeated].sort());
  });
});

/** Until a transaction of this database waits for another one's advisory lock. */
async function waitsForLock(): Promise<void> {
  await eventually('somebody waits', async () => {
    const rows = await app.database.query(
      `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    return rows.length > 0;
  });
}
