import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { FilesModule } from '../files/files.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';
import { JobsAdminService } from './jobs-admin.service.js';
import { JobsController } from './jobs.controller.js';

/** What operators ask. Owns no table; promises that "ready" means a submission would be taken. */
@Module({
  imports: [AuditModule, FilesModule, JobsModule],
  controllers: [HealthController, JobsController],
  providers: [HealthService, JobsAdminService],
})
export class OpsModule {}
