import { type ISendMailOptions, MailerService } from '@nestjs-modules/mailer';
import { Inject, Injectable } from '@nestjs/common';
import { type SpanAttributes, Tracing } from '../common/tracing.js';
import { CONFIG, type Config } from '../config/config.js';
import { SendingTookTooLong } from './delivery-failure.js';
import { EmlFolder } from './eml-folder.js';
import { MailComposer } from './mail-composer.js';
import { headersTo, senderDomain } from './mail-headers.js';
import type { MailMessage } from './mail-message.entity.js';

/** Makes a message and hands it to the mail server, or writes it to the `.eml` folder where there is none. */
@Injectable()
export class MailSender {
  private readonly domain: string;

  constructor(
    private readonly composer: MailComposer,
    private readonly mailer: MailerService,
    private readonly eml: EmlFolder,
    private readonly tracing: Tracing,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.domain = senderDomain(config);
  }

  /**
   * Resolves when the mail server has taken the message. Sets its subject. Throws `SendingTookTooLong`, and nodemailer's errors.
   */
  async send(message: MailMessage): Promise<void> {
    const { smtp, sendWithinMs } = this.config.mail;
    const composed = await this.composer.compose(message);
    message.subject = composed.subject;
    // the transport's own limits only notice a server that says nothing at all
    const limit = new AbortController();
    const timer = setTimeout(() => {
      limit.abort();
    }, sendWithinMs);
    const mail: ISendMailOptions & { readonly signal: AbortSignal } = {
      ...headersTo(message.recipient, this.config),
      messageId: message.messageId(this.domain),
      date: message.createdAt,
      ...composed,
      signal: limit.signal,
    };
    let sent: { message?: Buffer };
    try {
      sent = await this.tracing.step('SMTP send', this.spanOf(message), () => this.mailer.sendMail(mail));
    } catch (error) {
      throw limit.signal.aborted ? new SendingTookTooLong(sendWithinMs, error) : error;
    } finally {
      clearTimeout(timer);
    }
    if (smtp === undefined && sent.message !== undefined) await this.eml.write(message.id, sent.message);
  }

  private spanOf({ id, template }: MailMessage): SpanAttributes {
    const { smtp } = this.config.mail;
    const server = smtp === undefined ? {} : { 'server.address': smtp.host, 'server.port': smtp.port };
    return { ...server, 'forecourt.mail': id, 'forecourt.mail_template': template };
  }
}
