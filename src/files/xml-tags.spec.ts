import { cpuMs } from '../../test/support/cpu-time.js';
import { MarkupBudget, TooMuchXml, UnsafeXml, XmlTags } from './xml-tags.js';

type Tag = readonly [name: string, attributes?: Readonly<Record<string, string>>];

/** The tags of a text that comes in pieces of so many bytes. */
function tagsOf(text: string | Buffer, size = Infinity): Tag[] {
  const bytes = Buffer.from(text);
  const [tags, found]: [XmlTags, Tag[]] = [new XmlTags(new MarkupBudget()), []];
  for (let at = 0; at < bytes.length; at += size)
    for (const { name, attributes } of tags.read(bytes.subarray(at, at + size)))
      found.push([name, Object.fromEntries(attributes)]);
  return found;
}

/** A long tag is looked at again with each piece that it comes in; real pieces are as long as it may be. */
const sizesFor = ({ length }: string | Buffer): number[] => (length > 10_000 ? [1000, 4096] : [1, 2, 3, 5, 1000]);

const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');

describe('XmlTags', () => {
  it.each<[string, string | Buffer, Tag[]]>([
    ['none', '', []],
    ['text alone', 'no tag here', []],
    ['an element', '<a>', [['a', {}]]],
    ['an empty element', '<a/>', [['a', {}]]],
    [
      'elements in one another, without their ends',
      '<a><b></b></a>',
      [
        ['a', {}],
        ['b', {}],
      ],
    ],
    ['names without their prefixes', '<w:a x:b="1">', [['a', { b: '1' }]]],
    ['attributes in quotes of both kinds', `<a b="1" c='2'>`, [['a', { b: '1', c: '2' }]]],
    ['attributes apart by any white space', '<a\n\tb = "1"\r\nc="2"/>', [['a', { b: '1', c: '2' }]]],
    ['a value with other quotes and brackets', `<a b="'>" c='">'>`, [['a', { b: `'>`, c: '">' }]]],
    ['a value with an equals sign', '<a b="c=d" e="f">', [['a', { b: 'c=d', e: 'f' }]]],
    ['an empty value', '<a b="">', [['a', { b: '' }]]],
    ['an attribute twice: the last counts', '<a b="1" b="2">', [['a', { b: '2' }]]],
    ['the five entities', '<a b="&lt;&gt;&amp;&quot;&apos;">', [['a', { b: `<>&"'` }]]],
    ['characters by number', '<a b="&#69;&#x78;&#x1F600;">', [['a', { b: 'Ex😀' }]]],
    [
      'what is no reference',
      '<a b="&x; &#; &#x; & &nbsp; &#1114112;">',
      [['a', { b: '&x; &#; &#x; & &nbsp; &#1114112;' }]],
    ],
    ['what was decoded once, and not again', '<a b="&amp;lt;">', [['a', { b: '&lt;' }]]],
    ['no tag in a comment', '<!-- <a> --><b>', [['b', {}]]],
    ['no tag behind the half of a comment’s end', '<!-- -> -- > <a> --><b>', [['b', {}]]],
    ['no tag in a section of characters', '<![CDATA[<a>]]><b>', [['b', {}]]],
    ['no tag in a processing instruction', '<?x <a> ?><b>', [['b', {}]]],
    ['no declaration in a comment', '<!-- <!DOCTYPE a> --><b>', [['b', {}]]],
    ['a tag without its end', '<a><b c="1"', [['a', {}]]],
    ['an attribute without its end', '<a b="c><d>', []],
    ['a byte order mark', '\ufeff<?xml version="1.0"?><a>', [['a', {}]]],
    ['UTF-16 of one byte order', utf16('<a b="1">'), [['a', { b: '1' }]]],
    ['UTF-16 of the other', utf16('<a b="1">').swap16(), [['a', { b: '1' }]]],
    ['a tag of 64 KB', `<a b="${'x'.repeat(65_000)}">`, [['a', { b: 'x'.repeat(65_000) }]]],
  ])('reads %s, in one piece and in many', (_, text, expected) => {
    expect(tagsOf(text)).toEqual(expected);
    for (const size of sizesFor(text)) expect(tagsOf(text, size)).toEqual(expected);
  });

  it.each<[string, string | Buffer]>([
    ['a document type', '<!DOCTYPE a>'],
    ['one in small letters', '<!doctype a>'],
    ['one behind a prolog', '<?xml version="1.0"?>\n<!-- x --><!DOCTYPE a>'],
    ['one behind a comment that looks unfinished', '<!----><!DOCTYPE a>'],
    ['one behind the first element', '<a/><!DOCTYPE a>'],
    ['one in UTF-16', utf16('<!DOCTYPE a>')],
    ['an entity', '<!ENTITY a "b">'],
    ['an element declaration', '<!ELEMENT a>'],
    ['a section of another kind', '<![INCLUDE[<a>]]>'],
    ['a comment with one dash', '<!- x ->'],
    ['a tag of more than 64 KiB', `<a b="${'x'.repeat(66_000)}">`],
    ['a tag without end', `<a ${'b '.repeat(40_000)}`],
    ['a value without end', `<a b="${'>'.repeat(66_000)}`],
  ])('refuses %s, in one piece and in many', (_, text) => {
    for (const size of [Infinity, ...sizesFor(text)]) expect(() => tagsOf(text, size)).toThrow(UnsafeXml);
  });

  it.each(['<a>', '</a>', '<a/>', '<!---->', '<??>', '<![CDATA[]]>'])(
    'looks at 100,000 times %s in all texts of a document, and at no more',
    (piece) => {
      const budget = new MarkupBudget();
      const read = (times: number): number => [...new XmlTags(budget).read(Buffer.from(piece.repeat(times)))].length;

      read(60_000);
      read(40_000);

      expect(() => read(1)).toThrow(TooMuchXml);
    },
  );

  it.each<[string, string]>([
    ['brackets', '<'],
    ['tags', '<a>'],
    ['quotes in a tag', '<a "">'],
    ['attributes', `<a${' b=""'.repeat(1000)}>`],
    ['equals signs', `<a${'='.repeat(60_000)}>`],
    ['references', `<a b="${'&#'.repeat(30_000)}">`],
    ['unfinished comments', '<!-- -'],
    ['comments', '<!---->'],
    ['zeros', '\0'],
  ])('takes time in proportion to the text: 5 MB of %s', (_, piece) => {
    const bytes = Buffer.alloc(5_000_000, piece);
    const start = cpuMs();
    try {
      tagsOf(bytes, 65_536);
    } catch (error) {
      expect([UnsafeXml, TooMuchXml]).toContain((error as Error).constructor);
    }
    expect(cpuMs() - start).toBeLessThan(8000);
  });
});
