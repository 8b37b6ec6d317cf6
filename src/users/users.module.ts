import { Module } from '@nestjs/common';
import { KnownUsers } from './known-users.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

/**
 * Accounts. Owns the table `users`; promises that names and addresses are unique without regard to case, that the last
 * superadmin stays, and that a change of an account is known to every process at once. Leaves to auth who may change whom,
 * passwords and signing in.
 */
@Module({
  providers: [UsersRepository, UsersService, KnownUsers],
  exports: [UsersService],
})
export class UsersModule {}
