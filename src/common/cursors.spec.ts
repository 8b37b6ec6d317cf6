import type { Config } from '../config/config.js';
import { ApplicationSecret } from './application-secret.js';
import { Cursors } from './cursors.js';
import { UnprocessableFields } from './errors.js';

const cursorsOf = (secretKey: string, previousSecretKey?: string): Cursors =>
  new Cursors(new ApplicationSecret({ auth: { secretKey, previousSecretKey } } as Config));

const ONE = 'one-0123456789-abcdefghijklmnopqrstuvwxyz';
const OTHER = 'other-0123456789-abcdefghijklmnopqrstuvwxyz';
const cursors = cursorsOf(ONE);
const SCOPE = ['leads', 'last_name', 'asc', undefined];
const PLACE = { value: 'Ünsal', id: '0d7f7c52-3f6e-4a1c-9f7e-6a1f6f1f2c11', page: 7 };

const refusal = (cursor: string, scope: readonly (string | undefined)[] = SCOPE): Promise<unknown> =>
  cursors.open(scope, cursor).then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a cursor', () => {
  it.each([
    ['a name', PLACE],
    ['no value', { ...PLACE, value: null }],
    ['an empty value', { ...PLACE, value: '' }],
    ['a value with every kind of sign', { ...PLACE, value: '"\\\u0000\u2028 𝒜 家族 null' }],
    ['the last page there can be', { ...PLACE, page: 10_000_000 }],
  ])('with %s says what it was made of', async (_, place) => {
    expect(await cursors.open(SCOPE, await cursors.seal(SCOPE, place))).toEqual(place);
  });

  it('is the same for the same place, and another for another place or list', async () => {
    const made = await Promise.all([
      cursors.seal(SCOPE, PLACE),
      cursors.seal(SCOPE, { ...PLACE }),
      cursors.seal(SCOPE, { ...PLACE, page: 8 }),
      cursors.seal(['leads', 'last_name', 'desc', undefined], PLACE),
    ]);

    expect(made[1]).toBe(made[0]);
    expect(new Set(made).size).toBe(3);
  });

  it('shows nothing of the place, and fits into an address', async () => {
    const cursor = await cursors.seal(SCOPE, PLACE);

    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(Buffer.from(cursor, 'base64url').toString('latin1')).not.toMatch(/nsal|0d7f7c52|last_name/);
  });

  it.each([
    ['order', ['leads', 'last_name', 'desc', undefined]],
    ['field', ['leads', 'first_name', 'asc', undefined]],
    ['filter', ['leads', 'last_name', 'asc', 'PENDING']],
    ['list', ['users', 'last_name', 'asc', undefined]],
    ['scope that reads alike', ['leads', 'last_name', 'asc', 'null']],
    ['scope of fewer parts', ['leads', 'last_name', 'asc']],
  ])('is refused with another %s', async (_, scope) => {
    const error = await refusal(await cursors.seal(SCOPE, PLACE), scope);

    expect(error).toBeInstanceOf(UnprocessableFields);
    expect((error as UnprocessableFields).fieldErrors).toEqual({
      cursor: ['Must be the next_cursor of a page of this list, with the same order and filters'],
    });
  });

  it('is refused with any bit of it flipped, any part cut off, and anything added', async () => {
    const bytes = Buffer.from(await cursors.seal(SCOPE, PLACE), 'base64url');
    const damaged: Buffer[] = [Buffer.concat([bytes, Buffer.of(0)])];
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const copy = Buffer.from(bytes);
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      damaged.push(copy);
    }
    for (let length = 0; length < bytes.length; length += 1) damaged.push(bytes.subarray(0, length));

    for (const each of damaged) expect(await refusal(each.toString('base64url'))).toBeInstanceOf(UnprocessableFields);
  });

  it.each(['', '.', 'AQ', '=', ' ', 'AQ==', '\u0000', '家', 'a'.repeat(5000), '{"id":1}', 'null', '../../etc/passwd'])(
    'is refused when it is %j',
    async (cursor) => {
      expect(await refusal(cursor)).toBeInstanceOf(UnprocessableFields);
    },
  );

  it('has one spelling', async () => {
    const cursor = await cursors.seal(SCOPE, PLACE);

    for (const other of [`${cursor}=`, `${cursor} `, `${cursor.slice(0, 9)} ${cursor.slice(9)}`, `${cursor}\n`])
      expect(await refusal(other)).toBeInstanceOf(UnprocessableFields);
  });

  it('is good with the previous SECRET_KEY, and with no other', async () => {
    const old = await cursorsOf(OTHER).seal(SCOPE, PLACE);

    expect(await cursorsOf(ONE, OTHER).open(SCOPE, old)).toEqual(PLACE);
    expect(await refusal(old)).toBeInstanceOf(UnprocessableFields);
  });
});

describe('a page', () => {
  const read = (end: { value: string; id: string } | null) => () =>
    Promise.resolve({ rows: ['a', 'b'], total: 9, end });

  it('has the cursor of the next one, which says the next number', async () => {
    const { value, id } = PLACE;
    const page = await cursors.page(SCOPE, { page: 3 }, read({ value, id }));

    expect(page).toEqual({ rows: ['a', 'b'], total: 9, page: 3, nextCursor: expect.any(String) });
    expect(await cursors.open(SCOPE, page.nextCursor ?? '')).toEqual({ value, id, page: 4 });
  });

  it('has none when nothing follows, and is read behind the place of its cursor', async () => {
    const reading = jest.fn<ReturnType<ReturnType<typeof read>>, unknown[]>(read(null));

    expect(await cursors.page(SCOPE, { page: 1, cursor: await cursors.seal(SCOPE, PLACE) }, reading)).toEqual({
      rows: ['a', 'b'],
      total: 9,
      page: 7,
      nextCursor: null,
    });
    expect(reading.mock.calls).toEqual([[PLACE]]);
  });
});
