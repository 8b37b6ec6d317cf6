import { cpuMs } from '../../test/support/cpu-time.js';
import { Finding } from './finding.js';
import { PdfNames } from './pdf-names.js';

interface Seen {
  readonly findings: readonly Finding[];
  readonly streams: readonly { start: number; isUnusual: boolean }[];
  readonly hasEncryption: boolean;
}

/** What is seen of a text that comes in pieces of so many bytes, the first one of another size. */
function see(text: string | Buffer, size = Infinity, first = size): Seen {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  const names = new PdfNames();
  for (let at = 0, length = first; at < bytes.length; at += length, length = at === first ? size : length)
    names.write(bytes.subarray(at, at + length));
  names.end();
  return { findings: [...names.findings].sort(), streams: names.objectStreams, hasEncryption: names.hasEncryption };
}

const findingsIn = (text: string): readonly Finding[] => see(text).findings;

const { Scripts, LaunchActions, EmbeddedFiles, RichMedia, UncheckedParts } = Finding;

describe('PdfNames', () => {
  it.each<[string, string, Finding[]]>([
    ['a script as an action', '<</S/JavaScript/JS(x)>>', [Scripts]],
    ['a script whose name alone says it', '<</S/JavaScript>>', [Scripts]],
    ['a script far from its key', `<</S %${'x'.repeat(300)}\n/JavaScript>>`, [Scripts]],
    ['a script as a string', '/JS (x)', [Scripts]],
    ['a script as a hexadecimal string', '/JS<41>', [Scripts]],
    ['a script as a reference', '/JS 12 0 R', [Scripts]],
    ['a script behind a comment', '/JS %x', [Scripts]],
    ['a script at the end of the file', '/JS', [Scripts]],
    ['a script under an escaped name', '/#4a#53(x)', [Scripts]],
    ['a name of which every character is escaped', '/#4a#61#76#61#53#63#72#69#70#74<<', [Scripts]],
    ['a tree of scripts', '/Names<</JavaScript 5 0 R>>', [Scripts]],
    ['a name that is an object of its own', '5 0 obj/JavaScript endobj', [Scripts]],
    ['a program', '<</S/Launch/F(x)>>', [LaunchActions]],
    ['a program behind blanks', '<</S \0\t\r\n/Launch>>', [LaunchActions]],
    ['a program that is an object of its own', '5 0 obj /Launch\nendobj', [LaunchActions]],
    ['a file', '/Type/EmbeddedFile', [EmbeddedFiles]],
    ['a file by its key', '/EF<</F 1 0 R>>', [EmbeddedFiles]],
    ['a film', '/Subtype/RichMedia', [RichMedia]],
    ['all of them', '/JS(x)/S/Launch/EF<<>>/RichMedia', [Scripts, LaunchActions, EmbeddedFiles, RichMedia]],
  ])('sees %s', (_, text, expected) => {
    expect(findingsIn(`${text} `)).toEqual([...expected].sort());
  });

  it.each<[string, string]>([
    ['a word in plain text', '(HTML/JavaScript developer)'],
    ['a word that ends a list', '(CSS/JS, 5 years)'],
    ['a word before a bracket that closes', '(HTML/JS)'],
    ['a longer name', '/JSX(x)'],
    ['a name of other letters', '/Js(x)'],
    ['a longer name of a program', '<</S/Launcher>>'],
    ['a program that is no action', '/Launch(x)'],
    ['a key that is not of an action', '<</SS/Launch>>'],
    ['an action with another name between', '<</S/URI/Launch>>'],
    ['a name of more than 256 bytes', `/JS${'#20'.repeat(100)}`],
    ['a key of files with a number', '/EF 5'],
    ['a key of encryption with a number', '/Encrypt 5'],
  ])('sees nothing in %s', (_, text) => {
    expect(see(`${text} `)).toEqual({ findings: [], streams: [], hasEncryption: false });
  });

  it.each(['/Encrypt<</V 2>>', '/Encrypt 5 0 R', '/#45ncrypt 5 0 R'])('sees the encryption in %s', (text) => {
    expect(see(text).hasEncryption).toBe(true);
  });

  it.each<[string, string, boolean[]]>([
    ['one', '<</Type/ObjStm/Filter/FlateDecode>>stream\nxxx\nendstream', [false]],
    ['one that is not packed', '<</Type/ObjStm>>stream\nxxx\nendstream', [false]],
    ['one under an escaped name', '<</Type/Obj#53tm>>stream\nx', [false]],
    ['two', '/ObjStm stream\nx endstream /ObjStm stream\ny', [false, false]],
    ['one that is packed otherwise', '/ObjStm/LZWDecode stream\n', [true]],
    ['one that is packed twice', '/ObjStm/Filter[/ASCIIHexDecode/FlateDecode]stream\n', [true]],
    ['one with a predictor', '/ObjStm/FlateDecode/Predictor 12 stream\n', [true]],
    ['none in another stream', '<</Type/XRef>>stream\nx', []],
    ['none without its keyword', '/ObjStm streams', []],
    ['none at the end of another one', 'stream\n/ObjStm\nendstream\n', []],
    ['none whose name stands before another stream', '/ObjStm stream\nx endstream <<>>stream\nx', [false]],
  ])('finds the streams of objects: %s', (_, text, expected) => {
    expect(see(text).streams.map(({ isUnusual }) => isUnusual)).toEqual(expected);
  });

  it.each(['\n', '\r\n', '\r'])('finds where a stream begins behind a line end of %j', (lineEnd) => {
    const text = `/ObjStm>>stream${lineEnd}first`;

    expect(see(text).streams).toEqual([{ start: text.indexOf('first'), isUnusual: false }]);
  });

  it('finds 2000 streams and says that there are more', () => {
    const text = '/ObjStm stream\nx endstream\n';

    expect(see(text.repeat(2000))).toMatchObject({ findings: [], streams: { length: 2000 } });
    expect(see(text.repeat(2001))).toMatchObject({ findings: [UncheckedParts], streams: { length: 2000 } });
  });

  it.each<[string, string]>([
    ['scripts and encryption', `/S${' '.repeat(20)}/JavaScript /JS (x) ${'-'.repeat(400)}/Encrypt 5 0 R`],
    ['a script behind a comment', `${'-'.repeat(300)}<</S %${'x'.repeat(300)}\n/JavaScript/Js 1>>`],
    ['streams of objects', `${'-'.repeat(330)}/ObjStm/FlateDecode>>stream\r\nxxx\nendstream /ObjStm stream\ny`],
    [
      'the name of a stream of objects in another stream',
      `${'-'.repeat(330)} stream\n /ObjStm \nendstream\n /JS 1 0 R`,
    ],
    ['names without end', `/${'J'.repeat(700)}/JS(x)/${'#4a'.repeat(300)}`],
  ])('sees the same whatever the pieces are that it comes in: %s', (_, text) => {
    const long = text + ' '.repeat(700);
    const whole = see(long);

    for (let first = 1; first < long.length; first += 1)
      expect([first, see(long, Infinity, first)]).toEqual([first, whole]);
    for (const size of [1, 2, 3, 7, 64, 320, 321]) expect([size, see(long, size)]).toEqual([size, whole]);
  });

  it.each<[string, string]>([
    ['slashes', '/'],
    ['one name', 'J'],
    ['short names', '/J'],
    ['escaped names', '/#4a'],
    ['actions', '/S '],
    ['keywords', 'stream'],
    ['streams', '/ObjStm stream\n'],
    ['ends of streams', 'endstream\n'],
    ['blanks', ' '],
  ])('takes time in proportion to the text: 5 MB of %s', (_, piece) => {
    const bytes = Buffer.alloc(5_000_000, piece);
    const start = cpuMs();

    see(bytes, 65_536);

    expect(cpuMs() - start).toBeLessThan(15_000);
  });
});
