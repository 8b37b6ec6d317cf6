import { PrivacyService } from '../src/privacy/privacy.service.js';
import { SECRET_KEY, startApp, type TestApp } from './support/app.js';
import { anEmail, bearer, formOf, get, jsonOf, sendJson, type Submission, tokenOf } from './support/leads.js';

let app: TestApp;
let superadmin: string;

// one application for all tests: starting it takes most of the time
beforeAll(async () => {
  app = await startApp({
    ROLE: 'http',
    TRUST_PROXY: 'loopback',
    CONSENT_REQUIRED: 'true',
    CONSENT_TEXT_VERSION: '2026-11',
    CONSENT_TEXT_URL: 'https://practice.test/terms',
  });
  superadmin = await tokenOf(app);
}, 60_000);
afterAll(() => app.close());
beforeEach(async () => {
  await app.database.query('DELETE FROM leads');
});

const AGREED = { consent: 'on', consent_version: '2026-11' };

function send(extra: Record<string, string>, more: Submission = {}, ip = '203.0.113.7'): Promise<Response> {
  const headers = { 'X-Forwarded-For': ip, 'Accept-Language': 'de-AT' };
  return app.request('/api/v1/leads', { method: 'POST', headers, body: formOf({ ...more, extra }) });
}
const rows = (): Promise<Record<string, unknown>[]> =>
  app.database.query('SELECT lead_id, text_version, locale, ip FROM lead_consents');
const isAnythingKept = async (): Promise<boolean> =>
  (await app.database.query('SELECT id FROM leads')).length + (await rows()).length > 0;

describe('consent that is given', () => {
  it('is recorded with the lead: text, language, time and where from, as the proxy that is trusted says', async () => {
    const before = Date.now();

    const answer = await send(AGREED);

    expect(answer.status).toBe(201);
    const { id, created_at: createdAt } = await jsonOf<{ id: string; created_at: string }>(answer);
    expect(await rows()).toEqual([{ lead_id: id, text_version: '2026-11', locale: 'de-AT', ip: '203.0.113.7' }]);
    const { consent } = await jsonOf<{ consent: object }>(await get(app, `/api/v1/leads/${id}`, superadmin));
    expect(consent).toEqual({ text_version: '2026-11', locale: 'de-AT', given_at: createdAt, ip: '203.0.113.7' });
    expect(new Date(createdAt).getTime()).toBeGreaterThanOrEqual(before);
  });

  it.each(['on', 'true', 'TRUE', '1', ' yes '])('may be said as %j, and the version left out', async (consent) => {
    expect((await send({ consent })).status).toBe(201);
    expect((await send({ consent, consent_version: ' ' })).status).toBe(201);

    expect(await rows()).toMatchObject([{ text_version: '2026-11' }, { text_version: '2026-11' }]);
  });

  it('is in what a person takes away, and gone when they are forgotten, or the lead is deleted', async () => {
    const [one, other] = [anEmail(), anEmail()];
    await send(AGREED, { email: one });
    const { id } = await jsonOf<{ id: string }>(await send(AGREED, { email: other }));

    const { records } = await app.app.get(PrivacyService).find({ kind: 'system', name: 'test' }, one);
    expect(records['leads']?.find(({ kind }) => kind === 'lead_consent')?.data).toMatchObject({
      text_version: '2026-11',
      locale: 'de-AT',
      given_at: expect.any(Date),
      ip: '203.0.113.7',
    });
    expect(await rows()).toHaveLength(2);
    const body = { email: one, reason: 'consent_withdrawn' };
    expect((await sendJson(app, 'POST', '/api/v1/admin/privacy/erasures', body, superadmin)).status).toBe(200);
    expect(await rows()).toMatchObject([{ lead_id: id }]);
    await app.request(`/api/v1/leads/${id}`, { method: 'DELETE', headers: bearer(superadmin) });
    expect(await rows()).toEqual([]);
  });

  it('of sixteen equal submissions at once is recorded once, with the one lead', async () => {
    const email = anEmail();

    const answers = await Promise.all(Array.from({ length: 16 }, () => send(AGREED, { email })));

    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(15).fill(409)]);
    const [lead] = await app.database.query<{ id: string }>('SELECT id FROM leads');
    expect(await rows()).toMatchObject([{ lead_id: lead!.id }]);
  });

  it('that cannot be recorded leaves no lead and no file', async () => {
    const files = await app.storedFiles();
    await app.database.query(`ALTER TABLE lead_consents ADD CONSTRAINT planted CHECK (ip = '')`);

    const answer = await send(AGREED);
    await app.database.query('ALTER TABLE lead_consents DROP CONSTRAINT planted');

    expect(answer.status).toBe(500);
    expect([await isAnythingKept(), await app.storedFiles()]).toEqual([false, files]);
  });
});

describe('a form without consent', () => {
  it.each<Record<string, string>>([
    {},
    { consent: '' },
    { consent: 'off' },
    { consent: 'false' },
    { consent: '0' },
    { consent_version: '2026-11' },
  ])('is refused, and leaves nothing: %j', async (extra) => {
    const files = await app.storedFiles();

    const answer = await send(extra);

    expect([answer.status, await answer.json()]).toEqual([
      422,
      {
        detail: 'The form needs consent',
        error_code: 'CONSENT_REQUIRED',
        timestamp: expect.any(String),
        request_id: expect.any(String),
        field_errors: { consent: ['Must be given'] },
      },
    ]);
    expect([await isAnythingKept(), await app.storedFiles()]).toEqual([false, files]);
  });

  it.each(['2025-01', '2026-1', '2026-11\u200b', 'null', "' OR 1=1 --"])(
    'and one with the text %j, which is not the present one',
    async (version) => {
      const answer = await send({ consent: 'on', consent_version: version });

      expect([answer.status, await answer.json()]).toEqual([
        422,
        expect.objectContaining({
          detail: 'The text to agree to is 2026-11 by now, at https://practice.test/terms',
          error_code: 'CONSENT_OUTDATED',
          field_errors: { consent_version: ['Must be 2026-11'] },
        }),
      ]);
      expect(await isAnythingKept()).toBe(false);
    },
  );

  it.each([
    [{ consent: 'maybe' }, 'consent'],
    [{ consent: '<script>' }, 'consent'],
    [{ consent: 'on\u0000' }, 'consent'],
    [{ consent: 'on', consent_version: 'v'.repeat(51) }, 'consent_version'],
    [{ consent: 'on', consent_version: 'a\u0007b' }, 'consent_version'],
  ])('and one with %j is invalid, as every other field is', async (extra: Record<string, string>, field) => {
    const answer = await send(extra);

    expect(answer.status).toBe(400);
    expect(Object.keys((await jsonOf<{ field_errors: object }>(answer)).field_errors)).toEqual([field]);
    expect(await isAnythingKept()).toBe(false);
  });

  it('is told of its invalid fields first, and of a known address last', async () => {
    const email = anEmail();
    expect((await send(AGREED, { email })).status).toBe(201);

    expect((await send({}, { email: 'nonsense' })).status).toBe(400);
    expect((await send({}, { email })).status).toBe(422);
    expect((await send(AGREED, { email })).status).toBe(409);
  });

  it('says nothing of the sender to the log', async () => {
    const email = anEmail();
    await send({ consent: 'on', consent_version: SECRET_KEY }, { email });

    expect(JSON.stringify(app.log)).not.toMatch(new RegExp(`${email}|${SECRET_KEY}`));
  });
});
