import { Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { UsersModule } from '../../users/users.module.js';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { KnownSessions } from './known-sessions.js';
import { RefreshTokensRepository } from './refresh-tokens.repository.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';

/**
 * Who is signed in where. Owns the tables `sessions` and `refresh_tokens`; promises that one that ended is out at once. Leaves
 * to auth how one is begun and kept up, and to accounts what ends all of somebody's.
 */
@Module({
  imports: [ApiKeysModule, AuditModule, UsersModule],
  providers: [SessionsRepository, RefreshTokensRepository, KnownSessions, SessionsService],
  exports: [SessionsRepository, RefreshTokensRepository, SessionsService],
})
export class SessionsModule {}
