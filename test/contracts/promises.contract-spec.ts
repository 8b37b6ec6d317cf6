import { readFileSync } from 'node:fs';

/** Rows of the table in README: promise, suite, and titles of tests (or how they begin), separated by semicolons. */
function promises(): { promise: string; suite: string; titles: string[] }[] {
  const [, section = ''] = readFileSync('README.md', 'utf8').split('## What is promised, and the test that holds it');
  const [table = ''] = section.split('\n## ');
  return table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, promise = '', suite = '', titles = '']) => ({ promise, suite, titles: titles.split('; ') }));
}

describe('a promise in README', () => {
  it('has a row', () => {
    expect(promises().length).toBeGreaterThan(15);
  });

  it.each(promises())('is held by tests that are there: $promise', ({ suite, titles }) => {
    const source = readFileSync(`test/${suite}.e2e-spec.ts`, 'utf8');
    const isTitle = (title: string): boolean =>
      ["'", '`', '"'].some(
        (quote) => source.includes(`(${quote}${title}`) || source.includes(`(\n    ${quote}${title}`),
      );
    expect(titles.filter((title) => !isTitle(title))).toEqual([]);
  });
});
