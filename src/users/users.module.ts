import { Module } from '@nestjs/common';
import { KnownUsers } from './known-users.js';
import { PersonsModule } from '../persons/persons.module.js';
import { PersonsService } from '../persons/persons.service.js';
import { UserPersons } from './user-persons.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

/**
 * Accounts. Owns the table `users`; promises that names and addresses are unique without regard to case, that the last
 * superadmin stays, and that a change of an account is known to every process at once. Leaves to auth who may change whom,
 * passwords and signing in.
 */
@Module({
  imports: [PersonsModule],
  providers: [UsersRepository, UsersService, KnownUsers, UserPersons],
  exports: [UsersService],
})
export class UsersModule {
  constructor(persons: PersonsService, ofPersons: UserPersons) {
    persons.register(ofPersons);
  }
}
