import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { FilesModule } from '../files/files.module.js';
import { MailModule } from '../mail/mail.module.js';
import { PersonsModule } from '../persons/persons.module.js';
import { PersonsService } from '../persons/persons.service.js';
import { RetentionService } from '../persons/retention.service.js';
import { LeadConsentsRepository } from './lead-consents.repository.js';
import { LeadPersons } from './lead-persons.js';
import { LeadPersonsRepository } from './lead-persons.repository.js';
import { LeadRemoval } from './lead-removal.js';
import { LeadRetention } from './lead-retention.js';
import { LeadStatusChangesRepository } from './lead-status-changes.repository.js';
import { LeadsController } from './leads.controller.js';
import { LeadsMetrics } from './leads.metrics.js';
import { LeadsRepository } from './leads.repository.js';
import { LeadsService } from './leads.service.js';

/**
 * Prospects and their story. Owns the tables `leads`, `lead_status_changes`, `lead_consents` and `lead_totals`; promises that an
 * acknowledged submission is never lost, that one address is one lead, and that every move is on record. Leaves bytes to
 * files and letters to mail.
 */
@Module({
  imports: [AuditModule, FilesModule, MailModule, PersonsModule],
  controllers: [LeadsController],
  providers: [
    LeadsRepository,
    LeadConsentsRepository,
    LeadStatusChangesRepository,
    LeadsService,
    LeadsMetrics,
    LeadRemoval,
    LeadRetention,
    LeadPersons,
    LeadPersonsRepository,
  ],
})
export class LeadsModule {
  constructor(persons: PersonsService, ofPersons: LeadPersons, retention: RetentionService, rule: LeadRetention) {
    persons.register(ofPersons);
    retention.register(rule);
  }
}
