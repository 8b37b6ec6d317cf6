import { MailerService } from '@nestjs-modules/mailer';
import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { Clock } from '../common/clock.js';
import { LOGGER } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import { together, Transactions, type Tx } from '../database/transactions.js';
import { JobsService } from '../jobs/jobs.service.js';
import { classify } from './delivery-failure.js';
import { EmlFolder } from './eml-folder.js';
import { MailComposer } from './mail-composer.js';
import type { MailContent } from './mail-catalogue.js';
import { MailMessage, MailState } from './mail-message.entity.js';
import { DELIVER_MAIL } from './mail.jobs.js';
import { MailRepository } from './mail.repository.js';
import { MailTemplates } from './mail.templates.js';

/** A message to one recipient: a template of the catalogue with its values. */
export type OutgoingMail = MailContent & {
  readonly recipient: string;
  /** A language tag; DEFAULT_LOCALE when absent. */
  readonly locale?: string;
};

/** What a message is about; the same message about the same thing is sent to a recipient once. */
export interface MailSubjectMatter {
  readonly kind: string;
  readonly id: string;
}

/** The longest wait between attempts during an outage of the mail server. */
const LONGEST_WAIT_SECONDS = 300;

@Injectable()
export class MailService {
  private readonly logger: Logger;
  private readonly domain: string;

  constructor(
    private readonly messages: MailRepository,
    private readonly templates: MailTemplates,
    private readonly composer: MailComposer,
    private readonly mailer: MailerService,
    private readonly eml: EmlFolder,
    private readonly jobs: JobsService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'mail' });
    this.domain = config.mail.fromEmail.split('@')[1] ?? 'localhost';
  }

  /**
   * The first of the languages, best first, that there are mails in; DEFAULT_LOCALE when there is none. Keeps the variety:
   * de-AT stays de-AT where the mails are in de.
   */
  chooseLocale(wanted: readonly string[]): string {
    return wanted.find((locale) => this.templates.serves(locale)) ?? this.config.mail.defaultLocale;
  }

  /** Owes these messages from the moment the transaction commits. */
  async queue(tx: Tx, about: MailSubjectMatter, mails: readonly OutgoingMail[]): Promise<void> {
    const createdAt = this.clock.now();
    const messages = mails.map((mail) =>
      Object.assign(new MailMessage(), {
        locale: this.config.mail.defaultLocale,
        ...mail,
        id: randomUUID(),
        aboutKind: about.kind,
        aboutId: about.id,
        createdAt,
      }),
    );
    await together(
      this.messages.insertAll(tx, messages),
      this.jobs.enqueue(
        tx,
        DELIVER_MAIL,
        messages.map(({ id }) => ({ message_id: id })),
      ),
    );
  }

  /**
   * Hands one message to the mail server and notes the outcome. Running it twice does no harm: a message that is sent or
   * given up is left alone, and should the process die between the server's yes and our note, the repetition carries the
   * same Message-ID.
   */
  async deliver(id: string): Promise<void> {
    const message = await this.messages.findById(id);
    if (message === null || message.state === MailState.Sent || message.state === MailState.Failed) return;
    try {
      await this.handOver(message);
    } catch (error) {
      await this.noteFailure(message, error);
      return;
    }
    message.state = MailState.Sent;
    message.sentAt = this.clock.now();
    message.attempts += 1;
    message.lastError = null;
    await this.transactions.run((tx) =>
      this.messages.update(tx, message, ['state', 'sentAt', 'attempts', 'lastError']),
    );
    this.logger.info({ message_id: id, template: message.template, attempt: message.attempts }, 'mail sent');
  }

  private async handOver(message: MailMessage): Promise<void> {
    const { fromName, fromEmail, smtp } = this.config.mail;
    const sent = (await this.mailer.sendMail({
      messageId: message.messageId(this.domain),
      date: message.createdAt,
      from: { name: fromName, address: fromEmail },
      to: { name: '', address: message.recipient },
      ...(await this.composer.compose(message)),
      headers: { 'Auto-Submitted': 'auto-generated' },
    })) as { message?: Buffer };
    if (smtp === undefined && sent.message !== undefined) await this.eml.write(message.id, sent.message);
  }

  private async noteFailure(message: MailMessage, error: unknown): Promise<void> {
    const { maxAttempts, retrySeconds } = this.config.mail;
    const kind = classify(error);
    if (kind === 'outage') message.deferrals += 1;
    else message.attempts += 1;
    message.lastError = error instanceof Error ? error.message.slice(0, 1000) : 'unknown error';
    const givenUp = kind === 'refused' || (kind === 'postponed' && message.attempts >= maxAttempts);
    message.state = givenUp ? MailState.Failed : MailState.Retrying;
    const waits = kind === 'outage' ? message.deferrals : message.attempts;
    const waitSeconds = Math.min(LONGEST_WAIT_SECONDS, retrySeconds * 2 ** (waits - 1));
    await this.transactions.run(async (tx) => {
      await this.messages.update(tx, message, ['state', 'attempts', 'deferrals', 'lastError']);
      if (givenUp) return;
      const runAt = new Date(this.clock.now().getTime() + waitSeconds * 1000);
      await this.jobs.enqueue(tx, DELIVER_MAIL, [{ message_id: message.id }], { runAt });
    });
    const line = { message_id: message.id, template: message.template, kind, attempt: message.attempts, err: error };
    if (givenUp) this.logger.error(line, 'mail given up');
    else this.logger.warn({ ...line, wait_seconds: waitSeconds }, 'mail not delivered yet');
  }
}
