import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { AuditModule } from '../audit/audit.module.js';
import { MailModule } from '../mail/mail.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccessGuard } from './access.guard.js';
import { AccessTokens } from './access-tokens.js';
import { AccountsModule } from './accounts.module.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { FirstAdmin } from './first-admin.js';
import { InvitationsController } from './invitations.controller.js';
import { InvitationsRepository } from './invitations.repository.js';
import { InvitationsService } from './invitations.service.js';
import { JwtStrategy } from './jwt.strategy.js';
import { SigningKeys } from './signing-keys.js';
import { UsersAdminController } from './users-admin.controller.js';
import { UsersController } from './users.controller.js';

/**
 * Who is calling, and may they. Owns the table `invitations`, signing in, access tokens, permissions and the guard before
 * every route; promises that what is not allowed is refused and that a disabled account is out at once. Leaves accounts
 * themselves to users, and what is done to them to its own accounts module.
 */
@Module({
  imports: [AccountsModule, AuditModule, MailModule, UsersModule, PassportModule, JwtModule.register({})],
  controllers: [AuthController, UsersController, UsersAdminController, InvitationsController],
  providers: [
    AuthService,
    AccessTokens,
    SigningKeys,
    InvitationsRepository,
    InvitationsService,
    JwtStrategy,
    FirstAdmin,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
})
export class AuthModule {}
