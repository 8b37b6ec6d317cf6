import Handlebars from 'handlebars';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalLanguageTag } from '../config/language-tag.js';

export type Part = 'subject' | 'html' | 'text';
export type TemplateValues = Readonly<Record<string, string | readonly string[]>>;
/** Makes one part of a message. Throws when a value is missing. */
export type Render = (values: TemplateValues) => string;

/** A part of a message in one language, ready to render. */
export interface TemplateFile {
  readonly locale: string;
  readonly message: string;
  readonly part: Part;
  /** Below the folder, with its extension. */
  readonly path: string;
  readonly source: string;
  readonly render: Render;
}

const PARTS: readonly Part[] = ['subject', 'html', 'text'];
/** The one subfolder that is no language: what all languages and messages share. */
const SHARED = 'partials';
const HELPERS = ['uri'];
const BUILT_IN = ['if', 'unless', 'each', 'with', 'lookup', 'log', 'inline'];

/** Templates and what they share, as they lie in a folder: `<locale>/<message>.<part>.hbs` and `partials/<name>.<html|text>.hbs`. */
export class TemplateFolder {
  /** HTML and plain text have an engine each: a partial is compiled once per engine, escaping or not. */
  private readonly engines = { html: engine(), text: engine() };
  private readonly partialNames = new Set<string>();

  constructor(private readonly folder: string) {}

  async readPartials(problems: string[]): Promise<void> {
    for (const file of await this.list(SHARED)) {
      const path = `${SHARED}/${file}`;
      const [, name, part] = /^([\w-]+)\.(html|text)\.hbs$/.exec(file) ?? [];
      if (name === undefined || (part !== 'html' && part !== 'text')) {
        if (file.endsWith('.hbs')) problems.push(`${path} must end in .html.hbs or .text.hbs`);
        continue;
      }
      const source = await this.read(path);
      problems.push(...faultsOf(source).map((fault) => `${path}: ${fault}`));
      this.engines[part].registerPartial(name, source);
      this.partialNames.add(name);
    }
  }

  /** The languages there are folders for, as canonical tags. */
  async locales(problems: string[]): Promise<string[]> {
    const entries = await readdir(this.folder, { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined) problems.push('the folder cannot be read');
    const names = (entries ?? [])
      .filter((entry) => entry.isDirectory() && entry.name !== SHARED)
      .map(({ name }) => name);
    const isTag = (name: string): boolean => canonicalLanguageTag(name) === name;
    for (const name of names)
      if (!isTag(name)) problems.push(`${name}/ must be named after a language as in BCP 47, such as de or pt-BR`);
    return names.filter(isTag).sort();
  }

  /** All parts of these messages in one language. Files that are missing, broken or unknown are problems. */
  async readMessages(locale: string, messages: readonly string[], problems: string[]): Promise<TemplateFile[]> {
    const present = new Set((await this.list(locale)).filter((file) => file.endsWith('.hbs')));
    const found: TemplateFile[] = [];
    for (const message of messages) {
      for (const part of PARTS) {
        const file = `${message}.${part}.hbs`;
        const path = `${locale}/${file}`;
        if (!present.delete(file)) {
          problems.push(`${path} is missing`);
          continue;
        }
        const source = await this.read(path);
        const faults = faultsOf(source);
        if (faults.length === 0) found.push(this.compile({ locale, message, part, path, source }));
        else problems.push(...faults.map((fault) => `${path}: ${fault}`));
      }
    }
    for (const file of present) problems.push(`${locale}/${file} belongs to no message`);
    return found;
  }

  /** Names that a template looks up and that are neither helpers nor partials. */
  namesIn(source: string): string[] {
    const known = new Set([...HELPERS, ...BUILT_IN, ...this.partialNames]);
    const names = new Set<string>();
    class Names extends Handlebars.Visitor {
      override PathExpression({ data, parts }: hbs.AST.PathExpression): void {
        if (!data && parts[0] !== undefined && !known.has(parts[0])) names.add(parts[0]);
      }
    }
    new Names().accept(Handlebars.parse(source));
    return [...names];
  }

  private compile(file: Omit<TemplateFile, 'render'>): TemplateFile {
    const isHtml = file.part === 'html';
    const render = this.engines[isHtml ? 'html' : 'text'].compile<TemplateValues>(file.source, {
      strict: true,
      noEscape: !isHtml,
      knownHelpers: Object.fromEntries(HELPERS.map((name) => [name, true])),
      knownHelpersOnly: true,
    });
    return { ...file, render: (values) => render(values) };
  }

  private async list(subfolder: string): Promise<string[]> {
    return (await readdir(join(this.folder, subfolder)).catch(() => [])).sort();
  }

  private async read(path: string): Promise<string> {
    return readFile(join(this.folder, path), 'utf8');
  }
}

function engine(): typeof Handlebars {
  const made = Handlebars.create();
  // an address may hold ? and &, which would add recipients to a mailto link
  made.registerHelper('uri', (value: unknown) => encodeURIComponent(String(value)).replace('%40', '@'));
  return made;
}

/** Why a template cannot be used: it is no Handlebars, or prints a value as it is. */
function faultsOf(source: string): string[] {
  const faults: string[] = [];
  class Unescaped extends Handlebars.Visitor {
    override MustacheStatement(mustache: hbs.AST.MustacheStatement): void {
      if (!mustache.escaped) faults.push(`prints a value unescaped in line ${mustache.loc.start.line}`);
    }
  }
  try {
    new Unescaped().accept(Handlebars.parse(source));
  } catch (error) {
    return [error instanceof Error ? error.message.replace(/\s+/g, ' ') : 'cannot be read'];
  }
  return faults;
}
