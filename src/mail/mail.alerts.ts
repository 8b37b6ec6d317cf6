import { Inject, Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { CONFIG, type Config } from '../config/config.js';
import { type Cause, Transactions } from '../database/transactions.js';
import { MailService } from './mail.service.js';

/** Tells operators of alerts by mail. */
@Injectable()
export class MailAlerts {
  constructor(
    private readonly alerts: AlertsService,
    private readonly mail: MailService,
    private readonly transactions: Transactions,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The job. Running it twice does no harm: the same alert owes a recipient one message. */
  async tell(cause: Cause, alertId: string): Promise<void> {
    const alert = await this.alerts.find(alertId);
    if (alert === null) return;
    const data = {
      summary: alert.summary,
      cause: alert.cause,
      raised_at: alert.raisedAt.toISOString(),
      details: JSON.stringify(alert.details),
    };
    const mails = this.config.mail.alertRecipients.map((recipient) => ({
      template: 'alert' as const,
      recipient,
      data,
    }));
    await this.transactions.run(cause, (tx) => this.mail.queue(tx, { kind: 'alert', id: alert.id }, mails));
  }
}
