import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { AuditModule } from '../audit/audit.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { JobsService } from '../jobs/jobs.service.js';
import { SCHEDULED } from '../jobs/scheduled.jobs.js';
import { MailModule } from '../mail/mail.module.js';
import { PersonsModule } from '../persons/persons.module.js';
import { RetentionService } from '../persons/retention.service.js';
import { UsersModule } from '../users/users.module.js';
import { AccessGuard } from './access.guard.js';
import { AccountsModule } from './accounts/accounts.module.js';
import { FirstAdmin } from './accounts/first-admin.js';
import { UsersAdminController } from './accounts/users-admin.controller.js';
import { UsersController } from './accounts/users.controller.js';
import { ApiKeyOwners } from './api-keys/api-key-owners.js';
import { ApiKeysAdminController } from './api-keys/api-keys-admin.controller.js';
import { ApiKeysController } from './api-keys/api-keys.controller.js';
import { ApiKeysModule } from './api-keys/api-keys.module.js';
import { AuthController } from './auth.controller.js';
import { AuthPersonsModule } from './auth-persons.module.js';
import { AuthService } from './auth.service.js';
import { FactorsAdminController } from './factors/factors-admin.controller.js';
import { FactorsController } from './factors/factors.controller.js';
import { FactorsModule } from './factors/factors.module.js';
import { PasskeySignIns } from './factors/passkey-sign-ins.js';
import { SecondStepsController } from './factors/second-steps.controller.js';
import { SecondSteps } from './factors/second-steps.js';
import { InvitationsModule } from './invitations/invitations.module.js';
import { LinksModule } from './links/links.module.js';
import { OpenidModule } from './openid/openid.module.js';
import { SessionRetention } from './sessions/session-retention.js';
import { SessionRefresh } from './sessions/session-refresh.js';
import { SessionSweep } from './sessions/session-sweep.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { UserSessionsController } from './sessions/user-sessions.controller.js';
import { SignInsModule } from './sign-ins.module.js';
import { JwksController } from './tokens/jwks.controller.js';
import { JwtStrategy } from './tokens/jwt.strategy.js';
import { ProvedTokens } from './tokens/proved-tokens.js';

/**
 * Who is calling, and may they. Owns signing in with a password, permissions and the guard before every route; promises that
 * what is not allowed is refused and that a disabled account is out at once. Leaves accounts themselves to users, and to the
 * modules below it what is done to accounts, invitations, links, second factors, other people's sign-in, who is signed in
 * where, and what programs come with.
 */
@Module({
  imports: [
    AccountsModule,
    ApiKeysModule,
    AuditModule,
    AuthPersonsModule,
    FactorsModule,
    JobsModule,
    InvitationsModule,
    LinksModule,
    MailModule,
    OpenidModule,
    PassportModule,
    PersonsModule,
    SessionsModule,
    SignInsModule,
    UsersModule,
  ],
  controllers: [
    ApiKeysAdminController,
    ApiKeysController,
    AuthController,
    FactorsAdminController,
    FactorsController,
    JwksController,
    SecondStepsController,
    SessionsController,
    UsersAdminController,
    UsersController,
    UserSessionsController,
  ],
  providers: [
    ApiKeyOwners,
    AuthService,
    JwtStrategy,
    ProvedTokens,
    PasskeySignIns,
    SecondSteps,
    SessionRefresh,
    SessionRetention,
    SessionSweep,
    FirstAdmin,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
})
export class AuthModule {
  constructor(jobs: JobsService, sweep: SessionSweep, retention: RetentionService, rule: SessionRetention) {
    retention.register(rule);
    jobs.schedule(SCHEDULED.forgetSessions, () => sweep.run());
  }
}
