import { Network } from '../tools/torture/network.mjs';
import { startApp, type TestApp } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { makePdf } from './support/documents.mjs';
import { anEmail, get, jsonOf, submit, tokenOf } from './support/leads.js';
import { startS3 } from './support/s3rver.js';

const RESUME = makePdf(300_000);

describe('a storage that has become slow', () => {
  let app: TestApp;
  let network: Network;
  let admin: string;
  beforeAll(async () => {
    const { url, settings } = await startS3('slow');
    network = new Network(Number(new URL(url).port));
    app = await startApp({
      ...settings,
      STORAGE_DRIVER: 's3',
      S3_ENDPOINT: `http://127.0.0.1:${await network.listen()}`,
      S3_BUCKET: 'slow',
    });
    atEnd(() => app.close(), 'the whole file');
    atEnd(() => {
      network.close();
    }, 'the whole file');
    admin = await tokenOf(app);
  });
  afterAll(() => cleanUp('the whole file'));
  beforeEach(() => {
    network.isSlow = true;
  });

  it('takes submissions, 16 at once as well, and loses none; who needs no file waits for none', async () => {
    const emails = Array.from({ length: 16 }, anEmail);
    let answered = 0;
    const submitted = emails.map(async (email) => {
      const answer = await submit(app, { email, file: { bytes: RESUME } });
      answered += 1;
      return answer;
    });

    const others = await Promise.all([get(app, '/api/v1/leads', admin), app.request('/health/live')]);
    const before = answered;
    const answers = await Promise.all(submitted);

    expect([...others, ...answers].map(({ status }) => status)).toEqual([200, 200, ...emails.map(() => 201)]);
    expect(before).toBeLessThan(emails.length);
    const ids = await Promise.all(answers.map(async (answer) => (await jsonOf<{ id: string }>(answer)).id));
    const rows = await app.database.query('SELECT id, email FROM leads ORDER BY email');
    expect(rows).toEqual(
      ids.map((id, index) => ({ id, email: emails[index] })).sort((a, b) => (a.email! < b.email! ? -1 : 1)),
    );
    network.isSlow = false;
    for (const id of ids) {
      const resume = await get(app, `/api/v1/leads/${id}/resume`, admin);
      expect(Buffer.from(await resume.arrayBuffer()).equals(RESUME)).toBe(true);
    }
  });

  it('gives a résumé back whole, if late', async () => {
    const { id } = await jsonOf<{ id: string }>(await submit(app, { email: anEmail(), file: { bytes: RESUME } }));

    const resume = await get(app, `/api/v1/leads/${id}/resume`, admin);

    expect(Buffer.from(await resume.arrayBuffer()).equals(RESUME)).toBe(true);
  });
});
