import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { FileNotStored, FileStorageFull, FileStorageUnavailable } from '../src/files/files.errors.js';
import type { FileStorage } from '../src/files/storage/file-storage.js';
import { prefixOf } from '../src/config/s3-address.js';
import type { S3Settings } from '../src/config/storage-config.js';
import { S3Storage } from '../src/files/storage/s3.storage.js';
import { WebdavStorage } from '../src/files/storage/webdav.storage.js';
import type { WebdavOptions } from '../src/files/storage/webdav-client.js';
import { ACCOUNT } from '../tools/object-store.mjs';
import { findApache, type RunningApache, startApache } from './support/apache.js';
import { cleanUp } from './support/clean-up.js';
import { whyNoPackages } from './support/debian.js';
import { type Interference, startProxy } from './support/proxy.js';
import { describeWith } from './support/real-servers.js';
import { startS3 } from './support/s3rver.js';
import { aKey, spool } from './support/spooled.js';
import { bytesUnder, listed, MIB, storageContract } from './support/storage-contract.js';

const SECRET = 'correct-horse-battery';
/** Nothing listens here: it is reserved (RFC 6335, 6). */
const NOBODY_THERE = 'http://127.0.0.1:1';

let logged: string[] = [];
const log = pino({ level: 'trace' }, { write: (line) => logged.push(line) });

afterEach(() => {
  logged = [];
  return cleanUp();
});
afterAll(() => cleanUp('the whole file'));

const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((each) => each.isFile())
    .map(({ name }) => name);

/** Each fails the first two times. */
const PASSING: [string, Interference][] = [
  ['answers 503', { status: 503 }],
  ['answers 500', { status: 500 }],
  ['answers 429', { status: 429 }],
  ['breaks off in the middle', { cut: 'request' }],
];

const DAMAGE: [string, (body: Buffer) => Buffer][] = [
  [
    'changes a bit',
    (body) => Buffer.concat([body.subarray(0, 1000), Buffer.from([body[1000]! ^ 1]), body.subarray(1001)]),
  ],
  ['leaves the end out', (body) => body.subarray(0, -1)],
  ['leaves everything out', () => Buffer.alloc(0)],
];

const CALLS: [string, (storage: FileStorage, key: string) => Promise<unknown>][] = [
  ['put', async (storage, key) => storage.put(key, await spool(100_000))],
  ['open', (storage, key) => storage.open(key)],
  ['stat', (storage, key) => storage.stat(key)],
  ['remove', (storage, key) => storage.remove(key)],
  ['list', (storage) => listed(storage)],
  ['prepare', (storage) => storage.prepare()],
  ['check', (storage) => storage.check()],
];

/** What it rejects with, and all that was logged until then. */
async function failureOf(work: Promise<unknown>): Promise<{ error: Error; everything: string }> {
  const error: unknown = await work.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  log.error({ err: error }, 'as the program would log it');
  return { error: error as Error, everything: logged.join('') };
}

