import { MailerModule } from '@nestjs-modules/mailer';
import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { TELL_ALERT } from '../alerts/alerts.jobs.js';
import { AlertsModule } from '../alerts/alerts.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { JobsService } from '../jobs/jobs.service.js';
import { EmlFolder } from './eml-folder.js';
import { MailComposer } from './mail-composer.js';
import { MailAlerts } from './mail.alerts.js';
import { DELIVER_MAIL } from './mail.jobs.js';
import { MailRepository } from './mail.repository.js';
import { MailService } from './mail.service.js';
import { MailTemplates } from './mail.templates.js';
import { mailTransport } from './mail.transport.js';

/**
 * Mail. Owns the table `mail_messages` and the templates; promises that a message commits with the change that causes it,
 * and is handed to the mail server or visibly given up. Leaves to others what is said to whom.
 */
@Module({
  imports: [
    AlertsModule,
    JobsModule,
    MailerModule.forRootAsync({
      imports: [],
      useFactory: (config: Config) => ({ transport: mailTransport(config) }),
      inject: [CONFIG],
    }),
  ],
  providers: [MailRepository, MailService, MailComposer, MailTemplates, MailAlerts, EmlFolder],
  exports: [MailService, EmlFolder],
})
export class MailModule {
  constructor(jobs: JobsService, mail: MailService, alerts: MailAlerts) {
    jobs.handle(DELIVER_MAIL, ({ message_id }) => mail.deliver(message_id));
    jobs.handle(TELL_ALERT, ({ alert_id }) => alerts.tell(alert_id));
  }
}
