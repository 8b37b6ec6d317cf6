import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import Handlebars from 'handlebars';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime, { type Email } from 'postal-mime';
import { CONFIG, type Config } from '../config/config.js';
import { PROJECT_ROOT } from '../config/project-root.js';
import { EmlFolder } from './eml-folder.js';
import { MailNotFound } from './mail.errors.js';

/** The pages of the development inbox, made from the `.eml` files themselves: what is shown is what was written. */
@Injectable()
export class DevMailService implements OnModuleInit {
  private listPage: Handlebars.TemplateDelegate = () => '';
  private messagePage: Handlebars.TemplateDelegate = () => '';

  constructor(
    private readonly eml: EmlFolder,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async onModuleInit(): Promise<void> {
    const load = async (name: string): Promise<Handlebars.TemplateDelegate> =>
      Handlebars.compile(await readFile(join(PROJECT_ROOT, 'templates', 'dev', name), 'utf8'), { strict: true });
    this.listPage = await load('mail-list.hbs');
    this.messagePage = await load('mail-message.hbs');
  }

  async renderList(): Promise<string> {
    const ids = (await this.eml.list()).slice(0, 200);
    const messages = await Promise.all(ids.map(async (id) => summaryOf(id, await this.parse(id))));
    return this.listPage({ messages, isOn: this.config.mail.isOn });
  }

  async renderMessage(id: string): Promise<string> {
    return this.messagePage(summaryOf(id, await this.parse(id)));
  }

  async getHtml(id: string): Promise<string> {
    return (await this.parse(id)).html ?? '';
  }

  async getText(id: string): Promise<string> {
    return (await this.parse(id)).text ?? '';
  }

  /** The message exactly as it was written. */
  async getSource(id: string): Promise<Buffer> {
    const source = await this.eml.read(id);
    if (source === null) throw new MailNotFound();
    return source;
  }

  private async parse(id: string): Promise<Email> {
    return PostalMime.parse(await this.getSource(id));
  }
}

function summaryOf(id: string, { subject, from, to, date }: Email): Record<string, string> {
  return {
    id,
    subject: subject ?? '',
    from: from?.address ?? '',
    to: to?.map(({ address }) => address).join(', ') ?? '',
    date: date ?? '',
  };
}
