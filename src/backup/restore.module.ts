import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { StoragesModule } from '../files/storage/storages.module.js';
import { RestoreRepository } from './restore.repository.js';
import { RestoreService } from './restore.service.js';

/**
 * Filling an empty instance from an archive. Stands apart from the application: nothing of it may run before the instance has its
 * rows.
 */
@Module({
  imports: [AuditModule, JobsModule, StoragesModule],
  providers: [RestoreRepository, RestoreService],
})
export class RestoreModule {}
