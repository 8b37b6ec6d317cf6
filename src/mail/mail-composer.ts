import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { AlertsService } from '../alerts/alerts.service.js';
import { LOGGER } from '../common/logging.js';
import { lineAbout, type MailData, type MailMessage } from './mail-message.entity.js';
import { MailSecrets } from './mail-secrets.js';
import { MailTemplates, type PlainMail, type RenderedMail } from './mail.templates.js';

export interface ComposedMail {
  readonly composed: RenderedMail | PlainMail;
  /** Why it is plain text; null when all went well. */
  readonly failure: Error | null;
}

/** Puts messages into words. */
@Injectable()
export class MailComposer {
  private readonly logger: Logger;

  constructor(
    private readonly templates: MailTemplates,
    private readonly alerts: AlertsService,
    private readonly secrets: MailSecrets,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'mail' });
  }

  /**
   * For the recipient alone. Where the template fails, what is known goes out as plain text, and operators are alerted: a
   * message that looks plain is better than none. Throws `SealBroken` for a secret value that cannot be opened.
   */
  async compose(message: MailMessage): Promise<RenderedMail | PlainMail> {
    const { composed, failure } = this.put(message, await this.secrets.open(message));
    if (failure === null) return composed;
    const { template, locale } = message;
    this.logger.error({ ...lineAbout(message), locale, err: failure }, 'mail template failed; plain text goes out');
    const event = {
      cause: `mail.template_failed:${template}`,
      summary: 'A mail went out as plain text, because its template could not be rendered',
      details: { message_id: message.id, template, locale },
    };
    await this.alerts.raiseAlone(event, message);
    return composed;
  }

  /** What {@link compose} makes of a message, without its secret values and without telling anybody. */
  preview(message: MailMessage): ComposedMail {
    return this.put(message, this.secrets.conceal(message));
  }

  private put({ template, locale }: MailMessage, data: MailData): ComposedMail {
    try {
      return { composed: this.templates.render(template, locale, data), failure: null };
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      return { composed: this.templates.renderPlain(template, locale, data), failure };
    }
  }
}
