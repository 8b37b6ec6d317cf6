import { readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileCheck } from '../src/files/care/file-check.js';
import { FilePurge } from '../src/files/care/file-purge.js';
import { FileRoom } from '../src/files/care/file-room.js';
import { FileSweep } from '../src/files/care/file-sweep.js';
import { FileTexts } from '../src/files/text/file-texts.js';
import { PROJECT_ROOT } from '../src/config/project-root.js';
import { startApp, type TestApp } from './support/app.js';
import { makePdf, MEDIA } from './support/documents.mjs';
import { aLead, get, jsonOf, submit, tokenOf } from './support/leads.js';

let app: TestApp;
let token: string;

async function start(settings: Record<string, string> = {}): Promise<void> {
  app = await startApp(settings);
  token = await tokenOf(app);
}
beforeEach(() => start());
afterEach(() => app.close());

const documentOf = (kind: keyof typeof MEDIA): Promise<Buffer> =>
  readFile(join(PROJECT_ROOT, 'test', 'support', 'documents', `resume.${kind}`));

interface Kept {
  readonly lead: string;
  readonly file: string;
  readonly key: string;
}

/** A lead, and the file it has. */
async function kept(bytes?: Buffer): Promise<Kept> {
  const lead = await aLead(app, bytes === undefined ? {} : { file: { bytes } });
  const [row] = await app.database.query<{ id: string; key: string }>(
    'SELECT id, storage_key AS key FROM files WHERE owner_id = $1',
    [lead],
  );
  return { lead, file: row?.id ?? '', key: row?.key ?? '' };
}

const download = (lead: string): Promise<Response> => get(app, `/api/v1/leads/${lead}/resume`, token);
const alerts = (): Promise<Record<string, unknown>[]> =>
  app.database.query('SELECT cause, occurrences FROM alerts ORDER BY raised_at');
const rowOf = async (id: string): Promise<Record<string, unknown> | undefined> => {
  const [row] = await app.database.query(
    `SELECT deleted_at IS NOT NULL AS deleted, purged_at IS NOT NULL AS purged, wrapped_key IS NOT NULL AS has_key, text_state
     FROM files WHERE id = $1`,
    [id],
  );
  return row;
};

describe('the text of files', () => {
  const texts = (): Promise<{ text: string }[]> => app.database.query('SELECT text FROM file_texts');

  it.each(['pdf', 'doc', 'docx'] as const)('is read from a %s, though its bytes are encrypted', async (kind) => {
    const bytes = await documentOf(kind);
    const lead = await aLead(app, { file: { bytes, name: `cv.${kind}`, type: MEDIA[kind] } });

    await app.app.get(FileTexts).extractOwed();

    expect(await texts()).toEqual([{ text: expect.stringMatching(/\w{4,}.*\w{4,}/) }]);
    expect(await app.database.query('SELECT text_state FROM files WHERE owner_id = $1', [lead])).toEqual([
      { text_state: 'read' },
    ]);
  });

  it('that cannot be read is no error of the lead, and nobody tries again', async () => {
    const { lead, file } = await kept(Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(500, 'x')]));

    await app.app.get(FileTexts).extractOwed();

    expect(await rowOf(file)).toMatchObject({ text_state: 'unreadable' });
    expect(await texts()).toEqual([]);
    expect((await download(lead)).status).toBe(200);
  });

  it('whose bytes are lost keeps no other waiting', async () => {
    const [lost, other] = [await kept(), await kept(await documentOf('pdf'))];
    await rm(app.pathOf(lost.key));

    await app.app.get(FileTexts).extractOwed();

    expect([await rowOf(lost.file), await rowOf(other.file)]).toMatchObject([
      { text_state: 'unreadable' },
      { text_state: 'read' },
    ]);
  });

  it('waits while a scan is owed, and is never read from malware', async () => {
    const [waiting, infected] = [await kept(), await kept()];
    await app.database.query(`UPDATE files SET scan_state = 'pending' WHERE id = $1`, [waiting.file]);
    await app.database.query(`UPDATE files SET scan_state = 'infected' WHERE id = $1`, [infected.file]);

    await app.app.get(FileTexts).extractOwed();

    expect([await rowOf(waiting.file), await rowOf(infected.file)]).toMatchObject([
      { text_state: 'owed' },
      { text_state: 'owed' },
    ]);
  });
});

