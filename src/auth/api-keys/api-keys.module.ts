import { Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { MailModule } from '../../mail/mail.module.js';
import { UsersModule } from '../../users/users.module.js';
import { ApiKeyAccess } from './api-key-access.js';
import { ApiKeyCare } from './api-key-care.js';
import { ApiKeysRepository } from './api-keys.repository.js';
import { ApiKeysService } from './api-keys.service.js';
import { KnownApiKeys } from './known-api-keys.js';

/**
 * What programs sign in with. Owns the table `api_keys`; promises that a key never does more than its owner may now, that only its
 * hash is kept, and that one that was revoked is out at once. Leaves to auth who may make and end which.
 */
@Module({
  imports: [AuditModule, JobsModule, MailModule, UsersModule],
  providers: [ApiKeysRepository, KnownApiKeys, ApiKeysService, ApiKeyAccess, ApiKeyCare],
  exports: [ApiKeysService, ApiKeyAccess],
})
export class ApiKeysModule {}
