import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { PageQuery, toPage } from './pagination.js';

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
