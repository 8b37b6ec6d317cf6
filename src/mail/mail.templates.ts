import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { join } from 'node:path';
import { CONFIG, type Config } from '../config/config.js';
import { PROJECT_ROOT } from '../config/project-root.js';
import { lookUpLocale } from './locale-lookup.js';
import { isMailTemplate, MAIL_TEMPLATES } from './mail-catalogue.js';
import type { MailData } from './mail-message.entity.js';
import { paletteOf } from './palette.js';
import { type Part, type Render, type TemplateFile, TemplateFolder, type TemplateValues } from './template-folder.js';

/** A message in plain text, its subject in one line. */
export interface PlainMail {
  readonly subject: string;
  readonly text: string;
}

/** A message as it leaves: the same said in HTML and in plain text. */
export interface RenderedMail extends PlainMail {
  readonly html: string;
}

type CompiledMail = Partial<Record<Part, Render>>;

const OWN_FOLDER = join(PROJECT_ROOT, 'templates', 'mail');

/** The templates do not allow a start. Lists every problem by the file's name. */
export class MailTemplatesError extends Error {
  constructor(folder: string, problems: readonly string[]) {
    super(`The mail templates in ${folder} do not allow a start:\n${problems.map((each) => `  - ${each}`).join('\n')}`);
  }
}

/**
 * The templates of templates/mail, or of MAIL_TEMPLATES_DIR, compiled and checked at the start: a folder per language with
 * `<message>.subject.hbs`, `<message>.html.hbs` and `<message>.text.hbs` for each message of the catalogue, and in partials/
 * the layout that all share. Values are escaped in HTML; a template that lacks a value fails instead of leaving a gap. What
 * people wrote is only ever a value, never a template. Styles stand in the partials, inline as mail programs want them, so
 * that a message in a language is words alone.
 */
@Injectable()
export class MailTemplates implements OnModuleInit {
  private readonly byLocale = new Map<string, Map<string, CompiledMail>>();
  private readonly practice: TemplateValues;

  constructor(@Inject(CONFIG) private readonly config: Config) {
    const { companyName, fromName, replyTo, brand } = config.mail;
    const [primary, success] = [paletteOf(brand.primaryColor), paletteOf(brand.successColor)];
    this.practice = {
      company_name: companyName,
      system_name: fromName,
      reply_to: replyTo ?? '',
      logo_url: brand.logoUrl ?? '',
      signature: brand.signature,
      address: brand.address,
      primary_color: primary.color,
      primary_ink: primary.ink,
      primary_link: primary.link,
      success_color: success.color,
      success_ink: success.ink,
      success_link: success.link,
      success_tint: success.tint,
      success_edge: success.edge,
    };
  }

  /** Throws a {@link MailTemplatesError} that names every problem at once. */
  async onModuleInit(): Promise<void> {
    const folder = this.config.mail.templatesDir ?? OWN_FOLDER;
    const problems: string[] = [];
    const files = new TemplateFolder(folder);
    await files.readPartials(problems);
    const found: TemplateFile[] = [];
    for (const locale of await files.locales(problems)) {
      this.byLocale.set(locale, new Map());
      found.push(...(await files.readMessages(locale, Object.keys(MAIL_TEMPLATES), problems)));
    }
    for (const file of found) {
      this.keep(file);
      for (const name of files.namesIn(file.source))
        if (!(name in this.sampleOf(file)))
          problems.push(`${file.path} names ${name}, which is neither a value of the message nor a partial`);
    }
    if (!this.serves(this.config.mail.defaultLocale))
      problems.push(`there is no folder for DEFAULT_LOCALE, ${this.config.mail.defaultLocale}`);
    // a broken layout would be named once for each message
    if (problems.length === 0) problems.push(...found.flatMap((file) => this.faultsOfSample(file)));
    if (problems.length > 0) throw new MailTemplatesError(folder, problems);
  }

  /** Tags of the languages that there are templates in. */
  get locales(): string[] {
    return [...this.byLocale.keys()];
  }

  /** Whether there are templates in this language, or in one that it is a variety of. */
  serves(locale: string): boolean {
    return lookUpLocale(locale, this.locales) !== undefined;
  }

  /** In the best language there is for the locale. Throws when there is no such template or a value is missing. */
  render(name: string, locale: string, data: MailData): RenderedMail {
    const { values, mail } = this.find(name, locale, data);
    const [subject, html, text] = [mail.subject?.(values), mail.html?.(values), mail.text?.(values)];
    if (subject === undefined || html === undefined || text === undefined)
      throw new Error(`there is no mail template ${name}`);
    return { subject: oneLine(subject), html, text };
  }

  /**
   * What goes out when a message cannot be rendered: its plain text, and if that fails as well the values themselves, each in
   * a line. Never throws.
   */
  renderPlain(name: string, locale: string, data: Readonly<Record<string, unknown>>): PlainMail {
    const { companyName } = this.config.mail;
    const listed = Object.entries(data).map(([key, value]) => `${labelOf(key)}: ${oneLine(String(value))}`);
    const part = (which: Part): string | undefined => {
      try {
        const { values, mail } = this.find(name, locale, data);
        return mail[which]?.(values);
      } catch {
        return undefined;
      }
    };
    return {
      subject: oneLine(part('subject') ?? companyName),
      text: part('text') ?? `${companyName}\n\n${listed.join('\n')}\n`,
    };
  }

  private find(
    name: string,
    locale: string,
    data: Readonly<Record<string, unknown>>,
  ): { values: TemplateValues; mail: CompiledMail } {
    const served =
      lookUpLocale(locale, this.locales) ?? lookUpLocale(this.config.mail.defaultLocale, this.locales) ?? '';
    const mail = this.byLocale.get(served)?.get(name);
    if (mail === undefined || !isMailTemplate(name)) throw new Error(`there is no mail template ${name}`);
    const lines = MAIL_TEMPLATES[name].map((key) => {
      const value = data[key];
      if (typeof value !== 'string') throw new Error(`mail template ${name} lacks its value ${key}`);
      return [key, oneLine(value)] as const;
    });
    return { mail, values: { ...Object.fromEntries(lines), ...this.practice, locale: served } };
  }

  private keep({ locale, message, part, render }: TemplateFile): void {
    const messages = this.byLocale.get(locale);
    messages?.set(message, { ...messages.get(message), [part]: render });
  }

  /** Values that no text has by chance, by which they are found again. */
  private sampleOf({ message, locale }: TemplateFile): TemplateValues {
    const names = isMailTemplate(message) ? MAIL_TEMPLATES[message] : [];
    return { ...Object.fromEntries(names.map((name) => [name, `Sample-${name}`])), ...this.practice, locale };
  }

  private faultsOfSample(file: TemplateFile): string[] {
    const sample = this.sampleOf(file);
    let rendered: string;
    try {
      rendered = file.render(sample);
    } catch (error) {
      return [`${file.path}: ${error instanceof Error ? error.message : 'cannot be rendered'}`];
    }
    if (file.part === 'subject') return oneLine(rendered) === '' ? [`${file.path} is empty`] : [];
    return (isMailTemplate(file.message) ? MAIL_TEMPLATES[file.message] : [])
      .filter((name) => !rendered.includes(String(sample[name])))
      .map((name) => `${file.path} does not show ${name}`);
  }
}

/** Values and subjects are one line each: whatever breaks lines is a space, and what turns the direction of text is gone. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/[\u202A-\u202E\u2066-\u2069]/g, '')
    .trim();
}

/** `resume_filename` becomes "Resume filename". */
function labelOf(key: string): string {
  const words = key.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