describe('the sweep', () => {
  const HOUR_AGO = new Date(Date.now() - 3_700_000);

  async function leaveBehind(path: string, isOld: boolean): Promise<void> {
    await writeFile(path, 'left behind');
    if (isOld) await utimes(path, HOUR_AGO, HOUR_AGO);
  }

  /** A kept file, and of each kind of leftover an old and a new one. */
  async function mess(): Promise<Kept> {
    const found = await kept();
    await utimes(app.pathOf(found.key), HOUR_AGO, HOUR_AGO);
    for (const age of ['old', 'new']) {
      await leaveBehind(app.pathOf(`aa-${age}-orphan.pdf`), age === 'old');
      await leaveBehind(join(app.uploadDir, '.incoming', `${age}.part`), age === 'old');
    }
    return found;
  }

  it('removes bytes that no row names and uploads that never ended, when they are older than an hour', async () => {
    const { lead, key } = await mess();

    const swept = await app.app.get(FileSweep).run();

    expect(swept).toEqual({ abandonedUploads: ['old.part'], orphanedFiles: ['disk:aa-old-orphan.pdf'] });
    expect(await app.storedFiles()).toEqual(['aa-new-orphan.pdf', key, 'new.part'].sort());
    expect((await download(lead)).status).toBe(200);
  });

  it('finds nothing the second time', async () => {
    await mess();
    await app.app.get(FileSweep).run();

    expect(await app.app.get(FileSweep).run()).toEqual({ abandonedUploads: [], orphanedFiles: [] });
  });

  it('that is only tried out says the same and removes nothing', async () => {
    await mess();
    const before = await app.storedFiles();

    const found = await app.app.get(FileSweep).run({ isDryRun: true });

    expect(found).toEqual({ abandonedUploads: ['old.part'], orphanedFiles: ['disk:aa-old-orphan.pdf'] });
    expect(await app.storedFiles()).toEqual(before);
  });
});

describe('the check', () => {
  const find = async (readsContent: boolean): Promise<Record<string, string>> => {
    const found: Record<string, string> = {};
    for await (const { id, defect } of app.app.get(FileCheck).find({ readsContent })) found[id] = defect;
    return found;
  };

  it('finds files whose bytes are missing or cut, and with hashes those that changed; alerts, and removes no row', async () => {
    const [whole, lost, cut, changed] = [await kept(), await kept(), await kept(), await kept(makePdf(200_000))];
    await rm(app.pathOf(lost.key));
    await truncate(app.pathOf(cut.key), 10);
    const bytes = await readFile(app.pathOf(changed.key));
    bytes[100_000] = (bytes[100_000] ?? 0) ^ 1;
    await writeFile(app.pathOf(changed.key), bytes);

    const bySize = { [lost.file]: 'bytes missing', [cut.file]: 'size differs' };
    expect(await find(false)).toEqual(bySize);
    expect(await find(true)).toEqual({ ...bySize, [cut.file]: 'content differs', [changed.file]: 'content differs' });

    await app.app.get(FileCheck).run();
    await app.app.get(FileCheck).run();
    expect(await alerts()).toEqual([{ cause: 'file.bytes_missing', occurrences: 2 }]);
    expect(await rowOf(lost.file)).toMatchObject({ deleted: false, purged: false });
    expect((await download(whole.lead)).status).toBe(200);
  });

  it('is content with files that are whole, and with purged ones', async () => {
    const { file } = await kept();
    await kept();
    await app.database.query(`UPDATE files SET deleted_at = now() - interval '31 days' WHERE id = $1`, [file]);
    await app.app.get(FilePurge).run();

    expect(await find(true)).toEqual({});
    await app.app.get(FileCheck).run();
    expect(await alerts()).toEqual([]);
  });
});

