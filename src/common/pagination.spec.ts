import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { CursorPageQuery, PageQuery, toCursorPage, toPage } from './pagination.js';

function read(query: object): { page: unknown; size: unknown; wrong: Record<string, string> } {
  const asked = plainToInstance(PageQuery, query);
  const wrong = validateSync(asked).map(({ property, constraints = {} }) => [property, Object.values(constraints)[0]]);
  return { page: asked.page, size: asked.size, wrong: Object.fromEntries(wrong) as Record<string, string> };
}

describe('PageQuery', () => {
  it('is the first page of fifty unless said otherwise', () => {
    expect(read({})).toEqual({ page: 1, size: 50, wrong: {} });
  });

  it.each([
    ['1', '1', 1, 1],
    ['10000000', '100', 10_000_000, 100],
    ['007', '50', 7, 50],
  ])('reads page=%s and size=%s', (page, size, expectedPage, expectedSize) => {
    expect(read({ page, size })).toEqual({ page: expectedPage, size: expectedSize, wrong: {} });
  });

  it.each([
    '0',
    '-1',
    '101',
    '1000',
    'abc',
    '1.5',
    '1e1',
    '0x10',
    '',
    ' 5',
    '5 ',
    '+5',
    '９',
    'NaN',
    'null',
    '99999999999999999999',
  ])('refuses size=%j', (size) => {
    expect(read({ size }).wrong).toEqual({ size: 'Must be a whole number from 1 to 100' });
  });

  it.each([['0'], ['-1'], ['10000001'], ['abc'], [''], [['1', '2']], [{ a: '1' }], [null]])(
    'refuses page=%j',
    (page) => {
      expect(read({ page }).wrong).toEqual({ page: 'Must be a whole number from 1 to 10000000' });
    },
  );

  it('refuses both at once', () => {
    expect(Object.keys(read({ page: 'x', size: 'y' }).wrong)).toEqual(['page', 'size']);
  });
});

describe('CursorPageQuery', () => {
  const wrong = (query: object): unknown =>
    validateSync(plainToInstance(CursorPageQuery, query)).map(({ property, constraints = {} }) => [
      property,
      Object.values(constraints)[0],
    ]);

  it.each([[{}], [{ page: '2' }], [{ cursor: 'AbC_-09' }], [{ cursor: 'a'.repeat(2000), size: '5' }]])(
    'takes %j',
    (query) => {
      expect(wrong(query)).toEqual([]);
    },
  );

  it.each([[''], ['a b'], ['a.b'], ['é'], ['a'.repeat(2001)], [['a']], [{}], [null], [5]])(
    'refuses cursor=%j',
    (cursor) => {
      const says = 'Must be the next_cursor of a page of this list, with the same order and filters';
      expect(wrong({ cursor })).toEqual([['cursor', says]]);
    },
  );

  it.each(['1', '2', 'x', ''])('refuses a cursor beside page=%s', (page) => {
    expect(wrong({ page, cursor: 'abc' })).toContainEqual(['cursor', 'Cannot be combined with page']);
  });
});

describe('toPage', () => {
  it.each([
    [0, 50, 0],
    [1, 50, 1],
    [49, 50, 1],
    [50, 50, 1],
    [51, 50, 2],
    [150, 50, 3],
    [151, 50, 4],
    [100, 1, 100],
    [1_000_000, 100, 10_000],
  ])('makes of %i items, %i to the page, %i pages', (total, size, pages) => {
    expect(toPage({ rows: [], total }, { page: 1, size }, String).pages).toBe(pages);
  });

  it('turns each row into its item, in order, and repeats what was asked for', () => {
    const page = toPage({ rows: [{ id: 3 }, { id: 1 }], total: 12 }, { page: 6, size: 2 }, ({ id }) => `#${id}`);

    expect(page).toEqual({ items: ['#3', '#1'], total: 12, page: 6, size: 2, pages: 6 });
  });

  it('keeps the total of a page beyond the end', () => {
    expect(toPage({ rows: [], total: 3 }, { page: 999, size: 50 }, String)).toEqual({
      items: [],
      total: 3,
      page: 999,
      size: 50,
      pages: 1,
    });
  });
});

describe('toCursorPage', () => {
  it('says what a page says, where the walk is, and how it goes on', () => {
    const found = { rows: [3, 1], total: 12, page: 4, nextCursor: 'abc' };

    expect(toCursorPage(found, { page: 1, size: 2 }, String)).toEqual({
      items: ['3', '1'],
      total: 12,
      page: 4,
      size: 2,
      pages: 6,
      next_cursor: 'abc',
    });
  });
});
