import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import Handlebars from 'handlebars';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONFIG, type Config } from '../config/config.js';
import { PROJECT_ROOT } from '../config/project-root.js';
import type { MailData } from './mail-message.entity.js';

/** A message as it leaves: subject in one line, and the same said in HTML and in plain text. */
export interface RenderedMail {
  readonly subject: string;
  readonly html: string;
  readonly text: string;
}

type Part = 'subject' | 'html' | 'text';
type Render = Handlebars.TemplateDelegate;

const FOLDER = join(PROJECT_ROOT, 'templates', 'mail');

/**
 * The templates of templates/mail, compiled at the start: `<name>.subject.hbs`, `<name>.html.hbs`, `<name>.text.hbs`, and
 * everything in partials/. Values are escaped in HTML; a template that lacks a value fails instead of leaving a gap. What
 * people wrote is only ever a value, never a template.
 */
@Injectable()
export class MailTemplates implements OnModuleInit {
  private readonly engine = Handlebars.create();
  private readonly templates = new Map<string, Readonly<Record<Part, Render>>>();

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  async onModuleInit(): Promise<void> {
    // an address may hold ? and &, which would add recipients to a mailto link
    this.engine.registerHelper('uri', (value: unknown) => encodeURIComponent(String(value)).replace('%40', '@'));
    for (const file of await readdir(join(FOLDER, 'partials'))) {
      this.engine.registerPartial(file.replace(/\.hbs$/, ''), await readFile(join(FOLDER, 'partials', file), 'utf8'));
    }
    const names = (await readdir(FOLDER))
      .filter((file) => file.endsWith('.subject.hbs'))
      .map((file) => file.replace('.subject.hbs', ''));
    for (const name of names) {
      this.templates.set(name, {
        subject: await this.compile(name, 'subject'),
        html: await this.compile(name, 'html'),
        text: await this.compile(name, 'text'),
      });
    }
  }

  /** Throws when there is no such template or a value is missing. */
  render(name: string, data: MailData): RenderedMail {
    const template = this.templates.get(name);
    if (template === undefined) throw new Error(`there is no mail template ${name}`);
    const values = { ...data, company_name: this.config.mail.companyName, system_name: this.config.mail.fromName };
    return { subject: oneLine(template.subject(values)), html: template.html(values), text: template.text(values) };
  }

  private async compile(name: string, part: Part): Promise<Render> {
    const source = await readFile(join(FOLDER, `${name}.${part}.hbs`), 'utf8');
    return this.engine.compile(source, {
      strict: true,
      noEscape: part !== 'html',
      knownHelpers: { uri: true },
      knownHelpersOnly: true,
    });
  }
}

/** A subject is one header line: whatever breaks lines is a space. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}
