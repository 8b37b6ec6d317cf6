import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './support/app.js';
import { atEnd, cleanUp } from './support/clean-up.js';
import { type CollectedSpan, type Collector, startCollector } from './support/collector.js';
import { makeDatabase } from './support/database.js';
import { makePdf } from './support/documents.mjs';
import { anEmail, bearer, formOf, tokenOf } from './support/leads.js';
import { closeApps, expectNothingLeftToDo, reaches, startMailingApp } from './support/mail.js';
import { makeFolder, Program, someSettings, startProgram } from './support/program.js';
import { startSmtp } from './support/smtp.js';

afterEach(async () => {
  await closeApps();
  await cleanUp();
});

const named = (spans: readonly CollectedSpan[], name: string): CollectedSpan[] =>
  spans.filter((span) => span.name === name);

/** Whether a span is somewhere below another. */
function isBelow(spans: readonly CollectedSpan[], span: CollectedSpan, above: CollectedSpan): boolean {
  const parent = spans.find(({ spanId }) => spanId === span.parentId);
  return parent !== undefined && (parent === above || isBelow(spans, parent, above));
}

/** Everything that was told, once the process has ended and told the rest. */
async function toldBy(collector: Collector): Promise<CollectedSpan[]> {
  await closeApps();
  return collector.spans;
}