describe('the purge', () => {
  const deleted = (id: string, days: number): Promise<unknown> =>
    app.database.query(`UPDATE files SET deleted_at = now() - make_interval(days => $2) WHERE id = $1`, [id, days]);

  it('destroys the key, the bytes and the text of what was deleted long enough ago, and nothing else', async () => {
    const [old, recent, living] = [await kept(await documentOf('pdf')), await kept(), await kept()];
    await app.app.get(FileTexts).extractOwed();
    await deleted(old.file, 31);
    await deleted(recent.file, 29);

    expect(await app.app.get(FilePurge).run()).toBe(1);

    expect(await rowOf(old.file)).toMatchObject({ deleted: true, purged: true, has_key: false });
    expect(await app.database.query('SELECT FROM file_texts WHERE file_id = $1', [old.file])).toEqual([]);
    expect(await app.storedFiles()).toEqual([recent.key, living.key].sort());
    expect(await rowOf(recent.file)).toMatchObject({ deleted: true, purged: false, has_key: true });
    expect((await download(living.lead)).status).toBe(200);
    expect((await download(recent.lead)).status).toBe(404);
    expect(await app.database.query(`SELECT target_id AS id FROM audit_entries WHERE action = 'file.purged'`)).toEqual([
      { id: old.file },
    ]);
  });

  it('goes on where it was cut off: after the key, and after the bytes', async () => {
    const [afterKey, afterBytes] = [await kept(), await kept()];
    for (const { file } of [afterKey, afterBytes]) await deleted(file, 31);
    await app.database.query('UPDATE files SET wrapped_key = NULL');
    await rm(app.pathOf(afterBytes.key));

    expect(await app.app.get(FilePurge).run()).toBe(2);

    expect(await app.storedFiles()).toEqual([]);
    expect(await app.app.get(FilePurge).run()).toBe(0);
  });

  it('destroys what lay in quarantine for as long', async () => {
    const [old, recent] = [await kept(), await kept()];
    await app.database.query(`UPDATE files SET owner_kind = 'quarantine', scan_state = 'infected'`);
    await app.database.query(`UPDATE files SET created_at = now() - interval '31 days' WHERE id = $1`, [old.file]);

    await app.app.get(FilePurge).run();

    expect([await rowOf(old.file), await rowOf(recent.file)]).toMatchObject([{ purged: true }, { purged: false }]);
  });
});

describe('room for files', () => {
  const restart = async (settings: Record<string, string>): Promise<void> => {
    await app.close();
    await start(settings);
  };

  it('is refused with 503 before the quota is used up, however many come at once, leaves nothing, and alerts once', async () => {
    await restart({ FILE_QUOTA: '50000', MAX_FILE_SIZE: '15000' });
    const file = { bytes: makePdf(14_000) };

    const answers = await Promise.all(Array.from({ length: 16 }, () => submit(app, { file })));

    const accepted = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status === 503);
    expect([accepted.length > 0, accepted.length <= 3, refused.length]).toEqual([true, true, 16 - accepted.length]);
    expect(await Promise.all(refused.map((each) => jsonOf(each)))).toEqual(
      refused.map((): unknown => expect.objectContaining({ error_code: 'FILE_STORAGE_FULL' })),
    );
    expect(await app.storedFiles()).toHaveLength(accepted.length);
    expect(await alerts()).toEqual([{ cause: 'file.storage_full', occurrences: refused.length }]);
  });

  it('is there again when files were purged', async () => {
    await restart({ FILE_QUOTA: '20000', MAX_FILE_SIZE: '15000', FILE_RETENTION_DAYS: '0' });
    const { file } = await kept(makePdf(14_000));
    expect((await submit(app)).status).toBe(503);

    await app.database.query('UPDATE files SET deleted_at = now() WHERE id = $1', [file]);
    await app.app.get(FilePurge).run();

    expect(await app.app.get(FileRoom).usage()).toMatchObject({ files: 0, usedBytes: 0 });
    expect((await submit(app)).status).toBe(201);
  });

  it('is refused before the disk is full', async () => {
    await restart({ FILE_MIN_FREE: '900000000000000' });

    const response = await submit(app);

    expect([response.status, await jsonOf(response)]).toMatchObject([503, { error_code: 'FILE_STORAGE_FULL' }]);
    expect(await app.storedFiles()).toEqual([]);
  });

  it('that runs short is told in time', async () => {
    await restart({ FILE_QUOTA: '15500', MAX_FILE_SIZE: '1000' });
    await app.app.get(FileRoom).watch();
    expect(await alerts()).toEqual([]);

    await app.database.query('UPDATE files SET size_bytes = 14000 WHERE id = $1', [(await kept(makePdf(900))).file]);
    await app.app.get(FileRoom).watch();

    expect(await alerts()).toEqual([{ cause: 'file.room_short', occurrences: 1 }]);
  });
});
