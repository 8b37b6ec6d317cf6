import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.js';
import { JobsService } from '../jobs/jobs.service.js';
import { AlertWebhook } from './alert-webhook.js';
import { CALL_WEBHOOK } from './alerts.jobs.js';
import { AlertsMetrics } from './alerts.metrics.js';
import { AlertsRepository } from './alerts.repository.js';
import { AlertsService } from './alerts.service.js';

/**
 * What operators should look at. Owns the table `alerts`; promises that an alert commits with its cause and that each cause is
 * told once an hour however often it happens. Calls the webhook; leaves the telling by mail to mail.
 */
@Module({
  imports: [JobsModule],
  providers: [AlertsRepository, AlertsMetrics, AlertsService, AlertWebhook],
  exports: [AlertsService],
})
export class AlertsModule {
  constructor(jobs: JobsService, webhook: AlertWebhook) {
    jobs.handle(CALL_WEBHOOK, ({ alert_id }) => webhook.call(alert_id));
  }
}
