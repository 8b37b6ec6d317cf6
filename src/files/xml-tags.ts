/** What a text of XML may hold at most in one tag; a stranger's may not fill the memory. */
const MOST_TAG_CHARACTERS = 64 * 1024;
/** What a document may hold in tags, comments and the like; the lists of a real one take a fiftieth of it. */
const MOST_MARKUP = 100_000;

/** The text is not XML, or XML with declarations of its own, which could name files and addresses to be read. */
export class UnsafeXml extends Error {}

/** There is more markup than any document has, which would take long to look at. */
export class TooMuchXml extends Error {}

/** What may still be looked at; one for all texts of a document. */
export class MarkupBudget {
  private left = MOST_MARKUP;

  /** Takes one piece of markup out of it. Throws {@link TooMuchXml} when there is none left. */
  spend(): void {
    this.left -= 1;
    if (this.left < 0) throw new TooMuchXml();
  }
}

/** An element's start: its name without prefix and its attributes, decoded. */
export interface XmlTag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** What ends each kind of markup that is no tag. */
const SECTIONS = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const;

/**
 * The start tags of an XML text that comes in pieces. Throws {@link UnsafeXml} at a document type declaration, wherever it stands,
 * and {@link TooMuchXml}. Takes time in proportion to the text and keeps one tag at a time; checks nothing else. XML 1.0, 2.8 and
 * 3.1.
 */
export class XmlTags {
  private rest = '';
  /** What ends the section that the text is in. */
  private closing: string | undefined;

  constructor(private readonly budget: MarkupBudget) {}

  /** The tags that end in this piece. */
  *read(chunk: Buffer): Generator<XmlTag> {
    let text = this.rest + asciiOf(chunk);
    for (;;) {
      if (this.closing !== undefined) {
        const end = text.indexOf(this.closing);
        if (end < 0) {
          this.rest = text.slice(-(this.closing.length - 1));
          return;
        }
        text = text.slice(end + this.closing.length);
        this.closing = undefined;
      }
      const start = text.indexOf('<');
      text = start < 0 ? '' : text.slice(start);
      this.rest = text;
      const section = SECTIONS.find(([opening]) => text.startsWith(opening));
      if (section !== undefined) {
        this.budget.spend();
        text = text.slice(section[0].length);
        this.closing = section[1];
        continue;
      }
      if (SECTIONS.some(([opening]) => opening.startsWith(text))) return;
      if (text.startsWith('<!')) throw new UnsafeXml();
      const end = endOfTag(text);
      if (end > MOST_TAG_CHARACTERS || (end < 0 && text.length > MOST_TAG_CHARACTERS)) throw new UnsafeXml();
      if (end < 0) return;
      this.budget.spend();
      if (text[1] !== '/') yield tagOf(text.slice(1, end));
      text = text.slice(end + 1);
    }
  }
}

/** All markup is ASCII; without its zeros UTF-16 reads as ASCII, too. */
function asciiOf(chunk: Buffer): string {
  return (chunk.includes(0) ? chunk.filter((byte) => byte !== 0) : chunk).toString('latin1');
}

/** The position of the `>` that stands in no attribute's value, or -1. */
function endOfTag(text: string): number {
  const marks = /["'>]/g;
  for (;;) {
    const mark = marks.exec(text);
    if (mark === null) return -1;
    if (mark[0] === '>') return mark.index;
    const closing = text.indexOf(mark[0], marks.lastIndex);
    if (closing < 0) return -1;
    marks.lastIndex = closing + 1;
  }
}

function tagOf(text: string): XmlTag {
  const attributes = new Map<string, string>();
  for (let at = 0; ;) {
    const equals = text.indexOf('=', at);
    const [quote = ''] = /["']/.exec(text.slice(equals + 1, equals + 64)) ?? [];
    const opening = quote === '' ? -1 : text.indexOf(quote, equals);
    const closing = opening < 0 ? -1 : text.indexOf(quote, opening + 1);
    if (equals < 0 || closing < 0) break;
    const name = text.slice(at, equals).trim().split(/\s+/).at(-1) ?? '';
    attributes.set(withoutPrefix(name), decoded(text.slice(opening + 1, closing)));
    at = closing + 1;
  }
  return { name: withoutPrefix(/^[^\s/=]*/.exec(text)?.[0] ?? ''), attributes };
}

const withoutPrefix = (name: string): string => name.slice(name.lastIndexOf(':') + 1);

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Character references hide nothing: XML 1.0, 4.1. */
function decoded(value: string): string {
  return value.replace(
    /&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-z]{2,4}));/g,
    (whole, hex?: string, digits?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name] ?? whole;
      const code = hex !== undefined ? parseInt(hex, 16) : Number(digits);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
