import dns from 'node:dns';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startApp } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { anEmail, jsonOf, submit } from './support/leads.js';
import { attemptsAt, closeApps, isPaused, messageTo, reaches, startMailingApp } from './support/mail.js';
import { startS3 } from './support/s3rver.js';
import { startSmtp } from './support/smtp.js';

/** Every name leads to this machine, or nobody knows any: what a broken resolver says. */
let isBroken = false;

type Found = (error: NodeJS.ErrnoException | null, ...found: unknown[]) => void;
const unknown = (host: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`getaddrinfo EAI_AGAIN ${host}`), { code: 'EAI_AGAIN', syscall: 'getaddrinfo' });

function lookup(host: string, ...rest: [Found] | [dns.LookupOptions | number, Found]): void {
  const found = rest.at(-1) as Found;
  const wantsAll = typeof rest[0] === 'object' && rest[0].all === true;
  const [address, family] = [isIP(host) === 0 ? '127.0.0.1' : host, isIP(host) || 4];
  process.nextTick(() => {
    if (isBroken && isIP(host) === 0) found(unknown(host));
    else if (wantsAll) found(null, [{ address, family }]);
    else found(null, address, family);
  });
}

const real = {
  lookup: dns.lookup,
  resolve4: dns.Resolver.prototype.resolve4,
  resolve6: dns.Resolver.prototype.resolve6,
};
const refusing = (host: string, found: Found): void => {
  process.nextTick(found, Object.assign(new Error(`queryA ENOTFOUND ${host}`), { code: dns.NOTFOUND }));
};
beforeAll(() => {
  Object.assign(dns, { lookup });
  Object.assign(dns.Resolver.prototype, { resolve4: refusing, resolve6: refusing });
});
afterAll(async () => {
  await cleanUp('the whole file');
  Object.assign(dns, { lookup: real.lookup });
  Object.assign(dns.Resolver.prototype, { resolve4: real.resolve4, resolve6: real.resolve6 });
});
beforeEach(() => {
  isBroken = false;
});
afterEach(async () => {
  await closeApps();
  await cleanUp();
});

describe('without DNS', () => {
  it('a lead is taken, its mails wait without using up their attempts, and go out once names are known again', async () => {
    const sink = await startSmtp();
    const app = await startMailingApp({ ...sink.settings, SMTP_HOST: 'mail.practice.test', MAIL_RETRY_SECONDS: '1' });
    isBroken = true;
    const email = anEmail();

    expect((await submit(app, { email })).status).toBe(201);
    await eventually('the queue pauses', () => isPaused(app));
    expect((await messageTo(app, email))?.state).not.toBe('failed');
    isBroken = false;

    await reaches(app, email, 'sent');
    const attempts = await attemptsAt(app, email);
    expect(attempts.filter(({ outcome }) => outcome === 'sent')).toHaveLength(1);
    expect(sink.to(email)).toHaveLength(1);
  });

  it('a résumé that belongs into S3 is refused with 503, nothing of it is kept, and the next one is taken', async () => {
    const store = await startS3('dns');
    const app = await startApp({
      ...store.settings,
      STORAGE_DRIVER: 's3',
      S3_ENDPOINT: store.url.replace('127.0.0.1', 'localhost'),
      S3_BUCKET: 'dns',
    });
    atEnd(() => app.close());
    expect((await submit(app)).status).toBe(201);
    isBroken = true;
    const email = anEmail();
    // the store closes a connection after five seconds without a request; as long as there is one, nobody asks for a name
    await sleep(6000);

    const refused = await submit(app, { email });

    expect([refused.status, (await jsonOf(refused))['error_code']]).toEqual([503, 'FILE_STORAGE_UNAVAILABLE']);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await app.database.query('SELECT FROM leads WHERE email = $1', [email])).toEqual([]);
    expect((await app.request('/health/live')).status).toBe(200);
    isBroken = false;
    expect((await submit(app, { email })).status).toBe(201);
  });
});
