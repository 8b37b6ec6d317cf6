import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { startApp, type TestApp } from './support/app.js';
import { aLead, get, jsonOf, sendJson, tokenOf } from './support/leads.js';

const SORTS = ['created_at', 'updated_at', 'reached_out_at', 'first_name', 'last_name', 'email', 'status'];
const ORDERS = ['asc', 'desc'];

interface Page {
  readonly items: readonly { readonly id: string }[];
  readonly total: number;
  readonly page: number;
  readonly pages: number;
  readonly next_cursor: string | null;
}

let app: TestApp;
let client: pg.Client;
let admin: string;
beforeAll(async () => {
  app = await startApp({ ROLE: 'http' });
  admin = await tokenOf(app);
  client = new pg.Client({ connectionString: app.database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await app.close();
});

/**
 * Leads in which many are equal in whatever they are sorted by, some never reached, and times that differ by a microsecond, which
 * JavaScript's times do not tell apart.
 */
async function addLeads(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  const few = () => Math.floor(Math.random() * 4);
  const time = (): string => `2026-01-01 00:00:00.${123450 + few()}+00`;
  const rows = ids.map((id) => {
    const isReached = few() > 1;
    const names = ['Zoë', 'zoe', '佐藤', "O'Neil", 'Ö"\\', '𝒜'];
    const name = (): string => names[few() + Math.floor(Math.random() * 3)] ?? '';
    return [id, name(), name(), isReached ? 'REACHED_OUT' : 'PENDING', time(), time(), isReached ? time() : null];
  });
  await client.query(
    `INSERT INTO files (id, storage_key, original_name, media_type, size_bytes, sha256)
     SELECT id, id::text, 'cv.pdf', 'application/pdf', 1, repeat('0', 64) FROM unnest($1::uuid[]) AS id`,
    [ids],
  );
  await client.query(
    `INSERT INTO leads (id, first_name, last_name, email, resume_path, status, created_at, updated_at, reached_out_at)
     SELECT (r->>0)::uuid, r->>1, r->>2, (r->>0) || '@example.com', r->>0, (r->>3)::lead_status, (r->>4)::timestamptz,
       (r->>5)::timestamptz, (r->>6)::timestamptz FROM jsonb_array_elements($1::jsonb) AS r`,
    [JSON.stringify(rows)],
  );
  return ids;
}

async function removeLeads(ids: readonly string[]): Promise<void> {
  await client.query('DELETE FROM leads WHERE id = ANY ($1::uuid[])', [ids]);
}

const list = async (query: string): Promise<Page> => {
  const response = await get(app, `/api/v1/leads?${query}`, admin);
  const body = await jsonOf<Page>(response);
  if (response.status !== 200) throw new Error(`${query}: ${JSON.stringify(body)}`);
  return body;
};

const orderOf = (sort: string, order: string): string => `sort_by=${sort}&sort_order=${order}`;

/** All ids in the order of a list; between two pages something may happen. */
async function walk(
  query: string,
  size: number,
  between: () => Promise<void> = async () => undefined,
): Promise<string[]> {
  const ids: string[] = [];
  let page = await list(`${query}&size=${size}`);
  for (;;) {
    ids.push(...page.items.map(({ id }) => id));
    if (page.next_cursor === null) return ids;
    await between();
    page = await list(`${query}&size=${size}&cursor=${page.next_cursor}`);
  }
}

describe('GET /api/v1/leads?cursor=', () => {
  beforeAll(() => addLeads(60));

  it.each(
    SORTS.flatMap((sort) =>
      ORDERS.flatMap((order) =>
        ['', '&status=PENDING', '&status=REACHED_OUT'].map((s) => [`${orderOf(sort, order)}${s}`]),
      ),
    ),
  )('walks %s in the order of the numbered pages, each lead once', async (query) => {
    const { items, total } = await list(`${query}&size=100`);
    const expected = items.map(({ id }) => id);

    expect(expected).toHaveLength(total);
    expect(await walk(query, 7)).toEqual(expected);
    expect(await walk(query, total)).toEqual(expected);
  });

  it('goes on from a numbered page, counts on, and tells the total of the moment', async () => {
    const second = await list('page=2&size=7');
    const third = await list('page=3&size=7');

    const gone = await list(`size=7&cursor=${second.next_cursor}`);

    expect(gone).toEqual(third);
    expect(gone).toMatchObject({ page: 3, total: 60, pages: 9 });
  });

  it('has none behind the last lead, nor behind a page beyond the end', async () => {
    expect((await list('size=60')).next_cursor).toBeNull();
    expect((await list('page=9&size=7')).next_cursor).toBeNull();
    expect((await list('page=99&size=7')).next_cursor).toBeNull();
    expect((await list('page=8&size=7')).next_cursor).not.toBeNull();
  });

  it('may go on in steps of another size', async () => {
    const all = (await list('size=100')).items.map(({ id }) => id);
    const first = await list('size=5');
    const rest = await list(`size=100&cursor=${first.next_cursor}`);

    expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(all);
  });

  it('comes to an empty page when all that followed is gone', async () => {
    const ids = await addLeads(3);
    await client.query(`UPDATE leads SET last_name = '\u{10FFFF}' || id WHERE id = ANY ($1::uuid[])`, [ids]);
    const page = await list('sort_by=last_name&sort_order=asc&size=60');
    await removeLeads(ids);

    expect(await list(`sort_by=last_name&sort_order=asc&size=60&cursor=${page.next_cursor}`)).toEqual({
      items: [],
      total: 60,
      page: 2,
      size: 60,
      pages: 1,
      next_cursor: null,
    });
  });

  it.each(Array.from({ length: 24 }, (_, round) => [round]))(
    'shows each lead that is there throughout exactly once while others come and go, in any order (%i)',
    async (round) => {
      const order = orderOf(SORTS[round % SORTS.length] ?? '', ORDERS[Math.floor(Math.random() * 2)] ?? '');
      const status = round % 3 === 0 ? `&status=${round % 2 === 0 ? 'PENDING' : 'REACHED_OUT'}` : '';
      const throughout = (await list(`${order}${status}&size=100`)).items.map(({ id }) => id);
      let passing = await addLeads(12);

      const seen = await walk(`${order}${status}`, 1 + Math.floor(Math.random() * 9), async () => {
        const going = passing.splice(0, Math.floor(Math.random() * 4));
        await removeLeads(going);
        passing = [...passing, ...(await addLeads(Math.floor(Math.random() * 4)))];
        // what the cursor names may be gone as well
        if (passing.length > 20) await removeLeads(passing.splice(0));
      });
      await removeLeads(passing);

      expect(seen.filter((id) => throughout.includes(id))).toEqual(throughout);
      expect(new Set(seen).size).toBe(seen.length);
    },
  );

  it('goes on when the very lead that it stands behind is gone', async () => {
    const all = (await list('sort_by=reached_out_at&sort_order=asc&size=100')).items.map(({ id }) => id);
    const [extra = ''] = await addLeads(1);
    await client.query(`UPDATE leads SET status = 'PENDING', reached_out_at = NULL WHERE id = $1`, [extra]);
    const withExtra = (await list('sort_by=reached_out_at&sort_order=asc&size=100')).items.map(({ id }) => id);
    const at = withExtra.indexOf(extra) + 1;
    const page = await list(`sort_by=reached_out_at&sort_order=asc&size=${at}`);
    expect(page.items.at(-1)?.id).toBe(extra);
    await removeLeads([extra]);

    const rest = await list(`sort_by=reached_out_at&sort_order=asc&size=100&cursor=${page.next_cursor}`);

    expect(rest.items.map(({ id }) => id)).toEqual(all.slice(at - 1));
  });

  it('is the same for the same page, so that a page that did not change is the same body', async () => {
    expect(await list('size=7')).toEqual(await list('size=7'));
  });

  it('is good for 16 at once', async () => {
    const { next_cursor: cursor } = await list('size=7');
    const pages = await Promise.all(Array.from({ length: 16 }, () => list(`size=7&cursor=${cursor}`)));

    for (const page of pages) expect(page).toEqual(pages[0]);
  });

  const refused = async (query: string): Promise<unknown> => {
    const response = await get(app, `/api/v1/leads?${query}`, admin);
    const body = await jsonOf(response);
    expect([response.status, body['error_code']]).toEqual([422, 'VALIDATION_ERROR']);
    return body['field_errors'];
  };
  const NOT_OURS = { cursor: ['Must be the next_cursor of a page of this list, with the same order and filters'] };

  it.each([
    '',
    '%00',
    'AQ',
    '1',
    'null',
    '%E5%AE%B6',
    "'%20OR%201=1--",
    'eyJpZCI6MX0',
    'a.b',
    'A'.repeat(2001),
    randomBytes(1500).toString('base64url'),
    randomBytes(60).toString('base64url'),
  ])('refuses cursor=%s with 422 under its name', async (cursor) => {
    expect(await refused(`cursor=${cursor}`)).toEqual(NOT_OURS);
  });

  it.each(['cursor[]=a', 'cursor[a]=b', 'cursor=a&cursor=b'])('refuses ?%s', async (query) => {
    expect(await refused(query)).toBeDefined();
  });

  it('refuses one that is changed, or of another order or filter', async () => {
    const { next_cursor: cursor } = await list('size=7&sort_by=email');

    for (const query of ['sort_by=last_name', 'sort_by=email&sort_order=asc', 'sort_by=email&status=PENDING', ''])
      expect(await refused(`${query}&cursor=${cursor}`)).toEqual(NOT_OURS);
    expect(await refused(`sort_by=email&cursor=${cursor}A`)).toEqual(NOT_OURS);
  });

  it('refuses one beside a page number, be it the first', async () => {
    const { next_cursor: cursor } = await list('size=7');

    for (const query of [`cursor=${cursor}&page=2`, `page=1&cursor=${cursor}`])
      expect(await refused(query)).toEqual({ cursor: ['Cannot be combined with page'] });
  });

  it('never says whom it stands behind, nor does the log', async () => {
    await aLead(app, { first_name: 'Aaaaa', last_name: 'Geheimnis', email: 'geheimnis@example.com' });
    const { next_cursor: cursor } = await list('sort_by=first_name&sort_order=asc&size=1');
    await refused(`cursor=${cursor}`);

    expect(Buffer.from(cursor ?? '', 'base64url').toString('latin1')).not.toMatch(/Aaaaa|Geheimnis/);
    expect(JSON.stringify(app.log)).not.toMatch(new RegExp(`Aaaaa|Geheimnis|${cursor}`));
  });

  it('shows a lead that was moved where it then stands', async () => {
    const id = await aLead(app, { first_name: 'Moved' });
    const before = await walk('sort_by=updated_at&sort_order=asc&status=REACHED_OUT', 9);
    await sendJson(app, 'PATCH', `/api/v1/leads/${id}`, { status: 'REACHED_OUT' }, admin);

    expect(await walk('sort_by=updated_at&sort_order=asc&status=REACHED_OUT', 9)).toEqual([...before, id]);
  });
});