describe('S3Storage', () => {
  let server: Awaited<ReturnType<typeof startS3>>;
  beforeAll(async () => {
    server = await startS3('practice');
  });

  const storageOn = (options: Partial<S3Settings> = {}): S3Storage =>
    new S3Storage(
      {
        endpoint: server.url,
        region: 'us-east-1',
        bucket: 'practice',
        prefix: 'forecourt/files/',
        forcePathStyle: true,
        ...ACCOUNT,
        ...options,
      },
      log,
    );

  storageContract('keeps the contract of storages', async () => storageOn());

  it.each(['', '/', 'one', 'one/two/', '/one/three'])('keeps its files apart below the prefix %j', async (prefix) => {
    const storage = storageOn({ prefix: prefixOf(prefix) });
    await storage.prepare();
    const [key, other] = [aKey(), aKey()];
    await storage.put(key, await spool(10));
    await storageOn({ prefix: prefixOf(`${prefix}/deeper`) }).put(other, await spool(10));

    const keys = (await listed(storage)).map((each) => each.key);
    expect(keys).toContain(key);
    expect(keys).not.toContain(other);
    expect(await storage.stat(other)).toBeUndefined();
  });

  it('lists the files of every page of the list', async () => {
    // s3rver cannot continue a list; these are Amazon's answers
    const pages: Record<string, string> = {
      first: 'a/x</Key></Contents><IsTruncated>true</IsTruncated><NextContinuationToken>2+2/=</NextContinuationToken>',
      '2+2/=': 'a/y</Key></Contents><IsTruncated>false</IsTruncated>',
    };
    const proxy = await startProxy(server.url, ({ url = '' }) => {
      const asked = new URL(url, server.url).searchParams.get('continuation-token') ?? 'first';
      return { status: 200, body: `<ListBucketResult><Contents><Key>${pages[asked]!}</ListBucketResult>` };
    });

    const found = await listed(storageOn({ endpoint: proxy.url, prefix: 'a/' }));

    expect(found.map(({ key }) => key)).toEqual(['x', 'y']);
    expect(proxy.methods).toHaveLength(2);
  });

  it('gives back a file that was sent in parts', async () => {
    const storage = storageOn();
    const key = aKey();
    const file = await spool(17 * MIB);

    await storage.put(key, file);

    expect((await bytesUnder(storage, key)).equals(file.bytes)).toBe(true);
    expect((await bytesUnder(storage, key, { start: 16 * MIB - 1, end: 16 * MIB })).length).toBe(2);
  });

  it('leaves nothing of a file that was sent in parts and was not what its hash says', async () => {
    const storage = storageOn({ prefix: 'parts/' });
    const key = aKey();
    const file = await spool(17 * MIB);
    await writeFile(file.path, Buffer.concat([file.bytes.subarray(0, -1), Buffer.from([file.bytes.at(-1)! ^ 1])]));

    await expect(storage.put(key, file)).rejects.toThrow(FileNotStored);

    expect(await storage.stat(key)).toBeUndefined();
    expect((await filesIn(server.folder)).filter((name) => name.includes(key))).toEqual([]);
  });

  it.each(PASSING)('puts a file though the network %s two times', async (_, interference) => {
    const proxy = await startProxy(server.url, ({ method }, before) =>
      method === 'PUT' && before < 2 ? { ...interference, body: '<Error><Code>SlowDown</Code></Error>' } : undefined,
    );
    const storage = storageOn({ endpoint: proxy.url });
    const key = aKey();
    const file = await spool(300_000);

    await storage.put(key, file);

    expect((await bytesUnder(storage, key)).equals(file.bytes)).toBe(true);
    expect(proxy.methods.filter((method) => method === 'PUT')).toHaveLength(3);
    expect(logged.filter((line) => line.includes('tried again'))).toHaveLength(2);
  });

  it('gives up after four attempts', async () => {
    const proxy = await startProxy(server.url, () => ({ status: 503 }));

    await expect(storageOn({ endpoint: proxy.url }).put(aKey(), await spool(10))).rejects.toThrow(
      FileStorageUnavailable,
    );

    expect(proxy.methods).toEqual(['PUT', 'PUT', 'PUT', 'PUT']);
  });

  it.each(DAMAGE)('leaves nothing of a file when the network %s', async (_, change) => {
    const proxy = await startProxy(server.url, ({ method }) => (method === 'PUT' ? { change } : undefined));
    const key = aKey();

    await expect(storageOn({ endpoint: proxy.url }).put(key, await spool(300_000))).rejects.toThrow(FileNotStored);

    expect(await storageOn().stat(key)).toBeUndefined();
  });

  it('tells a store that is full from one that is broken', async () => {
    const proxy = await startProxy(server.url, ({ method }) => (method === 'PUT' ? { status: 507 } : undefined));

    await expect(storageOn({ endpoint: proxy.url }).put(aKey(), await spool(300_000))).rejects.toThrow(FileStorageFull);
  });

  it.each(CALLS)(
    'says within 15 seconds that nobody answers: %s',
    async (_, call) => {
      await expect(call(storageOn({ endpoint: NOBODY_THERE }), aKey())).rejects.toThrow(FileStorageUnavailable);
    },
    15_000,
  );

  it.each<[string, RegExp, Partial<S3Settings>]>([
    [
      'an access key that nobody has',
      /^S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY: /,
      { accessKeyId: 'NOBODY', secretAccessKey: SECRET },
    ],
    ['a bucket that is not there', /^S3_BUCKET: there is no bucket "elsewhere"$/, { bucket: 'elsewhere' }],
    ['an endpoint that nobody is at', /^S3_ENDPOINT: .*ECONNREFUSED/, { endpoint: NOBODY_THERE }],
  ])('names the setting at the start: %s', async (_, sentence, options) => {
    const { error, everything } = await failureOf(storageOn(options).prepare());

    expect(error.message).toMatch(sentence);
    expect(everything).toContain(error.message.split(':')[0]);
    expect(everything).not.toMatch(new RegExp(`${SECRET}|Signature=|Credential=|StringToSign`));
  });

  it('logs nothing of what was signed when its secret is wrong', async () => {
    // s3rver does not check signatures of this kind; this is what Amazon answers
    const body =
      '<Error><Code>SignatureDoesNotMatch</Code><Message>It does not match</Message><AWSAccessKeyId>S3RVER</AWSAccessKeyId>' +
      `<StringToSign>AWS4-HMAC-SHA256 ${SECRET}</StringToSign></Error>`;
    const proxy = await startProxy(server.url, ({ method }) => (method === 'PUT' ? { status: 403, body } : undefined));
    const storage = storageOn({ endpoint: proxy.url, secretAccessKey: SECRET });

    for (const work of [storage.put(aKey(), await spool(10)), storage.prepare()]) {
      const { error, everything } = await failureOf(work);
      expect(error.message).toMatch(/could not be stored|^S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY: /);
      expect(everything).toContain('SignatureDoesNotMatch (403)');
      expect(everything).not.toMatch(new RegExp(`${SECRET}|AWS4-HMAC|Credential=|S3RVER`));
    }
    expect(proxy.methods.filter((method) => method === 'PUT')).toHaveLength(2);
  });
});

