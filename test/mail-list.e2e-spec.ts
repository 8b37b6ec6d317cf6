import { randomUUID } from 'node:crypto';
import { startApp, type TestApp } from './support/app.js';
import { get, jsonOf, tokenOf } from './support/leads.js';

const MESSAGES = '/api/v1/admin/mail/messages';
/** Serves requests and delivers nothing, so that what the test writes stays as it is. */
const ONLY_HTTP = { ROLE: 'http' };

interface Page {
  readonly items: readonly { readonly id: string; readonly recipient: string }[];
  readonly total: number;
}

async function list(app: TestApp, query: string, token: string): Promise<Page> {
  const response = await get(app, `${MESSAGES}${query}`, token);
  expect([query, response.status]).toEqual([query, 200]);
  return jsonOf<Page>(response);
}

describe('GET /api/v1/admin/mail/messages', () => {
  const LEAD = randomUUID();
  const ROWS = [
    ['sent', 'Ada@example.com', 'prospect_confirmation', 'lead', LEAD, '2026-01-01T10:00:00Z'],
    ['failed', 'desk@practice.test', 'attorney_notification', 'lead', LEAD, '2026-01-02T10:00:00Z'],
    ['queued', 'grace@example.com', 'prospect_confirmation', 'lead', randomUUID(), '2026-01-03T10:00:00Z'],
    ['suppressed', 'ops@practice.test', 'alert', 'alert', randomUUID(), '2026-01-04T10:00:00Z'],
    ['cancelled', 'ada@example.com', 'prospect_confirmation', 'lead', randomUUID(), '2026-01-05T10:00:00Z'],
  ];
  let app: TestApp;
  let token: string;
  beforeAll(async () => {
    app = await startApp(ONLY_HTTP);
    token = await tokenOf(app);
    await app.database.query(
      `INSERT INTO mail_messages (id, template, recipient, data, about_kind, about_id, state, created_at, sent_at, failed_at, cancelled_at, last_error)
       SELECT gen_random_uuid(), row->>2, row->>1, '{}', row->>3, (row->>4)::uuid, (row->>0)::mail_state, (row->>5)::timestamptz,
         CASE row->>0 WHEN 'sent' THEN '2026-01-01T10:00:05Z'::timestamptz END,
         CASE row->>0 WHEN 'failed' THEN '2026-01-02T10:00:05Z'::timestamptz END,
         CASE row->>0 WHEN 'cancelled' THEN '2026-01-05T10:00:05Z'::timestamptz END,
         CASE row->>0 WHEN 'failed' THEN '550 5.7.1 no' END
       FROM json_array_elements($1::json) AS row`,
      [JSON.stringify(ROWS)],
    );
  });
  afterAll(() => app.close());

  it('shows all messages, newest first, a page at a time', async () => {
    const first = await jsonOf(await get(app, `${MESSAGES}?size=2`, token));
    const last = await jsonOf<Page>(await get(app, `${MESSAGES}?size=2&page=3`, token));
    const beyond = await list(app, '?page=9', token);

    const item = {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      locale: 'en',
      about_id: expect.any(String),
      attempts: 0,
      deferrals: 0,
      last_error: null,
      sent_at: null,
      failed_at: null,
      cancelled_at: null,
      next_attempt_at: null,
      held_at: null,
      requeued_at: null,
      resend_of: null,
      request_id: null,
    };
    expect(first).toEqual({
      items: [
        {
          ...item,
          template: 'prospect_confirmation',
          recipient: 'ada@example.com',
          about_kind: 'lead',
          state: 'cancelled',
          created_at: '2026-01-05T10:00:00.000Z',
          cancelled_at: '2026-01-05T10:00:05.000Z',
        },
        {
          ...item,
          template: 'alert',
          recipient: 'ops@practice.test',
          about_kind: 'alert',
          state: 'suppressed',
          created_at: '2026-01-04T10:00:00.000Z',
        },
      ],
      total: 5,
      page: 1,
      size: 2,
      pages: 3,
    });
    expect(last.items).toEqual([
      expect.objectContaining({ recipient: 'Ada@example.com', state: 'sent', sent_at: '2026-01-01T10:00:05.000Z' }),
    ]);
    expect(beyond).toMatchObject({ items: [], total: 5 });
  });

  it.each([
    ['state=failed', [1]],
    ['recipient=ADA@example.COM', [4, 0]],
    ['recipient=ada', []],
    ['recipient=%25', []],
    ["recipient=' OR 1=1--", []],
    ['template=prospect_confirmation', [4, 2, 0]],
    [`about_kind=lead&about_id=${LEAD.toUpperCase()}`, [1, 0]],
    ['about_kind=alert', [3]],
    ['created_from=2026-01-02T10:00:00Z&created_to=2026-01-04T10:00:00Z', [2, 1]],
    ['created_from=2026-01-05T11:00:00%2B01:00', [4]],
    ['recipient=ada@example.com&state=sent&template=prospect_confirmation&created_to=2027-01-01T00:00Z', [0]],
    ['recipient=ada@example.com&state=queued', []],
  ])('finds by %s what matches and nothing else', async (query, found) => {
    const { items, total } = await list(app, `?${query}`, token);

    expect(items.map(({ recipient }) => recipient)).toEqual(found.map((index) => ROWS[index]?.[1]));
    expect(total).toBe(found.length);
  });

  it.each([
    ['state', 'nothing'],
    ['state', 'sent&state=failed'],
    ['template', '../alert'],
    ['recipient', ''],
    ['recipient', 'a%00b'],
    ['recipient', 'a'.repeat(256)],
    ['about_kind', 'a'.repeat(51)],
    ['about_kind', undefined, `about_id=${LEAD}`],
    ['about_id', `${LEAD}0&about_kind=lead`],
    ['created_from', 'yesterday'],
    ['created_from', '2026-01-02'],
    ['created_from', '2026-13-02T10:00:00Z'],
    ['created_to', '2026-01-02T10:00:00'],
    ['created_to', '0000-01-01T00:00:00Z'],
    ['size', '101'],
    ['page', '0'],
    ['sort', 'id'],
  ])('refuses the filter %s=%s', async (field, value, query = `${field}=${value ?? ''}`) => {
    const response = await get(app, `${MESSAGES}?${query}`, token);

    expect(response.status).toBe(422);
    expect(await jsonOf(response)).toMatchObject({
      error_code: 'VALIDATION_ERROR',
      field_errors: { [field]: [expect.any(String)] },
    });
  });
});
