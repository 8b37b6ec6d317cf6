import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { AuditModule } from '../audit/audit.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccessGuard } from './access.guard.js';
import { AccessTokens } from './access-tokens.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { FirstAdmin } from './first-admin.js';
import { JwtStrategy } from './jwt.strategy.js';
import { PasswordHasher } from './password-hasher.js';
import { SignInRecords } from './sign-in-records.js';
import { SigningKeys } from './signing-keys.js';

/**
 * Who is calling, and may they. Owns signing in, access tokens, permissions and the guard before every route; promises
 * that what is not allowed is refused and that a disabled account is out at once. Leaves accounts themselves to users.
 */
@Module({
  imports: [AuditModule, UsersModule, PassportModule, JwtModule.register({})],
  controllers: [AuthController],
  providers: [
    AuthService,
    AccessTokens,
    SigningKeys,
    PasswordHasher,
    JwtStrategy,
    FirstAdmin,
    SignInRecords,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
})
export class AuthModule {}
