import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { Clock } from '../common/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import { causeOf, together, type Tx } from '../database/transactions.js';
import { JobsService } from '../jobs/jobs.service.js';
import { type MailContent, secretsOf } from './mail-catalogue.js';
import { MailMessage } from './mail-message.entity.js';
import { MailSecrets } from './mail-secrets.js';
import { DELIVER_MAIL, FORGET_LETTERS } from './mail.jobs.js';
import { MailRepository } from './mail.repository.js';
import { type MailOutcomes, MailFiguresRepository } from './mail-figures.repository.js';
import { MailTemplates } from './mail.templates.js';

export type { MailMessage, MailOutcomes };

/** A message to one recipient: a template of the catalogue with its values. */
export type OutgoingMail = MailContent & {
  readonly recipient: string;
  /** A language tag; DEFAULT_LOCALE when absent. */
  readonly locale?: string;
};

/** However slow the disk, a letter that was being written is there by then. */
const WRITTEN_WITHIN_MS = 600_000;

/** What a message is about; the same message about the same thing is sent to a recipient once. */
export interface MailSubjectMatter {
  readonly kind: string;
  readonly id: string;
}

/** How other modules owe somebody a message. */
@Injectable()
export class MailService {
  constructor(
    private readonly messages: MailRepository,
    private readonly figures: MailFiguresRepository,
    private readonly jobs: JobsService,
    private readonly templates: MailTemplates,
    private readonly secrets: MailSecrets,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * The first of the languages, best first, that there are mails in; DEFAULT_LOCALE when there is none. Keeps the variety:
   * de-AT stays de-AT where the mails are in de.
   */
  chooseLocale(wanted: readonly string[]): string {
    return wanted.find((locale) => this.templates.serves(locale)) ?? this.config.mail.defaultLocale;
  }

  /**
   * Owes these messages from the moment the transaction commits. A message that was queued before about the same thing, of
   * the same template and to the same recipient, is not made again (its second job finds no row and ends).
   */
  async queue(tx: Tx, about: MailSubjectMatter, mails: readonly OutgoingMail[]): Promise<void> {
    const createdAt = this.clock.now();
    const messages = mails.map((mail) =>
      Object.assign(new MailMessage(), {
        locale: this.config.mail.defaultLocale,
        ...mail,
        id: randomUUID(),
        secrets: null,
        aboutKind: about.kind,
        aboutId: about.id,
        requestId: causeOf(tx).requestId ?? null,
        createdAt,
      }),
    );
    // where there are none the statements below leave at once, in the caller's order
    for (const message of messages) if (secretsOf(message.template).length > 0) await this.secrets.seal(message);
    await together(
      this.messages.insertAll(tx, messages),
      this.jobs.enqueue(
        tx,
        DELIVER_MAIL,
        messages.map(({ id }) => ({ message_id: id })),
      ),
    );
  }

  /** Otherwise messages that are `sent` were written into a folder. */
  get hasServer(): boolean {
    return this.config.mail.smtp !== undefined;
  }

  /** Every message about something, oldest first. */
  async listAbout({ kind, id }: MailSubjectMatter): Promise<MailMessage[]> {
    return this.messages.listAbout(kind, id);
  }

  /**
   * Forgets every message about something. One that waits is not sent any more; one that is with the mail server at this moment
   * may arrive. Returns how many there were.
   */
  async forgetAbout(tx: Tx, { kind, id }: MailSubjectMatter): Promise<number> {
    const ids = await this.messages.removeAbout(tx, kind, id);
    await this.forgetLetters(tx, ids);
    return ids.length;
  }

  /** Where letters are files, those of these messages: now, and again when one that was being written must have been. */
  async forgetLetters(tx: Tx, ids: readonly string[]): Promise<void> {
    if (ids.length === 0 || this.config.mail.smtp !== undefined) return;
    const again = new Date(this.clock.now().getTime() + WRITTEN_WITHIN_MS);
    await this.jobs.enqueue(tx, FORGET_LETTERS, [{ message_ids: ids }]);
    await this.jobs.enqueue(tx, FORGET_LETTERS, [{ message_ids: ids }], { runAt: again });
  }

  /** How delivery went since a time: one query that reads no more than what happened since. */
  async outcomesSince(since: Date): Promise<MailOutcomes> {
    return this.figures.outcomesSince(since);
  }
}
