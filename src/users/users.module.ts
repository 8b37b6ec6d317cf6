import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { KnownUsers } from './known-users.js';
import { UsersController } from './users.controller.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

/**
 * Accounts. Owns the table `users`; promises that names and addresses are unique without regard to case, that the last
 * admin stays, and that a change of an account is known to every process at once. Leaves signing in to auth.
 */
@Module({
  imports: [AuditModule],
  controllers: [UsersController],
  providers: [UsersRepository, UsersService, KnownUsers],
  exports: [UsersService],
})
export class UsersModule {}
