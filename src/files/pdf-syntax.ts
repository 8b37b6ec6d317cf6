/** The first word of a value in a dictionary, and the word that it is followed by when the two may be a reference. */
export interface PdfDictionary {
  readonly keys: ReadonlyMap<string, string>;
  /** Where the dictionary ends in the text that it was read from. */
  readonly end: number;
}

/** ISO 32000-2, 7.2.3, table 1 and 2: white space and delimiters end a word. */
const TOKEN =
  /[\0\t\n\f\r ]+|%[^\r\n]*|<<|>>|<[^>]*>|[[\]{}]|\/[^\0\t\n\f\r ()<>[\]{}/%]*|[^\0\t\n\f\r ()<>[\]{}/%]+|\(/y;

/** A name with its escapes resolved: `/J#53` is `/JS`. ISO 32000-2, 7.3.5. */
export const unescaped = (name: string): string =>
  name.includes('#')
    ? name.replace(/#([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    : name;

/**
 * The keys of the dictionary that a text begins with, each with its value's first word; undefined when there is none or it does
 * not end in the text. ISO 32000-2, 7.3.7. Takes time in proportion to the text.
 */
export function readDictionary(text: string): PdfDictionary | undefined {
  const keys = new Map<string, string>();
  let depth = 0;
  let key: string | undefined;
  for (let at = 0; at < text.length;) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) return undefined;
    at += token.length;
    if (token === '(') {
      at = endOfString(text, at);
      if (at < 0) return undefined;
    }
    if (/^[\0\t\n\f\r %]/.test(token)) continue;
    if (depth === 0 && token !== '<<') return undefined;
    if (depth === 1 && token !== '>>') {
      if (key === undefined) {
        if (token.startsWith('/')) key = unescaped(token.slice(1));
      } else {
        keys.set(key, keys.get(key) ?? unescaped(token));
        key = undefined;
      }
    }
    if (token === '<<' || token === '[') depth += 1;
    if (token === '>>' || token === ']') depth -= 1;
    if (depth === 0) return { keys, end: at };
  }
  return undefined;
}

/** The position behind a literal string, whose opening parenthesis stands before `at`; or -1. ISO 32000-2, 7.3.4.2. */
function endOfString(text: string, at: number): number {
  const marks = /[()\\]/g;
  marks.lastIndex = at;
  for (let depth = 1; depth > 0;) {
    const mark = marks.exec(text)?.[0];
    if (mark === undefined) return -1;
    if (mark === '\\') marks.lastIndex += 1;
    else depth += mark === '(' ? 1 : -1;
  }
  return marks.lastIndex;
}
