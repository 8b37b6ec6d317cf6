import { cpuMs } from '../../test/support/cpu-time.js';
import { readDictionary, unescaped } from './pdf-syntax.js';

describe('unescaped', () => {
  it.each([
    ['JavaScript', 'JavaScript'],
    ['J#61vaScript', 'JavaScript'],
    ['#4a#53', 'JS'],
    ['#4A#53', 'JS'],
    ['a#20b', 'a b'],
    ['#23', '#'],
    ['#2341', '#41'],
    ['#', '#'],
    ['#4', '#4'],
    ['#zz', '#zz'],
    ['##41', '#A'],
    ['', ''],
  ])('reads %j as %j', (name, expected) => {
    expect(unescaped(name)).toBe(expected);
  });
});

describe('readDictionary', () => {
  it.each<[string, string, Record<string, string>]>([
    ['none', '<<>>', {}],
    ['names and numbers', '<</Type/XRef/Size 10>>', { Type: '/XRef', Size: '10' }],
    ['a reference by its first word', '<</Root 1 0 R>>', { Root: '1' }],
    ['words apart by all kinds of white space', '\0\t<<\n/A\f1\r/B 2 >>', { A: '1', B: '2' }],
    [
      'words that nothing is between',
      '<</A/B/C(d)/E<f>/G[h]/I true>>',
      { A: '/B', C: '(', E: '<f>', G: '[', I: 'true' },
    ],
    ['an escaped key and value', '<</#45ncrypt/J#53>>', { Encrypt: '/JS' }],
    ['a key twice: the first counts', '<</A 1/A 2>>', { A: '1' }],
    ['a dictionary within, whose keys are its own', '<</A<</B 1/C<</D 2>>>>/E 3>>', { A: '<<', E: '3' }],
    ['an array within, whose names are no keys', '<</A[/B/C[/D]]/E 3>>', { A: '[', E: '3' }],
    ['an end in a string', '<</A(>>)/B 1>>', { A: '(', B: '1' }],
    ['brackets in a string', '<</A(a(b)c)/B 1>>', { A: '(', B: '1' }],
    ['an escaped bracket in a string', '<</A(\\()/B 1>>', { A: '(', B: '1' }],
    ['an escaped backslash in a string', '<</A(\\\\)/B 1>>', { A: '(', B: '1' }],
    ['an end in a comment', '<</A %>>\n1/B 2>>', { A: '1', B: '2' }],
    ['a comment that a carriage return ends', '<</A %x\r1>>', { A: '1' }],
    ['an empty name', '<</ 1/B 2>>', { '': '1', B: '2' }],
  ])('reads %s', (_, text, expected) => {
    const dictionary = readDictionary(`${text} what follows`);

    expect(Object.fromEntries(dictionary?.keys ?? [])).toEqual(expected);
    expect(dictionary?.end).toBe(text.length);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['white space alone', ' \n'],
    ['an array', '[/A 1]'],
    ['a name', '/A'],
    ['a dictionary behind a word', 'null<<>>'],
    ['one that does not end', '<</A 1'],
    ['one whose inner one ends only', '<</A<</B 1>>'],
    ['a string that does not end', '<</A(b>>'],
    ['a string whose end is escaped', '<</A(b\\)>>'],
    ['a string cut off behind a backslash', '<</A(b\\'],
    ['a hexadecimal string that does not end', '<</A<41'],
    ['a bracket that closes nothing', '<</A)>>'],
    ['a single angle bracket', '<</A >'],
  ])('makes nothing of %s', (_, text) => {
    expect(readDictionary(text)).toBeUndefined();
  });

  it.each<[string, string]>([
    ['opening brackets', '<<'],
    ['arrays', '['],
    ['strings in one another', '('],
    ['backslashes', '(\\'],
    ['hexadecimal strings', '<0'],
    ['comments', '%'],
    ['names', '/'],
    ['one word', 'a'],
    ['empty arrays', '[]'],
  ])('takes time in proportion to the text: a megabyte of %s', (_, piece) => {
    const start = cpuMs();

    expect(readDictionary(`<</A ${piece.repeat(1_000_000 / piece.length)}`)).toBeUndefined();
    expect(cpuMs() - start).toBeLessThan(6000);
  });
});
