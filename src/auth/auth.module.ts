import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { AuditModule } from '../audit/audit.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { JobsService } from '../jobs/jobs.service.js';
import { SCHEDULED } from '../jobs/scheduled.jobs.js';
import { UsersModule } from '../users/users.module.js';
import { AccessGuard } from './access.guard.js';
import { AccessTokens } from './access-tokens.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { FirstAdmin } from './first-admin.js';
import { JwksController } from './jwks.controller.js';
import { JwtStrategy } from './jwt.strategy.js';
import { KeysModule } from './keys.module.js';
import { KnownSessions } from './known-sessions.js';
import { PasswordHasher } from './password-hasher.js';
import { RefreshTokensRepository } from './refresh-tokens.repository.js';
import { SessionRefresh } from './session-refresh.js';
import { SessionSweep } from './session-sweep.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';
import { SignInRecords } from './sign-in-records.js';
import { SigningKeys } from './signing-keys.js';
import { UserSessionsController } from './user-sessions.controller.js';

/**
 * Who is calling, and may they. Owns the tables `sessions` and `refresh_tokens`, signing in, access tokens and their keys,
 * permissions and the guard before every route; promises that what is not allowed is refused, and that an ended session and a
 * disabled account are out at once. Leaves accounts themselves to users.
 */
@Module({
  imports: [AuditModule, JobsModule, KeysModule, UsersModule, PassportModule, JwtModule.register({})],
  controllers: [AuthController, SessionsController, UserSessionsController, JwksController],
  providers: [
    AuthService,
    AccessTokens,
    SigningKeys,
    PasswordHasher,
    JwtStrategy,
    SessionsRepository,
    RefreshTokensRepository,
    KnownSessions,
    SessionsService,
    SessionRefresh,
    SessionSweep,
    FirstAdmin,
    SignInRecords,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [SessionsService],
})
export class AuthModule {
  constructor(jobs: JobsService, sweep: SessionSweep) {
    jobs.schedule(SCHEDULED.forgetSessions, () => sweep.run());
  }
}
