import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { AlertsService } from '../alerts/alerts.service.js';
import { LOGGER } from '../common/logging.js';
import type { MailMessage } from './mail-message.entity.js';
import { MailTemplates, type PlainMail, type RenderedMail } from './mail.templates.js';

/** Puts messages into words. */
@Injectable()
export class MailComposer {
  private readonly logger: Logger;

  constructor(
    private readonly templates: MailTemplates,
    private readonly alerts: AlertsService,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.logger = logger.child({ logger: 'mail' });
  }

  /**
   * Never throws: where the template fails, what is known goes out as plain text, and operators are alerted. A message that
   * looks plain is better than none.
   */
  async compose({ id, template, locale, data }: MailMessage): Promise<RenderedMail | PlainMail> {
    try {
      return this.templates.render(template, locale, data);
    } catch (error) {
      this.logger.error({ message_id: id, template, locale, err: error }, 'mail template failed; plain text goes out');
      await this.alerts.raiseAlone({
        cause: `mail.template_failed:${template}`,
        summary: 'A mail went out as plain text, because its template could not be rendered',
        details: { message_id: id, template, locale },
      });
      return this.templates.renderPlain(template, locale, data);
    }
  }
}
