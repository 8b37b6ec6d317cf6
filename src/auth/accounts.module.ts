import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { MailModule } from '../mail/mail.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountKey } from './account-key.js';
import { AccountRights } from './account-rights.js';
import { AccountsService } from './accounts.service.js';
import { LockNotices } from './lock-notices.js';
import { PasswordHasher } from './password-hasher.js';
import { PasswordPolicy } from './password-policy.js';
import { PasswordRehash } from './password-rehash.js';
import { SessionsModule } from './sessions.module.js';
import { SignInLocks } from './sign-in-locks.js';
import { SignInLocksRepository } from './sign-in-locks.repository.js';

/**
 * What is done to accounts, for routes and commands alike. Owns the tables `sign_in_locks` and `known_sources`; promises that
 * passwords that anybody would guess are not taken, that nobody guesses for long and that nobody is shut out from elsewhere.
 * Leaves to auth who is calling, and to users accounts as such.
 */
@Module({
  imports: [AuditModule, JobsModule, MailModule, SessionsModule, UsersModule],
  providers: [
    AccountKey,
    AccountRights,
    AccountsService,
    LockNotices,
    PasswordHasher,
    PasswordPolicy,
    PasswordRehash,
    SignInLocks,
    SignInLocksRepository,
  ],
  exports: [AccountRights, AccountsService, PasswordHasher, PasswordPolicy, PasswordRehash, SignInLocks],
})
export class AccountsModule {}
