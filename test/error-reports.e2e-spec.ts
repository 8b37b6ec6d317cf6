import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { PROJECT_ROOT } from '../src/config/project-root.js';
import { eventually, startApp } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { formOf, submit } from './support/leads.js';
import { Program, someSettings } from './support/program.js';

afterEach(() => cleanUp());

interface Told {
  readonly exception: { readonly values: readonly { type: string; value: string; stacktrace: { frames: object[] } }[] };
  readonly tags: Readonly<Record<string, string>>;
  readonly level: string;
  readonly release: string;
  readonly environment: string;
}

interface Tracker {
  readonly settings: { readonly SENTRY_DSN: string };
  readonly told: Told[];
  /** Everything that came, headers included. */
  readonly text: () => string;
  readonly requests: number;
}

/** Takes what is told, as Sentry's envelopes: a line of the envelope, and of each item its head and its body. */
async function startTracker({ isHanging = false } = {}): Promise<Tracker> {
  const told: Told[] = [];
  const bodies: string[] = [];
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    if (isHanging) return;
    void text(request).then((body) => {
      bodies.push(JSON.stringify(request.headers), String(request.url), body);
      const [, head = '{}', event = '{}'] = body.split('\n');
      if ((JSON.parse(head) as { type?: string }).type === 'event') told.push(JSON.parse(event) as Told);
      response.end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    settings: { SENTRY_DSN: `http://0123abcd@127.0.0.1:${port}/7` },
    told,
    text: () => bodies.join('\n'),
    get requests() {
      return requests;
    },
  };
}

/** Makes every lead fail in the database, in words that hold what somebody sent. */
const BROKEN = `
  CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE EXCEPTION 'cannot keep "%" of % (phone +49 30 1234567)', NEW.first_name, NEW.email USING ERRCODE = 'XX000'; END $$`;
const TRIGGER = `CREATE TRIGGER break BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION break()`;

describe('an error that nobody foresaw', () => {
  it('is told to the tracker: where and of what kind, with the id of the request, and nothing that was sent', async () => {
    const tracker = await startTracker();
    const app = await startApp(tracker.settings);
    atEnd(() => app.close());
    await app.database.query(BROKEN);
    await app.database.query(TRIGGER);

    const response = await app.request('/api/v1/leads?secret=hush', {
      method: 'POST',
      headers: { Authorization: 'Bearer hush', Cookie: 'a=hush' },
      body: formOf({ first_name: 'Ottilie', email: 'ottilie@planted.example' }),
    });
    expect(response.status).toBe(500);
    const [event] = await eventually('the tracker was told', async () => tracker.told.length > 0 && tracker.told);

    expect(event).toMatchObject({
      level: 'error',
      release: expect.stringMatching(/^forecourt@\d+\.\d+\.\d+$/),
      environment: 'development',
      tags: { request_id: response.headers.get('x-request-id'), error_code: 'INTERNAL_ERROR', logger: 'errors' },
    });
    const error = event?.exception.values.at(-1);
    expect(error).toMatchObject({ value: expect.stringMatching(/^cannot keep "…" of /) });
    expect(error?.stacktrace.frames.length).toBeGreaterThan(2);
    expect(tracker.text()).not.toContain(PROJECT_ROOT);
    expect(tracker.text()).not.toMatch(
      /Ottilie|ottilie|hush|1234567|resume\.|127\.0\.0\.1:\d+\/api|"server_name":"[^"]/,
    );
  });

  it('is told so often in a minute, and not more', async () => {
    const tracker = await startTracker();
    const app = await startApp({ ...tracker.settings, RATE_LIMIT_ENABLED: 'false' });
    atEnd(() => app.close());
    await app.database.query(BROKEN);
    await app.database.query(TRIGGER);

    for (let round = 0; round < 8; round += 1) await Promise.all(Array.from({ length: 10 }, () => submit(app)));

    await eventually('the tracker was told', async () => tracker.told.length >= 30);
    // a minute may have begun anew in between
    expect(tracker.told.length).toBeLessThanOrEqual(60);
  });
});

describe('a tracker that', () => {
  it('hangs harms nobody', async () => {
    const tracker = await startTracker({ isHanging: true });
    const app = await startApp(tracker.settings);
    atEnd(() => app.close());
    await app.database.query(BROKEN);
    await app.database.query(TRIGGER);

    expect((await submit(app)).status).toBe(500);
    await eventually('it was asked', async () => tracker.requests > 0);
    await app.database.query('DROP TRIGGER break ON leads');
    expect((await submit(app)).status).toBe(201);
  });

  it('listens hears why a start failed, before the process ends', async () => {
    const tracker = await startTracker();
    const nowhere = 'postgresql://planted:hush@127.0.0.1:9/none';
    const program = new Program(await someSettings({ DATABASE_URL: nowhere, ...tracker.settings }));

    expect(await program.ended).toBe(1);

    expect(tracker.told.at(-1)?.level).toBe('fatal');
    expect(tracker.text()).not.toMatch(/hush|planted/);
  });
});
