import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { AlertsModule } from '../alerts/alerts.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountsModule } from './accounts/accounts.module.js';
import { FactorsModule } from './factors/factors.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { SignInMetrics } from './sign-in.metrics.js';
import { SignInRecords } from './sign-in-records.js';
import { SignIns } from './sign-ins.js';
import { SingleSignOn } from './single-sign-on.js';
import { AccessTokens } from './tokens/access-tokens.js';
import { KeysModule } from './tokens/keys.module.js';
import { SigningKeys } from './tokens/signing-keys.js';

/**
 * Where every way to sign in ends. Owns access tokens and their keys; promises that each sign-in is on record. Leaves to the
 * ways how somebody proves who they are.
 */
@Module({
  imports: [
    AccountsModule,
    AlertsModule,
    AuditModule,
    FactorsModule,
    KeysModule,
    SessionsModule,
    UsersModule,
    JwtModule.register({}),
  ],
  providers: [AccessTokens, SigningKeys, SignInMetrics, SignInRecords, SignIns, SingleSignOn],
  exports: [AccessTokens, SigningKeys, SignInMetrics, SignInRecords, SignIns, SingleSignOn],
})
export class SignInsModule {}
