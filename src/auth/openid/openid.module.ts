import { Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { JobsService } from '../../jobs/jobs.service.js';
import { SCHEDULED } from '../../jobs/scheduled.jobs.js';
import { MailModule } from '../../mail/mail.module.js';
import { UsersModule } from '../../users/users.module.js';
import { AccountsModule } from '../accounts/accounts.module.js';
import { InvitationsModule } from '../invitations/invitations.module.js';
import { SignInsModule } from '../sign-ins.module.js';
import { Arrivals } from './arrivals.js';
import { IdentitiesController } from './identities.controller.js';
import { IdentitiesService } from './identities.service.js';
import { OpenidFlows } from './openid-flows.js';
import { OpenidFlowsRepository } from './openid-flows.repository.js';
import { OpenidController } from './openid.controller.js';
import { OpenidService } from './openid.service.js';
import { ProviderConnections } from './provider-connections.js';
import { Providers } from './providers.js';
import { UserIdentitiesRepository } from './user-identities.repository.js';

/**
 * Signing in with providers (OpenID Connect Core, and GitHub's OAuth 2). Owns the tables `user_identities` and `openid_flows`;
 * promises that nobody comes in by an e-mail address, in another browser or twice with the same answer, and that tokens stand in
 * no address. Leaves what a sign-in gives to sign-ins, and accounts to accounts.
 */
@Module({
  imports: [AccountsModule, AuditModule, InvitationsModule, JobsModule, MailModule, SignInsModule, UsersModule],
  controllers: [OpenidController, IdentitiesController],
  providers: [
    Arrivals,
    IdentitiesService,
    OpenidFlows,
    OpenidFlowsRepository,
    OpenidService,
    ProviderConnections,
    Providers,
    UserIdentitiesRepository,
  ],
})
export class OpenidModule {
  constructor(jobs: JobsService, flows: OpenidFlows) {
    jobs.schedule(SCHEDULED.forgetOpenidFlows, () => flows.sweep());
  }
}
