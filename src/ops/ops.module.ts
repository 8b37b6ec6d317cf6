import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { FilesModule } from '../files/files.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { MailModule } from '../mail/mail.module.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';
import { JobsAdminService } from './jobs-admin.service.js';
import { JobsController } from './jobs.controller.js';
import { MachineMetrics } from './machine.metrics.js';
import { MailAdminService } from './mail-admin.service.js';
import { MailMessagesController } from './mail-messages.controller.js';
import { MailStatusController } from './mail-status.controller.js';
import { MailSuppressionsController } from './mail-suppressions.controller.js';
import { MetricsEndpoint } from './metrics-endpoint.js';
import { MetricsServer } from './metrics-server.js';
import { MetricsService } from './metrics.service.js';

/**
 * What operators ask, and what they do about jobs and mail, which is on record. Owns no table; promises that "ready" means a
 * submission would be taken, and that metrics are there while everything else is away.
 */
@Module({
  imports: [AuditModule, FilesModule, JobsModule, MailModule],
  controllers: [
    HealthController,
    JobsController,
    MailMessagesController,
    MailSuppressionsController,
    MailStatusController,
  ],
  providers: [
    HealthService,
    JobsAdminService,
    MachineMetrics,
    MailAdminService,
    MetricsEndpoint,
    MetricsServer,
    MetricsService,
  ],
})
export class OpsModule {}
