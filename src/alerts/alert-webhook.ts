import { Inject, Injectable } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import { Clock } from '../common/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import type { Alert } from './alert.entity.js';
import { AlertsRepository } from './alerts.repository.js';

const ANSWER_WITHIN_MS = 10_000;

/**
 * Tells a program of alerts: a POST of JSON, signed as Standard Webhooks 1.0.0 says (standardwebhooks.com: headers webhook-id,
 * webhook-timestamp and webhook-signature, HMAC-SHA256 over the three), so that the receiver can tell that it is from us, fresh
 * and not seen before.
 */
@Injectable()
export class AlertWebhook {
  constructor(
    private readonly alerts: AlertsRepository,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * The job. Running it twice calls twice with the same webhook-id, by which the receiver knows. Throws when the answer is not
   * 2xx within ten seconds; redirections are not followed.
   */
  async call(alertId: string): Promise<void> {
    const { webhook } = this.config.alerts;
    const alert = await this.alerts.findById(alertId);
    if (alert === null || webhook === undefined) return;
    const body = JSON.stringify(payloadOf(alert));
    const timestamp = Math.floor(this.clock.now().getTime() / 1000).toString();
    const mac = createHmac('sha256', webhook.secret).update(`${alert.id}.${timestamp}.${body}`).digest('base64');
    const response = await fetch(webhook.url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'webhook-id': alert.id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${mac}`,
      },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`ALERT_WEBHOOK_URL answered ${response.status}`);
  }
}

function payloadOf({ id, cause, summary, details, raisedAt }: Alert): Record<string, unknown> {
  return { type: 'alert.raised', timestamp: raisedAt.toISOString(), data: { id, cause, summary, details } };
}
