import { Inject, Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { CONFIG, type Config } from '../config/config.js';
import type { Tx } from '../database/transactions.js';
import type { MailMessage } from './mail-message.entity.js';

/** What operators hear of mail that does not arrive. The mail of an alert raises no further one by being given up or not tried. */
@Injectable()
export class DeliveryAlerts {
  private readonly practice: ReadonlySet<string>;

  constructor(
    private readonly alerts: AlertsService,
    @Inject(CONFIG) { mail }: Config,
  ) {
    this.practice = new Set([...mail.attorneys, ...mail.alertRecipients].map((address) => address.toLowerCase()));
  }

  /** For longer than ten minutes. */
  async raiseServerDown(tx: Tx, since: Date, failures: number): Promise<void> {
    await this.alerts.raise(tx, {
      cause: 'mail.server_down',
      summary: 'The mail server has been away for more than ten minutes; all mail waits',
      details: { paused_since: since.toISOString(), failures },
    });
  }

  /** The recipient takes no mail at all. */
  async raiseRefused(tx: Tx, message: MailMessage): Promise<void> {
    await this.alerts.raise(tx, {
      cause: 'mail.recipient_refused',
      summary: 'A recipient refused a mail for good and gets no more until that is lifted',
      details: detailsOf(message),
    });
  }

  async raiseGivenUp(tx: Tx, message: MailMessage): Promise<void> {
    if (message.template === 'alert') return;
    await this.alerts.raise(tx, {
      cause: 'mail.given_up',
      summary: 'A mail was given up: the mail server did not take it',
      details: detailsOf(message),
    });
  }

  /** A message was not tried because its recipient is suppressed. Of prospects operators have heard when they refused. */
  async raiseSuppressed(tx: Tx, message: MailMessage): Promise<void> {
    if (message.template === 'alert' || !this.practice.has(message.recipient.toLowerCase())) return;
    await this.alerts.raise(tx, {
      cause: 'mail.practice_suppressed',
      summary: 'Somebody of the practice is not written to, because their address refused mail before',
      details: detailsOf(message),
    });
  }
}

function detailsOf({ id, template, aboutKind, aboutId }: MailMessage): Record<string, string> {
  return { message_id: id, template, about_kind: aboutKind, about_id: aboutId };
}
