import { type ISendMailOptions, MailerService } from '@nestjs-modules/mailer';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { SendingTookTooLong, UnsendableMail } from './delivery-failure.js';
import { EmlFolder } from './eml-folder.js';
import type { MailMessage } from './mail-message.entity.js';
import { MailTemplates, type RenderedMail } from './mail.templates.js';

/** Makes a message and hands it to the mail server, or writes it to the `.eml` folder where there is none. */
@Injectable()
export class MailSender {
  private readonly domain: string;

  constructor(
    private readonly templates: MailTemplates,
    private readonly mailer: MailerService,
    private readonly eml: EmlFolder,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.domain = config.mail.fromEmail.split('@')[1] ?? 'localhost';
  }

  /**
   * Resolves when the mail server has taken the message. Sets its subject. Throws `UnsendableMail` when the message cannot
   * be made, `SendingTookTooLong`, and nodemailer's errors.
   */
  async send(message: MailMessage): Promise<void> {
    const { fromName, fromEmail, replyTo, smtp, sendWithinMs } = this.config.mail;
    const { subject, html, text } = this.render(message);
    message.subject = subject;
    // the transport's own limits only notice a server that says nothing at all
    const signal = AbortSignal.timeout(sendWithinMs);
    const mail: ISendMailOptions & { readonly signal: AbortSignal } = {
      messageId: message.messageId(this.domain),
      date: message.createdAt,
      from: { name: fromName, address: fromEmail },
      to: { name: '', address: message.recipient },
      ...(replyTo === undefined ? {} : { replyTo: { name: '', address: replyTo } }),
      subject,
      html,
      text,
      headers: { 'Auto-Submitted': 'auto-generated' },
      signal,
    };
    let sent: { message?: Buffer };
    try {
      sent = await this.mailer.sendMail(mail);
    } catch (error) {
      throw signal.aborted ? new SendingTookTooLong(sendWithinMs, error) : error;
    }
    if (smtp === undefined && sent.message !== undefined) await this.eml.write(message.id, sent.message);
  }

  private render(message: MailMessage): RenderedMail {
    try {
      return this.templates.render(message.template, message.data);
    } catch (error) {
      throw new UnsendableMail(error);
    }
  }
}
