import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { eventually, startApp, type TestApp } from './support/app.js';
import { makePdf } from './support/documents.mjs';
import { aLead, bearer, jsonOf, login, sendJson, submit, tokenOf } from './support/leads.js';
import { metricsUrlOf, type Sample, samplesOf, valueOf } from './support/metrics.js';

const TOKEN = 'metrics-of-the-test-0123456789abcdef';

let app: TestApp;
afterEach(() => app.close());

describe('metrics', () => {
  it('are off unless they are asked for', async () => {
    app = await startApp();

    const response = await app.request('/metrics', { headers: bearer(TOKEN) });

    expect([response.status, await jsonOf(response)]).toEqual([
      404,
      expect.objectContaining({ error_code: 'ROUTE_NOT_FOUND' }),
    ]);
    expect(app.log.filter((line) => line['logger'] === 'metrics')).toEqual([]);
  });

  it('stand at /metrics for whoever brings METRICS_TOKEN, and for nobody else', async () => {
    app = await startApp({ METRICS_TOKEN: TOKEN });
    const admin = await tokenOf(app);
    const wrong = [
      {},
      bearer(admin),
      bearer(`${TOKEN}x`),
      bearer(TOKEN.slice(0, -1)),
      bearer(TOKEN.toUpperCase()),
      { Authorization: TOKEN },
      { Authorization: `Basic ${TOKEN}` },
      { Authorization: 'Bearer' },
      { Authorization: `Bearer ${'x'.repeat(8000)}` },
    ];

    const refused = await Promise.all(wrong.map((headers) => app.request('/metrics', { headers })));
    const taken = await app.request('/metrics', { headers: bearer(TOKEN) });
    const head = await app.request('/metrics', { method: 'HEAD', headers: bearer(TOKEN) });
    const posted = await app.request('/metrics', { method: 'POST', headers: bearer(TOKEN) });

    for (const answer of refused) {
      expect([answer.status, await jsonOf(answer)]).toEqual([
        401,
        {
          detail: 'Metrics need their own token',
          error_code: 'METRICS_TOKEN_INVALID',
          timestamp: expect.any(String),
          request_id: answer.headers.get('x-request-id'),
        },
      ]);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="forecourt metrics"');
    }
    expect([taken.status, taken.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    expect(taken.headers.get('cache-control')).toBe('no-store');
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(JSON.stringify(app.log)).not.toContain(TOKEN);
  });

  it('stand on METRICS_PORT and nowhere else, and nothing else stands there', async () => {
    app = await startApp({ METRICS_PORT: '0' });
    const url = await metricsUrlOf(app.log);

    expect((await fetch(url)).status).toBe(200);
    expect((await app.request('/metrics')).status).toBe(404);
    const elsewhere = await fetch(new URL('/health/live', url));
    expect([elsewhere.status, await jsonOf(elsewhere)]).toEqual([
      404,
      expect.objectContaining({ error_code: 'ROUTE_NOT_FOUND' }),
    ]);
    const posted = await fetch(url, { method: 'POST', body: 'x' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('on METRICS_PORT need METRICS_TOKEN as well where there is one', async () => {
    app = await startApp({ METRICS_PORT: '0', METRICS_TOKEN: TOKEN });
    const url = await metricsUrlOf(app.log);

    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: bearer(TOKEN) })).status).toBe(200);
    expect((await app.request('/metrics', { headers: bearer(TOKEN) })).status).toBe(404);
  });
});

describe('of a process that works', () => {
  let url: string;
  beforeEach(async () => {
    app = await startApp({ METRICS_PORT: '0' });
    url = await metricsUrlOf(app.log);
  });

  const scrape = async (): Promise<Sample[]> => {
    const response = await fetch(url);
    expect(response.status).toBe(200);
    return samplesOf(await response.text());
  };

  it('requests are timed by method, route template and class of status, whatever strangers make up', async () => {
    const token = await tokenOf(app);
    const ids = Array.from({ length: 20 }, () => randomUUID());
    for (const id of ids) await app.request(`/api/v1/leads/${id}`, { headers: bearer(token) });
    const paths = Array.from({ length: 20 }, () => `/${randomUUID()}?email=planted@example.com`);
    await Promise.all(paths.map((path) => app.request(path)));
    await app.request('/api/v1/leads', { method: 'PROPFIND' });
    await app.request('/api/v1/leads', { method: 'MKCOL' });

    const counts = await eventually('all requests are counted', async () => {
      const found = (await scrape()).filter(({ name }) => name === 'forecourt_http_request_duration_seconds_count');
      return found.reduce((sum, { value }) => sum + value, 0) >= 43 && found;
    });

    const named = counts.map(({ labels: { method, route, status }, value }) => [method, route, status, value]);
    expect(named).toContainEqual(['GET', '/api/v1/leads/:lead_id', '4xx', 20]);
    expect(named).toContainEqual(['GET', 'unmatched', '4xx', 20]);
    expect(named).toContainEqual(['other', 'unmatched', '4xx', 2]);
    expect(named).toContainEqual(['POST', '/api/v1/auth/login', '2xx', 1]);
    const page = await (await fetch(url)).text();
    for (const planted of [...ids, ...paths, 'planted', 'PROPFIND']) expect(page).not.toContain(planted);
  });

  it('a request that nobody waits for any more is counted as aborted, and none stays in flight', async () => {
    const stop = new AbortController();
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('--x\r\n'));
      },
    });
    const cut = app.request('/api/v1/leads', {
      method: 'POST',
      headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
      body,
      signal: stop.signal,
      // as undici asks for a body that is not there at once
      ...({ duplex: 'half' } as object),
    });
    cut.catch(() => undefined);
    await eventually('it is in flight', async () => valueOf(await scrape(), 'forecourt_http_requests_in_flight') === 1);

    stop.abort();

    const after = await eventually('it is over', async () => {
      const found = await scrape();
      return valueOf(found, 'forecourt_http_requests_in_flight') === 0 && found;
    });
    expect(valueOf(after, 'forecourt_http_request_duration_seconds_count', { status: 'aborted' })).toBe(1);
  });

  it('leads, files, mails, jobs and sign-ins are counted when they have happened, and not when they have not', async () => {
    const before = await scrape();
    for (const name of ['forecourt_leads_created_total', 'forecourt_lead_moves_total', 'forecourt_sign_ins_total'])
      expect([name, valueOf(before, name)]).toEqual([name, 0]);
    const token = await tokenOf(app);
    await login(app, 'admin', 'wrong');
    await login(app, 'nobody', 'wrong');
    const bytes = makePdf();
    const id = await aLead(app, { email: 'once@example.com', file: { bytes } });
    expect((await submit(app, { email: 'once@example.com', file: { bytes } })).status).toBe(409);
    const move = (status: string): Promise<Response> =>
      sendJson(app, 'PATCH', `/api/v1/leads/${id}`, { status }, token);
    for (const status of ['REACHED_OUT', 'REACHED_OUT', 'PENDING', 'REACHED_OUT']) await move(status);

    const after = await eventually('both mails are counted', async () => {
      const found = await scrape();
      return valueOf(found, 'forecourt_mail_attempts_total', { outcome: 'sent' }) === 2 && found;
    });

    const value = (name: string, labels?: Record<string, string>): number | undefined => valueOf(after, name, labels);
    expect({
      signIns: [
        value('forecourt_sign_ins_total', { method: 'password', outcome: 'succeeded' }),
        value('forecourt_sign_ins_total', { method: 'password', outcome: 'refused' }),
      ],
      created: value('forecourt_leads_created_total'),
      reached: value('forecourt_lead_moves_total', { from: 'PENDING', to: 'REACHED_OUT' }),
      reverted: value('forecourt_lead_moves_total', { from: 'REACHED_OUT', to: 'PENDING' }),
      firstContacts: value('forecourt_lead_first_contact_seconds_count'),
      uploads: value('forecourt_uploads_total', { outcome: 'stored' }),
      bytes: value('forecourt_uploaded_bytes_total'),
      mails: value('forecourt_mail_attempts_total', { outcome: 'sent' }),
      delays: value('forecourt_mail_delay_seconds_count'),
      deliveries: (value('forecourt_job_duration_seconds_count', { job: 'mail.deliver', outcome: 'done' }) ?? 0) >= 2,
      workers: value('forecourt_job_workers'),
      sources: ['jobs', 'mail', 'room', 'files', 'connections'].map((source) =>
        value('forecourt_source_up', { source }),
      ),
    }).toEqual({
      signIns: [1, 2],
      created: 1,
      reached: 2,
      reverted: 1,
      // the second time is no first contact
      firstContacts: 1,
      // the file of the refused submission was stored, and removed
      uploads: 2,
      bytes: 2 * bytes.length,
      mails: 2,
      delays: 2,
      deliveries: true,
      workers: 1,
      sources: [1, 1, 1, 1, 1],
    });
  });

  it('what waits is measured: jobs and mails by state, and the age of the oldest', async () => {
    await app.database.query(
      `SELECT graphile_worker.add_job('nobody.does_this', '{}', run_at => now() - interval '1 hour')`,
    );
    await app.database.query(
      `INSERT INTO mail_messages (id, template, recipient, about_kind, about_id, data, state, created_at, held_at, deferrals, locale)
       VALUES (gen_random_uuid(), 'prospect_confirmation', 'a@example.com', 'lead', gen_random_uuid(), '{}', 'retrying',
         now() - interval '2 hours', now(), 1, 'en')`,
    );

    const after = await eventually('it is measured', async () => {
      const found = await scrape();
      return (valueOf(found, 'forecourt_mail_waiting', { state: 'held' }) ?? 0) === 1 && found;
    });

    expect(valueOf(after, 'forecourt_mail_oldest_waiting_seconds')).toBeGreaterThanOrEqual(7200);
    expect(valueOf(after, 'forecourt_jobs', { state: 'waiting' })).toBeGreaterThanOrEqual(1);
    expect(valueOf(after, 'forecourt_job_oldest_waiting_seconds')).toBeGreaterThanOrEqual(3600);
    expect(valueOf(after, 'forecourt_jobs', { state: 'buried' })).toBe(0);
  });

  it('the scrape answers while PostgreSQL is away, without what only it knows, and again with it', async () => {
    await aLead(app);
    const name = new URL(app.database.url).pathname.slice(1);
    const server = new pg.Client({ connectionString: process.env['TEST_DATABASE_URL'] });
    await server.connect();
    try {
      await server.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
      await server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, [name]);
      const away = await eventually('it is told to be away', async () => {
        const found = await scrape();
        return valueOf(found, 'forecourt_source_up', { source: 'jobs' }) === 0 && found;
      });
      const many = await Promise.all(Array.from({ length: 16 }, scrape));

      for (const samples of [away, ...many]) {
        expect(valueOf(samples, 'forecourt_leads_created_total')).toBe(1);
        expect(valueOf(samples, 'process_resident_memory_bytes')).toBeGreaterThan(0);
        expect(valueOf(samples, 'forecourt_storage_free_bytes')).toBeGreaterThan(0);
        for (const gauge of ['forecourt_jobs', 'forecourt_job_oldest_waiting_seconds', 'forecourt_job_workers'])
          expect([gauge, valueOf(samples, gauge)]).toEqual([gauge, undefined]);
      }
    } finally {
      await server.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      await server.end();
    }
    await eventually('it is back', async () => {
      const found = await scrape();
      return (
        valueOf(found, 'forecourt_source_up', { source: 'jobs' }) === 1 &&
        valueOf(found, 'forecourt_jobs') !== undefined
      );
    });
  });

  it('what goes to disk and network is counted, as Linux tells it', async () => {
    const found = await scrape();

    for (const direction of ['read', 'write'])
      expect(valueOf(found, 'forecourt_disk_bytes_total', { direction })).toBeGreaterThanOrEqual(0);
    for (const direction of ['received', 'sent'])
      expect(valueOf(found, 'forecourt_network_bytes_total', { direction })).toBeGreaterThanOrEqual(0);
  });

  it('waiting for a connection of the pool is measured', async () => {
    await app.request('/health/ready');

    const found = await scrape();

    expect(valueOf(found, 'forecourt_database_connection_wait_seconds_count')).toBeGreaterThan(0);
    expect(valueOf(found, 'forecourt_database_connections_max')).toBe(32);
    expect(valueOf(found, 'forecourt_database_connections')).toBeGreaterThan(0);
    expect(valueOf(found, 'forecourt_database_connection_waiters')).toBe(0);
  });
});
