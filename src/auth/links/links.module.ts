import { Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { MailModule } from '../../mail/mail.module.js';
import { PersonsModule } from '../../persons/persons.module.js';
import { UsersModule } from '../../users/users.module.js';
import { AccountsModule } from '../accounts/accounts.module.js';
import { FactorsModule } from '../factors/factors.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { SignInsModule } from '../sign-ins.module.js';
import { EmailChanges } from './email-changes.js';
import { EmailVerification } from './email-verification.js';
import { EmailsController } from './emails.controller.js';
import { LinkMailing } from './link-mailing.js';
import { LinkRequests } from './link-requests.js';
import { MagicLinksController } from './magic-links.controller.js';
import { MagicLinks } from './magic-links.js';
import { MailedLinks } from './mailed-links.js';
import { MailedLinksRepository } from './mailed-links.repository.js';
import { PasswordResetsController } from './password-resets.controller.js';
import { PasswordResets } from './password-resets.js';

/**
 * What a mailed link proves. Owns the table `mailed_links`; promises that a link is good once, for one thing and not for long,
 * and that nobody learns here who has an account. Leaves invitations, which are rows of their own, to auth.
 */
@Module({
  imports: [
    AccountsModule,
    AuditModule,
    FactorsModule,
    JobsModule,
    MailModule,
    PersonsModule,
    SessionsModule,
    SignInsModule,
    UsersModule,
  ],
  controllers: [EmailsController, MagicLinksController, PasswordResetsController],
  providers: [
    EmailChanges,
    EmailVerification,
    LinkMailing,
    LinkRequests,
    MagicLinks,
    MailedLinks,
    MailedLinksRepository,
    PasswordResets,
  ],
  exports: [LinkRequests],
})
export class LinksModule {}
