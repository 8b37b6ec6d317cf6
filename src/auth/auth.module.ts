import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { AuditModule } from '../audit/audit.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { MailModule } from '../mail/mail.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccessGuard } from './access.guard.js';
import { AccessTokens } from './access-tokens.js';
import { AccountKey } from './account-key.js';
import { AccountRights } from './account-rights.js';
import { AccountsService } from './accounts.service.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { FirstAdmin } from './first-admin.js';
import { InvitationsController } from './invitations.controller.js';
import { InvitationsRepository } from './invitations.repository.js';
import { InvitationsService } from './invitations.service.js';
import { JwtStrategy } from './jwt.strategy.js';
import { LockNotices } from './lock-notices.js';
import { PasswordHasher } from './password-hasher.js';
import { PasswordPolicy } from './password-policy.js';
import { PasswordRehash } from './password-rehash.js';
import { SessionEnding } from './session-ending.js';
import { SignInLocks } from './sign-in-locks.js';
import { SignInLocksRepository } from './sign-in-locks.repository.js';
import { SigningKeys } from './signing-keys.js';
import { UsersAdminController } from './users-admin.controller.js';
import { UsersController } from './users.controller.js';

/**
 * Who is calling, and may they. Owns the tables `sign_in_locks`, `known_sources` and `invitations`, signing in, access
 * tokens, passwords, permissions and the guard before every route; promises that what is not allowed is refused, that a
 * disabled account is out at once, that nobody guesses for long and nobody is shut out from elsewhere. Leaves accounts as
 * such to users.
 */
@Module({
  imports: [AuditModule, JobsModule, MailModule, UsersModule, PassportModule, JwtModule.register({})],
  controllers: [AuthController, UsersController, UsersAdminController, InvitationsController],
  providers: [
    AuthService,
    AccessTokens,
    SigningKeys,
    PasswordHasher,
    PasswordPolicy,
    PasswordRehash,
    AccountKey,
    AccountRights,
    AccountsService,
    InvitationsRepository,
    InvitationsService,
    SignInLocks,
    SignInLocksRepository,
    LockNotices,
    SessionEnding,
    JwtStrategy,
    FirstAdmin,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
})
export class AuthModule {}
