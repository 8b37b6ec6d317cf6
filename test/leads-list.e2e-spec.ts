import { startApp, type TestApp } from './support/app.js';
import { aLead, anAttorney, bearer, get, jsonOf, sendJson, tokenOf } from './support/leads.js';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ISO_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

let app: TestApp;
let admin: string;
beforeAll(async () => {
  app = await startApp({ ROLE: 'http' });
  admin = await tokenOf(app);
});
afterAll(() => app.close());

describe('GET /api/v1/leads', () => {
  beforeAll(async () => {
    const people = ['Ann', 'Bob', 'Cid', 'Dan', 'Eve', 'Fay', 'Gus'];
    for (const first_name of people) {
      const id = await aLead(app, {
        first_name,
        last_name: 'Same',
        email: `${first_name.toLowerCase()}@example.com`,
      });
      if (['Bob', 'Eve', 'Gus'].includes(first_name))
        await sendJson(app, 'PATCH', `/api/v1/leads/${id}`, { status: 'REACHED_OUT' }, admin);
    }
  });

  interface Page {
    items: { id: string; first_name: string; status: string; reached_out_at: string | null }[];
    total: number;
    page: number;
    size: number;
    pages: number;
  }
  const list = async (query = ''): Promise<Page> => jsonOf<Page>(await get(app, `/api/v1/leads${query}`, admin));
  const names = async (query: string): Promise<string> =>
    (await list(query)).items.map(({ first_name }) => first_name).join(' ');

  it('answers the newest first, with the documented fields and no résumé path', async () => {
    const body = await list();

    expect(Object.keys(body).sort()).toEqual(['items', 'next_cursor', 'page', 'pages', 'size', 'total']);
    expect(body).toMatchObject({ total: 7, page: 1, size: 50, pages: 1 });
    expect(body.items[0]).toEqual({
      id: expect.stringMatching(UUID_V4),
      first_name: 'Gus',
      last_name: 'Same',
      email: 'gus@example.com',
      status: 'REACHED_OUT',
      created_at: expect.stringMatching(ISO_UTC),
      updated_at: expect.stringMatching(ISO_UTC),
      reached_out_at: expect.stringMatching(ISO_UTC),
    });
    expect(body.items.map(({ first_name }) => first_name)).toEqual(['Gus', 'Fay', 'Eve', 'Dan', 'Cid', 'Bob', 'Ann']);
  });

  it('pages', async () => {
    expect(await list('?page=2&size=3')).toMatchObject({ total: 7, page: 2, size: 3, pages: 3 });
    expect(await names('?page=3&size=3')).toBe('Ann');
  });

  it('answers a page beyond the end with no items and the right total', async () => {
    expect(await list('?page=999')).toEqual({
      items: [],
      total: 7,
      page: 999,
      size: 50,
      pages: 1,
      next_cursor: null,
    });
  });

  it('filters by status, total included', async () => {
    expect(await list('?status=REACHED_OUT&size=2')).toMatchObject({ total: 3, pages: 2 });
    expect(await names('?status=PENDING&sort_by=first_name&sort_order=asc')).toBe('Ann Cid Dan Fay');
  });

  it.each([
    ['first_name', 'asc', 'Ann Bob Cid Dan Eve Fay Gus'],
    ['email', 'desc', 'Gus Fay Eve Dan Cid Bob Ann'],
    ['created_at', 'asc', 'Ann Bob Cid Dan Eve Fay Gus'],
    ['updated_at', 'desc', 'Gus Fay Eve Dan Cid Bob Ann'],
  ])('sorts by %s %s', async (field, order, expected) => {
    expect(await names(`?sort_by=${field}&sort_order=${order}`)).toBe(expected);
  });

  it('sorts a lead that was never reached below every date', async () => {
    expect((await names('?sort_by=reached_out_at&sort_order=desc')).startsWith('Gus Eve Bob')).toBe(true);
    expect((await names('?sort_by=reached_out_at&sort_order=asc')).endsWith('Bob Eve Gus')).toBe(true);
  });

  it.each(['last_name', 'status', 'reached_out_at'])(
    'shows each lead once when walking all pages sorted by %s, where many are equal',
    async (field) => {
      const ids: string[] = [];
      for (let page = 1; page <= 4; page += 1)
        ids.push(...(await list(`?sort_by=${field}&size=2&page=${page}`)).items.map(({ id }) => id));

      expect(new Set(ids).size).toBe(7);
      expect(ids).toHaveLength(7);
    },
  );

  it.each([
    ['page=0', 'page'],
    ['page=-1', 'page'],
    ['page=abc', 'page'],
    ['page=1.5', 'page'],
    ['page=', 'page'],
    ['page=99999999999999999999', 'page'],
    ['page=1&page=2', 'page'],
    ['size=0', 'size'],
    ['size=101', 'size'],
    ['size=1e2', 'size'],
    ['status=FOO', 'status'],
    ['status=pending', 'status'],
    ['status=IN_REVIEW', 'status'],
    ['sort_by=hashed_password', 'sort_by'],
    ['sort_by=id;DROP TABLE leads', 'sort_by'],
    ['sort_by=__proto__', 'sort_by'],
    ['sort_order=up', 'sort_order'],
    ['sort_order=ASC', 'sort_order'],
    ['nonsense=1', 'nonsense'],
    ['page[a]=1', 'page[a]'],
  ])('refuses ?%s with 422 under its name', async (query, field) => {
    const response = await get(app, `/api/v1/leads?${query}`, admin);

    const body = await jsonOf<{ error_code: string; field_errors?: object }>(response);
    expect(response.status).toBe(422);
    expect(body.error_code).toBe('VALIDATION_ERROR');
    expect(Object.keys(body.field_errors ?? {})).toEqual([field]);
  });

  it('takes the largest size and shows a change at once', async () => {
    expect((await list('?size=100')).size).toBe(100);
    const { id } = (await list('?status=PENDING&sort_by=first_name&sort_order=asc')).items[0]!;

    await sendJson(app, 'PATCH', `/api/v1/leads/${id}`, { status: 'REACHED_OUT' }, admin);

    expect((await list('?status=REACHED_OUT')).total).toBe(4);
    await sendJson(app, 'PATCH', `/api/v1/leads/${id}`, { status: 'PENDING' }, admin);
    expect((await list('?status=REACHED_OUT')).total).toBe(3);
  });

  it('is the same for every attorney', async () => {
    const attorney = await anAttorney(app, admin);

    expect((await jsonOf<Page>(await get(app, '/api/v1/leads', attorney.token))).total).toBe(7);
  });

  it('answers HEAD as GET without a body', async () => {
    const response = await app.request('/api/v1/leads', { method: 'HEAD', headers: bearer(admin) });

    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});
