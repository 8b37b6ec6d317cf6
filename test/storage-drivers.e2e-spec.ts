import { randomBytes } from 'node:crypto';
import { startApp, type TestApp } from './support/app.js';
import { findApache, startApache } from './support/apache.js';
import { cleanUp } from './support/clean-up.js';
import { whyNoPackages } from './support/debian.js';
import { makePdf } from './support/documents.mjs';
import { aLead, bearer, get, submit, tokenOf } from './support/leads.js';
import { describeWith } from './support/real-servers.js';
import { startS3 } from './support/s3rver.js';

afterAll(() => cleanUp('the whole file'));

const BYTES = makePdf(200_000);

/** What a form and a download need of the storage that these settings name. */
function worksWith(driver: string, makeSettings: () => Promise<Record<string, string>>): void {
  let app: TestApp;
  let token: string;
  beforeAll(async () => {
    app = await startApp({
      ...(await makeSettings()),
      FILE_ENCRYPTION_KEYS: `k:${randomBytes(32).toString('base64')}`,
    });
    token = await tokenOf(app);
  });
  afterAll(() => app.close());

  it('keeps a résumé there, and nothing of it on the local disk', async () => {
    const id = await aLead(app, { file: { bytes: BYTES } });

    expect(await app.database.query('SELECT storage FROM files WHERE owner_id = $1', [id])).toEqual([
      { storage: driver },
    ]);
    expect(await app.storedFiles()).toEqual([]);
  });

  it('gives it back byte for byte, and in parts', async () => {
    const id = await aLead(app, { file: { bytes: BYTES } });
    const whole = await get(app, `/api/v1/leads/${id}/resume`, token);
    const part = await app.request(`/api/v1/leads/${id}/resume`, {
      headers: { ...bearer(token), Range: 'bytes=70000-140000' },
    });

    expect(Buffer.from(await whole.arrayBuffer()).equals(BYTES)).toBe(true);
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(BYTES.subarray(70_000, 140_001))).toBe(true);
  });

  it('of 16 equal submissions at once keeps one file', async () => {
    const answers = await Promise.all(Array.from({ length: 16 }, () => submit(app, { email: 'same@example.com' })));

    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(15).fill(409)]);
    expect(await app.database.query(`SELECT FROM leads WHERE email = 'same@example.com'`)).toHaveLength(1);
    expect(await app.storedFiles()).toEqual([]);
  });

  it('is ready', async () => {
    expect((await app.request('/health/ready')).status).toBe(200);
  });
}

describe('Forecourt with STORAGE_DRIVER=s3', () => {
  const settings = async (): Promise<Record<string, string>> => ({
    ...(await startS3('forecourt')).settings,
    STORAGE_DRIVER: 's3',
    S3_BUCKET: 'forecourt',
    S3_PREFIX: 'files',
  });

  worksWith('s3', settings);

  it.each([
    ['S3_BUCKET', 'missing'],
    ['S3_ACCESS_KEY_ID', 'stranger'],
    ['S3_ENDPOINT', 'http://127.0.0.1:1'],
  ])('does not start with a wrong %s, and says which setting it is', async (name, value) => {
    const start = startApp({ ...(await settings()), [name]: value });

    await expect(start).rejects.toThrow(name === 'S3_ACCESS_KEY_ID' ? /S3_/ : name);
  });
});

const apache = findApache();

describeWith(
  apache,
  'Apache with WebDAV',
  whyNoPackages(),
)('Forecourt with STORAGE_DRIVER=webdav', () => {
  worksWith('webdav', async () => ({
    STORAGE_DRIVER: 'webdav',
    WEBDAV_URL: `${(await startApache(apache!, 'forecourt', 'correct-horse')).url}files`,
    WEBDAV_USERNAME: 'forecourt',
    WEBDAV_PASSWORD: 'correct-horse',
  }));

  it('does not start with a wrong password, and does not repeat it', async () => {
    const { url } = await startApache(apache!, 'forecourt', 'correct-horse');

    const error: unknown = await startApp({
      STORAGE_DRIVER: 'webdav',
      WEBDAV_URL: `${url}files`,
      WEBDAV_USERNAME: 'forecourt',
      WEBDAV_PASSWORD: 'wrong-battery',
    }).catch((reason: unknown) => reason);

    expect(String(error)).toMatch(/WEBDAV_(USERNAME|PASSWORD)/);
    expect(String(error)).not.toContain('wrong-battery');
  });
});