describe('a trace', () => {
  it('leads from a submission through the database and the storage to its jobs and the delivery of both mails', async () => {
    const [collector, sink] = [await startCollector(), await startSmtp()];
    const app = await startMailingApp({
      ...sink.settings,
      ...collector.settings,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-token=a%20b',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    });
    const email = anEmail();
    const traceId = randomUUID().replaceAll('-', '');
    const response = await app.request('/api/v1/leads', {
      method: 'POST',
      headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
      body: formOf({ email, file: { bytes: makePdf() } }),
    });
    await reaches(app, email, 'sent');
    await expectNothingLeftToDo(app);
    const requestId = response.headers.get('x-request-id');
    const lines = app.log.filter((line) => line['request_id'] === requestId);

    const spans = (await toldBy(collector)).filter((span) => span.traceId === traceId);

    const [request] = named(spans, 'POST /api/v1/leads');
    expect(request).toMatchObject({
      parentId: '00f067aa0ba902b7',
      isFailed: false,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/api/v1/leads',
        'http.response.status_code': 201,
        'forecourt.request_id': requestId,
      },
      resource: {
        'service.name': 'forecourt',
        'service.version': expect.stringMatching(/^\d+\.\d+\.\d+/),
        'deployment.environment.name': 'test',
      },
    });
    const [put] = named(spans, 'storage put');
    expect(put).toMatchObject({ parentId: request?.spanId, attributes: { 'forecourt.storage': 'disk' } });
    const inserts = named(spans, 'INSERT').filter((span) => isBelow(spans, span, request!));
    expect(inserts.map((span) => span.attributes['db.query.text'])).toContainEqual(
      expect.stringMatching(/^INSERT INTO leads .* VALUES \(\$1, /),
    );
    expect(named(spans, 'COMMIT').filter((span) => isBelow(spans, span, request!))).toHaveLength(1);
    const jobs = named(spans, 'job mail.deliver').filter((span) => isBelow(spans, span, request!));
    expect(jobs).toHaveLength(2);
    const sent = named(spans, 'SMTP send');
    expect(sent.map((span) => span.parentId).sort()).toEqual(jobs.map((span) => span.spanId).sort());
    expect(sent[0]?.attributes).toMatchObject({ 'server.address': expect.any(String), 'server.port': sink.port });
    expect(collector.headers[0]).toMatchObject({
      url: '/v1/traces',
      'content-type': 'application/x-protobuf',
      'x-token': 'a b',
    });
    // the lines of the log name it as well
    expect(lines.find((line) => line['logger'] === 'http')).toMatchObject({ trace_id: traceId });
    expect(lines.filter((line) => line['message'] === 'mail sent')).toEqual([
      expect.objectContaining({ trace_id: traceId }),
      expect.objectContaining({ trace_id: traceId }),
    ]);
  });

  it('names nobody: no address, no value of a statement, no query, no word of an error, no name of a file', async () => {
    const planted = {
      first: `Zebedee${randomUUID().slice(0, 8)}`,
      last: `Quagmire${randomUUID().slice(0, 8)}`,
      mailbox: `zeb-${randomUUID().slice(0, 8)}`,
      file: `cv-of-${randomUUID().slice(0, 8)}`,
      secret: `secret-${randomUUID()}`,
    };
    const { first, last, mailbox, file, secret } = planted;
    const email = `${mailbox}@planted.example.com`;
    const collector = await startCollector();
    const sink = await startSmtp({
      recipient: (address) => (address === email ? { code: 550, text: `<${email}> ${first} has moved` } : undefined),
    });
    const app = await startMailingApp({ ...sink.settings, ...collector.settings });
    const admin = await tokenOf(app);
    const post = (to: string): Promise<Response> =>
      app.request('/api/v1/leads', {
        method: 'POST',
        headers: { baggage: `user=${secret}`, tracestate: `a=${secret.slice(0, 20)}`, traceparent: secret },
        body: formOf({
          first_name: first,
          last_name: last,
          email: to,
          file: { bytes: makePdf(), name: `${file}.pdf` },
        }),
      });
    const { id } = (await (await post(email)).json()) as { id: string };
    await app.request(`/api/v1/leads/${id}?email=${email}&token=${secret}`, { headers: bearer(admin) });
    await app.request(`/${secret}/${email}?token=${secret}`);
    await app.request(`/api/v1/leads/${id}/resume`, { headers: bearer(admin) });
    await app.database.query(`ALTER TABLE leads ADD CONSTRAINT ck_planted CHECK (first_name <> '${first}') NOT VALID`);
    expect((await post(`2${email}`)).status).toBe(500);
    await reaches(app, email, 'failed');

    const spans = await toldBy(collector);

    const told = collector.bytes();
    expect(spans.length).toBeGreaterThan(50);
    for (const one of [...Object.values(planted), email, admin, id]) expect(told).not.toContain(one);
    expect(named(spans, 'GET /api/v1/leads/:lead_id').concat(named(spans, 'GET unmatched')).length).toBeGreaterThan(0);
    const [failed] = spans.filter((span) => span.attributes['http.response.status_code'] === 500);
    expect(failed).toMatchObject({ isFailed: true, attributes: { 'error.type': '500' } });
    expect(spans.filter((span) => span.attributes['error.type'] === '23514')).not.toEqual([]);
    expect(spans.filter((span) => span.name === 'SMTP send' && span.isFailed)).not.toEqual([]);
  });

  it('is not told of where none are kept, whatever a stranger asks for', async () => {
    const collector = await startCollector();
    const app = await startMailingApp({ ...collector.settings, ROLE: 'http', OTEL_TRACES_SAMPLER: 'always_off' });

    await app.request('/health', { headers: { traceparent: `00-${'1'.repeat(32)}-00f067aa0ba902b7-01` } });

    expect(await toldBy(collector)).toEqual([]);
  });
});

/** The scripts that the program has loaded by the end of a start that finds no database, as V8 notes them. */
async function loadedBy(settings: Record<string, string>): Promise<string[]> {
  const folder = await makeFolder();
  const nowhere = 'postgresql://nobody:x@127.0.0.1:9/none';
  const program = new Program(await someSettings({ DATABASE_URL: nowhere, NODE_V8_COVERAGE: folder, ...settings }));
  expect(await program.ended).toBe(1);
  const scriptsIn = async (file: string): Promise<string[]> => {
    const { result } = JSON.parse(await readFile(join(folder, file), 'utf8')) as { result: { url: string }[] };
    return result.map(({ url }) => url);
  };
  return (await Promise.all((await readdir(folder)).map(scriptsIn))).flat();
}

describe('without an address of a collector', () => {
  it('nothing of OpenTelemetry is even loaded, save its API, which comes with prom-client; nor of Sentry without SENTRY_DSN', async () => {
    const ofTracing = (scripts: string[]): string[] =>
      scripts.filter((url) =>
        /\/node_modules\/@opentelemetry\/(?!api\/)|otlp-tracing|\/node_modules\/@sentry\//.test(url),
      );
    const off = await loadedBy({});
    const on = await loadedBy({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });

    expect(off.filter((url) => url.includes('/node_modules/graphile-worker/'))).not.toEqual([]);
    expect(ofTracing(off)).toEqual([]);
    expect(ofTracing(on)).not.toEqual([]);
  });
});

describe('a collector that', () => {
  it('hangs harms nobody, is told of once a minute, and does not keep the process from ending', async () => {
    const collector = await startCollector({ isHanging: true });
    const database = await makeDatabase();
    atEnd(() => database.drop());
    const settings = { DATABASE_URL: database.url, ...collector.settings, OTEL_EXPORTER_OTLP_TIMEOUT: '500' };
    const program = await startProgram(await someSettings(settings));

    for (let round = 0; round < 4; round++) {
      const answers = await Promise.all([1, 2, 3, 4].map(() => program.submit(anEmail())));
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    }
    await eventually('it was asked', async () => collector.headers.length > 0);
    await program.says(/the collector did not take spans/);

    expect(await program.stop()).toBe(0);
  });

  it('is away harms nobody either', async () => {
    const app = await startMailingApp({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    const email = anEmail();

    const body = formOf({ email, file: { bytes: makePdf() } });
    expect((await app.request('/api/v1/leads', { method: 'POST', body })).status).toBe(201);

    await reaches(app, email, 'sent');
    await eventually('it is told of', async () =>
      app.log.some((line) => line['message'] === 'the collector did not take spans, which are dropped'),
    );
    expect(app.log.filter((line) => line['logger'] === 'tracing')).toHaveLength(1);
  });
});
