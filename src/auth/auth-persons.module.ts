import { Module } from '@nestjs/common';
import { PersonsModule } from '../persons/persons.module.js';
import { PersonsService } from '../persons/persons.service.js';
import { AuthPersons } from './auth-persons.js';
import { AuthPersonsRepository } from './auth-persons.repository.js';

/** What signing in knows of persons, for the service and for commands, which know no one who signs in. */
@Module({
  imports: [PersonsModule],
  providers: [AuthPersons, AuthPersonsRepository],
})
export class AuthPersonsModule {
  constructor(persons: PersonsService, ofPersons: AuthPersons) {
    persons.register(ofPersons);
  }
}
