import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanUp } from './support/clean-up.js';
import { makeDatabase } from './support/database.js';
import { makePdf } from './support/documents.mjs';
import { anEmail } from './support/leads.js';
import { atEnd } from './support/clean-up.js';
import { MAIN, someSettings, startProgram } from './support/program.js';

afterEach(() => cleanUp());

describe('a disk that is full in the middle of an upload', () => {
  it('costs that upload a 503 and leaves nothing of it, while smaller ones and everything else go on', async () => {
    const database = await makeDatabase();
    atEnd(() => database.drop());
    const settings = await someSettings({ DATABASE_URL: database.url, ADMIN_PASSWORD: 'a good admin password' });
    // no file may grow beyond 1 MiB: the write that would is refused by the system, as it is on a full disk
    const command = ['sh', '-c', `ulimit -f 2048; exec "$0" "$1"`, process.execPath, MAIN] as const;
    const program = await startProgram(settings, { command: [...command] });
    const incoming = join(settings.DATA_DIR, 'uploads', '.incoming');

    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => program.submit(anEmail(), makePdf(index % 2 === 0 ? 3_000_000 : 3_000))),
    );

    expect(answers.map(({ status }) => status)).toEqual(answers.map((_, index) => (index % 2 === 0 ? 503 : 201)));
    expect(await answers[0]?.json()).toMatchObject({ error_code: 'FILE_STORAGE_FULL' });
    expect(await readdir(incoming)).toEqual([]);
    expect(await database.query('SELECT FROM files')).toHaveLength(8);
    expect((await program.request('/health/ready')).status).toBe(200);
    expect(await program.stop()).toBe(0);
  });
});
