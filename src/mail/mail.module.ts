import { MailerModule } from '@nestjs-modules/mailer';
import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { TELL_ALERT } from '../alerts/alerts.jobs.js';
import { AlertsModule } from '../alerts/alerts.module.js';
import { Transactions } from '../database/transactions.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { JobsService } from '../jobs/jobs.service.js';
import { SCHEDULED } from '../jobs/scheduled.jobs.js';
import { PersonsModule } from '../persons/persons.module.js';
import { PersonsService } from '../persons/persons.service.js';
import { RetentionService } from '../persons/retention.service.js';
import { DeliveryAlerts } from './delivery-alerts.js';
import { DeliveryOutcomes } from './delivery-outcomes.js';
import { EmlFolder } from './eml-folder.js';
import { DNS_RESOLVER, MailDnsService, makeResolver } from './mail-dns.service.js';
import { MailFiguresRepository } from './mail-figures.repository.js';
import { MailMetrics } from './mail.metrics.js';
import { MailPersons } from './mail-persons.js';
import { MailPersonsRepository } from './mail-persons.repository.js';
import { MailRecordsService } from './mail-records.service.js';
import { MailRetention } from './mail-retention.js';
import { MailRetentionRepository } from './mail-retention.repository.js';
import { MailStatusService } from './mail-status.service.js';
import { MailComposer } from './mail-composer.js';
import { MailAlerts } from './mail.alerts.js';
import { MailAttemptsRepository } from './mail-attempts.repository.js';
import { MailDelivery } from './mail-delivery.js';
import { MailSecrets } from './mail-secrets.js';
import { MailSender } from './mail-sender.js';
import { MailServer } from './mail-server.js';
import { MailServerRepository } from './mail-server.repository.js';
import { MailSuppressionsRepository } from './mail-suppressions.repository.js';
import { DELIVER_MAIL, FORGET_LETTERS, PROBE_MAIL_SERVER } from './mail.jobs.js';
import { MailDeliveriesRepository } from './mail-deliveries.repository.js';
import { MailRepository } from './mail.repository.js';
import { MailService } from './mail.service.js';
import { MailTemplates } from './mail.templates.js';
import { mailTransport } from './mail.transport.js';

/**
 * Mail. Owns the tables `mail_messages`, `mail_attempts`, `mail_suppressions` and `mail_server_state`, and the templates;
 * promises that a message commits with the change that causes it, and is handed to the mail server or visibly given up;
 * that no outage of the server costs a message; that links which open an account are read by their recipient alone; that a recipient who refused for good is not asked again. Leaves to others
 * what is said to whom.
 */
@Module({
  imports: [
    AlertsModule,
    JobsModule,
    PersonsModule,
    MailerModule.forRootAsync({
      imports: [],
      useFactory: (config: Config) => ({ transport: mailTransport(config) }),
      inject: [CONFIG],
    }),
  ],
  providers: [
    MailDeliveriesRepository,
    MailRepository,
    MailAttemptsRepository,
    MailSuppressionsRepository,
    MailServerRepository,
    MailFiguresRepository,
    MailMetrics,
    MailServer,
    MailSecrets,
    MailSender,
    MailDelivery,
    DeliveryAlerts,
    DeliveryOutcomes,
    MailService,
    MailComposer,
    MailTemplates,
    MailAlerts,
    EmlFolder,
    MailRecordsService,
    MailPersons,
    MailPersonsRepository,
    MailRetention,
    MailRetentionRepository,
    MailStatusService,
    MailDnsService,
    { provide: DNS_RESOLVER, useFactory: makeResolver },
  ],
  exports: [MailService, MailRecordsService, MailStatusService, MailDnsService, EmlFolder],
})
export class MailModule {
  constructor(
    jobs: JobsService,
    delivery: MailDelivery,
    server: MailServer,
    transactions: Transactions,
    alerts: MailAlerts,
    letters: EmlFolder,
    persons: PersonsService,
    ofPersons: MailPersons,
    retention: RetentionService,
    rule: MailRetention,
  ) {
    persons.register(ofPersons);
    retention.register(rule);
    jobs.schedule(SCHEDULED.watchMailPause, () => transactions.run((tx) => server.watchPause(tx)));
    jobs.handle(DELIVER_MAIL, ({ message_id, round }, cause) => delivery.deliver(cause, message_id, round));
    jobs.handle(PROBE_MAIL_SERVER, ({ round }, cause) => delivery.probe(cause, round));
    // what is gone stays gone, however often this runs
    jobs.handle(FORGET_LETTERS, ({ message_ids }) => letters.remove(message_ids));
    jobs.handle(TELL_ALERT, ({ alert_id }, cause) => alerts.tell(cause, alert_id));
  }
}
