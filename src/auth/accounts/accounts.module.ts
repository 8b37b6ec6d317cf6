import { Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { MailModule } from '../../mail/mail.module.js';
import { UsersModule } from '../../users/users.module.js';
import { AccountKey } from '../locks/account-key.js';
import { LockNotices } from '../locks/lock-notices.js';
import { SignInLocks } from '../locks/sign-in-locks.js';
import { SignInLocksRepository } from '../locks/sign-in-locks.repository.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordPolicy } from '../passwords/password-policy.js';
import { PasswordRehash } from '../passwords/password-rehash.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { AccountRights } from './account-rights.js';
import { AccountsService } from './accounts.service.js';
import { Reauthentication } from './reauthentication.js';

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
    Reauthentication,
    SignInLocks,
    SignInLocksRepository,
  ],
  exports: [
    AccountKey,
    AccountRights,
    AccountsService,
    PasswordHasher,
    PasswordPolicy,
    PasswordRehash,
    Reauthentication,
    SignInLocks,
  ],
})
export class AccountsModule {}
