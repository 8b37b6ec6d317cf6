import { Module } from '@nestjs/common';
import { LegalHoldsRepository } from './legal-holds.repository.js';
import { LegalHoldsService } from './legal-holds.service.js';
import { RetentionService } from './retention.service.js';
import { PersonsService } from './persons.service.js';

/**
 * What every module that knows something of persons has in common. Owns the table `legal_holds`; promises that nothing about
 * somebody on hold is deleted, however close the two come. Leaves what is known to the modules that know it, and what is done
 * with it to privacy.
 */
@Module({
  providers: [LegalHoldsRepository, LegalHoldsService, PersonsService, RetentionService],
  exports: [LegalHoldsService, PersonsService, RetentionService],
})
export class PersonsModule {
  constructor(persons: PersonsService, holds: LegalHoldsService) {
    persons.register(holds);
  }
}
