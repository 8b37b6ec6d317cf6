import { createHash, createHmac, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { AlertsService } from '../src/alerts/alerts.service.js';
import { BackupService } from '../src/backup/backup.service.js';
import { ApplicationSecret } from '../src/common/application-secret.js';
import { readOptions, UsageError } from '../src/common/command.js';
import { CONFIG, type Config } from '../src/config/config.js';
import { writeNote } from '../src/privacy/erasure-note.js';
import { ErasureNotes } from '../src/privacy/erasure-notes.js';
import { ErasuresRepository } from '../src/privacy/erasures.repository.js';
import { ErasuresService } from '../src/privacy/erasures.service.js';
import { NoteBucket } from '../src/privacy/note-bucket.js';
import { PRIVACY_COMMANDS } from '../src/privacy/privacy.commands.js';
import { anAccount } from './support/accounts.js';
import { SECRET_KEY, startApp, type TestApp } from './support/app.js';
import { anEmptyInstance, BACKUP_KEY, run } from './support/backups.js';
import { cleanUp } from './support/clean-up.js';
import { aLead, anEmail, get, jsonOf, sendJson, tokenOf } from './support/leads.js';
import { startProxy } from './support/proxy.js';
import { startS3 } from './support/s3rver.js';

let app: TestApp;
let superadmin: string;

/** That of SECRET_KEY_PREVIOUS. */
const OLDER_KEY = 'older-test-only-0123456789-abcdefghijklmnopqrst';

// one application for all tests: starting it takes most of the time
beforeAll(async () => {
  const { settings } = await startS3('notes');
  app = await startApp({
    ROLE: 'http',
    BACKUP_KEY,
    SECRET_KEY_PREVIOUS: OLDER_KEY,
    ...settings,
  });
  superadmin = await tokenOf(app);
}, 60_000);
beforeEach(async () => {
  await rm(join(app.dataDir, 'erasures'), { recursive: true, force: true });
  await app.database.query('DELETE FROM erasures');
});
afterEach(() => cleanUp());
afterAll(async () => {
  await app.close();
  await cleanUp('the whole file');
});

const post = (path: string, body: object): Promise<Response> =>
  sendJson(app, 'POST', `/api/v1/admin/privacy/${path}`, body, superadmin);

/** Erases somebody, bytes and note included; returns the id of the tombstone. */
async function erase(email: string): Promise<string> {
  const { id } = await jsonOf<{ id: string }>(await post('erasures', { email, reason: 'request' }));
  await app.app.get(ErasuresService).complete({}, id);
  return id;
}

/** The database as it would be if it were restored from before an erasure: without tombstones, and with the lead. */
async function undo(email: string): Promise<string> {
  await app.database.query('DELETE FROM erasures');
  const lead = await aLead(app, { email });
  await app.database.query(`UPDATE leads SET created_at = now() - interval '1 year' WHERE id = $1`, [lead]);
  return lead;
}

/** Whether all is well, and what was said. */
async function reapply(...args: string[]): Promise<[boolean, string]> {
  const [command] = PRIVACY_COMMANDS;
  const said: string[] = [];
  const isWell = await command!.run(app.app, readOptions(command!, args), (line) => said.push(line));
  return [isWell, said.join('\n')];
}

const isThere = async (lead: string): Promise<boolean> =>
  (await get(app, `/api/v1/leads/${lead}`, superadmin)).status === 200;
const tombstones = (): Promise<{ id: string }[]> => app.database.query('SELECT id FROM erasures ORDER BY requested_at');
const entriesOf = (action: string, id: string): Promise<{ target_id: string; details: Record<string, unknown> }[]> =>
  app.database.query('SELECT target_id, details FROM audit_entries WHERE action = $1 AND target_id = $2', [action, id]);
const personOf = (email: string, secret = SECRET_KEY): string =>
  createHmac('sha256', `forecourt persons\0${secret}`).update(email).digest('hex');
const noteOf = (id: string): string => join(app.dataDir, 'erasures', `${id}.json`);

describe('whoever was forgotten since the backup', () => {
  it('is back after a restore, and forgotten again by privacy:reapply from what is kept outside of the database', async () => {
    const [gone, stays] = [anEmail(), anEmail()];
    const lead = await aLead(app, { email: gone });
    const other = await aLead(app, { email: stays });
    const { at: archive } = await app.app
      .get(BackupService)
      .make(join(app.dataDir, 'backups'), Buffer.from(BACKUP_KEY, 'base64'));
    const id = await erase(gone);
    // the database is lost: the notes are all there is
    const there = await anEmptyInstance({ ROLE: 'http' });
    const notes = join(there.settings.DATA_DIR, 'notes');
    await rename(join(app.dataDir, 'erasures'), notes);
    expect((await run(there.settings, 'restore', '--from', archive))[0]).toBe(0);
    const leads = (): Promise<{ id: string }[]> => there.database.query('SELECT id FROM leads');
    expect((await leads()).map((each) => each.id).sort()).toEqual([lead, other].sort());

    const [code, output] = await run(there.settings, 'privacy:reapply', '--from', notes);

    expect([code, output]).toEqual([0, expect.stringContaining(`erased: ${id}`)]);
    expect(output).not.toContain(gone);
    expect(await leads()).toEqual([{ id: other }]);
    expect(await there.database.query('SELECT wrapped_key FROM files WHERE owner_id = $1', [lead])).toEqual([
      { wrapped_key: null },
    ]);
    expect(await there.database.query('SELECT id FROM mail_messages WHERE about_id = $1', [lead])).toEqual([]);
    // and what is left outside of the database goes as soon as the service works
    expect(
      await there.database.query(`SELECT count(*)::int AS n FROM graphile_worker.jobs WHERE task_identifier = $1`, [
        'privacy.complete_erasure',
      ]),
    ).toEqual([{ n: 1 }]);
  }, 180_000);

  it('is forgotten by whichever trace of theirs is back', async () => {
    const client = await anAccount(app, superadmin, 'client');
    const [invited, suppressed, mailed, held] = [anEmail(), anEmail(), anEmail(), anEmail()];
    const plant = async (): Promise<void> => {
      await sendJson(app, 'POST', '/api/v1/admin/invitations', { email: invited, role: 'client' }, superadmin);
      await app.database.query(`DELETE FROM mail_messages WHERE recipient = $1`, [invited]);
      await app.database.query(
        `INSERT INTO mail_suppressions (address, reason, since) VALUES ($1, 'planted', now() - interval '1 day')`,
        [suppressed],
      );
      await app.database.query(
        `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id)
         VALUES (gen_random_uuid(), 'test', upper($1), '{}', 'lead', gen_random_uuid())`,
        [mailed],
      );
      const { id } = await jsonOf<{ id: string }>(await post('holds', { email: held, reason: 'x' }));
      await sendJson(app, 'DELETE', `/api/v1/admin/privacy/holds/${id}`, {}, superadmin);
    };
    await plant();
    for (const email of [invited, suppressed, mailed, held, client.email]) await erase(email);
    await app.database.query('DELETE FROM erasures');
    await plant();
    const again = await anAccount(app, superadmin, 'client');
    await app.database.query(`UPDATE users SET email = $1, created_at = now() - interval '1 year' WHERE id = $2`, [
      client.email,
      again.id,
    ]);

    const [isWell, said] = await reapply();

    expect([isWell, said]).toEqual([true, expect.stringContaining('5 forgotten again')]);
    const left = await app.database.query<{ n: number }>(
      `SELECT ((SELECT count(*) FROM invitations) + (SELECT count(*) FROM mail_suppressions) + (SELECT count(*) FROM mail_messages WHERE template = 'test')
         + (SELECT count(*) FROM legal_holds) + (SELECT count(*) FROM users WHERE role = 'client'))::int AS n`,
    );
    expect(left).toEqual([{ n: 0 }]);
  });

  it('of whom nothing is back keeps the tombstone, as it was', async () => {
    const email = anEmail();
    await aLead(app, { email });
    const id = await erase(email);
    const before = await app.database.query('SELECT id, person, reason, requested_at FROM erasures');
    await app.database.query('DELETE FROM erasures');

    expect((await reapply())[0]).toBe(true);

    expect(await app.database.query('SELECT id, person, reason, requested_at FROM erasures')).toEqual(before);
    expect(await entriesOf('person.erasure_noted', id)).toHaveLength(1);
  });

  it('is found by the key from before SECRET_KEY was changed', async () => {
    const email = anEmail();
    const lead = await aLead(app, { email });
    const notes = { id: randomUUID(), reason: 'request' as const, requestedAt: new Date(Date.now() + 60_000) };
    await mkdir(join(app.dataDir, 'erasures'));
    await writeFile(noteOf(notes.id), writeNote({ ...notes, person: personOf(email, OLDER_KEY) }, OLDER_KEY));

    expect(await reapply()).toEqual([true, expect.stringContaining('1 forgotten again')]);

    expect(await isThere(lead)).toBe(false);
  });
});

describe('privacy:reapply', () => {
  it('done twice, sixteen times at once or after a dry run forgets once, on record without an address', async () => {
    const email = anEmail();
    await aLead(app, { email });
    const id = await erase(email);
    const lead = await undo(email);

    const [wouldBeWell, would] = await reapply('--dry-run');
    expect([wouldBeWell, would]).toEqual([true, expect.stringContaining('1 forgotten again')]);
    expect([await isThere(lead), await tombstones()]).toEqual([true, []]);
    const outcomes = await Promise.all(Array.from({ length: 16 }, () => reapply()));

    for (const [isWell] of outcomes) expect(isWell).toBe(true);
    expect(outcomes.filter(([, said]) => said.includes('1 forgotten again'))).toHaveLength(1);
    expect([await isThere(lead), await tombstones()]).toEqual([false, [{ id }]]);
    const entries = await entriesOf('person.erased_again', id);
    expect(entries).toEqual([
      {
        target_id: id,
        details: {
          person: expect.stringMatching(/^[0-9a-f]{64}$/),
          reason: 'request',
          counts: { leads: 1, files: 1, mail: 2 },
        },
      },
    ]);
    expect(JSON.stringify([outcomes, entries, app.log])).not.toContain(email);
  });

  it('that dies at its last line has changed nothing of that person, and goes on the next time', async () => {
    const emails = [anEmail(), anEmail()];
    for (const email of emails) await aLead(app, { email });
    for (const email of emails) await erase(email);
    const leads = [await undo(emails[0]!), await undo(emails[1]!)];
    const states = (): Promise<boolean[]> => Promise.all(leads.map(isThere));
    await app.database.query(
      `ALTER TABLE audit_entries ADD CONSTRAINT planted CHECK (action <> 'person.erased_again') NOT VALID`,
    );

    await expect(reapply()).rejects.toThrow();
    expect([await states(), await tombstones()]).toEqual([[true, true], []]);
    await app.database.query('ALTER TABLE audit_entries DROP CONSTRAINT planted');

    expect((await reapply())[0]).toBe(true);
    expect([await states(), await tombstones()]).toEqual([
      [false, false],
      [expect.anything(), expect.anything()],
    ]);
  });

  it('forgets nobody on legal hold, and nobody who works here, and says so until it is decided', async () => {
    const [held, staff] = [anEmail(), anEmail()];
    for (const email of [held, staff]) {
      await aLead(app, { email });
      await erase(email);
    }
    const lead = await undo(held);
    const { id: holdId } = await jsonOf<{ id: string }>(await post('holds', { email: held, reason: 'x' }));
    const attorney = await anAccount(app, superadmin, 'attorney');
    await app.database.query('UPDATE users SET email = $1 WHERE id = $2', [staff, attorney.id]);

    const [isWell, said] = await reapply();

    expect(isWell).toBe(false);
    expect(said).toMatch(/1 of persons on legal hold[\s\S]*1 of persons who work here/);
    expect([await isThere(lead), await tombstones()]).toEqual([true, []]);
    await sendJson(app, 'DELETE', `/api/v1/admin/privacy/holds/${holdId}`, {}, superadmin);
    await app.database.query(`UPDATE users SET role = 'client', created_at = now() - interval '1 year' WHERE id = $1`, [
      attorney.id,
    ]);
    expect((await reapply())[0]).toBe(true);
    expect(await isThere(lead)).toBe(false);
  });

  it('leaves whoever has come anew since, unless it is told not to', async () => {
    const email = anEmail();
    await aLead(app, { email });
    const id = await erase(email);
    await app.database.query('DELETE FROM erasures');
    const lead = await aLead(app, { email });

    expect(await reapply()).toEqual([false, expect.stringContaining(`returned: ${id}`)]);
    expect(await isThere(lead)).toBe(true);

    expect((await reapply('--returned-too'))[0]).toBe(true);
    expect(await isThere(lead)).toBe(false);
  });

  it('lets a person stay for good where an operator says so, on record', async () => {
    const email = anEmail();
    await aLead(app, { email });
    const id = await erase(email);
    const lead = await undo(email);

    expect(await reapply('--keep', id)).toEqual([true, expect.stringContaining(`kept: ${id}`)]);

    expect([await isThere(lead), await tombstones()]).toEqual([true, [{ id }]]);
    expect(await entriesOf('person.erasure_waived', id)).toHaveLength(1);
    expect((await reapply())[0]).toBe(true);
    expect(await isThere(lead)).toBe(true);
    await expect(reapply('--keep', `${id},${randomUUID()}`)).rejects.toThrow(UsageError);
  });

  it('is not content with a place without notes, which may be the wrong one, unless it is told so', async () => {
    const elsewhere = ['--from', join(app.dataDir, 'elsewhere')];

    expect(await reapply(...elsewhere)).toEqual([false, expect.stringContaining('There are no notes')]);
    expect((await reapply(...elsewhere, '--none-expected'))[0]).toBe(true);
  });

  it('believes no note that was changed, moved or made up, and does all others', async () => {
    const emails = Array.from({ length: 7 }, anEmail);
    const ids: string[] = [];
    for (const email of emails) {
      await aLead(app, { email });
      ids.push(await erase(email));
    }
    await app.database.query('DELETE FROM erasures');
    const leads: string[] = [];
    for (const email of emails) leads.push(await undo(email));
    const change = async (id: string, by: (said: Record<string, unknown>) => unknown): Promise<void> => {
      const said = JSON.parse(await readFile(noteOf(id), 'utf8')) as Record<string, unknown>;
      await writeFile(noteOf(id), JSON.stringify(by(said)));
    };
    const stranger = anEmail();
    const lead = await aLead(app, { email: stranger });
    const person = personOf(stranger);
    await change(ids[0]!, (said) => ({ ...said, person }));
    await change(ids[1]!, (said) => ({ ...said, mac: '' }));
    await change(ids[2]!, (said) => ({ ...said, requested_at: '2099-01-01T00:00:00.000Z' }));
    await change(ids[3]!, () => [null]);
    await writeFile(noteOf(ids[4]!), '{"format":');
    await rename(noteOf(ids[5]!), noteOf(randomUUID()));
    await writeFile(join(app.dataDir, 'erasures', 'README'), 'no note at all');

    const [isWell, said] = await reapply();

    expect(isWell).toBe(false);
    expect(said.match(/^unreadable: /gm)).toHaveLength(6);
    expect(await Promise.all(leads.map(isThere))).toEqual([true, true, true, true, true, true, false]);
    expect(await isThere(lead)).toBe(true);
    expect(await tombstones()).toEqual([{ id: ids[6] }]);
  });

  it('refuses a place that is none', async () => {
    await expect(reapply('--from', 'ftp://x')).rejects.toThrow(UsageError);
  });
});

describe('the note of an erasure', () => {
  it('is kept before the erasure is said to be complete, and names nobody', async () => {
    const email = anEmail();
    await aLead(app, { email });
    await writeFile(join(app.dataDir, 'erasures'), 'a file where the folder should be');
    await expect(erase(email)).rejects.toThrow();
    expect(await app.database.query('SELECT completed_at FROM erasures')).toEqual([{ completed_at: null }]);
    await rm(join(app.dataDir, 'erasures'));

    const [{ id } = { id: '' }] = await tombstones();
    await app.app.get(ErasuresService).complete({}, id);

    expect(await readdir(join(app.dataDir, 'erasures'))).toEqual([`${id}.json`]);
    const note = JSON.parse(await readFile(noteOf(id), 'utf8')) as object;
    expect(Object.keys(note)).toEqual(['format', 'id', 'person', 'reason', 'requested_at', 'mac']);
    expect(JSON.stringify(note)).not.toMatch(/admin|prospect/);
  });

  it('is made up for where it is missing, and one that the database does not know alerts operators', async () => {
    for (let count = 0; count < 3; count += 1) {
      const email = anEmail();
      await aLead(app, { email });
      await erase(email);
    }
    const [first, second] = await tombstones();
    await rm(noteOf(first!.id));

    await app.app.get(ErasureNotes).compare();
    expect(await readdir(join(app.dataDir, 'erasures'))).toHaveLength(3);
    expect(await app.database.query('SELECT cause FROM alerts')).toEqual([]);
    await app.database.query('DELETE FROM erasures WHERE id = $1', [second!.id]);
    await app.app.get(ErasureNotes).compare();

    expect(await app.database.query('SELECT cause, details FROM alerts')).toEqual([
      { cause: 'privacy.erasures_undone', details: { erasures: 1 } },
    ]);
  });

  it('may lie in a bucket, and is read from there', async () => {
    const email = anEmail();
    await aLead(app, { email });
    const id = await erase(email);
    const [erasure] = await app.app.get(ErasuresRepository).listAfter(undefined, 1);
    const config = app.app.get<Config>(CONFIG);
    const erasureNotes = { kind: 'bucket', bucket: 'notes', prefix: 'practice/' } as const;
    const inBucket = new ErasureNotes(
      app.app.get(ErasuresRepository),
      app.app.get(ApplicationSecret),
      app.app.get(AlertsService),
      { ...config, privacy: { ...config.privacy, erasureNotes } },
    );
    await inBucket.keep(erasure!);
    await inBucket.compare();
    const lead = await undo(email);

    expect(await reapply('--from', 's3://notes/practice')).toEqual([true, expect.stringContaining(`erased: ${id}`)]);

    expect(await isThere(lead)).toBe(false);
    await expect(reapply('--from', 's3://nobodys/x')).rejects.toThrow(
      /^The store of s3:\/\/nobodys\/x\/ answered \w+ \(404\)$/,
    );
  });

  it('comes with its checksum, without which a bucket with object lock takes nothing', async () => {
    let headers: IncomingHttpHeaders = {};
    const config = app.app.get<Config>(CONFIG);
    const proxy = await startProxy(config.backup.s3.endpoint!, (request) => {
      headers = request.headers;
      return undefined;
    });

    await new NoteBucket({ ...config.backup.s3, endpoint: proxy.url }, 'notes', 'locked/').put('a.json', 'text');

    expect(headers['x-amz-checksum-sha256']).toBe(createHash('sha256').update('text').digest('base64'));
  });

  it('that cannot be kept keeps no bytes alive', async () => {
    const [before, email] = [await app.storedFiles(), anEmail()];
    await aLead(app, { email });
    expect(await app.storedFiles()).toHaveLength(before.length + 1);
    await writeFile(join(app.dataDir, 'erasures'), 'a file where the folder should be');

    await expect(erase(email)).rejects.toThrow();

    expect(await app.storedFiles()).toEqual(before);
    await rm(join(app.dataDir, 'erasures'));
  });
});