const apache = findApache();

describeWith(
  apache,
  'Apache with WebDAV',
  whyNoPackages(),
)('WebdavStorage', () => {
  const account = { username: 'forecourt', password: SECRET };
  let server: RunningApache;
  let places = 0;
  beforeAll(async () => {
    server = await startApache(apache!, account.username, account.password);
  });

  const storageOn = (url: string, options: Partial<WebdavOptions> = {}): WebdavStorage =>
    new WebdavStorage({ url, ...account, ...options }, log);

  /** An empty folder of its own on the server, which is ready. */
  async function aPlace(): Promise<{ path: string; folder: string; storage: WebdavStorage }> {
    const path = `place${places++}`;
    const storage = storageOn(`${server.url}${path}`);
    await storage.prepare();
    return { path, folder: join(server.folder, path), storage };
  }

  storageContract('keeps the contract of storages', async () => storageOn(`${server.url}forecourt`));

  it('has a folder for each first two characters, and no other files than those that were put', async () => {
    const { folder, storage } = await aPlace();
    await storage.put('ab-one', await spool(10));
    await storage.put('ab-two', await spool(10));
    await storage.put('cd-three', await spool(10));

    const found = (await readdir(folder, { recursive: true })).sort();

    expect(found).toEqual(['.incoming', 'ab', 'ab/ab-one', 'ab/ab-two', 'cd', 'cd/cd-three']);
  });

  it('lists no file that is hidden, on its way in or somebody else’s', async () => {
    const { folder, storage } = await aPlace();
    await storage.put('ab-one', await spool(10));
    for (const each of ['other', 'ab/deeper']) await mkdir(join(folder, each));
    for (const each of [
      '.incoming/ab-two',
      '.probe-x',
      'ab/.ab-two',
      'ab/cd-two',
      'other/other',
      'top',
      'ab/deeper/ab-x',
    ])
      await writeFile(join(folder, each), 'x');

    expect((await listed(storage)).map(({ key }) => key)).toEqual(['ab-one']);
  });

  it('makes a folder again that went away', async () => {
    const { folder, storage } = await aPlace();
    await storage.put('ab-one', await spool(10));
    for (const each of ['ab', '.incoming']) await rm(join(folder, each), { recursive: true });
    const file = await spool(10);

    await storage.put('ab-two', file);

    expect((await bytesUnder(storage, 'ab-two')).equals(file.bytes)).toBe(true);
  });

  it('removes at the start what a process left on its way in that died an hour ago, and nothing younger', async () => {
    const { folder, storage } = await aPlace();
    for (const [name, minutes] of [['old', 61] as const, ['young', 50] as const]) {
      await writeFile(join(folder, '.incoming', name), 'x');
      const then = Date.now() / 1000 - minutes * 60;
      await utimes(join(folder, '.incoming', name), then, then);
    }

    await storage.prepare();

    expect(await readdir(join(folder, '.incoming'))).toEqual(['young']);
  });

  it.each<[string, Interference]>([...PASSING, ['answers 423', { status: 423 }]])(
    'puts a file though the network %s two times',
    async (_, interference) => {
      const { path, folder, storage } = await aPlace();
      const proxy = await startProxy(server.url, ({ method }, before) =>
        method === 'PUT' && before < 2 ? interference : undefined,
      );
      const file = await spool(300_000);

      await storageOn(`${proxy.url}/${path}`).put('ab-one', file);

      expect((await bytesUnder(storage, 'ab-one')).equals(file.bytes)).toBe(true);
      expect(await filesIn(folder)).toEqual(['ab-one']);
      expect(logged.filter((line) => line.includes('tried again'))).toHaveLength(2);
    },
  );

  it('puts a file though the answer to the last step is lost', async () => {
    const { path, folder, storage } = await aPlace();
    const proxy = await startProxy(server.url, ({ method }, before) =>
      method === 'MOVE' && before === 0 ? { cut: 'answer' } : undefined,
    );
    const file = await spool(300_000);

    await storageOn(`${proxy.url}/${path}`).put('ab-one', file);

    expect(proxy.methods.filter((method) => method === 'MOVE')).toHaveLength(2);
    expect((await bytesUnder(storage, 'ab-one')).equals(file.bytes)).toBe(true);
    expect(await filesIn(folder)).toEqual(['ab-one']);
  });

  it('gives up after four attempts', async () => {
    const { path } = await aPlace();
    const proxy = await startProxy(server.url, ({ method }) => (method === 'PUT' ? { status: 503 } : undefined));

    await expect(storageOn(`${proxy.url}/${path}`).put('ab-one', await spool(10))).rejects.toThrow(
      FileStorageUnavailable,
    );

    expect(proxy.methods.filter((method) => method === 'PUT')).toHaveLength(4);
  });

  it.each([401, 403])('does not try again when it is answered %d', async (status) => {
    const { path } = await aPlace();
    const proxy = await startProxy(server.url, () => ({ status }));

    await expect(storageOn(`${proxy.url}/${path}`).open('ab-one')).rejects.toThrow('The file could not be read');

    expect(proxy.methods).toEqual(['GET']);
  });

  it.each(DAMAGE)('leaves nothing of a file when the network %s', async (_, change) => {
    const { path, folder } = await aPlace();
    const proxy = await startProxy(server.url, ({ method }) => (method === 'PUT' ? { change } : undefined));

    await expect(storageOn(`${proxy.url}/${path}`).put('ab-one', await spool(300_000))).rejects.toThrow(FileNotStored);

    expect(await filesIn(folder)).toEqual([]);
  });

  it('tells a server that is full from one that is broken', async () => {
    const { path, folder } = await aPlace();
    const proxy = await startProxy(server.url, ({ method }) => (method === 'PUT' ? { status: 507 } : undefined));

    await expect(storageOn(`${proxy.url}/${path}`).put('ab-one', await spool(MIB))).rejects.toThrow(FileStorageFull);

    expect(proxy.methods.filter((method) => method === 'PUT')).toHaveLength(1);
    expect(await filesIn(folder)).toEqual([]);
  });

  it('gives a part of a file though the server ignores ranges', async () => {
    const { path, storage } = await aPlace();
    const proxy = await startProxy(server.url, () => ({ without: ['range'] }));
    const file = await spool(200_000);
    await storage.put('ab-one', file);

    for (const [start, end] of [[0, 0] as const, [65_530, 131_080] as const, [199_999, 199_999] as const]) {
      const part = await bytesUnder(storageOn(`${proxy.url}/${path}`), 'ab-one', { start, end });
      expect(part.equals(file.bytes.subarray(start, end + 1))).toBe(true);
    }
  });

  it('never ends a download as if it were whole when the connection breaks', async () => {
    const { path, storage } = await aPlace();
    await storage.put('ab-one', await spool(MIB));
    const proxy = await startProxy(server.url, () => ({ cut: 'body' }));

    await expect(bytesUnder(storageOn(`${proxy.url}/${path}`), 'ab-one')).rejects.toThrow('aborted');
  });

  it('waits only so long for a server that does not answer', async () => {
    const { path } = await aPlace();
    const proxy = await startProxy(server.url, () => ({ isSilent: true }));
    const storage = storageOn(`${proxy.url}/${path}`, { timeoutMs: 200 });

    await expect(storage.open('ab-one')).rejects.toThrow(FileStorageUnavailable);
    await expect(storage.put('ab-one', await spool(300_000))).rejects.toThrow(FileStorageUnavailable);
  }, 15_000);

  it.each(CALLS)(
    'says within 15 seconds that nobody answers: %s',
    async (_, call) => {
      await expect(call(storageOn(NOBODY_THERE), aKey())).rejects.toThrow(FileStorageUnavailable);
    },
    15_000,
  );

  it.each<[string, RegExp, () => WebdavStorage]>([
    [
      'a password that is wrong',
      /^WEBDAV_USERNAME, WEBDAV_PASSWORD: .*401/,
      () => storageOn(`${server.url}forecourt`, { password: `${SECRET}!` }),
    ],
    [
      'no password',
      /^WEBDAV_USERNAME, WEBDAV_PASSWORD: .*401/,
      () => new WebdavStorage({ url: `${server.url}forecourt` }, log),
    ],
    ['a folder in one that is not there', /^WEBDAV_URL: .*409/, () => storageOn(`${server.url}not/there`)],
    ['a server that nobody is at', /^WEBDAV_URL: .*ECONNREFUSED/, () => storageOn(NOBODY_THERE)],
  ])('names the setting at the start: %s', async (_, sentence, storage) => {
    const { error, everything } = await failureOf(storage().prepare());

    expect(error.message).toMatch(sentence);
    expect(everything).toContain(error.message.split(':')[0]);
    expect(everything).not.toMatch(
      new RegExp(`${SECRET}|Basic |${Buffer.from(SECRET).toString('base64').slice(0, 16)}`),
    );
  });
});
