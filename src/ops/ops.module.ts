import { Module } from '@nestjs/common';
import { FilesModule } from '../files/files.module.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';

/** What operators ask. Owns no table; promises that "ready" means a submission would be taken. */
@Module({ imports: [FilesModule], controllers: [HealthController], providers: [HealthService] })
export class OpsModule {}
