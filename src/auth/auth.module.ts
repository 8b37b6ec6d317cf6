import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { AuditModule } from '../audit/audit.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { JobsService } from '../jobs/jobs.service.js';
import { SCHEDULED } from '../jobs/scheduled.jobs.js';
import { MailModule } from '../mail/mail.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccessGuard } from './access.guard.js';
import { AccessTokens } from './access-tokens.js';
import { AccountsModule } from './accounts.module.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { FirstAdmin } from './first-admin.js';
import { JwksController } from './jwks.controller.js';
import { JwtStrategy } from './jwt.strategy.js';
import { KeysModule } from './keys.module.js';
import { SessionRefresh } from './session-refresh.js';
import { SessionSweep } from './session-sweep.js';
import { InvitationsController } from './invitations.controller.js';
import { InvitationsRepository } from './invitations.repository.js';
import { InvitationsService } from './invitations.service.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsModule } from './sessions.module.js';
import { SignInRecords } from './sign-in-records.js';
import { UsersAdminController } from './users-admin.controller.js';
import { UsersController } from './users.controller.js';
import { SigningKeys } from './signing-keys.js';
import { UserSessionsController } from './user-sessions.controller.js';

/**
 * Who is calling, and may they. Owns the table `invitations`, signing in, tokens and their keys, permissions and the guard
 * before every route; promises that what is not allowed is refused and that a disabled account is out at once. Leaves accounts
 * themselves to users, what is done to them to its accounts module, and who is signed in where to its sessions module.
 */
@Module({
  imports: [
    AccountsModule,
    AuditModule,
    JobsModule,
    KeysModule,
    MailModule,
    SessionsModule,
    UsersModule,
    PassportModule,
    JwtModule.register({}),
  ],
  controllers: [
    AuthController,
    InvitationsController,
    JwksController,
    SessionsController,
    UsersAdminController,
    UsersController,
    UserSessionsController,
  ],
  providers: [
    AuthService,
    AccessTokens,
    SigningKeys,
    InvitationsRepository,
    InvitationsService,
    JwtStrategy,
    SessionRefresh,
    SessionSweep,
    FirstAdmin,
    SignInRecords,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
})
export class AuthModule {
  constructor(jobs: JobsService, sweep: SessionSweep) {
    jobs.schedule(SCHEDULED.forgetSessions, () => sweep.run());
  }
}
