import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.js';
import { AlertsRepository } from './alerts.repository.js';
import { AlertsService } from './alerts.service.js';

/**
 * What operators should look at. Owns the table `alerts`; promises that an alert commits with its cause and that each cause is
 * told once an hour however often it happens. Leaves the telling to mail.
 */
@Module({ imports: [JobsModule], providers: [AlertsRepository, AlertsService], exports: [AlertsService] })
export class AlertsModule {}
