import { Module } from '@nestjs/common';
import { AlertsModule } from '../alerts/alerts.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { JobsService } from '../jobs/jobs.service.js';
import { SCHEDULED } from '../jobs/scheduled.jobs.js';
import { PersonsModule } from '../persons/persons.module.js';
import { PersonsService } from '../persons/persons.service.js';
import { ErasureNotes } from './erasure-notes.js';
import { ErasurePersons } from './erasure-persons.js';
import { ErasureReapplication } from './erasure-reapplication.js';
import { ErasuresRepository } from './erasures.repository.js';
import { ErasuresService } from './erasures.service.js';
import { PersonKey } from './person-key.js';
import { PersonRows } from './person-rows.js';
import { PrivacyController } from './privacy.controller.js';
import { COMPLETE_ERASURE } from './privacy.jobs.js';
import { PrivacyService } from './privacy.service.js';
import { RetentionController } from './retention.controller.js';
import { RetentionRuns } from './retention-runs.js';

/**
 * What a person may ask of the practice: to see, to take and to be forgotten. Owns the table `erasures` and the notes of erasures
 * outside of the database, and applies the rules of retention that modules have (`RetentionRule`); promises that whoever is forgotten is so in every table at once, that nobody on hold is, that a restore
 * brings nobody back unseen, and that each look is on record. Leaves to every module what
 * it knows of persons (`PersonalData`).
 */
@Module({
  imports: [AlertsModule, AuditModule, JobsModule, PersonsModule],
  controllers: [PrivacyController, RetentionController],
  providers: [
    ErasureNotes,
    ErasurePersons,
    ErasureReapplication,
    ErasuresRepository,
    ErasuresService,
    PersonKey,
    PersonRows,
    PrivacyService,
    RetentionRuns,
  ],
})
export class PrivacyModule {
  constructor(
    jobs: JobsService,
    persons: PersonsService,
    erasures: ErasuresService,
    notes: ErasureNotes,
    ofPersons: ErasurePersons,
    retention: RetentionRuns,
  ) {
    persons.register(ofPersons);
    jobs.handle(COMPLETE_ERASURE, ({ erasure_id }, cause) => erasures.complete(cause, erasure_id));
    jobs.schedule(SCHEDULED.retain, (stop) => retention.run(stop));
    jobs.schedule(SCHEDULED.compareErasureNotes, () => notes.compare());
  }
}
